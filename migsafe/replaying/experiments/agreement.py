"""The comparison of predicted and measured effects. A difference means that one of the two is wrong: please report it."""

from collections.abc import Iterator, Sequence

from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.prediction.statement_prediction import StatementPrediction
from migsafe.replaying.experiments.outcome import Observation, Outcome
from migsafe.replaying.recording.records import MeasuredEffect, StatementRecord
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name

NAME = "agreement"
_WEAKEST_LOCK = LockMode.SHARE_UPDATE_EXCLUSIVE
_MIN_ROWS = 100
_DEPEND_ON_ROWS = (sql.Insert, sql.Update, sql.Delete, sql.Merge, sql.Select, sql.Copy, sql.Do, sql.Call, sql.CreateTableAs)
"""What these statements read depends on the rows and on the query plan."""


def compare_with_predictions(predictions: Sequence[StatementPrediction], records: Sequence[StatementRecord]) -> Outcome:
    """Compares each statement: locks from SHARE UPDATE EXCLUSIVE up, rewrites, and full scans of tables with rows.

    Requesting a lock that the transaction already holds leaves no trace, so a predicted lock up to that mode is not a difference.
    """
    predicted = {prediction.statement.index: prediction for prediction in predictions}
    observations: list[Observation] = []
    compared = 0
    for record in records:
        prediction = predicted.get(record.statement.index)
        if prediction is not None and record.failure is None and prediction.understood and not record.skip_reason:
            compared += 1
            observations += [Observation(text, record.statement.index) for text in _differences(prediction, record)]
    if observations:
        different = len({observation.statement for observation in observations})
        summary = f"{different} of {compared} statements had other effects than predicted; please report this as a bug in migsafe"
        return Outcome(experiment=NAME, passed=False, summary=summary, observations=tuple(observations))
    if not compared:
        return Outcome(experiment=NAME, passed=None, summary="no statement could be compared")
    return Outcome(experiment=NAME, passed=True, summary=f"{compared} of {compared} statements had the predicted effects")


def _differences(prediction: StatementPrediction, record: StatementRecord) -> Iterator[str]:
    predicted = {effect.relation: effect for effect in prediction.effects if effect.relation.schema != "pg_temp"}
    measured = {effect.effect.relation: effect for effect in record.measured_effects if effect.effect.relation.schema != "pg_temp"}
    if prediction.refusal is not None:
        yield f"predicted: PostgreSQL refuses the statement ({prediction.refusal}); measured: it did not"
    for name in sorted(predicted.keys() | measured.keys(), key=str):
        expected, actual = predicted.get(name), measured.get(name)
        lock, predicted_lock = _lock(actual.effect if actual is not None and actual.takes_lock else None), _lock(expected)
        already = record.held_before.get(name)
        if lock != predicted_lock and not (already is not None and predicted_lock is not None and already >= predicted_lock):
            # Locks that are released while the statement runs are seen only if they are held long enough.
            if not (record.outside_transaction and (lock is None or (expected is not None and expected.strongest_lock >= lock))):
                yield f"{name}: predicted {predicted_lock or 'no lock'}, measured {lock or 'no lock'}"
        yield from _work_differences(name, expected, actual, record)


def _work_differences(name: Name, expected: Effect | None, actual: MeasuredEffect | None, record: StatementRecord) -> Iterator[str]:
    if record.outside_transaction or actual is None or expected is None:
        return
    if expected.rewrite != actual.effect.rewrite:
        yield f"{name}: predicted {_phrase(expected.rewrite, 'rewritten')}, measured {_phrase(actual.effect.rewrite, 'rewritten')}"
    operation = record.statement.operations[0]
    # Whether the referenced table of a foreign key is scanned depends on the rows as well: their values are looked up in it.
    planned = isinstance(operation, _DEPEND_ON_ROWS) or (isinstance(operation, sql.AlterRelation) and operation.target.name.name != name.name)
    if not planned and (actual.rows or 0) >= _MIN_ROWS and not expected.rewrite and expected.scan != actual.effect.scan:
        yield f"{name}: predicted {_phrase(expected.scan, 'scanned')}, measured {_phrase(actual.effect.scan, 'scanned')}"


def _phrase(is_true: bool, phrase: str) -> str:
    return phrase if is_true else f"not {phrase}"


def _lock(effect: Effect | None) -> LockMode | None:
    return effect.lock if effect is not None and effect.lock >= _WEAKEST_LOCK else None
