"""The operations that create tables and indexes, and the values in them."""

from enum import Enum

from msgspec import Struct

from migsafe.sql.operations.values import Expression, Name, Operation, Option, Query, TypeName
from migsafe.text import Span


class ConstraintKind(Enum):
    """The kinds of constraint, in SQL's words."""

    CHECK = "CHECK"
    NOT_NULL = "NOT NULL"
    UNIQUE = "UNIQUE"
    PRIMARY_KEY = "PRIMARY KEY"
    FOREIGN_KEY = "FOREIGN KEY"
    EXCLUDE = "EXCLUDE"


class IndexElement(Struct, frozen=True, kw_only=True):
    """A key of an index: a column or an expression, with its comparison and order."""

    column: str | None
    expression: Expression | None = None
    collation: Name | None = None
    opclass: Name | None = None
    opclass_options: tuple[Option, ...] = ()
    ascending: bool = False
    """Whether ASC is written, which is the default."""
    descending: bool = False
    nulls_first: bool | None = None
    operator: str | None = None
    """The operator of an EXCLUDE constraint (WITH); None in an index."""


class Reference(Struct, frozen=True, kw_only=True):
    """The referenced side of a foreign key.

    `columns` is empty if the statement refers to the primary key without naming it. The actions are SQL's words in lower case; SET NULL and
    SET DEFAULT may name their columns: `set null (a, b)`.
    """

    table: Name
    columns: tuple[str, ...] = ()
    match: str = "simple"
    on_delete: str = "no action"
    on_update: str = "no action"


class Constraint(Struct, frozen=True, kw_only=True):
    """A constraint of a table, a column or a domain.

    `columns` are the constrained columns; a column constraint has its own column. `index` is the one of USING INDEX. `period`: WITHOUT
    OVERLAPS or PERIOD (PostgreSQL 18).
    """

    kind: ConstraintKind
    span: Span
    name: str | None = None
    columns: tuple[str, ...] = ()
    check: Expression | None = None
    references: Reference | None = None
    index: Name | None = None
    include: tuple[str, ...] = ()
    method: str | None = None
    elements: tuple[IndexElement, ...] = ()
    where: Expression | None = None
    options: tuple[Option, ...] = ()
    tablespace: str | None = None
    nulls_not_distinct: bool = False
    not_valid: bool = False
    no_inherit: bool = False
    deferrable: bool | None = None
    initially_deferred: bool | None = None
    enforced: bool = True
    period: bool = False


class Identity(Struct, frozen=True):
    """GENERATED … AS IDENTITY."""

    always: bool
    options: tuple[Option, ...] = ()


class Generated(Struct, frozen=True):
    """GENERATED ALWAYS AS (expression). `stored` is False for VIRTUAL (PostgreSQL 18), None if the statement names neither."""

    expression: Expression
    stored: bool | None


class Column(Struct, frozen=True, kw_only=True):
    """A column's definition. `type` is None if the table gets it from elsewhere (OF a type, PARTITION OF, a view).

    `null` says that NULL is written, and `repeats_default` that DEFAULT is written more than once.
    """

    name: str
    type: TypeName | None = None
    span: Span = Span(0, 0)
    not_null: bool = False
    null: bool = False
    default: Expression | None = None
    repeats_default: bool = False
    identity: Identity | None = None
    generated: Generated | None = None
    collation: Name | None = None
    constraints: tuple[Constraint, ...] = ()
    storage: str | None = None
    compression: str | None = None
    options: tuple[Option, ...] = ()


class PartitionKey(Struct, frozen=True):
    """PARTITION BY strategy (`range`, `list`, `hash`) (keys)."""

    strategy: str
    elements: tuple[IndexElement, ...]


class Bound(Struct, frozen=True):
    """FOR VALUES … or DEFAULT: `kind` is `in`, `range`, `hash` or `default`. `start` holds IN's values, or FROM's; `end` TO's; for
    `hash`, modulus and remainder. MINVALUE and MAXVALUE are in lower case."""

    kind: str
    start: tuple[str, ...] = ()
    end: tuple[str, ...] = ()


class Like(Struct, frozen=True):
    """LIKE table INCLUDING …: `options` in the order given, as `including indexes` or `excluding all`."""

    table: Name
    options: tuple[str, ...] = ()


class Persistence(Enum):
    """The persistence of a relation's data."""

    PERMANENT = "permanent"
    TEMPORARY = "temporary"
    UNLOGGED = "unlogged"


class CreateTable(Operation, frozen=True, kw_only=True):
    """CREATE TABLE, and CREATE FOREIGN TABLE (then `server` is set)."""

    table: Name
    columns: tuple[Column, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    likes: tuple[Like, ...] = ()
    inherits: tuple[Name, ...] = ()
    partition_of: Name | None = None
    bound: Bound | None = None
    partition_by: PartitionKey | None = None
    of_type: Name | None = None
    persistence: Persistence = Persistence.PERMANENT
    if_not_exists: bool = False
    method: str | None = None
    options: tuple[Option, ...] = ()
    on_commit: str | None = None
    tablespace: str | None = None
    server: str | None = None


class CreateTableAs(Operation, frozen=True, kw_only=True):
    """CREATE TABLE … AS, SELECT … INTO. `query` is None if a prepared statement (`execute`) returns the rows."""

    table: Name
    query: Query | None
    columns: tuple[str, ...] = ()
    persistence: Persistence = Persistence.PERMANENT
    if_not_exists: bool = False
    with_data: bool = True
    execute: str | None = None
    method: str | None = None
    options: tuple[Option, ...] = ()
    on_commit: str | None = None
    tablespace: str | None = None


class CreateIndex(Operation, frozen=True, kw_only=True):
    """CREATE INDEX. `name` is None if PostgreSQL chooses it."""

    name: str | None
    table: Name
    elements: tuple[IndexElement, ...]
    unique: bool = False
    concurrently: bool = False
    if_not_exists: bool = False
    only: bool = False
    method: str | None = None
    include: tuple[IndexElement, ...] = ()
    nulls_not_distinct: bool = False
    options: tuple[Option, ...] = ()
    tablespace: str | None = None
    where: Expression | None = None
