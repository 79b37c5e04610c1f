"""The fix of every unsafe example, in the files of each kind of runner and in revisions of Alembic: the finding is gone, nothing is locked more
or longer than before, a second run changes nothing, and on servers it ends in the same schema."""

import pickle
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from migsafe.linting.rule import Rule
from migsafe.prediction.predictor import Predictor
from migsafe.replaying.servers.server import Server
from migsafe.text import Script
from tests.fixes.fixed_examples import Fixed, FixedExample
from tests.fixes.fixed_scripts import FixedScripts
from tests.rules.followed_helps import unsafe_examples
from tests.rules.help_bench import HelpBench
from tests.rules.runner_files import Kind
from tests.rules.test_examples import RULES
from tests.support.servers import FOUND, newest, oldest_and_newest

FIXED = [rule for rule in RULES if rule.fix]
NOT_IN_ALEMBIC = (
    "combine-alter-tables",
    "concurrently-in-transaction",
    "set-local-outside-transaction",
    "transaction-not-closed",
)
"""Rules that report nothing in an Alembic script, because it has no BEGIN of its own, and those whose fix needs more than it can edit."""

NOT_THE_SAME = {"transaction-not-closed": "without its COMMIT the migration does nothing"}
"""Rules whose unsafe examples do not end as they are meant to."""

_TWO_KINDS = (Kind.PSQL, Kind.DBMATE)
"""A runner without transactions, and one that has one for each file and a directive to leave it."""
NEWEST = max((installation.major for installation in FOUND), default=0)

each_fixed_rule = pytest.mark.parametrize("rule", FIXED, ids=lambda rule: rule.name)


@pytest.fixture(scope="module", params=oldest_and_newest())
def bench(request: pytest.FixtureRequest) -> Iterator[HelpBench]:
    with Server(request.param) as server:
        yield HelpBench(server)


@pytest.fixture(scope="module", params=newest())
def newest_bench(request: pytest.FixtureRequest) -> Iterator[HelpBench]:
    with Server(request.param) as server:
        yield HelpBench(server)


@pytest.fixture(scope="module", autouse=True)
def loaded_once() -> Iterator[None]:
    """Loads each schema once: a fix is judged several times, each time on the same one."""
    load, loaded = Predictor.load, {}

    def load_copy(predictor: Predictor, script: Script) -> None:
        key = script.text, predictor.catalog.pg_version
        if key not in loaded:
            load(predictor, script)
            loaded[key] = pickle.dumps({**vars(predictor)})
        own = predictor._finds_contradictions
        vars(predictor).update(pickle.loads(loaded[key]), _finds_contradictions=own)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Predictor, "load", load_copy)
        yield


def fixed_examples(rule: Rule, folder: Path, pg_version: int, kinds: Iterable[Kind]) -> Iterator[Fixed]:
    """Yields the examples of a rule whose findings are fixed, for kinds of runner."""
    for number, example in enumerate(unsafe_examples(rule, pg_version)):
        for kind in kinds:
            own = folder / f"{number}_{kind.name.lower()}"
            own.mkdir()
            yield from _if_fixed(FixedExample(example, kind, own))


def fixed_scripts(rule: Rule, folder: Path, pg_version: int) -> Iterator[Fixed]:
    """Yields the examples of a rule whose findings are fixed in revisions of Alembic."""
    for number, example in enumerate(unsafe_examples(rule, pg_version)):
        own = folder / f"{number}_alembic"
        own.mkdir()
        yield from _if_fixed(FixedScripts(example, own))


def _if_fixed(fixed: Fixed) -> Iterator[Fixed]:
    if any(finding.rule == fixed.example.rule.name for finding in fixed.fixes.applied):
        yield fixed


def _check(fixed: Fixed) -> None:
    assert fixed.remaining == [], fixed.text
    assert fixed.again() == (), fixed.text
    assert fixed.stronger_locks() == [], fixed.text
    assert not fixed.lost_changes(), fixed.text


def _unexpected(rule: Rule, differences: list[str]) -> list[str]:
    """Returns the differences of schemas without the one index that the fix of a rule may add or omit."""
    is_index = rule.changes_indexes and len(differences) == 1 and differences[0].startswith("index ")
    return [] if is_index else differences


@each_fixed_rule
def test_a_fix_removes_the_finding_and_locks_no_more(rule: Rule, tmp_path: Path) -> None:
    fixed = list(fixed_examples(rule, tmp_path, 17, _TWO_KINDS))
    assert fixed
    for each in fixed:
        _check(each)


@pytest.mark.server
@each_fixed_rule
def test_a_fix_ends_in_the_same_schema(bench: HelpBench, rule: Rule, tmp_path: Path) -> None:
    # The kinds differ in the files, not in what a server makes of them.
    for each in fixed_examples(rule, tmp_path, bench.server.major, Kind if bench.server.major == NEWEST else _TWO_KINDS):
        assert each.remaining == [], each.text
        differences = _unexpected(rule, bench.compare(each, each.end_key()))
        assert differences == [] or rule.name in NOT_THE_SAME, f"{each.text}\n{each.fixes.later}"


@pytest.mark.server
@pytest.mark.process
@pytest.mark.usefixtures("one_renderer")
@pytest.mark.parametrize("rule", [rule for rule in FIXED if rule.name not in NOT_IN_ALEMBIC], ids=lambda rule: rule.name)
def test_a_fix_of_a_script_does_the_same(newest_bench: HelpBench, rule: Rule, tmp_path: Path) -> None:
    fixed = list(fixed_scripts(rule, tmp_path, newest_bench.server.major))
    assert fixed
    for each in fixed:
        _check(each)
        assert _unexpected(rule, newest_bench.compare(each, each)) == [], f"{each.text}\n{each.fixes.later}"
