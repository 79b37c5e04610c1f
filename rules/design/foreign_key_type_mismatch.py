"""A foreign key column has another type than the key that it references.

An integer that references a bigint fails at the first key above 2,147,483,647. If PostgreSQL must cast the foreign key column to compare
it, as an integer with a numeric, an index of that column does not help: each DELETE of a referenced row scans the referencing table.

A bigint that references an integer is not reported: it holds every key, and PostgreSQL compares the two with an index.

Unsafe:
    CREATE TABLE parents (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
    CREATE TABLE children (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent_id integer CONSTRAINT children_parent_id_fkey REFERENCES parents (id)
    );
    CREATE INDEX children_parent_id_idx ON children (parent_id);

Safe:
    CREATE TABLE parents (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
    CREATE TABLE children (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent_id bigint CONSTRAINT children_parent_id_fkey REFERENCES parents (id)
    );
    CREATE INDEX children_parent_id_idx ON children (parent_id);

See: https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-FK
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.schema.objects import Column, Constraint, Domain, Relation
from migsafe.sql.operations import AddColumn, AddConstraint, ConstraintKind, CreateTable, Name, TypeName
from migsafe.sql.operations.values import quoted
from migsafe.text import MARK_START

_INTEGER_BYTES = {"smallint": 2, "integer": 4, "bigint": 8}


class _State(Struct):
    positions: list[int] = []
    """The operations that may add foreign keys, by their position in the migration."""


@rule(category="design", severity=Severity.WARNING, no_fix="another type changes the final schema")
def foreign_key_type_mismatch(op: CreateTable | AddColumn | AddConstraint | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record operations that may add a foreign key, and compare the types of both sides at the end of the migration."""
    if not isinstance(op, MigrationEnd):
        at.state(_State).positions.append(at.position)
        return
    seen: set[tuple[Name, str]] = set()
    # A foreign key that was added to a new table later is reported at the later operation, not at CREATE TABLE.
    added = (at.past[position] for position in at.state(_State).positions)
    for done in sorted(added, key=lambda done: isinstance(done.operation, CreateTable)):
        for table, constraint in _foreign_keys(at, done):
            key = (table.name, constraint.name.name)
            if key not in seen:
                seen.add(key)
                yield from _compared(at, done, table, constraint)


def _foreign_keys(at: Context, done: PastOperation) -> Iterator[tuple[Relation, Constraint]]:
    match done.operation:
        case CreateTable(table=name):
            wanted = None
        case AddColumn(target=target, column=column) if any(constraint.kind is ConstraintKind.FOREIGN_KEY for constraint in column.constraints):
            name, wanted = target.name, {column.name}
        case AddConstraint(target=target, constraint=added) if added.kind is ConstraintKind.FOREIGN_KEY:
            name, wanted = target.name, set(added.columns)
        case _:
            return
    table = at.catalog.relation(name)
    for constraint in at.catalog.constraints(table.oid) if table is not None else ():
        if table is not None and constraint.kind is ConstraintKind.FOREIGN_KEY and constraint.parent is None:
            columns = {referencing.name for number in constraint.columns if (referencing := table.column_numbered(number)) is not None}
            if wanted is None or columns == wanted:
                yield table, constraint


def _compared(at: Context, done: PastOperation, table: Relation, constraint: Constraint) -> Iterator[Finding]:
    referenced = at.catalog.get(constraint.references) if constraint.references is not None else None
    if not isinstance(referenced, Relation):
        return
    for number, key_number in zip(constraint.columns, constraint.referenced_columns, strict=False):
        column, key = table.column_numbered(number), referenced.column_numbered(key_number)
        if column is not None and key is not None and _have_different_types(at, column, key):
            yield at.finding(
                done,
                f"{quoted(column.name)} of {table.name} is {column.type}, but references {quoted(key.name)} of {referenced.name}, which is "
                f"{key.type}",
                help=_help(referenced, column, key),
                relations=(table.name, referenced.name),
            )


def _help(referenced: Relation, column: Column, key: Column) -> str:
    """Returns the wider of the two types for the other column: a bigint is never to be narrowed."""
    if column.type is not None and column.type.name == "bigint":
        return f"-- {quoted(key.name)} of {referenced.name} as {column.type}"
    return f"-- {quoted(column.name)} {key.type}"


def _have_different_types(at: Context, column: Column, key: Column) -> bool:
    if column.type is None or key.type is None:
        return False
    own, other = _without_domain(at, column.type), _without_domain(at, key.type)
    if MARK_START in own.name or MARK_START in other.name:
        return False  # a type of code that is not installed here
    are_texts = {own.name, other.name} <= {"text", "character varying"}
    return not are_texts and not _is_wider_integer(own, other) and _identity(own) != _identity(other)


def _without_domain(at: Context, column_type: TypeName) -> TypeName:
    """Returns a domain's base type, with whose operators PostgreSQL compares its values; other types as they are."""
    known = None if column_type.dimensions else at.catalog.type_of(column_type)
    return _without_domain(at, known.type) if isinstance(known, Domain) else column_type


def _is_wider_integer(column: TypeName, key: TypeName) -> bool:
    """Whether both are integers and the column holds every key. Their comparisons are in one operator family, `integer_ops`, so that an index
    of the column serves them."""
    widths = _INTEGER_BYTES.get(column.name), _INTEGER_BYTES.get(key.name)
    are_plain = not (column.dimensions or key.dimensions)
    return are_plain and widths[0] is not None and widths[1] is not None and widths[0] >= widths[1]


def _identity(column_type: TypeName) -> tuple[object, ...]:
    """Returns what two equal types have in common: a type without its modifiers."""
    return column_type.name, column_type.schema, column_type.dimensions
