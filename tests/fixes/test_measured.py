"""What the fixes of the locking rules lock on a server, and for how long, compared with the migrations as they were."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from migsafe.configuration import Configuration
from migsafe.library.fixes import fix_plan
from migsafe.library.plan import find_plan
from migsafe.library.prove import prove_fixes
from migsafe.linting.rule import Rule
from migsafe.replaying.servers.private import PrivateHost
from tests.fixes.fixed_examples import FixedExample
from tests.rules.followed_helps import unsafe_examples
from tests.rules.runner_files import Kind
from tests.rules.test_examples import RULES
from tests.support.servers import newest

NO_LOCK_IS_WEAKER = {
    "backfill-unbatched": "fewer rows are locked at a time",
    "many-tables-locked": "fewer tables are locked at a time",
}
NOT_MEASURED = {"attach-partition-scans": "the rows that migsafe generates do not fit into the partition of the example"}

LOCKING = [rule for rule in RULES if rule.fix and rule.category == "locking" and rule.name not in NOT_MEASURED]


@pytest.fixture(scope="module", params=newest())
def host(request: pytest.FixtureRequest) -> Iterator[PrivateHost]:
    with PrivateHost(request.param) as host:
        yield host


@pytest.mark.server
@pytest.mark.parametrize("rule", LOCKING, ids=lambda rule: rule.name)
def test_a_fix_locks_less_on_a_server(host: PrivateHost, rule: Rule, tmp_path: Path) -> None:
    for number, example in enumerate(unsafe_examples(rule, host.major)):
        folder = tmp_path / str(number)
        folder.mkdir()
        fixed = FixedExample(example, Kind.DBMATE, folder)
        if any(finding.rule == rule.name for finding in fixed.fixes.applied):
            proof = prove_fixes(fixed.plan, fixed.fixes, fixed.settings, host)
            assert proof.reason == "", fixed.text
            assert proof.weaker or rule.name in NO_LOCK_IS_WEAKER, fixed.text
            return
    pytest.fail("no example of the rule is fixed")


@pytest.mark.server
def test_locks_on_tables_without_rows_are_not_compared_by_their_time(host: PrivateHost, tmp_path: Path) -> None:
    """The generated rows fail in the UPDATE. Divided, the migrations lock the first table with its rows."""
    (tmp_path / "1_a.sql").write_text("CREATE TABLE links (id bigint NOT NULL); CREATE TABLE claims (id bigint PRIMARY KEY, data text);")
    changed = tmp_path / "2_b.sql"
    changed.write_text("ALTER TABLE links ADD PRIMARY KEY (id);\nALTER TABLE claims ADD COLUMN at date;\nUPDATE claims SET at = data::date;\n")
    settings = Configuration(transaction="file", pg_version=host.major)
    plan = find_plan([str(changed)], settings, "fix")
    fixes = fix_plan(plan, settings, unsafe=True)
    assert len(fixes.changes) > 1
    proof = prove_fixes(plan, fixes, settings, host)
    assert (proof.reason, proof.emptied) == ("", ("public.claims", "public.links"))
