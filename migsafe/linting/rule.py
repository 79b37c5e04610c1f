"""Rules: their declaration, and the context that they are given.

A rule is a function in its own file. The annotation of its first parameter says which operations it checks; its name is the function's, its
documentation the file's docstring:

    @rule(category="locking", severity=Severity.ERROR)
    def index_not_concurrent(op: CreateIndex, at: Context) -> Finding | None: ...
"""

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from migsafe.linting.declaration import Harm, Need, Rule, rule
from migsafe.linting.earlier import EarlierMigration, PastOperation, SharedTransaction
from migsafe.linting.finding import Finding, KnownObject, NamedQuery, QueryProblem, Severity
from migsafe.linting.judged_places import FilePlace, MigrationEnd, RefusedOperation, WorkloadQuery
from migsafe.linting.limits import Limits
from migsafe.lock import LockMode
from migsafe.patterns import lazy_pattern
from migsafe.prediction.effects.effect import Effect
from migsafe.prediction.predictor import Predictor
from migsafe.rendering.op_calls import as_op_calls, outside_batch
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Index, Relation
from migsafe.schema.statistics import row_count
from migsafe.session import Session
from migsafe.sources import Lineage, Migration, Runner, Transaction
from migsafe.sources.alembic import ALEMBIC
from migsafe.sql.operations import AddColumn, Constraint, Do, Name, Operation
from migsafe.sql.statements import Statement, single_statements
from migsafe.text import Script, Span

if TYPE_CHECKING:
    from migsafe.linting.queries.change import QueryChange
    from migsafe.linting.queries.project_queries import ProjectQueries

__all__ = [
    "Context",
    "EarlierMigration",
    "FilePlace",
    "Finding",
    "Harm",
    "Limits",
    "MigrationEnd",
    "Need",
    "PastOperation",
    "RefusedOperation",
    "Rule",
    "Severity",
    "SharedTransaction",
    "WorkloadQuery",
    "rule",
]

_BLOCK = lazy_pattern(r"^BEGIN;\n(.*?)\n?^COMMIT;$", re.MULTILINE | re.DOTALL)
"""A transaction block in a safe way."""

_BUILDS_INDEX = lazy_pattern(r"\b(?:CREATE (?:UNIQUE )?INDEX|REINDEX(?: \([^)]*\))? \w+) CONCURRENTLY\b")

_SEVERAL_MIGRATIONS = lazy_pattern(r"^-- (?:next migration|in a separate transaction)", re.MULTILINE)
"""Where a safe way says that another transaction begins."""

Fact = TypeVar("Fact")
State = TypeVar("State")


class _OutsideTransaction(Struct, frozen=True):
    """How the runner runs SQL outside a transaction, what an index needs too, whether it is one statement, and how to split a query."""

    advice: str
    index_advice: str
    one_statement: bool
    own_query_advice: str


class Context:
    """The context of an operation: the migration, the statement, the database and the session before it, and its effects.

    `past` are the earlier operations of the migration, `held` the locks that the transaction held before the statement began.
    `lineage` says what is wrong with the migration's place in its history. `queries` are the application's, None if they are not known.
    `application_file` is the file of a query if the current operation is at one, instead of the migration.
    """

    __slots__ = (
        "_earlier",
        "_facts",
        "_forecast",
        "_outside",
        "_rule",
        "_states",
        "_takers",
        "application_file",
        "catalog",
        "effects",
        "limits",
        "lineage",
        "migration",
        "operation",
        "past",
        "queries",
        "query_changes",
        "statement",
    )

    def __init__(
        self,
        migration: Migration,
        forecast: Predictor,
        runner: Runner,
        limits: Limits,
        standing: Lineage,
        earlier: tuple[EarlierMigration, ...] = (),
        queries: "ProjectQueries | None" = None,
    ) -> None:
        self.migration, self.lineage, self._earlier = migration, standing, earlier
        self.queries = queries
        self.query_changes: list[QueryChange] = []
        """What the migration changes for the application's queries; known at its end."""
        self.application_file: Script | None = None
        self.statement: Statement
        self.operation: Operation
        self.effects: tuple[Effect, ...]
        self.limits = limits
        self.past: list[PastOperation] = []
        self._forecast = forecast
        self.catalog: Catalog = forecast.catalog
        """The database before the operation."""
        # A checkpoint contains contexts; a Runner has functions, and cannot be stored.
        self._outside = _OutsideTransaction(
            runner.outside_transaction_advice, runner.index_outside_advice, runner.one_statement_outside, runner.own_query_advice
        )
        self._states: dict[str, Any] = {}
        self._facts: dict[Callable[[Context], Any], Any] = {}
        self._takers: dict[tuple[int, Name], tuple[LockMode, PastOperation]] = {}
        self._rule: Rule

    def enter(self, statement: Statement, operation: Operation, effects: tuple[Effect, ...]) -> None:
        """Makes an operation of a statement the current one."""
        self.statement, self.operation, self.effects = statement, operation, effects
        self._facts.clear()

    def ask(self, rule: Rule) -> None:
        """Makes a rule the current rule."""
        self._rule = rule

    def leave(self, statement: Statement, operation: Operation, effects: tuple[Effect, ...]) -> None:
        """Adds the current operation to `past`, after every rule has checked it."""
        transaction = self.session.transaction
        found_nothing = isinstance(operation, AddColumn) and operation.if_not_exists and self._lacks_column(operation)
        done = PastOperation(statement, operation, effects, transaction, self.held, found_nothing=found_nothing)
        self.past.append(done)
        if transaction is not None:
            for effect in effects:
                if effect.lock.blocks:
                    place = transaction, effect.relation
                    taken = self._takers.get(place)
                    if taken is None or taken[0] < effect.lock:
                        self._takers[place] = effect.lock, done

    def _lacks_column(self, op: AddColumn) -> bool:
        """Whether the history certainly leads to a table without the column that an ADD COLUMN adds."""
        table = self.catalog.relation(op.target.name)
        return table is not None and table.complete and table.column(op.column.name) is None and not self.catalog.runs_again

    def fact(self, find: "Callable[[Context], Fact]") -> "Fact":
        """Returns `find(self)`, computed once for the current operation, however many rules ask."""
        if find not in self._facts:
            self._facts[find] = find(self)
        fact: Fact = self._facts[find]
        return fact

    def taker(self, relation: Name) -> PastOperation | None:
        """Returns the operation of this migration that took the strongest lock that blocks reads or writes of a relation, in the current
        transaction."""
        transaction = self.session.transaction
        taken = self._takers.get((transaction, relation)) if transaction is not None else None
        return None if taken is None else taken[1]

    @property
    def rule(self) -> str:
        """Returns the name of the current rule."""
        return self._rule.name

    @property
    def position(self) -> int:
        """The position that the operation will have in `past`."""
        return len(self.past)

    def state(self, kind: type[State]) -> State:
        """Returns the rule's own record of the migration, in which it keeps what it needs at a later operation or at the end. The first call
        creates it, as `kind()`; a rule always passes the same class."""
        if self._rule.name not in self._states:
            self._states[self._rule.name] = kind()
        return self._states[self._rule.name]  # type: ignore[no-any-return]  # of that class

    @property
    def held(self) -> Mapping[Hashable, LockMode]:
        """Returns the locks that the transaction held before the statement, by relation (its name with the schema)."""
        return self._forecast.held_locks

    @property
    def shared_transaction(self) -> SharedTransaction | None:
        """Returns the transaction of the statement if it began in an earlier migration of the same run; else None."""
        number = self.session.transaction
        together = tuple(earlier for earlier in self._earlier if earlier.transaction == number) if number is not None else ()
        return SharedTransaction(together, together[-1].migration.own_transaction_advice or "") if together else None

    @property
    def blocking_effects(self) -> list[Effect]:
        """Returns the effects of the operation that block reads or writes of an existing relation."""
        return [effect for effect in self.effects if not effect.new and effect.blocks]

    def slow_effects(self, *, only: bool = False, filled: bool = False) -> list[Effect]:
        """Returns the effects on existing relations whose duration grows with the relation: scans, rewrites, index builds. Their locks are
        those of the whole statement. A table that the open transaction has truncated has no rows. `only`: the statement leaves out children and
        partitions. `filled`: those on relations that the open transaction has created and filled count as well.

        A partitioned table without known partitions is treated as if it had some, because programs create them: it counts if the operation
        takes long on an ordinary table.
        """
        effects = [
            effect
            for effect in self.effects
            if (not effect.new or (filled and effect.filled))
            and (_takes_long(effect) or (not only and self._has_unknown_partitions(effect)))
            and not self._is_truncated(effect)
        ]
        return [replace(effect, lock=self._forecast.strongest_lock(self.statement, effect)) for effect in effects]

    def _is_truncated(self, effect: Effect) -> bool:
        return not effect.new and self.catalog.is_empty(self.catalog.relation(effect.relation))

    def _has_unknown_partitions(self, effect: Effect) -> bool:
        relation = self.catalog.relation(effect.relation) if effect.kind == "partitioned table" else None
        if relation is None or self.catalog.children(relation.oid):
            return False
        on_partition = self._forecast.effects_on_partition(self.operation, relation)
        return any(_takes_long(other) for other in on_partition if other.relation == effect.relation)

    @property
    def predictor(self) -> Predictor:
        """The predictor that runs the migration."""
        return self._forecast

    @property
    def session(self) -> Session:
        """Returns the session before the operation."""
        return self._forecast.session

    def is_new(self, name: Name) -> bool:
        """Whether no other session uses the relation: the migration created it, and has put no rows into it or not yet committed it."""
        return self.catalog.is_new(self.catalog.relation(name))

    def resolve(self, name: Name) -> Name:
        """Returns a relation's name with its schema, as messages show it."""
        return self.catalog.resolve(name)

    def text_without(self, op: AddColumn, constraints: Iterable[Constraint]) -> str:
        """Returns the text of an ADD COLUMN without some of its constraints."""
        start, text = op.span.start, ""
        for constraint in sorted(constraints, key=lambda constraint: constraint.span.start):
            text += self.text(start, constraint.span.start).rstrip()
            start = constraint.span.end
        return text + self.text(start, op.span.end)

    def text(self, start: int, end: int) -> str:
        """Returns the text of the script between two offsets."""
        return self.migration.up.script.text[start:end]

    @staticmethod
    def place_in_file(place: Span | None) -> FilePlace | None:
        """Returns a place in the file that people edit, to report a finding there; None without a place."""
        return FilePlace(place) if place is not None else None

    def outside_transaction(self, sql: str) -> str:
        """Returns SQL to paste that must run outside a transaction, with instructions for the migration's runner."""
        steps: list[str] = []
        # At the end of the migration, the finding may be about any statement, and the SQL is one of its own.
        if isinstance(self.statement.operations[0], Do) and not isinstance(self.operation, MigrationEnd):
            steps.append("outside the DO block")
        if self.is_script and self.migration.up.begun_at is not None and self.migration.own_transaction_advice:
            steps.append(f"first {self.migration.own_transaction_advice}: autocommit_block() raises AssertionError otherwise")
        # An Alembic script gets an autocommit_block instead.
        wrapped = self.session.in_transaction_block or self.migration.up.transaction in (Transaction.FILE, Transaction.QUERY)
        if not wrapped or self.is_script:
            return f"-- {', '.join(steps)}\n{sql}" if steps else sql
        steps.append(f"in a migration that runs outside a transaction: {self.how_to_run_outside}")
        needs = f"\n-- and {self._outside.index_advice}" if self._outside.index_advice and _BUILDS_INDEX.search(sql) else ""
        first, *others = single_statements(sql) if self.is_alone_outside else [sql]
        later = (f"-- next migration\n-- outside a transaction, too:\n{each}" for each in others)
        return "\n".join((f"-- {', '.join(steps)}{needs}", first, *later))

    @property
    def is_alone_outside(self) -> bool:
        """Whether a migration that runs outside a transaction can have one statement only."""
        return self._outside.one_statement and self.migration.up.transaction in (Transaction.FILE, Transaction.QUERY)

    @property
    def is_script(self) -> bool:
        """Whether the migration is an Alembic script."""
        return self.migration.runner == ALEMBIC.name

    @property
    def how_to_run_outside(self) -> str:
        """Returns how to run the migration outside a transaction, as an imperative."""
        if self.migration.up.transaction is Transaction.QUERY and self._outside.own_query_advice:
            return self._outside.own_query_advice
        # If the runner opens no transaction, the script does.
        opens_none = self.migration.up.transaction in (Transaction.STATEMENT, Transaction.NONE)
        return "leave out BEGIN and COMMIT" if opens_none else self._outside.advice

    def finding(
        self,
        operation: Operation | PastOperation,
        message: str,
        help: str = "",
        relations: Iterable[Name] = (),
        lock: LockMode | None = None,
        severity: Severity | None = None,
        subject: str = "",
        cause: str = "",
        while_exist: Iterable[Relation | Index] = (),
        while_unserved: int | None = None,
        while_unanalyzed: Iterable[tuple[int, int]] = (),
        queries: Iterable[NamedQuery] = (),
        query_problem: QueryProblem | None = None,
        use_words: str = "",
        fix: str | None = None,
        safe_fix: bool = False,
        replaces: Iterable[Statement] = (),
        others: int = 0,
    ) -> Finding:
        """Returns a finding of the current rule about an operation, or about an earlier one. `relations` may lack their schema; `Finding`
        documents the others. `severity` is for a finding that is less or more severe than the rule usually is. For a rule with fixes, `fix`
        is what `lint --fix` applies if that is not the help, empty for no fix, and a `safe_fix` is safe although others of the rule are not."""
        rule = self._rule
        most, size = self._size(operation.effects if isinstance(operation, PastOperation) else self.effects)
        statement = operation.statement if isinstance(operation, PastOperation) else self.statement
        equal, last_equal = (operation.equal, operation.last_equal) if isinstance(operation, PastOperation) else (0, None)
        operation, half = operation.operation if isinstance(operation, PastOperation) else operation, self.migration.up
        span = operation.span if isinstance(operation, FilePlace) else half.file_span(operation.span)
        help = self._with_own_transactions(help)
        fix = (help if fix is None else fix) if rule.fix else ""
        if half.transaction is Transaction.FILE and rule.category != "transactions":
            # The runner's transaction is that block.
            help, fix = (_BLOCK.sub(r"\1", text) if "BEGIN;" in text else text for text in (help, fix))
        if self.is_script:
            help = outside_batch(as_op_calls(help, self.catalog, in_transaction=half.transaction is Transaction.FILE), half.file.text, span)
        return Finding(
            fix=fix,
            replaces=tuple(half.file_span(each.span) for each in replaces),
            fix_is_safe=rule.fix == "safe" or safe_fix,
            rule=rule.name,
            category=rule.category,
            severity=most if severity is None else severity,
            message=message + size,
            help=help,
            script=self.application_file or half.file,
            span=span,
            migration=self.migration.id if self.application_file is None else "",
            statement=1 if type(operation) in (FilePlace, WorkloadQuery) else statement.index,  # places do not depend on statements
            relations=tuple(dict.fromkeys(str(self.resolve(name)) for name in relations)),
            lock=lock,
            subject=subject,
            cause=cause,
            more=equal,
            places=() if last_equal is None else (half.file_span(operation.span), half.file_span(last_equal)),
            in_body=isinstance(statement.operations[0], Do),
            while_unserved=while_unserved,
            while_unanalyzed=tuple(while_unanalyzed),
            while_exist=tuple(KnownObject(each.oid, each.name) for each in while_exist),
            queries=tuple(queries),
            query_problem=query_problem,
            use_words=use_words,
            others=others,
        )

    def _with_own_transactions(self, help: str) -> str:
        """Returns a safe way that takes several migrations, with what gives each its own transaction if the runner applies all in one."""
        advice = self.migration.own_transaction_advice
        is_one = not advice or advice in help or not _SEVERAL_MIGRATIONS.search(help)
        own = f"-- first {advice}, so that each migration has its own transaction;\n-- or apply each in a deployment of its own\n"
        return help if is_one else own + help

    def _size(self, effects: Iterable[Effect]) -> tuple[Severity, str]:
        """Returns the severity for the known table sizes, and the end of the message about them."""
        severity, rows = self._rule.severity, self.limits.rows
        slow = {effect.relation: effect for effect in effects if _takes_long(effect) and not effect.new} if rows else {}
        counts = {name: row_count(rows, name) for name in sorted(slow, key=str)}
        known = {name: number for name, number in counts.items() if number is not None}
        if not known:
            return severity, ""
        sizes = ", ".join(f"{name} has about {number:,} row{'' if number == 1 else 's'}" for name, number in known.items())
        # A materialized view of three rows may aggregate a table of a billion.
        computed = any(effect.rewrite and effect.kind == "materialized view" for effect in slow.values())
        small = len(known) == len(counts) and all(number < self.limits.small_table for number in known.values()) and not computed
        if not small or self._rule.harm != "time":
            return severity, f" ({sizes})"
        return min(severity, Severity.INFO), f" ({sizes}: fewer than {self.limits.small_table:,} take a negligible time)"


def _takes_long(effect: Effect) -> bool:
    return effect.scan or effect.rewrite or bool(effect.rebuilt)
