"""Comparing what was foreseen with what was measured: a difference means that one of the two is wrong, and is worth a report to us."""

from collections.abc import Iterator, Sequence

from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.prediction.predictor import StatementPrediction
from migsafe.replaying.experiments.outcome import Observation, Outcome
from migsafe.replaying.recording.records import MeasuredEffect, StatementRecord
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name

NAME = "agreement"
_FROM = LockMode.SHARE_UPDATE_EXCLUSIVE
_ENOUGH_ROWS = 100
_CHANGE_ROWS = (sql.Insert, sql.Update, sql.Delete, sql.Merge, sql.Select, sql.Copy, sql.Do, sql.Call, sql.CreateTableAs)
"""What these read hangs on the rows and on the plan."""


def compare_with_predictions(foreseen: Sequence[StatementPrediction], played: Sequence[StatementRecord]) -> Outcome:
    """Compare statement by statement: locks from SHARE UPDATE EXCLUSIVE up, rewrites, rebuilt indexes, and full scans where there are rows.

    What a transaction holds already leaves no trace when it is asked for again, so that a prediction up to that is no difference.
    """
    predicted = {one.statement.index: one for one in foreseen}
    steps: list[Observation] = []
    compared = 0
    for one in played:
        ours = predicted.get(one.statement.index)
        if ours is not None and one.failure is None and ours.understood and not one.skip_reason:
            compared += 1
            steps += [Observation(text, one.statement.index) for text in _differences(ours, one)]
    if steps:
        wrong = len({step.statement for step in steps})
        summary = f"{wrong} of {compared} statements did something else than was foreseen: one of the two is wrong"
        return Outcome(experiment=NAME, passed=False, summary=summary, observations=tuple(steps))
    if not compared:
        return Outcome(experiment=NAME, passed=None, summary="nothing could be compared")
    return Outcome(experiment=NAME, passed=True, summary=f"{compared} of {compared} statements did what was foreseen")


def _differences(foreseen: StatementPrediction, played: StatementRecord) -> Iterator[str]:
    ours = {effect.relation: effect for effect in foreseen.effects if effect.relation.schema != "pg_temp"}
    real = {touch.effect.relation: touch for touch in played.measured_effects if touch.effect.relation.schema != "pg_temp"}
    if foreseen.refusal is not None:
        yield f"foreseen: PostgreSQL refuses it ({foreseen.refusal}); it did not"
    for name in sorted(ours.keys() | real.keys(), key=str):
        our, touch = ours.get(name), real.get(name)
        its = touch.effect if touch is not None else None
        lock, foretold = _lock(its), _lock(our)
        already = played.held_before.get(name)
        if lock != foretold and not (already is not None and foretold is not None and already >= foretold):
            # Locks that are let go on the way are seen only if they are held for long enough.
            if not (played.outside_transaction and (lock is None or (foretold is not None and foretold >= lock))):
                yield f"{name}: foreseen {foretold or 'no lock'}, measured {lock or 'none'}"
        yield from _work(name, our, touch, played)


def _work(name: Name, our: Effect | None, touch: MeasuredEffect | None, played: StatementRecord) -> Iterator[str]:
    if played.outside_transaction or touch is None or our is None:
        return
    if our.rewrite != touch.effect.rewrite:
        yield f"{name}: foreseen {_word(our.rewrite, 'rewritten')}, measured {_word(touch.effect.rewrite, 'rewritten')}"
    operation = played.statement.operations[0]
    # So does whether the table that a foreign key points to is read whole, to look for the values of rows.
    planned = isinstance(operation, _CHANGE_ROWS) or (isinstance(operation, sql.AlterRelation) and operation.target.name.name != name.name)
    if not planned and (touch.rows or 0) >= _ENOUGH_ROWS and not our.rewrite and our.scan != touch.effect.scan:
        yield f"{name}: foreseen {_word(our.scan, 'read whole')}, measured {_word(touch.effect.scan, 'read whole')}"


def _word(true: bool, what: str) -> str:
    return what if true else f"not {what}"


def _lock(effect: Effect | None) -> LockMode | None:
    return effect.lock if effect is not None and effect.lock >= _FROM else None
