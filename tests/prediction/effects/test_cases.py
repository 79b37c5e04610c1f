"""PostgreSQL does what is predicted for each case, measured with the recorders of `migsafe replay`.

All cases run on the oldest and on the newest server that is found. Those between run the cases that differ by version, and all with
`--all-servers`.
"""

import pickle
from collections.abc import Iterator
from functools import cache

import pytest

from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.prediction.predictor import Predictor
from migsafe.prediction.statement_prediction import StatementPrediction
from migsafe.replaying.recording.measurement import Measurement
from migsafe.replaying.servers.server import Server
from migsafe.sources import Transaction
from migsafe.sql.operations import Name
from migsafe.sql.statements import read
from tests.prediction.effects.cases import SCHEMA, Case, cases
from tests.support import servers
from tests.support.effect_bench import Bench, Refusal
from tests.support.servers import FOUND, each_installation

CASES = cases()
SCHEMA_STATEMENTS = tuple(read(SCHEMA))
NOT_IN_A_BLOCK = "cannot run inside a transaction block"

# The tables have a few hundred rows, so that the planner uses an index.
SETTINGS = {"random_page_cost": "1.1"}


@pytest.fixture(scope="module", params=each_installation())
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with Server(request.param, SETTINGS) as server:
        bench = Bench(server)
        yield bench
        bench.close()


@pytest.mark.server
@pytest.mark.parametrize("case", CASES, ids=str)
def test_postgresql_does_what_is_predicted(bench: Bench, case: Case) -> None:
    major = bench.server.installation.major
    if major not in case.versions:
        pytest.skip("not on this version")
    if not (servers.all_servers or differs_by_version(case, major)):
        pytest.skip(f"as on {FOUND[0].major} and {FOUND[-1].major}: --all-servers runs it")
    measured = bench.measure(case)
    if isinstance(measured, Refusal) or case.refused:
        assert isinstance(measured, Refusal), f"PostgreSQL {major} does not refuse it:\n{case.sql}"
        assert case.refused, f"PostgreSQL {major} refuses it: {measured.message}\n{case.sql}"
        return
    prediction = predict(case, major, Transaction.FILE if measured.in_block else Transaction.STATEMENT)
    measurement = measured.measurement
    expected, predicted = (lines(effects, case, measurement) for effects in (measurement.effects, prediction.effects))
    if case.gap and expected != predicted:
        pytest.xfail(case.gap)
    if expected != predicted or prediction.refusal is not None:
        pytest.fail(difference(case, major, expected, predicted, prediction.refusal), pytrace=False)


def test_names_of_cases_are_unique() -> None:
    names = [str(case) for case in CASES]
    assert len(names) == len(set(names))


def test_servers_between_run_what_differs_by_version() -> None:
    differing = [case for case in CASES if differs_by_version(case, 16, (14, 18))]
    assert all(case in differing for case in CASES if case.versions != range(100))
    assert 60 < len(differing) < len(CASES) / 4


def differs_by_version(case: Case, major: int, ends: tuple[int, int] | None = None) -> bool:
    """Whether a case must run on this version: it is one of the `ends` (the oldest and newest server), the case is about versions, or its
    prediction is not that for both ends."""
    ends = ends or (FOUND[0].major, FOUND[-1].major)
    if major in ends or case.versions != range(100):
        return True
    return any(outcomes(case, end) != outcomes(case, major) for end in ends)


def outcomes(case: Case, major: int) -> list[tuple[frozenset[Effect], str]]:
    """Returns the prediction for a case in a transaction block and, if it cannot run there, outside."""
    predictions = [predict(case, major, Transaction.FILE)]
    if NOT_IN_A_BLOCK in str(predictions[0].refusal):
        predictions.append(predict(case, major, Transaction.STATEMENT))
    return [(frozenset(prediction.effects), str(prediction.refusal)) for prediction in predictions]


@cache
def predictor_after_schema(major: int) -> Predictor:
    """Returns a predictor with the database of schema.sql."""
    predictor = Predictor(major)
    predictor.begin(Transaction.STATEMENT)
    for statement in SCHEMA_STATEMENTS:
        predictor.predict_statement(statement, with_effects=False)
    predictor.finish()
    predictor.catalog.complete = True
    return predictor


def predict(case: Case, major: int, transaction: Transaction) -> StatementPrediction:
    """Returns the prediction for the last statement of a case."""
    predictor = predictor_after_schema(major)
    in_block = transaction is Transaction.FILE
    if not in_block:
        # What is committed cannot be undone.
        predictor = pickle.loads(pickle.dumps(predictor))
    predictor.begin(transaction)
    for statement in case.statements[:-1]:
        predictor.predict_statement(statement, with_effects=False)
    prediction = predictor.predict_statement(case.statements[-1])
    if in_block:
        predictor.catalog.undo(0)
    return prediction


def lines(effects: tuple[Effect, ...], case: Case, measured: Measurement) -> dict[Name, str]:
    """Returns the effects as text, by relation; without those that could not be measured."""
    return {effect.relation: line(effect, measured) for effect in effects if effect.relation.name not in case.apart}


def line(effect: Effect, measured: Measurement) -> str:
    stops_readers = effect.index_lock is LockMode.ACCESS_EXCLUSIVE and effect.relation not in measured.partial_index_locks
    words = [effect.kind, str(effect.lock)]
    words += ["ACCESS EXCLUSIVE on an index"] if stops_readers else []
    words += ["rewrite"] if effect.rewrite else []
    words += ["scan"] if effect.scan and measured.scans_measured else []
    words += [f"rebuilds {', '.join(sorted(effect.rebuilt))}"] if effect.rebuilt else []
    # Some of the statements wait for ROW EXCLUSIVE on a materialized view, which no session can hold.
    words += ["waits"] if effect.waits and effect.kind != "materialized view" else []
    return "; ".join(words)


def difference(case: Case, major: int, measured: dict[Name, str], predicted: dict[Name, str], refusal: object) -> str:
    """Returns the predicted and the measured effects of each relation on which they differ."""
    out = [f"{case} on PostgreSQL {major}", *("    " + line for line in case.text.strip().splitlines())]
    if refusal is not None:
        out.append(f"  predicted: it is refused, because {refusal}")
    for name in sorted(measured.keys() | predicted.keys(), key=str):
        if measured.get(name) != predicted.get(name):
            out += [f"  {name}", f"    measured: {measured.get(name, 'nothing')}", f"    predicted: {predicted.get(name, 'nothing')}"]
    return "\n".join(out)
