"""A proved fix ends in the same rows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from migsafe.configuration import Configuration
from migsafe.library.fixes import Proof, fix_plan
from migsafe.library.plan import find_plan
from migsafe.library.prove import prove_fixes
from migsafe.replaying.servers.private import PrivateHost
from tests.support.servers import newest

TABLE = """\
CREATE TABLE orders (id bigint PRIMARY KEY, qty integer, note text);
CREATE TABLE versions (id bigint PRIMARY KEY, since timestamptz DEFAULT now());
INSERT INTO versions VALUES (1);
"""
OWN_RULE = '''
"""Another UPDATE is wanted."""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import Update


@rule(category="ours", severity=Severity.WARNING, fix="safe")
def other_update(op: Update, at: Context) -> Finding | None:
    if at.text(*op.span).endswith("id > 0"):
        return None
    return at.finding(op, "another update is wanted", fix={fix!r})
'''


@pytest.fixture(scope="module", params=newest())
def host(request: pytest.FixtureRequest) -> Iterator[PrivateHost]:
    with PrivateHost(request.param) as host:
        yield host


def _proof(folder: Path, host: PrivateHost, statement: str, **settings: str | tuple[str, ...]) -> Proof:
    """Returns what a server proves of the fixes of a migration."""
    (folder / "1_a.sql").write_text(TABLE)
    changed = folder / "2_b.sql"
    changed.write_text(statement)
    configuration = Configuration(pg_version=host.major, **settings)  # type: ignore[arg-type]
    plan = find_plan([str(changed)], configuration, "fix")
    fixes = fix_plan(plan, configuration, unsafe=True)
    assert fixes.changes != ()
    return prove_fixes(plan, fixes, configuration, host)


@pytest.mark.server
@pytest.mark.parametrize(
    ("update", "fixed", "reason"),
    [
        ("SET note = 'a'", "SET note = 'a' WHERE id > 0", ""),
        ("SET note = 'a'", "SET note = 'b' WHERE id > 0", "the rows at the end differ: public.orders has other values in note"),
        ("SET note = now()::text", "SET note = clock_timestamp()::text WHERE id > 0", ""),
        ("SET note = now()::text, qty = 1", "SET note = now()::text, qty = 2 WHERE id > 0", "public.orders has other values in qty"),
    ],
)
def test_rows_that_a_fix_changes_are_not_proved(
    host: PrivateHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, update: str, fixed: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "other_update.py").write_text(OWN_RULE.format(fix=f"UPDATE orders {fixed};"))
    proof = _proof(tmp_path, host, f"UPDATE orders {update};\n", rules="own", select=("other-update",))
    assert proof.reason.endswith(reason)
    assert (bool(proof.reason), proof.other_rows) == (bool(reason), "")


@pytest.mark.server
def test_the_rows_of_a_batched_backfill_are_the_same(host: PrivateHost, tmp_path: Path) -> None:
    proof = _proof(tmp_path, host, "UPDATE orders SET note = 'order ' || id;\n", select=("backfill-unbatched",))
    assert (proof.reason, proof.other_rows) == ("", "")
