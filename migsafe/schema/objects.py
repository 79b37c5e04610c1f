"""The objects of a database. Every object is an immutable value with a number of its own, like PostgreSQL's oid. Objects refer to each other
by number, so that a reference stays valid when the object is renamed.

Columns are referred to by their number in their table (PostgreSQL's attnum), which a rename does not change either.
"""

from enum import Enum
from typing import NamedTuple

from msgspec import Struct

from migsafe.sql.operations import Bound, ConstraintKind, Expression, Name, PartitionKey, Persistence, Query, TypeName

SYSTEM_COLUMNS = frozenset(("tableoid", "ctid", "xmin", "xmax", "cmin", "cmax"))
"""The columns that every table has (manual, 5.6)."""


class RelationKind(Enum):
    """The kinds of relation (pg_class.relkind), in words."""

    TABLE = "table"
    PARTITIONED = "partitioned table"
    FOREIGN = "foreign table"
    VIEW = "view"
    MATERIALIZED = "materialized view"
    SEQUENCE = "sequence"


class Formula(Struct, frozen=True):
    """An expression over a table's columns. `column_uses` are the columns in it: the number, and the name at the time when the expression was
    written. `sequences` are those from which a default takes its value."""

    expression: Expression
    column_uses: tuple[tuple[int, str], ...] = ()
    sequences: tuple[int, ...] = ()

    @property
    def columns(self) -> tuple[int, ...]:
        """The numbers of the columns in it."""
        return tuple(number for number, _ in self.column_uses)


class Column(Struct, frozen=True):
    """A column. `type` is None if it is unknown (the result of a query), so is `not_null`.

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
    """The base of all objects: a number, and a name with its schema."""

    oid: int
    name: Name

    def dependencies(self) -> tuple[int, ...]:
        """The numbers of the objects that this one depends on."""
        return ()


class ReadRelation(Struct, frozen=True):
    """A relation that a query reads: its name in the query, and its columns (number and name) when the query was written; they are `complete`
    if it had no others."""

    name: Name
    oid: int
    columns: tuple[tuple[int, str], ...]
    complete: bool


class Privilege(NamedTuple):
    """A privilege of a role on an object, in lower case."""

    grantee: str
    name: str


class OtherPrivilege(NamedTuple):
    """A privilege on an object that the catalogue does not have, of a `kind` (`schema`, `role`), or on new objects of a kind (`tables`) in the
    schema `name`, or everywhere."""

    kind: str
    name: str | None
    privilege: Privilege


class OtherPrivileges(Object, frozen=True, kw_only=True):
    """Privileges that do not belong to an object of the catalogue, as one object."""

    privileges: tuple[OtherPrivilege, ...] = ()


class Relation(Object, frozen=True, kw_only=True):
    """A table, view, materialized view or sequence.

    `complete` is False if the relation may have more columns, constraints and indexes than the history tells; then `removed_columns` are names
    of columns that it certainly does not have, because the history dropped or renamed them. `parents` are the tables that it inherits from,
    or the one whose partition it is (then `bound` is set). A view's `reads` are the relations in its query, `read_relations` those with the
    columns that they had then. `owner` is the column that a sequence belongs to: table and column number; `of_identity`: it is that of an
    identity, and goes only with it.
    `created_in` is the number of the migration that created it; `may_be_older`: it may have existed before; `may_have_rows`: rows were, or
    may have been, inserted since; `emptied` numbers the TRUNCATE after which it has none, 0 without one. `privileges` are those that the
    history has granted. `row_security`, `forced_row_security`: ENABLE and FORCE ROW LEVEL SECURITY. `replica_identity` is `default`,
    `full`, `nothing` or `index`, then that of `identity_index` (None if it is unknown). `sequence_type` is a sequence's data type if it is
    known. `unpopulated`: a materialized view WITH NO DATA. `from_query`: CREATE TABLE AS or SELECT INTO created the table.
    `checks_disabled`: DISABLE TRIGGER ALL, so the foreign keys of the table, and those to it, check no rows of it.
    `server` is that of a foreign table.
    """

    kind: RelationKind = RelationKind.TABLE
    columns: tuple[Column, ...] = ()
    complete: bool = True
    removed_columns: frozenset[str] = frozenset()
    persistence: Persistence = Persistence.PERMANENT
    partition_key: PartitionKey | None = None
    bound: Bound | None = None
    parents: tuple[int, ...] = ()
    query: Query | None = None
    reads: tuple[int, ...] = ()
    read_relations: tuple[ReadRelation, ...] = ()
    owner: tuple[int, int] | None = None
    of_identity: bool = False
    of_type: Name | None = None
    method: str | None = None
    clustered_on: int | None = None
    created_in: int = 0
    may_be_older: bool = False
    may_have_rows: bool = False
    emptied: int = 0
    privileges: tuple[Privilege, ...] = ()
    row_security: bool = False
    forced_row_security: bool = False
    replica_identity: str = "default"
    identity_index: int | None = None
    sequence_type: str | None = None
    unpopulated: bool = False
    from_query: bool = False
    checks_disabled: bool = False
    server: str | None = None

    def dependencies(self) -> tuple[int, ...]:
        """Parents, the relations that a view reads, the table that owns a sequence, the sequences of defaults."""
        sequences = (oid for column in self.columns if column.default is not None for oid in column.default.sequences)
        return (*self.parents, *self.reads, *((self.owner[0],) if self.owner else ()), *sequences)

    def column(self, name: str) -> Column | None:
        """Returns the column of this name."""
        for column in self.columns:
            if column.name == name:
                return column
        return None

    def column_numbered(self, number: int) -> Column | None:
        """Returns the column with this number."""
        for column in self.columns:
            if column.number == number:
                return column
        return None


class Key(Struct, frozen=True):
    """A key of an index: a column's number, or an expression. `operator` is the one with which an exclusion constraint compares it."""

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
    """An index. `valid` is False on a partitioned table while a partition's index is missing. `parent` is the partitioned index that it
    belongs to. `include` has column numbers."""

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
        """Its table, and the partitioned index that it belongs to."""
        return (self.table,) if self.parent is None else (self.table, self.parent)

    @property
    def columns(self) -> tuple[int, ...]:
        """The numbers of all columns in it, those of its predicate too."""
        keys = (number for key in self.keys for number in key.columns)
        return tuple(dict.fromkeys((*keys, *self.include, *(self.predicate.columns if self.predicate else ()))))


class Constraint(Object, frozen=True, kw_only=True):
    """A constraint of a table. `name.schema` is its table's.

    `columns` are the constrained column numbers, of a CHECK those in its expression. `valid`: it is certain that all rows satisfy it. `index`
    is the index of a UNIQUE, PRIMARY KEY or EXCLUDE constraint; for a FOREIGN KEY, the unique index of the referenced table. `parent` is the
    constraint of the partitioned table from which it was copied. `inherited`: how many parents it comes from.
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
        """Its table, the table and the index that it refers to, the parent's constraint that it was copied from."""
        return tuple(oid for oid in (self.table, self.references, self.index, self.parent) if oid is not None)


class Trigger(Object, frozen=True, kw_only=True):
    """A trigger. `function` is None if it is unknown; `columns` are those of UPDATE OF and WHEN; `timing` is `before`, `after` or
    `instead of`; `deferred`: a constraint trigger that is INITIALLY DEFERRED; `disabled`: DISABLE TRIGGER."""

    table: int
    events: tuple[str, ...] = ()
    function: int | None = None
    columns: tuple[int, ...] = ()
    references: int | None = None
    parent: int | None = None
    row: bool = False
    timing: str = ""
    deferred: bool = False
    disabled: bool = False

    def dependencies(self) -> tuple[int, ...]:
        """Its table, its function, the table of its FROM, the parent's trigger that it was copied from."""
        return tuple(oid for oid in (self.table, self.function, self.references, self.parent) if oid is not None)


class Attached(Object, frozen=True, kw_only=True):
    """A rule, policy or statistics object on a table: `kind` says which. `columns` are those of a statistics object; what a policy or a
    rule uses is in its `queries`, a policy's for USING and WITH CHECK (empty without it), over the `read_relations`
    (`migsafe.schema.column_uses`)."""

    kind: str
    table: int
    columns: tuple[int, ...] = ()
    reads: tuple[int, ...] = ()
    queries: tuple[str, ...] = ()
    read_relations: tuple[ReadRelation, ...] = ()
    calls: tuple[Name, ...] = ()
    """The functions that a policy calls."""

    def dependencies(self) -> tuple[int, ...]:
        """Its table, and the relations that its expressions read."""
        return (self.table, *self.reads)


class Publication(Object, frozen=True, kw_only=True):
    """A publication of some tables, of all tables of some schemas, or of `all_tables` but those `excluded`. `publishes` are the events that it
    sends."""

    tables: tuple[int, ...] = ()
    schemas: tuple[str, ...] = ()
    all_tables: bool = False
    excluded: tuple[int, ...] = ()
    publishes: tuple[str, ...] = ()

    def dependencies(self) -> tuple[int, ...]:
        """The tables in it."""
        return self.tables


class PublishedColumns(Object, frozen=True, kw_only=True):
    """The columns that the column list and the row filter of a table in a publication use."""

    table: int
    publication: int
    columns: tuple[int, ...]

    def dependencies(self) -> tuple[int, ...]:
        """The table and the publication."""
        return (self.table, self.publication)


class Extension(Object, frozen=True, kw_only=True):
    """An extension; `name.schema` is the schema of its objects."""


class EnumType(Object, frozen=True, kw_only=True):
    """An enum type, with its values in order. One that is not `complete` may have others: a script takes them from a database."""

    values: tuple[str, ...] = ()
    complete: bool = True


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
        """Whether it refuses values of its base type."""
        return self.not_null or bool(self.checks)


class Composite(Object, frozen=True, kw_only=True):
    """A composite type (CREATE TYPE … AS), or another type of which only the name is known (then `attributes` is empty)."""

    attributes: tuple[tuple[str, TypeName | None], ...] = ()


class Function(Object, frozen=True, kw_only=True):
    """A function, procedure or aggregate.

    `arguments` are the input arguments' types as written, `parameters` their names, `returns` the type of its result, `code` the text of
    its body if the history has it. `inlined`: PostgreSQL may replace a call by its expression (SQL, neither STRICT nor SECURITY DEFINER,
    no SET). `defaults` is the number of input arguments with a default, `constant_defaults` has those that are constant strings, and None for
    the others; `privileges` are those that the history has granted.
    `result` is what CREATE OR REPLACE must keep: the type of the result, then the columns of a row; None if it is unknown. `definer`: SECURITY
    DEFINER; `has_search_path`: it does not use the caller's search_path, because it sets one, or because its names are resolved already.
    """

    kind: str = "function"
    arguments: tuple[str, ...] = ()
    parameters: tuple[str | None, ...] = ()
    returns: str = ""
    volatility: str = "volatile"
    language: str | None = None
    code: str | None = None
    inlined: bool = False
    defaults: int = 0
    constant_defaults: tuple[str | None, ...] = ()
    result: tuple[str, ...] | None = None
    definer: bool = False
    has_search_path: bool = False
    privileges: tuple[Privilege, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    """Its own settings (SET), which hold while it runs."""
    types: tuple[TypeName, ...] = ()
    """The types of its arguments and of its result that are not built in, with their schemas."""
    reads: tuple[int, ...] = ()
    queries: tuple[str, ...] = ()
    read_relations: tuple[ReadRelation, ...] = ()
    """The relations and the queries of a body in the form of the SQL standard, on which the function depends."""

    def dependencies(self) -> tuple[int, ...]:
        """The relations that its body reads, if PostgreSQL has resolved it."""
        return self.reads


Type = EnumType | Domain | Composite


def is_table(relation: Relation) -> bool:
    """Whether a relation is a table, a partitioned table or a foreign table."""
    return relation.kind in (RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.FOREIGN)
