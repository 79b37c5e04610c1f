"""Migrations that their runner sends in one transaction: they are recorded as one migration, and each gets its part of the recording.

One `alembic upgrade` runs all revisions in a transaction that ends after the last one, unless env.py says otherwise.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from migsafe.prediction.statement_prediction import StatementPrediction
from migsafe.replaying.lock_timeouts import LockTimeout
from migsafe.replaying.queries.results import QueryResults, part_of_results
from migsafe.replaying.recording.records import MeasuredEffect, Recording, ResponseTimes, StatementRecord, Wait
from migsafe.session import sent_statements
from migsafe.sources import Call, Half, Migration, Program, Step
from migsafe.sql.statements import Statement
from migsafe.text import Script, Span


class Part(Struct, frozen=True):
    """A migration of an upgrade. `first` is how many statements of the upgrade precede its `statements`."""

    migration: Migration
    first: int
    statements: tuple[Statement, ...]

    def has(self, statement: int | None) -> bool:
        """Whether a statement of the upgrade, by index, belongs to the migration."""
        return statement is not None and self.first < statement <= self.first + len(self.statements)


class Upgrade:
    """Migrations in one transaction. `migration` is all of them as one, `parts` are its parts. Raises UnreadableError."""

    def __init__(self, migrations: Sequence[Migration]) -> None:
        self.parts: list[Part] = []
        first = 0
        for migration in migrations:
            statements = tuple(sent.statement for sent in sent_statements(migration.up))
            self.parts.append(Part(migration, first, statements))
            first += len(statements)
        self.migration = replace(migrations[-1], up=combined([migration.up for migration in migrations]), down=None)

    def split(self, recording: Recording) -> Iterator[tuple[Part, Recording]]:
        """Yields the recording of each migration that ran, with times from its own beginning."""
        for number, part in enumerate(self.parts):
            records = [record for record in recording.statements if part.has(record.statement.index)]
            last = number == len(self.parts) - 1 or any(record.failure is not None for record in records)
            start = min((record.started for record in records), default=0.0)
            statements = tuple(_moved(record, part, start) for record in records)
            relations = {measured.effect.relation for record in records for measured in record.measured_effects}
            waits = tuple(_moved_wait(wait, part, start) for wait in recording.waits if self._is_of(wait, part, recording))
            # The response times are those of the whole upgrade: they say nothing of a migration if another one made queries wait.
            is_quiet = bool(recording.waits) and not waits
            yield (
                part,
                replace(
                    recording,
                    times_before=ResponseTimes() if is_quiet else recording.times_before,
                    times_during=ResponseTimes() if is_quiet else recording.times_during,
                    migration=part.migration,
                    statements=statements,
                    duration_ms=1000 * max((record.ended for record in statements), default=0.0),
                    waits=waits,
                    probe_errors={name: error for name, error in recording.probe_errors.items() if name in relations},
                    deadlocks=tuple(name for name in recording.deadlocks if name in relations),
                ),
            )
            if last:
                return

    def predictions(self, part: Part, predictions: Sequence[StatementPrediction]) -> tuple[StatementPrediction, ...]:
        """Returns the predictions for a migration, of those for the upgrade."""
        return tuple(
            replace(prediction, statement=part.statements[prediction.statement.index - part.first - 1])
            for prediction in predictions
            if part.has(prediction.statement.index)
        )

    def queries(self, part: Part, results: QueryResults | None) -> QueryResults | None:
        """Returns what the upgrade does to queries, as far as the migration is the cause. Other sessions see the migrations together, so what
        no statement explains, and what is true of the state after the upgrade, belongs to the last migration."""
        if results is None:
            return None
        return part_of_results(
            results,
            lambda statement: part.statements[statement - part.first - 1].index if part.has(statement) else None,
            part is self.parts[-1],
        )

    def _is_of(self, wait: Wait, part: Part, recording: Recording) -> bool:
        """Whether a migration made a session wait; without a known cause, whether it had begun last."""
        if wait.statement is not None:
            return part.has(wait.statement)
        begun = [record.statement.index for record in recording.statements if record.started <= wait.started]
        return part.has(begun[-1] if begun else 1)


def following(steps: Sequence[Step], number: int) -> Iterator[Migration]:
    """Yields the migrations that run in the transaction of a step, after it."""
    while steps[number].transaction_continues:
        number += 1
        yield steps[number].migration


def combined(halves: Sequence[Half]) -> Half:
    """Returns directions of migrations as one, in the transaction of the first."""
    text, statements = "", 0
    chunks: list[Span] = []
    calls: list[Call] = []
    left_out: dict[int, str] = {}
    for half in halves:
        start = len(text)
        chunks += [Span(chunk.start + start, chunk.end + start) for chunk in half.chunks]
        calls += [
            replace(call, sql_span=Span(call.sql_span.start + start, call.sql_span.end + start))
            for call in (half.program.calls if half.program is not None else ())
        ]
        left_out |= {statements + index: reason for index, reason in half.left_out.items()}
        statements += sum(1 for _ in sent_statements(half))
        text += half.script.text
    first = halves[0]
    program = first.program
    if program is not None:
        program = Program(program.script, program.function, tuple(calls), program.environment, import_path=program.import_path)
    return replace(first, script=Script(first.script.path, text), chunks=tuple(chunks), program=program, left_out=left_out)


def rolled_back(failed: Recording, before: Sequence[Part]) -> str:
    """Returns the end of a sentence about the failure of an upgrade: what remains of the migrations before the one that failed. `failed` is the
    recording of the upgrade."""
    paths = ", ".join(part.migration.up.file.path for part in before)
    last = failed.statements[-1]
    remaining = [record for record in failed.statements if record.transaction != last.transaction and not record.skip_reason]
    if not remaining:
        return f"; it shares a transaction with {paths}, so that nothing of them remains either"
    end = remaining[-1].statement
    part = next((part for part in before if part.has(end.index)), None)
    if part is None:
        return ""
    half = part.migration.up
    line = half.file.position(half.file_span(part.statements[end.index - part.first - 1].span).start).line
    return f"; of {paths}, what ran up to {half.file.path}:{line} remains, because a transaction ended there"


def lock_timeout_in(part: Part, lock_timeout: LockTimeout | None) -> LockTimeout | None:
    """Returns the lock_timeout that ended the first attempt of an upgrade, if it was at a statement of this migration."""
    if lock_timeout is None or not part.has(lock_timeout.statement):
        return None
    waits = tuple(_moved_wait(wait if part.has(wait.statement) else replace(wait, statement=None), part, 0.0) for wait in lock_timeout.waits)
    return replace(lock_timeout, statement=part.statements[lock_timeout.statement - part.first - 1].index, waits=waits)


def _moved(record: StatementRecord, part: Part, start: float) -> StatementRecord:
    """Returns the record of a statement as one of its migration, which began at `start`."""
    return replace(
        record,
        statement=part.statements[record.statement.index - part.first - 1],
        started=record.started - start,
        ended=record.ended - start,
        measured_effects=tuple(_moved_effect(measured, start) for measured in record.measured_effects),
    )


def _moved_effect(measured: MeasuredEffect, start: float) -> MeasuredEffect:
    periods = tuple(replace(period, started=period.started - start, ended=period.ended - start) for period in measured.periods)
    return replace(measured, periods=periods)


def _moved_wait(wait: Wait, part: Part, start: float) -> Wait:
    index = part.statements[wait.statement - part.first - 1].index if wait.statement is not None else None
    return replace(wait, started=wait.started - start, statement=index)
