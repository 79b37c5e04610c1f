"""The catalogue is proved: what is foreseen of each case is what every PostgreSQL that is found does."""

from collections.abc import Iterator

import pytest

from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.prediction.predictor import Predictor, StatementPrediction
from migsafe.replaying.recording.measurement import Measurement
from migsafe.replaying.servers.server import Server
from migsafe.sources import Transaction
from migsafe.sql.operations import Name
from migsafe.sql.statements import read
from tests.prediction.effects.cases import SCHEMA, Case, cases
from tests.support.effect_bench import Bench, Refusal
from tests.support.servers import each_installation

CASES = cases()
SCHEMA_STATEMENTS = tuple(read(SCHEMA))

# The tables have a few hundred rows: an index must be worth its while.
SETTINGS = {"random_page_cost": "1.1"}


@pytest.fixture(scope="module", params=each_installation())
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with Server(request.param, SETTINGS) as server:
        bench = Bench(server)
        yield bench
        bench.close()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_foreseen_is_what_happens(bench: Bench, case: Case) -> None:
    major = bench.server.installation.major
    if major not in case.versions:
        pytest.skip("not on this version")
    measured = bench.measured(case)
    if isinstance(measured, Refusal) or case.refused:
        assert isinstance(measured, Refusal), f"PostgreSQL {major} does not refuse it:\n{case.sql}"
        assert case.refused, f"PostgreSQL {major} refuses it: {measured.why}\n{case.sql}"
        return
    foreseen = foresee(case, major, Transaction.FILE if measured.in_block else Transaction.STATEMENT)
    expected, found = (lines(effects, case, measured.found) for effects in (measured.found.effects, foreseen.effects))
    if case.gap and expected != found:
        pytest.xfail(case.gap)
    if expected != found or foreseen.refusal is not None:
        pytest.fail(difference(case, major, expected, found, foreseen.refusal), pytrace=False)


def test_names_of_cases_are_told_apart() -> None:
    names = [str(case) for case in CASES]
    assert len(names) == len(set(names))


def foresee(case: Case, major: int, transaction: Transaction) -> StatementPrediction:
    """What is predicted for the last statement of a case."""
    forecast = Predictor(major)
    forecast.begin(Transaction.STATEMENT)
    for statement in SCHEMA_STATEMENTS:
        forecast.predict_statement(statement, judged=False)
    forecast.finish()
    forecast.catalog.complete = True
    forecast.begin(transaction)
    for statement in case.statements[:-1]:
        forecast.predict_statement(statement, judged=False)
    return forecast.predict_statement(case.statements[-1])


def lines(effects: tuple[Effect, ...], case: Case, measured: Measurement) -> dict[Name, str]:
    """Effects as text, a relation each; of what could not be measured nothing is said."""
    return {effect.relation: line(effect, measured) for effect in effects if effect.relation.name not in case.apart}


def line(effect: Effect, measured: Measurement) -> str:
    stops_readers = effect.index_lock is LockMode.ACCESS_EXCLUSIVE and effect.relation not in measured.partial_index_locks
    words = [effect.kind, str(effect.lock)]
    words += ["ACCESS EXCLUSIVE on an index"] if stops_readers else []
    words += ["rewrite"] if effect.rewrite else []
    words += ["scan"] if effect.scan and measured.scans_measured else []
    words += [f"rebuilds {', '.join(sorted(effect.rebuilt))}"] if effect.rebuilt else []
    # Nobody can hold ROW EXCLUSIVE on a materialized view, for which some of the statements wait.
    words += ["waits"] if effect.waits and effect.kind != "materialized view" else []
    return "; ".join(words)


def difference(case: Case, major: int, measured: dict[Name, str], foreseen: dict[Name, str], refused: str | None) -> str:
    """Both sides, a line for each relation that they see otherwise."""
    out = [f"{case} on PostgreSQL {major}", *("    " + line for line in case.text.strip().splitlines())]
    if refused is not None:
        out.append(f"  foreseen: it is refused, because {refused}")
    for name in sorted(measured.keys() | foreseen.keys(), key=str):
        if measured.get(name) != foreseen.get(name):
            out += [f"  {name}", f"    measured: {measured.get(name, 'nothing')}", f"    foreseen: {foreseen.get(name, 'nothing')}"]
    return "\n".join(out)
