"""The history: brings the database of a source, and its prediction, to the state before the selected migrations."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from migsafe.errors import MigsafeError, UnreadableError
from migsafe.prediction.predictor import Predictor
from migsafe.replaying.fresh_session import FreshSession
from migsafe.replaying.known_schema import applied_with, new_predictor, read_predictor
from migsafe.replaying.left_out import LeftOut
from migsafe.replaying.refusals import UNDEFINED_TABLE, Failure, hint_for
from migsafe.replaying.repairs import MAX_TRIES, Repairs
from migsafe.replaying.scripts import Copy
from migsafe.replaying.search_path import found_elsewhere
from migsafe.replaying.sending import Refused, send, skip_reason
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.time_limits import Guard
from migsafe.replaying.untried import is_display, likely_cause, untried_reason
from migsafe.session import sent_statements
from migsafe.sources import Half, Migration, Plan, Step, Transaction
from migsafe.sql import operations as sql
from migsafe.sql.statements import Statement
from migsafe.text import Script, Span

if TYPE_CHECKING:
    from psycopg import Connection

RenderHalf = Callable[[Half, Predictor], Half]

_INSUFFICIENT_PRIVILEGE = "42501"
"""The error code (manual, appendix A)."""


class History:
    """The history of one source in a database. `schema` is a dump to load first; `guard` limits the time of a statement; `plan` has the files
    that could not be read, `left_out` leaves out what needs an extension.

    `untried` has a clause for each migration that was not tried. `notes` are sentences about what was assumed.
    """

    def __init__(
        self,
        plan: Plan,
        host: Host,
        database: str,
        *,
        schema: Script | None,
        repairs: Repairs,
        left_out: LeftOut,
        guard: Guard,
        progress: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._host = host
        self._database = database
        self._schema = schema
        self._repairs = repairs
        self._left_out = left_out
        self._guard = guard
        self._progress = progress
        self._session = FreshSession(lambda: host.connect_as_migrator(database))
        self._skipped = 0
        self._schema_is_known = False
        self.untried: list[str] = []
        self.notes: list[str] = []

    def begin(self, steps: Sequence[Step], render: RenderHalf) -> Predictor:
        """Loads the dump, or reads the schema of the database that the replay begins with; returns the prediction. Raises MigsafeError."""
        self._left_out.begin_history(step.migration.up for step in steps)
        predictor = new_predictor(self._host, self._database)
        begins_empty = self._schema is None and self._host.start_database is None
        predictor.begin_history(from_first_migration=begins_empty)
        predictor.catalog.complete = begins_empty
        if self._schema is not None:
            self._progress(f"loading {self._schema.path}")
            half = Half(self._schema, (Span(0, len(self._schema.text)),), Transaction.STATEMENT)
            if self._send(half, f"{self._schema.path}: the schema cannot be loaded").left_out:
                predictor = self._read_schema(predictor)
            else:
                predictor.load(self._schema)
        if self._host.start_database is not None:
            return self._read_schema(predictor)
        if self._schema is not None:
            self._skip_applied(steps, predictor, render)
        return predictor

    def disconnect(self) -> None:
        """Closes the connection, so that the database can be copied and dropped."""
        self._session.close()

    def apply(self, number: int, migration: Migration, predictor: Predictor, render: RenderHalf, *, is_between: bool = False) -> None:
        """Applies a migration of the history, the step of this number, unless the database has it already. One between two selected migrations
        leaves no connection, because the database is copied next. Raises MigsafeError."""
        if self._schema_is_known or number < self._skipped:
            return
        half = render(migration.up, predictor)
        if self._host.start_database is None:
            self._progress(f"history: {half.file.path}")
            half = self._send(half, f"{half.file.path}: this migration of the history fails")
            if is_between:
                self.disconnect()
            if reason := untried_reason(half):
                self.untried.append(f"{half.file.path} was not tried ({reason})")
        with suppress(UnreadableError):
            predictor.apply(half)

    def end(self, predictor: Predictor) -> Predictor:
        """Returns the prediction for the first selected migration. The schema is read from the database if the history alone does not determine
        it, or contradicts itself."""
        self.disconnect()
        if self._host.start_database is None and not (predictor.catalog.complete and not predictor.contradictions):
            return self._read_schema(predictor)
        return predictor

    def likely_cause(self, failure: Failure) -> str:
        """Returns the end of a sentence about a failure: that an object is missing because of migrations that were not tried, or is in another
        schema; or ''."""
        unreadable = [problem.message for problem in self._plan.problems]
        return likely_cause(failure, [*self.untried, *unreadable]) or self._found_elsewhere(failure)

    def _found_elsewhere(self, failure: Failure) -> str:
        if failure.sqlstate != UNDEFINED_TABLE:
            return ""
        with self._host.connect(self._database) as connection:
            return found_elsewhere(connection, failure)

    def _read_schema(self, predictor: Predictor) -> Predictor:
        """Returns a prediction that begins with the schema of the database; if that cannot be read, the one that there was."""
        self._progress("reading the schema")
        try:
            known = read_predictor(self._host, self._database)
        except MigsafeError as error:
            text = f"The schema could not be read from the database ({error.message}): predictions are made from the migrations alone."
            self.notes.append(text)
            return predictor
        self._schema_is_known = self._host.start_database is not None
        return known

    def _skip_applied(self, steps: Sequence[Step], predictor: Predictor, render: RenderHalf) -> None:
        """Skips the migrations whose objects the dump contains."""
        first = next((number for number, step in enumerate(steps) if step.selected), len(steps))
        before = [step.migration for step in steps[:first]]
        self._skipped = applied_with(before, predictor, render)
        if self._skipped and self._schema is not None:
            which = "the history" if self._skipped == first else f"the history up to {before[self._skipped - 1].up.file.path}"
            self.notes.append(f"{self._schema.path} contains the objects of {which}, which was not applied again.")

    def leave_out(self, migration: Migration, copy: Copy | None) -> Migration:
        """Returns a selected migration without the statements that need an extension which is left out. Both directions run on a copy of the
        database to find them."""
        if not self._left_out:
            return migration
        migration = replace(migration, up=self._left_out.without_creation(migration.up))
        if migration.down is not None:
            migration = replace(migration, down=self._left_out.without_creation(migration.down))
        for _ in range(MAX_TRIES if copy is not None else 0):
            assert copy is not None
            with copy() as connection:
                up, failure = self._without_dependent(connection, migration.up)
                migration = replace(migration, up=up)
                if failure is None and migration.down is not None:
                    down, failure = self._without_dependent(connection, migration.down)
                    migration = replace(migration, down=down)
            if failure is None or not self._repairs.repair(failure, migration.up, (self._database,)):
                break
        return migration

    def _without_dependent(self, connection: "Connection[Any]", half: Half) -> tuple[Half, Failure | None]:
        """Sends one direction of a migration; returns it without the statements that need an extension, up to one that fails otherwise."""
        try:
            return send(connection, half, guard=self._guard, repair=self._left_out.without_dependent), None
        except Refused as refused:
            return refused.half, refused.failure

    def _send(self, half: Half, problem: str) -> Half:
        """Sends a migration; returns it without the statements that were left out. Raises MigsafeError."""
        try:
            connection = self._session.connection()
            half = send(connection, self._left_out.without_creation(half), guard=self._guard, repair=self._repair)
        except Refused as refused:
            position = half.file.position(half.file_span(refused.statement.span).start)
            cause = self.likely_cause(refused.failure) or _left_out_before(half, refused.statement)
            hint = "" if cause and cause == self._found_elsewhere(refused.failure) else hint_for(refused.failure, self._host.major)
            raise MigsafeError(f"{problem} at line {position.line}: {refused.failure.message}{cause}", hint) from refused
        finally:
            self._session.sent(half)
        self._repairs.note_schemas(half)
        return half

    def _repair(self, half: Half, statement: Statement, failure: Failure) -> Half | None:
        if self._repairs.repair(failure, half, (self._database,)):
            return half
        if self._host.start_database is None and failure.sqlstate == _INSUFFICIENT_PRIVILEGE and _is_about_owners(statement):
            # A dump names production's owners, also superusers; no lock, row or query depends on them.
            return replace(
                half, left_out={**half.left_out, statement.index: "the role of the migrations must not act for the owner that it names"}
            )
        return self._left_out.without_dependent(half, statement, failure, has_run=True)


def _is_about_owners(statement: Statement) -> bool:
    return all(isinstance(operation, sql.SetOwner | sql.AlterDefaultPrivileges) for operation in statement.operations)


def _left_out_before(half: Half, statement: Statement) -> str:
    """Returns the end of a sentence about a failure: that earlier statements of the same migration were left out; or ''."""
    reasons = {
        half.file.position(half.file_span(sent.statement.span).start).line: reason
        for sent in sent_statements(half)
        if sent.statement.index < statement.index and (reason := skip_reason(sent.statement, half)) and not is_display(sent.statement)
    }
    if not reasons:
        return ""
    line, reason = next(iter(reasons.items()))
    more = f", and {len(reasons) - 1} more were left out" if len(reasons) > 1 else ""
    return f"; the likely cause: the statement at line {line} was left out ({reason}){more}"
