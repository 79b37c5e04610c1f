"""What a rule is, what it is given, and how it is declared.

A rule is a function in a file of its own. The annotation of its first parameter says which operations it looks at, its name is the
function's, its documentation the file's docstring:

    @rule(category="locking", severity=Severity.ERROR)
    def index_not_concurrent(op: CreateIndex, at: Context) -> Finding | None: ...
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Literal, TypeVar, get_args, get_type_hints

from msgspec import Struct
from msgspec.structs import replace

from migsafe.linting.finding import Finding, Severity
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.prediction.predictor import Predictor
from migsafe.rendering.op_calls import as_op_calls
from migsafe.schema.catalog import Catalog
from migsafe.schema.statistics import counted
from migsafe.session import Session
from migsafe.sources import Lineage, Migration, Transaction
from migsafe.sources.alembic import ALEMBIC
from migsafe.sql.operations import AddColumn, Constraint, Do, Name, Operation
from migsafe.sql.statements import Statement
from migsafe.text import Span

__all__ = [
    "Context",
    "EarlierMigration",
    "FilePlace",
    "Finding",
    "Harm",
    "Limits",
    "MigrationEnd",
    "PastOperation",
    "Rule",
    "Severity",
    "SharedTransaction",
    "rule",
]

Harm = Literal["", "time"]

State = TypeVar("State")


class Rule(Struct, frozen=True):
    """A rule as the engine sees it. `check` looks at every operation of the types in `operations`, their subclasses included.

    An `off` rule runs only where somebody asks for it. `harm` is `time` where all that it finds is that something takes long on a large
    table: where the table is known to be small, that is none.
    """

    name: str
    category: str
    severity: Severity
    documentation: str
    operations: tuple[type[Operation], ...]
    check: "Callable[[Any, Context], Finding | Iterable[Finding] | None]"
    off: bool = False
    harm: Harm = ""

    @property
    def summary(self) -> str:
        """The first line of the documentation."""
        return self.documentation.partition("\n")[0]


class FilePlace(Operation, frozen=True):
    """Something that stands in the file that people edit: no operation of PostgreSQL's, but what rules look at."""


class MigrationEnd(Operation, frozen=True):
    """Where a migration ends: no operation of its own, but what rules look at that need to know all of the migration."""


class PastOperation(Struct, frozen=True):
    """An operation that has run: in which statement, what it did, in which transaction (a number), and what locks that held before."""

    statement: Statement
    operation: Operation
    effects: tuple[Effect, ...]
    transaction: int | None
    held: Mapping[Hashable, LockMode]


class EarlierMigration(Struct, frozen=True):
    """A migration that the runner applied before another in the same run: what it did, the transaction (a number) in which it ended, and the
    locks that this held then."""

    migration: Migration
    past: tuple[PastOperation, ...]
    transaction: int | None
    held: Mapping[Hashable, LockMode]


class SharedTransaction(Struct, frozen=True):
    """A transaction that began in an earlier migration of the same run.

    `earlier` are the migrations before this one that ended in it, `apart` says what to do so that each has a transaction of its own, as an
    imperative; empty where the runner knows no way.
    """

    earlier: tuple[EarlierMigration, ...]
    own_transaction_advice: str

    def holder(self, relation: Hashable) -> Migration | None:
        """The earlier migration that took the lock that was held on a relation when this one began; None where none was."""
        found, lock = None, None
        for one in self.earlier:
            now = one.held.get(relation)
            if now != lock:
                found, lock = one.migration, now
        return found if lock is not None else None


class Limits(Struct, frozen=True, kw_only=True):
    """What a project takes for granted, or for too much. Times are milliseconds.

    `lock_timeout` is what the runner sets on its connections, None where it sets none; `longest_lock_timeout` the most that is no finding.
    `rows` are the row counts that are known, by relation; a table of fewer than `small_table` is small.
    """

    lock_timeout: int | None = None
    longest_lock_timeout: int = 10_000
    small_table: int = 10_000
    rows: Mapping[str, int] = {}


class Context:
    """Where a rule finds an operation: the migration, the statement, the database and the session before it, and what it does.

    `past` are the operations of the migration that have run before it, `held` the locks that the transaction had taken before the
    statement began. `standing` is what is odd about the migration's place in its history.
    """

    __slots__ = ("_earlier", "_forecast", "_outside", "_rule", "_states", "effects", "limits", "lineage", "migration", "past", "statement")

    def __init__(
        self,
        migration: Migration,
        forecast: Predictor,
        outside: str,
        limits: Limits,
        standing: Lineage,
        earlier: tuple[EarlierMigration, ...] = (),
    ) -> None:
        self.migration = migration
        self.lineage = standing
        self._earlier = earlier
        self.statement: Statement
        self.effects: tuple[Effect, ...]
        self.limits = limits
        self.past: list[PastOperation] = []
        self._forecast = forecast
        self._outside = outside
        self._states: dict[str, Any] = {}
        self._rule: Rule

    def enter(self, statement: Statement, effects: tuple[Effect, ...], asking: Rule) -> None:
        """Move on to an operation of a statement, in the name of a rule."""
        self.statement = statement
        self.effects = effects
        self._rule = asking

    def leave(self, statement: Statement, operation: Operation, effects: tuple[Effect, ...]) -> None:
        """Move on behind an operation that every rule has seen."""
        self.past.append(PastOperation(statement, operation, effects, self.session.transaction, self.held))

    @property
    def position(self) -> int:
        """The position that the operation will have in `past`."""
        return len(self.past)

    def state(self, kind: type[State]) -> State:
        """Returns the rule's own record of the migration, in which it keeps what it needs at a later operation or at the end. The first call
        creates it, as `kind()`; a rule always passes the same class."""
        name = self._rule.name
        if name not in self._states:
            self._states[name] = kind()
        state = self._states[name]
        assert isinstance(state, kind)
        return state

    @property
    def held(self) -> Mapping[Hashable, LockMode]:
        """The locks that the transaction held before the statement, by relation (its name with the schema)."""
        return self._forecast.held_locks

    @property
    def shared_transaction(self) -> SharedTransaction | None:
        """The transaction of the statement, where it began in an earlier migration that the runner applies in the same run."""
        number = self.session.transaction
        together = tuple(one for one in self._earlier if one.transaction == number) if number is not None else ()
        return SharedTransaction(together, together[-1].migration.own_transaction_advice or "") if together else None

    @property
    def blocking_effects(self) -> list[Effect]:
        """The effects of the operation that stop reads or writes on a relation that others can know."""
        return [effect for effect in self.effects if effect.blocks and not effect.new]

    def slow(self, *, only: bool = False) -> list[Effect]:
        """The effects of the operation that last the longer the more rows a relation has, on relations that others can know. Their locks are
        those of the whole statement. `only`: what is below the relation is not concerned.

        A partitioned table of which no partition is known has some all the same: programs make them.
        """
        found = [effect for effect in self.effects if not effect.new and (_takes_long(effect) or (not only and self._has_unseen_parts(effect)))]
        return [replace(effect, lock=self._forecast.strongest_lock(self.statement, effect)) for effect in found]

    def _has_unseen_parts(self, effect: Effect) -> bool:
        relation = self.catalog.relation(effect.relation) if effect.kind == "partitioned table" else None
        return relation is not None and not self.catalog.children(relation.oid)

    @property
    def catalog(self) -> Catalog:
        """The database as the operation finds it."""
        return self._forecast.catalog

    @property
    def session(self) -> Session:
        """The connection as the operation finds it."""
        return self._forecast.session

    def is_new(self, name: Name) -> bool:
        """Whether the migration created the relation itself and has put no rows into it."""
        return self.catalog.is_new(self.catalog.relation(name))

    def resolve(self, name: Name) -> Name:
        """A relation's name with its schema, as messages spell it."""
        return self.catalog.resolve(name)

    def text_without(self, op: AddColumn, constraints: Iterable[Constraint]) -> str:
        """An ADD COLUMN as the script says it, but for some of its constraints."""
        start, words = op.span.start, ""
        for one in sorted(constraints, key=lambda one: one.span.start):
            words += self.text(start, one.span.start).rstrip()
            start = one.span.end
        return words + self.text(start, op.span.end)

    def text(self, start: int, end: int) -> str:
        """What the script says between two offsets."""
        return self.migration.up.script.text[start:end]

    @staticmethod
    def place_in_file(place: Span | None) -> FilePlace | None:
        """A piece of the file that people edit, to report something about; None where there is no such place."""
        return FilePlace(place) if place is not None else None

    def outside_transaction(self, sql: str) -> str:
        """SQL to paste that must run outside a transaction, with what has to be done for that under the migration's runner."""
        steps: list[str] = []
        if isinstance(self.statement.operations[0], Do):
            steps.append("outside the DO block")
        # A script of Alembic's has a block for it.
        wrapped = self.session.in_transaction_block or self.migration.up.transaction in (Transaction.FILE, Transaction.QUERY)
        if wrapped and not self.is_script:
            steps.append(f"in a migration that runs outside a transaction: {self.how_to_run_outside}")
        return f"-- {', '.join(steps)}\n{sql}" if steps else sql

    @property
    def is_script(self) -> bool:
        """Whether the migration is one of Alembic's, in Python."""
        return self.migration.runner == ALEMBIC.name

    @property
    def how_to_run_outside(self) -> str:
        """How a migration is made to run outside a transaction, as an imperative."""
        # Where the runner opens none, the script does.
        opens_none = self.migration.up.transaction in (Transaction.STATEMENT, Transaction.NONE)
        return "leave out BEGIN and COMMIT" if opens_none else self._outside

    def finding(
        self, operation: Operation | PastOperation, message: str, help: str = "", relations: Iterable[Name] = (), lock: LockMode | None = None
    ) -> Finding:
        """What the rule reports about an operation, or about an earlier one. `relations` may be as the script names them."""
        asking = self._rule
        severity, size = self._size(operation.effects if isinstance(operation, PastOperation) else self.effects)
        statement = operation.statement if isinstance(operation, PastOperation) else self.statement
        operation, half = operation.operation if isinstance(operation, PastOperation) else operation, self.migration.up
        return Finding(
            rule=asking.name,
            category=asking.category,
            severity=severity,
            message=message + size,
            help=as_op_calls(help, self.catalog) if self.is_script else help,
            script=half.file,
            span=operation.span if isinstance(operation, FilePlace) else half.file_span(operation.span),
            migration=self.migration.id,
            statement=statement.index,
            relations=tuple(dict.fromkeys(str(self.resolve(name)) for name in relations)),
            lock=lock,
        )

    def _size(self, effects: Iterable[Effect]) -> tuple[Severity, str]:
        """How bad the finding is on tables of the sizes that are known, and what to say about these."""
        severity, rows = self._rule.severity, self.limits.rows
        long = {effect.relation: effect for effect in effects if _takes_long(effect) and not effect.new} if rows else {}
        counts = {name: counted(rows, name) for name in sorted(long, key=str)}
        known = {name: number for name, number in counts.items() if number is not None}
        if not known:
            return severity, ""
        said = ", ".join(f"{name} has about {number:,} row{'' if number == 1 else 's'}" for name, number in known.items())
        # A materialized view of three rows may sum up a table of a billion.
        computed = any(effect.rewrite and effect.kind == "materialized view" for effect in long.values())
        small = len(known) == len(counts) and all(number < self.limits.small_table for number in known.values()) and not computed
        if not small or self._rule.harm != "time":
            return severity, f" ({said})"
        return min(severity, Severity.INFO), f" ({said}: fewer than {self.limits.small_table:,} take no time that matters)"


def _takes_long(effect: Effect) -> bool:
    return effect.scan or effect.rewrite or bool(effect.rebuilt)


def rule(
    *, category: str, severity: Severity, off: bool = False, harm: Harm | None = None
) -> "Callable[[Callable[[Any, Context], Any]], Rule]":
    """Make a rule of the function below. The harm of what is about locking is time unless it says otherwise."""

    def declare(check: Callable[[Any, Context], Any]) -> Rule:
        parameters = check.__code__.co_varnames[: check.__code__.co_argcount]
        annotated = get_type_hints(check).get(parameters[0]) if parameters else None
        operations = get_args(annotated) or (annotated,)
        if not all(isinstance(one, type) and issubclass(one, Operation) for one in operations):
            raise TypeError(f"the first parameter of {check.__name__} must say which operations it looks at, as in `op: CreateTable`")
        return Rule(
            name=check.__name__.replace("_", "-"),
            category=category,
            severity=severity,
            documentation=(check.__globals__["__doc__"] or "").strip(),
            operations=operations,
            check=check,
            off=off,
            harm=harm if harm is not None else "time" if category == "locking" else "",
        )

    return declare
