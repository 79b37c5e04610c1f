"""Operations on tables and on what tables are made of; ALTER INDEX, ALTER VIEW and their kin share them."""

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


class IndexElement(Struct, frozen=True):
    """A key of an index: a column or an expression, and how it is compared and ordered."""

    column: str | None
    expression: Expression | None = None
    collation: Name | None = None
    opclass: Name | None = None
    opclass_options: tuple[Option, ...] = ()
    descending: bool = False
    nulls_first: bool | None = None
    operator: str | None = None
    """What an EXCLUDE constraint compares the key WITH; None in an index."""


class Reference(Struct, frozen=True):
    """The far side of a foreign key.

    `columns` is empty where the primary key is meant. The actions are SQL's words in lower case; SET NULL and SET DEFAULT may name the
    columns that they are about: `set null (a, b)`.
    """

    table: Name
    columns: tuple[str, ...] = ()
    match: str = "simple"
    on_delete: str = "no action"
    on_update: str = "no action"


class Constraint(Struct, frozen=True):
    """A constraint of a table, a column or a domain.

    `columns` are the constrained ones: a column constraint names its own column. `index` is the one that USING INDEX takes. `period` is
    WITHOUT OVERLAPS or PERIOD (PostgreSQL 18).
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
    """GENERATED ALWAYS AS (expression). `stored` is False for 18's VIRTUAL, None where the statement names neither."""

    expression: Expression
    stored: bool | None


class Column(Struct, frozen=True):
    """A column's definition. `type` is None where the table takes it from elsewhere (OF a type, PARTITION OF, a view's)."""

    name: str
    type: TypeName | None = None
    span: Span = Span(0, 0)
    not_null: bool = False
    default: Expression | None = None
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
    `hash`, modulus and remainder. MINVALUE and MAXVALUE are spelt out in lower case."""

    kind: str
    start: tuple[str, ...] = ()
    end: tuple[str, ...] = ()


class Like(Struct, frozen=True):
    """LIKE table INCLUDING …: `options` in the order given, as `including indexes` or `excluding all`."""

    table: Name
    options: tuple[str, ...] = ()


class Persistence(Enum):
    """How long a relation's data lasts."""

    PERMANENT = "permanent"
    TEMPORARY = "temporary"
    UNLOGGED = "unlogged"


class CreateTable(Operation, frozen=True):
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


class CreateTableAs(Operation, frozen=True):
    """CREATE TABLE … AS, SELECT … INTO. `query` is None where a prepared statement (`execute`) gives the rows."""

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


class Target(Struct, frozen=True):
    """What an ALTER is about, the same for each of its operations.

    `kind` is what the statement calls it: `table`, `foreign table`, `index`, `view`, `materialized view`, `sequence`. PostgreSQL takes
    ALTER TABLE for most of them too, so it says how the relation was named, not what it is. `only`: ONLY was written.
    """

    kind: str
    name: Name
    only: bool = False
    if_exists: bool = False


class AlterRelation(Operation, frozen=True):
    """The part of every operation of ALTER TABLE and its kin that says which relation."""

    target: Target


class AddColumn(AlterRelation, frozen=True):
    """ADD COLUMN. The column's own constraints come inside it."""

    column: Column
    if_not_exists: bool = False


class DropColumn(AlterRelation, frozen=True):
    """DROP COLUMN."""

    column: str
    if_exists: bool = False
    cascade: bool = False


class AlterColumnType(AlterRelation, frozen=True):
    """ALTER COLUMN … TYPE."""

    column: str
    type: TypeName
    collation: Name | None = None
    using: Expression | None = None


class SetDefault(AlterRelation, frozen=True):
    """ALTER COLUMN … SET DEFAULT."""

    column: str
    default: Expression


class DropDefault(AlterRelation, frozen=True):
    """ALTER COLUMN … DROP DEFAULT."""

    column: str


class SetNotNull(AlterRelation, frozen=True):
    """ALTER COLUMN … SET NOT NULL."""

    column: str


class DropNotNull(AlterRelation, frozen=True):
    """ALTER COLUMN … DROP NOT NULL."""

    column: str


class SetExpression(AlterRelation, frozen=True):
    """ALTER COLUMN … SET EXPRESSION AS (…) (PostgreSQL 17)."""

    column: str
    expression: Expression


class DropExpression(AlterRelation, frozen=True):
    """ALTER COLUMN … DROP EXPRESSION."""

    column: str
    if_exists: bool = False


class AddIdentity(AlterRelation, frozen=True):
    """ALTER COLUMN … ADD GENERATED … AS IDENTITY."""

    column: str
    identity: Identity


class SetIdentity(AlterRelation, frozen=True):
    """ALTER COLUMN … SET GENERATED …, SET INCREMENT …, RESTART… `always` is None where the kind of generation stays."""

    column: str
    always: bool | None
    options: tuple[Option, ...] = ()


class DropIdentity(AlterRelation, frozen=True):
    """ALTER COLUMN … DROP IDENTITY."""

    column: str
    if_exists: bool = False


class SetStatistics(AlterRelation, frozen=True):
    """ALTER COLUMN … SET STATISTICS. An index's expression is named by its number."""

    column: str
    value: str


class SetStorage(AlterRelation, frozen=True):
    """ALTER COLUMN … SET STORAGE."""

    column: str
    storage: str


class SetCompression(AlterRelation, frozen=True):
    """ALTER COLUMN … SET COMPRESSION."""

    column: str
    method: str


class SetColumnOptions(AlterRelation, frozen=True):
    """ALTER COLUMN … SET (n_distinct = …), and a foreign table's column OPTIONS (…). `foreign` tells the two apart."""

    column: str
    options: tuple[Option, ...]
    foreign: bool = False


class ResetColumnOptions(AlterRelation, frozen=True):
    """ALTER COLUMN … RESET (…)."""

    column: str
    options: tuple[Option, ...]


class AddConstraint(AlterRelation, frozen=True):
    """ADD CONSTRAINT, with or without the word and a name."""

    constraint: Constraint


class AlterConstraint(AlterRelation, frozen=True):
    """ALTER CONSTRAINT. None: not mentioned."""

    constraint: str
    deferrable: bool | None = None
    initially_deferred: bool | None = None
    enforced: bool | None = None
    inherit: bool | None = None


class ValidateConstraint(AlterRelation, frozen=True):
    """VALIDATE CONSTRAINT."""

    constraint: str


class DropConstraint(AlterRelation, frozen=True):
    """DROP CONSTRAINT."""

    constraint: str
    if_exists: bool = False
    cascade: bool = False


class Firing(Enum):
    """When a trigger or a rule fires."""

    ENABLE = "enable"
    DISABLE = "disable"
    ALWAYS = "enable always"
    REPLICA = "enable replica"


class SetTrigger(AlterRelation, frozen=True):
    """ENABLE or DISABLE TRIGGER. `trigger` is None for ALL and USER; `user` tells these apart."""

    firing: Firing
    trigger: str | None
    user: bool = False


class SetRule(AlterRelation, frozen=True):
    """ENABLE or DISABLE RULE."""

    firing: Firing
    rule: str


class SetRowSecurity(AlterRelation, frozen=True):
    """ENABLE, DISABLE, FORCE or NO FORCE ROW LEVEL SECURITY (`action`, in lower case)."""

    action: str


class ClusterOn(AlterRelation, frozen=True):
    """CLUSTER ON index; SET WITHOUT CLUSTER where `index` is None."""

    index: str | None


class SetWithoutOids(AlterRelation, frozen=True):
    """SET WITHOUT OIDS, which does nothing since PostgreSQL 12."""


class SetAccessMethod(AlterRelation, frozen=True):
    """SET ACCESS METHOD; None is DEFAULT."""

    method: str | None


class SetTablespace(AlterRelation, frozen=True):
    """SET TABLESPACE."""

    tablespace: str


class MoveAllInTablespace(Operation, frozen=True):
    """ALTER TABLE, INDEX or MATERIALIZED VIEW ALL IN TABLESPACE … SET TABLESPACE …"""

    kind: str
    source: str
    destination: str
    owners: tuple[str, ...] = ()
    nowait: bool = False


class SetLogged(AlterRelation, frozen=True):
    """SET LOGGED, SET UNLOGGED."""

    logged: bool


class SetOptions(AlterRelation, frozen=True):
    """SET (fillfactor = …), RESET (…) (`reset`), and a foreign table's OPTIONS (…) (`foreign`)."""

    options: tuple[Option, ...]
    reset: bool = False
    foreign: bool = False


class Inherit(AlterRelation, frozen=True):
    """INHERIT parent."""

    parent: Name


class NoInherit(AlterRelation, frozen=True):
    """NO INHERIT parent."""

    parent: Name


class SetOfType(AlterRelation, frozen=True):
    """OF type; NOT OF where `type` is None."""

    type: Name | None


class SetReplicaIdentity(AlterRelation, frozen=True):
    """REPLICA IDENTITY `default`, `full`, `nothing`, or `index` (then `index` names it)."""

    identity: str
    index: str | None = None


class AttachPartition(AlterRelation, frozen=True):
    """ATTACH PARTITION. `bound` is None for an index's partition."""

    partition: Name
    bound: Bound | None = None


class DetachPartition(AlterRelation, frozen=True):
    """DETACH PARTITION."""

    partition: Name
    concurrently: bool = False
    finalize: bool = False


class RenameColumn(AlterRelation, frozen=True):
    """RENAME COLUMN, the word COLUMN or not; a composite type's attribute where the target's kind is `type`."""

    column: str
    new_name: str
    cascade: bool = False


class RenameConstraint(AlterRelation, frozen=True):
    """RENAME CONSTRAINT; of a domain where the target's kind is `domain`."""

    constraint: str
    new_name: str


class CreateIndex(Operation, frozen=True):
    """CREATE INDEX. `name` is None where PostgreSQL chooses it."""

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
