"""What a database is made of. Every object is an immutable value with a number of its own, as PostgreSQL's are with their oid: a rename
changes the object's name, and whatever points to its number follows.

Columns are pointed to by their number in their table (PostgreSQL's attnum), which a rename does not change either.
"""

from enum import Enum

from msgspec import Struct

from migsafe.sql.operations import Bound, ConstraintKind, Expression, Name, PartitionKey, Persistence, Query, TypeName


class RelationKind(Enum):
    """What pg_class.relkind says, in words."""

    TABLE = "table"
    PARTITIONED = "partitioned table"
    FOREIGN = "foreign table"
    VIEW = "view"
    MATERIALIZED = "materialized view"
    SEQUENCE = "sequence"


class Formula(Struct, frozen=True):
    """An expression over a table's columns. `uses` are the columns in it: number, and name when the expression was written. `draws` are
    the sequences that a default takes its value from."""

    expression: Expression
    column_uses: tuple[tuple[int, str], ...] = ()
    sequences: tuple[int, ...] = ()

    @property
    def columns(self) -> tuple[int, ...]:
        """The numbers of the columns in it."""
        return tuple(number for number, _ in self.column_uses)


class Column(Struct, frozen=True):
    """A column. `type` is None where it is not known (a query's result), `not_null` where nothing tells.

    `default` is the generating expression of a `generated` column (`stored` or `virtual`). `identity` is `always` or `by default`.
    `local`: the table defines it itself; `inherited`: how many parents it comes from.
    """

    number: int
    name: str
    type: TypeName | None = None
    not_null: bool | None = False
    default: Formula | None = None
    identity: str | None = None
    generated: str | None = None
    collation: Name | None = None
    local: bool = True
    inherited: int = 0


class Object(Struct, frozen=True, kw_only=True):
    """What all objects have: a number, and a name with its schema."""

    oid: int
    name: Name

    def dependencies(self) -> tuple[int, ...]:
        """The numbers of the objects that this one rests on."""
        return ()


class Relation(Object, frozen=True, kw_only=True):
    """A table, view, materialized view or sequence.

    `complete` is False where more may exist than the history tells: more columns, constraints and indexes. `parents` are the tables that it
    inherits from, or the one whose partition it is (then `bound` is set). A view's `reads` are the relations in its query, `uses` their
    columns in it (relation, column number). `owner` is the column that a sequence belongs to: table and column number. `made_in` numbers the
    migration that created it, `filled` says that rows went in since, or may have.
    """

    kind: RelationKind = RelationKind.TABLE
    columns: tuple[Column, ...] = ()
    complete: bool = True
    persistence: Persistence = Persistence.PERMANENT
    partition_key: PartitionKey | None = None
    bound: Bound | None = None
    parents: tuple[int, ...] = ()
    query: Query | None = None
    reads: tuple[int, ...] = ()
    column_uses: tuple[tuple[int, int], ...] = ()
    owner: tuple[int, int] | None = None
    of_type: Name | None = None
    method: str | None = None
    clustered_on: int | None = None
    created_in: int = 0
    may_have_rows: bool = False

    def dependencies(self) -> tuple[int, ...]:
        """Parents, what a view reads, the table that owns a sequence, the sequences of defaults."""
        draws = (oid for column in self.columns if column.default is not None for oid in column.default.sequences)
        return (*self.parents, *self.reads, *((self.owner[0],) if self.owner else ()), *draws)

    def column(self, name: str) -> Column | None:
        """The column of a name."""
        for column in self.columns:
            if column.name == name:
                return column
        return None

    def column_numbered(self, number: int) -> Column | None:
        """The column of a number."""
        for column in self.columns:
            if column.number == number:
                return column
        return None


class Key(Struct, frozen=True):
    """A key of an index: a column's number, or an expression. `operator` is what an exclusion constraint compares it with."""

    column: int | None
    formula: Formula | None = None
    collation: Name | None = None
    opclass: Name | None = None
    descending: bool = False
    nulls_first: bool | None = None
    operator: str | None = None

    @property
    def columns(self) -> tuple[int, ...]:
        """The numbers of the columns in it."""
        return (self.column,) if self.column is not None else self.formula.columns if self.formula else ()


class Index(Object, frozen=True, kw_only=True):
    """An index. `valid` is False on a partitioned table while a partition's index is missing. `parent` is the index of which it is a
    partition's part. `include` holds column numbers."""

    table: int
    keys: tuple[Key, ...]
    include: tuple[int, ...] = ()
    unique: bool = False
    method: str = "btree"
    predicate: Formula | None = None
    valid: bool = True
    parent: int | None = None
    nulls_not_distinct: bool = False

    def dependencies(self) -> tuple[int, ...]:
        """Its table, and the index of which it is a part."""
        return (self.table,) if self.parent is None else (self.table, self.parent)

    @property
    def columns(self) -> tuple[int, ...]:
        """The numbers of all columns in it, those of its predicate too."""
        keys = (number for key in self.keys for number in key.columns)
        return tuple(dict.fromkeys((*keys, *self.include, *(self.predicate.columns if self.predicate else ()))))


class Constraint(Object, frozen=True, kw_only=True):
    """A constraint of a table. `name.schema` is its table's.

    `columns` are the constrained column numbers, of a CHECK those in its expression. `valid`: all rows are known to fulfil it. `index` is
    the one behind a UNIQUE, PRIMARY KEY or EXCLUDE constraint; behind a FOREIGN KEY, the referenced table's. `parent` is the constraint of the
    partitioned table that it stems from. `inherited`: how many parents it comes from.
    """

    table: int
    kind: ConstraintKind
    columns: tuple[int, ...] = ()
    check: Formula | None = None
    references: int | None = None
    referenced_columns: tuple[int, ...] = ()
    on_delete: str = "no action"
    on_update: str = "no action"
    index: int | None = None
    valid: bool = True
    enforced: bool = True
    no_inherit: bool = False
    deferrable: bool = False
    initially_deferred: bool = False
    parent: int | None = None
    local: bool = True
    inherited: int = 0

    def dependencies(self) -> tuple[int, ...]:
        """Its table, the table and the index that it refers to, the constraint that it stems from."""
        return tuple(oid for oid in (self.table, self.references, self.index, self.parent) if oid is not None)


class Trigger(Object, frozen=True, kw_only=True):
    """A trigger. `function` is None where nothing is known of it; `columns` those of UPDATE OF and WHEN; `firing` as ALTER TABLE sets it."""

    table: int
    events: tuple[str, ...] = ()
    function: int | None = None
    columns: tuple[int, ...] = ()
    references: int | None = None
    parent: int | None = None
    row: bool = False

    def dependencies(self) -> tuple[int, ...]:
        """Its table, its function, the table of its FROM, the trigger that it stems from."""
        return tuple(oid for oid in (self.table, self.function, self.references, self.parent) if oid is not None)


class Attached(Object, frozen=True, kw_only=True):
    """A rule, policy or statistics object on a table: `kind` says which. `columns` are those in it."""

    kind: str
    table: int
    columns: tuple[int, ...] = ()
    reads: tuple[int, ...] = ()

    def dependencies(self) -> tuple[int, ...]:
        """Its table, and what its expressions read."""
        return (self.table, *self.reads)


class Publication(Object, frozen=True, kw_only=True):
    """A publication of some tables."""

    tables: tuple[int, ...] = ()

    def dependencies(self) -> tuple[int, ...]:
        """The tables in it."""
        return self.tables


class EnumType(Object, frozen=True, kw_only=True):
    """An enum type, with its values in order."""

    values: tuple[str, ...] = ()


class DomainCheck(Struct, frozen=True):
    """A CHECK of a domain."""

    name: str
    expression: Expression
    valid: bool = True


class Domain(Object, frozen=True, kw_only=True):
    """A domain over a base type."""

    type: TypeName
    not_null: bool = False
    checks: tuple[DomainCheck, ...] = ()
    default: Expression | None = None
    collation: Name | None = None

    @property
    def constrained(self) -> bool:
        """Whether a value can fail to belong to it."""
        return self.not_null or bool(self.checks)


class Composite(Object, frozen=True, kw_only=True):
    """A composite type (CREATE TYPE … AS), or another type of which only the name is known (`attributes` empty)."""

    attributes: tuple[tuple[str, TypeName | None], ...] = ()


class Function(Object, frozen=True, kw_only=True):
    """A function, procedure or aggregate.

    `arguments` are the input arguments' types as written, `parameters` their names, `returns` the type of its result, `code` the text of
    its body where the history holds it. `inlined`: PostgreSQL may put its expression in the place of a call (SQL, neither STRICT nor
    SECURITY DEFINER, no SET).
    """

    kind: str = "function"
    arguments: tuple[str, ...] = ()
    parameters: tuple[str | None, ...] = ()
    returns: str = ""
    volatility: str = "volatile"
    language: str | None = None
    code: str | None = None
    inlined: bool = False


Type = EnumType | Domain | Composite
