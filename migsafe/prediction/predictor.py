"""The prediction of what each statement of a migration does, and of the database that it leaves."""

import re
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy

from msgspec import Struct
from msgspec.structs import replace

from migsafe import expressions
from migsafe.lock import LockMode
from migsafe.patterns import lazy_pattern
from migsafe.prediction.effects.catalogue import predict_effects
from migsafe.prediction.effects.effect import Effect, combine_effects
from migsafe.prediction.effects.effect_context import EffectContext
from migsafe.prediction.effects.transaction_blocks import refused_in_transaction_block, transaction_block_error
from migsafe.prediction.equal_inserts import EqualInserts
from migsafe.prediction.execution_order import in_execution_order
from migsafe.prediction.later_extensions import created_extensions
from migsafe.prediction.later_relations import created_relations
from migsafe.prediction.newer_features import missing_feature, newer_feature
from migsafe.prediction.record_tables import add_platform, add_record_table
from migsafe.prediction.recreated import recreated_names
from migsafe.prediction.refusals.empty_path import with_empty_path
from migsafe.prediction.refusals.psql_syntax import refuse_psql_syntax
from migsafe.prediction.refusals.queries import QueryChecks
from migsafe.prediction.refusals.read_only import refuse_in_read_only
from migsafe.prediction.refusals.reasons import find_refusal
from migsafe.prediction.row_changes import ROW_CHANGES, note_rows
from migsafe.prediction.skipped_branches import is_skipped
from migsafe.prediction.statement_prediction import OuterEffects, StatementPrediction, combined_prediction
from migsafe.prediction.transaction_marks import TransactionMarks
from migsafe.prediction.understanding import reason_unknown
from migsafe.schema.application import apply_operation, begin_migration, end_statement
from migsafe.schema.bodies import called_operations
from migsafe.schema.catalog import Catalog
from migsafe.schema.column_uses import ColumnUses
from migsafe.schema.names import renamed_relation
from migsafe.schema.objects import ReadRelation, Relation, RelationKind
from migsafe.schema.origin import Origin
from migsafe.schema.query_columns import QueryColumn, TableColumns
from migsafe.schema.refusal import Refusal, RefusalKind
from migsafe.session import Session, StoredSettings, sent_statements, statements_of_paths
from migsafe.session.settings import is_false
from migsafe.sources import Half, Transaction
from migsafe.sources.migration import UnsureNames
from migsafe.sql import operations as sql
from migsafe.sql.operations import AlterRelation, Name, Operation, Query
from migsafe.sql.statements import Statement
from migsafe.text import Script, Span

_MAY_FIND_OLDER = lazy_pattern(r"\bif\s+not\s+exists\b|\bor\s+replace\b", re.IGNORECASE)


class Contradiction(Struct, frozen=True):
    """A place in the history that contradicts what came before it. `text` is a sentence without its full stop."""

    script: Script
    span: Span
    text: str


class Predictor:
    """A simulated database on which migrations run.

    `apply` runs a migration of the history; `predict_migration` runs a migration and predicts the effects of each statement. Both leave the
    database as the migration would. `contradictions` are those found in the history, each text once: the history did run, so the later
    statement is believed; without `find_contradictions` they are not looked for, which makes following the history faster. `timezone` is the
    TimeZone of the server, None if it is unknown; `search_path` the one with which its sessions begin, None for PostgreSQL's default.
    """

    def __init__(
        self, pg_version: int, timezone: str | None = None, search_path: str | None = None, *, find_contradictions: bool = True
    ) -> None:
        self.catalog = Catalog(pg_version)
        self.catalog.analyse_query = _analyse_query
        self.catalog.type_query = _type_query
        self._timezone = timezone
        self.session = Session(Transaction.STATEMENT)
        self._context = EffectContext(self.catalog, prepared_operations=self.session.prepared_operations)
        self.contradictions: list[Contradiction] = []
        self._finds_contradictions = find_contradictions
        self.held_locks: dict[Hashable, LockMode] = {}
        """The locks that the transaction held when the current statement began, by relation."""
        self._marks = TransactionMarks(self.catalog)
        self._reported: set[Refusal] = set()
        self.refused: tuple[Operation, Refusal] | None = None
        """The first operation of the current statement that PostgreSQL refuses, with the reason."""
        self._statement_locks: dict[Name, LockMode] | None = None
        """The strongest locks of the current ALTER TABLE, computed at the first use for each of its operations."""
        self._query_checks = QueryChecks()
        self._text = ""
        """The text of the migration, to which the places of its operations refer."""
        self._statement: Statement | None = None
        self._in_routine = False
        """Whether the current operation is in the body of a function, a procedure or a trigger."""
        self._goes_on = False
        self._same_session: bool | None = False
        self._left_path: str | None = None
        """The search_path that the migrations before have left to the next one in their session."""
        self._half: Half | None = None
        self._reads_psql = True
        self._own_table, self._reaches_next = "", True
        """The own table of the runner, and whether it found that of the migration before although search_path was empty."""
        self._stored_settings = StoredSettings(search_path)

    def load(self, script: Script) -> None:
        """Starts with a `pg_dump --schema-only`: what it does not create does not exist. Raises UnreadableError."""
        self.catalog.origin = Origin(made_all=True)
        self.apply(Half(script, (Span(0, len(script.text)),), Transaction.STATEMENT))
        # A dump of a schema creates every materialized view WITH NO DATA, also those that have rows.
        for relation in [each for each in self.catalog.relations() if each.unpopulated]:
            self.catalog.change(relation, unpopulated=False)
        self.catalog.complete = True

    def begin_history(self, *, from_first_migration: bool, unsure_names: UnsureNames = UnsureNames.NONE) -> None:
        """Begins a history without a dump. `from_first_migration`: no migration before it is known to be missing. `unsure_names` are the names
        of its constraints that are not certain."""
        self.catalog.from_beginning = from_first_migration
        self.catalog.origin = Origin(made_all=from_first_migration, unsure_names=unsure_names)

    def look_ahead(self, half: Half, *, same_session: bool | None = False) -> None:
        """Prepares for the next migration: finds out whether the history begins part-way, from the first migration that uses relations. Then a
        relation that this migration creates IF NOT EXISTS may exist already, also before the statement that shows it. `same_session`: the
        migration is sent in the session of the one before it, so that its search_path remains; None if that depends on whether one run
        applies both. Raises UnreadableError."""
        self._same_session = same_session
        catalog = self.catalog
        if not catalog.origin.made_all or any(catalog.relations()) or not _MAY_FIND_OLDER.search(half.script.text):
            return
        with self.trial():
            self._goes_on = False
            for _ in self._predict(half, with_effects=False):
                pass
            origin = catalog.origin
        catalog.origin = replace(catalog.origin, made_all=not origin.part_way, part_way=origin.part_way, older_schemas=origin.older_schemas)

    def apply(self, half: Half) -> None:
        """Runs a migration of the history. Raises UnreadableError."""
        for prediction in self._predict(half, with_effects=False):
            if self._finds_contradictions and prediction.refusal is not None and prediction.refusal not in self._reported:
                self._reported.add(prediction.refusal)
                self.contradictions.append(Contradiction(half.file, half.file_span(prediction.statement.span), str(prediction.refusal)))

    def predict_migration(self, half: Half, *, transaction_continues: bool = False) -> Iterator[StatementPrediction]:
        """Runs a migration, and yields the prediction for each statement in order. Raises UnreadableError."""
        return self._predict(half, with_effects=True, goes_on=transaction_continues)

    def begin_half(self, half: Half, *, with_effects: bool = True) -> None:
        """Begins a migration that its runner sends. What it drops and makes again is only read for the prediction of effects."""
        self._half = half
        self._reads_psql = half.reads_psql
        self._reaches_next = not self._own_table
        self._own_table = half.own_table
        add_record_table(self.catalog, half)
        add_platform(self.catalog, half)
        self.catalog.recreated = recreated_names(half) if with_effects else frozenset()
        self.catalog.created_extensions = created_extensions(half) if with_effects else {}
        created = created_relations(half) if with_effects else {}
        functions = {name: operation for name, operation in created.items() if isinstance(operation, sql.CreateFunction)}
        self.catalog.created_functions = functions
        self.catalog.created_relations = {
            name: operation for name, operation in created.items() if name not in functions and self.catalog.relation(name) is None
        }
        self.begin(half.transaction, one_query=half.one_query, setup=half.setup, is_dump=half.is_dump, text=half.script.text)

    def begin(
        self, transaction: Transaction, *, one_query: bool = False, setup: Iterable[str] = (), is_dump: bool = False, text: str = ""
    ) -> None:
        """Begins a migration, for `predict_statement` to run: on a new connection, or in the transaction of the migration before it if that
        transaction continues. Then the relations that that migration created are still new: no other session has seen them. `setup` is the
        SQL that the connection has executed before, `text` that of the migration, without which names in queries are not checked."""
        self._text = text
        if self._goes_on:
            self._goes_on = False
            return
        path = self._left_path = self.session.settings.lasting_path(self._left_path) if self._same_session is not False else None
        self.session = Session(transaction, one_query=one_query)
        self._stored_settings.give_to(self.session.settings)
        self.session.set_up(setup)
        if path is not None:
            self.session.settings.keep_path(path, certain=self._same_session is True and self._reaches_next)
        self._stored_settings.note(self.session.settings)
        self._context = EffectContext(self.catalog, prepared_operations=self.session.prepared_operations)
        begin_migration(self.catalog)
        self.catalog.is_restored = is_dump
        self.catalog.commit()

    def begin_path(self) -> None:
        """Begins one path of a program, before the migration itself begins. What its queries find is assumed, and the rows that the history has
        inserted may contradict that: they are not known here."""
        self.catalog.inserted_rows.forget(self.catalog.new_oid())

    def predict_statement(
        self, statement: Statement, *, first: bool = True, last: bool = True, with_effects: bool = True
    ) -> StatementPrediction:
        """Runs a statement, and predicts its effects unless `with_effects` is False. `first` and `last` give its position in its chunk."""
        found: list[tuple[Operation, tuple[Effect, ...]]] = []
        outer = OuterEffects(self.catalog)
        for operation, effects in self.predict_operations(statement, first=first, last=last, with_effects=with_effects):
            found.append((operation, effects))
            outer.add(effects)
        unknown = tuple(dict.fromkeys(reason for operation, effects in found if (reason := reason_unknown(self.catalog, operation, effects))))
        return StatementPrediction(
            statement=statement,
            operations=tuple(found),
            effects=combine_effects(outer.effects),
            refusal=self.refused[1] if self.refused else None,
            unknown=unknown,
        )

    def predict_operations(
        self, statement: Statement, *, first: bool = True, last: bool = True, with_effects: bool = True
    ) -> Iterator[tuple[Operation, tuple[Effect, ...]]]:
        """Yields the operations of a statement in the order in which they run, including those of the functions that it calls. Each comes
        with its effects before it is applied: `catalog` and `session` are as the operation finds them."""
        self.refused = None
        self._marks.turn(self.session.begin_statement(statement, first=first, last=last))
        self.held_locks = dict(self.session.locks)
        self._statement = statement
        for written in in_execution_order(statement.operations):
            self._set_path()
            for operation in (written, *called_operations(self.catalog, written)):
                if operation.releases is not None and self.catalog.pg_version not in operation.releases:
                    continue
                if not operation.certain and is_skipped(self.catalog, operation, self._half):
                    continue
                self._in_routine = operation is not written
                if operation.settings or self.session.settings.of_function:
                    # An empty search_path is left out: the names in the body are then those that it has with a path.
                    self.session.settings.of_function = {name: value for name, value in operation.settings if value}
                    self._set_path()
                self._statement_locks = None
                effects = self._effects(operation) if with_effects else ()
                yield operation, effects
                self._apply(operation, effects, find_refusals=with_effects or self._finds_contradictions)
        self.session.settings.of_function = {}
        if self._half is not None:
            self._note_failure(self._half, statement)
        end_statement(self.catalog)
        self._marks.turn(self.session.end_statement())

    def _note_failure(self, half: Half, statement: Statement) -> None:
        """Notes that the runner divides a statement, or that the call of a program that sends it fails."""
        division, failure = half.division(statement.span), half.failures.get(statement.span.start)
        if division is not None:
            self.refused = statement.operations[0], Refusal(error=division.error, help=division.help)
        elif failure is not None:
            kind = RefusalKind.SCRIPT if failure.by_script else RefusalKind.SCHEMA
            self.refused = statement.operations[0], Refusal(error=failure.error, help=failure.help, kind=kind)

    def finish(self, *, transaction_continues: bool = False) -> None:
        """Ends the migration, and a transaction that it left open unless that continues in the next migration."""
        self._goes_on, self._half = transaction_continues, None
        if not transaction_continues:
            self._marks.turn(self.session.end_migration())
            self.catalog.path_is_set = False

    @property
    def has_lock_timeout(self) -> bool:
        """Whether a migration so far, or a setting of the project, sets a lock_timeout."""
        return self._stored_settings.has_lock_timeout

    @property
    def goes_on(self) -> bool:
        """Whether the next migration will run in the transaction, or at least on the connection, of the one before it."""
        return self._goes_on

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Returns a context in which migrations may run, and that restores the database and the connection when it is left."""
        before = self.session, self._context, self.held_locks, self._marks, self.refused, self._goes_on
        kept = self._stored_settings.copy(), self._left_path
        self._marks = TransactionMarks(self.catalog)
        if self._goes_on:
            self.session = deepcopy(self.session)
            self._context = EffectContext(self.catalog, prepared_operations=self.session.prepared_operations)
        with self.catalog.trial():
            try:
                yield
            finally:
                self.session, self._context, self.held_locks, self._marks, self.refused, self._goes_on = before
                self._stored_settings, self._left_path = kept

    def _set_path(self) -> None:
        settings = self.session.settings
        self.catalog.search_path = settings.search_path
        self.catalog.path_is_set = settings.path_is_set

    def _predict(self, half: Half, *, with_effects: bool, goes_on: bool = False) -> Iterator[StatementPrediction]:
        on_paths = self._predict_on_paths(half) if with_effects and half.program is not None and half.program.paths else {}
        self.begin_half(half, with_effects=with_effects)
        # Where nothing is predicted, an INSERT of a dump changes nothing that the ones before it have not.
        inserts = None if with_effects or half.program is not None else EqualInserts()
        for sent in sent_statements(half):
            if inserts is not None and inserts.skips(sent):
                continue
            statement, first, last = sent
            if statement.index in half.left_out:
                self.catalog.inserted_rows.forget(self.catalog.new_oid())  # it may insert or change rows
                yield StatementPrediction(statement=statement, operations=(), effects=(), unknown=(half.left_out[statement.index],))
                continue
            prediction = self.predict_statement(statement, first=first, last=last, with_effects=with_effects)
            on_path = on_paths.get(statement.index)
            yield prediction if on_path is None else replace(on_path, statement=statement)
        self.finish(transaction_continues=goes_on)

    def _predict_on_paths(self, half: Half) -> dict[int, StatementPrediction]:
        """Returns the prediction for each statement of a program with several paths, by its number. Each path runs by itself."""
        predictions: dict[int, list[StatementPrediction]] = {}
        for _, on_path, statements in statements_of_paths(half):
            with self.trial():
                self.begin_path()
                self.begin(on_path.transaction, one_query=on_path.one_query, setup=on_path.setup, text=on_path.script.text)
                for statement, first, last in statements:
                    predictions.setdefault(statement.index, []).append(self.predict_statement(statement, first=first, last=last))
        return {number: combined_prediction(each) for number, each in predictions.items()}

    def strongest_lock(self, statement: Statement, effect: Effect) -> LockMode:
        """Returns the lock that is held on the relation of an effect: ALTER TABLE takes the strongest one that any of its parts needs, at the
        beginning."""
        if self._statement_locks is None:
            self._statement_locks = {}
            for part in statement.operations if isinstance(statement.operations[0], AlterRelation) else ():
                for other in predict_effects(part, self._context):
                    before = self._statement_locks.get(other.relation, other.lock)
                    self._statement_locks[other.relation] = max(before, other.lock)
        return max(effect.lock, self._statement_locks.get(effect.relation, effect.lock))

    def effects_on_partition(self, operation: Operation, table: Relation) -> tuple[Effect, ...]:
        """Returns the effects that an operation on a partitioned table without partitions would have if it were an ordinary table, as each of
        its partitions is."""
        with self.catalog.trial():
            self.catalog.change(table, kind=RelationKind.TABLE)
            return self._effects(operation)

    def _effects(self, operation: Operation) -> tuple[Effect, ...]:
        self._context.timezone = self.session.settings.timezone or self._timezone
        return combine_effects(predict_effects(operation, self._context))

    def _apply(self, operation: Operation, effects: tuple[Effect, ...], *, find_refusals: bool) -> None:
        self._statement_locks = None
        for effect in effects:
            self.session.record_lock(effect.relation, effect.lock)
        renamed = renamed_relation(operation, self.catalog)
        if renamed is not None:
            self.session.move_lock(*renamed)
        self.catalog.notes_refusals = find_refusals
        if find_refusals:
            refused = self._refusal(operation)
            # A branch of a DO block may have checked before, and an exception handler may catch the error.
            is_final = operation.certain and not operation.caught and not self.session.in_nested_transaction
            found = (find_refusal(self.catalog, operation) or self._refusal_of_query(operation)) if is_final else None
            refusals = apply_operation(self.catalog, operation)
            refused = refused or found
            if refusals and is_final:
                refused = refused or refusals[0]
            if refused is not None and self.catalog.has_no_schemas:
                # The statements after it are judged as if the author had mended the path.
                refused = with_empty_path(refused)
                self.session.settings.set("search_path", None)
                self._left_path = None
            if refused is not None and self.refused is None:
                self.refused = operation, refused
        else:
            apply_operation(self.catalog, operation)
        if type(operation) in ROW_CHANGES and (not find_refusals or refused is None):
            note_rows(self.catalog, operation, self._certain_text(operation))
        self._marks.turn(self.session.apply(operation))
        match operation:
            case sql.SetVariable(variable="lock_timeout"):
                self._stored_settings.note(self.session.settings)
            case sql.AlterObject(setting=(_, _)):
                self._stored_settings.apply(operation)

    def _refusal_of_query(self, operation: Operation) -> Refusal | None:
        """Returns why PostgreSQL refuses the query in an operation that the statement itself is, not one in a block or a function."""
        statement = self._statement
        written = statement.operations if statement is not None and self._text else ()
        if statement is None or not any(operation is each for each in (written if isinstance(operation, AlterRelation) else written[:1])):
            return None
        text = self._text[statement.span.start : statement.span.end]
        checks_bodies = not is_false(self.session.settings.value("check_function_bodies") or "on")
        return self._query_checks.refusal(self.catalog, operation, text, checks_bodies=checks_bodies)

    def _certain_text(self, operation: Operation) -> str:
        """Returns the text of the statement that an operation is; empty if it may not run, or is one in a block or a function."""
        statement = self._statement
        if statement is None or operation is not statement.operations[0] or not operation.certain or operation.caught:
            return ""
        return "" if self.session.in_nested_transaction else self._text[statement.span.start : statement.span.end]

    def _refusal(self, operation: Operation) -> Refusal | None:
        """Returns why PostgreSQL would refuse an operation anywhere, or at this point of its transaction."""
        if isinstance(operation, sql.Broken):
            return Refusal(error=f"expected {operation.expected}, found {operation.found}", kind=RefusalKind.SYNTAX)
        if isinstance(operation, sql.FeatureUse):
            feature = newer_feature(operation, self.catalog)
            return None if feature is None else Refusal(error=missing_feature(feature), help=feature.instead, kind=RefusalKind.VERSION)
        if not self._reads_psql and (refused := refuse_psql_syntax(operation)) is not None:
            self._reads_psql = True  # the next one has the same cause
            return refused
        is_refused = self.session.in_block or self._in_routine
        command = refused_in_transaction_block(operation, self.catalog) if is_refused else None
        if command is not None:
            error = transaction_block_error(command, self.catalog.pg_version, in_transaction_block=self.session.in_transaction_block)
            return Refusal(error=error, kind=RefusalKind.TRANSACTION_BLOCK)
        refused = refuse_in_read_only(self.catalog, operation) if self.session.is_read_only else None
        if refused is not None:
            return refused
        return self.session.refusal(operation)


def _analyse_query(sql: str, relations: tuple[ReadRelation, ...]) -> ColumnUses | None:
    """Returns the columns that a query uses. sqlglot is imported when the first query is analysed."""
    return expressions.column_uses(sql, relations)


def _type_query(query: Query, tables: TableColumns) -> tuple[QueryColumn, ...] | None:
    """Returns the output columns of a query; None if they are not known. sqlglot is imported when the first query is resolved."""
    return expressions.query_columns(query, tables)
