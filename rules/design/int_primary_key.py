"""A new primary key is limited to 2,147,483,647, or to 32,767.

A sequence also advances for rows that are deleted later and for INSERTs that fail, so it reaches its limit long before there are so many
rows. Then every INSERT fails, and the fix rewrites this table and all tables that reference it. bigint needs eight bytes instead of four,
and often no more space at all, because rows are aligned to eight bytes.

Unsafe:
    CREATE TABLE deliveries (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY);

Not reported: a column that references another key, which has that key's values; a key of several columns; the key of a table of one row, whose
CHECK allows one value. A finding has the severity info if at least three tables of earlier migrations have such a key, and at most one in ten
has a bigint: then it is a decision about all tables.

Safe:
    CREATE TABLE deliveries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);

See: https://www.postgresql.org/docs/current/datatype-numeric.html#DATATYPE-INT
"""

from migsafe import expressions
from migsafe.linting.facts.definitions import definition, primary_key_columns
from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.objects import RelationKind
from migsafe.sql.operations import AddColumn, AddConstraint, Column, Constraint, ConstraintKind, CreateTable, Name, Persistence, TypeName
from migsafe.sql.operations.values import quoted

_LAST = {"smallint": "32,767", "smallserial": "32,767", "integer": "2,147,483,647", "serial": "2,147,483,647"}
_LARGER = {"smallint": "bigint", "integer": "bigint", "smallserial": "bigserial", "serial": "bigserial"}

_USUAL = 3
"""How many tables with such keys are a decision."""

_ONE_IN = 10
"""A bigint key among so many keys is an exception."""


@rule(category="design", severity=Severity.WARNING, no_fix="another type changes the final schema")
def int_primary_key(op: CreateTable | AddColumn | AddConstraint, at: Context) -> Finding | None:
    """Report a key of one column with a small integer type."""
    match op:
        case CreateTable():
            return _in_table(op, at)
        case AddColumn(column=column):
            is_key = any(constraint.kind is ConstraintKind.PRIMARY_KEY for constraint in column.constraints)
            return _finding(op, at, op.target.name, column.name, column.type) if is_key and not _references(column, ()) else None
        case AddConstraint(constraint=Constraint(kind=ConstraintKind.PRIMARY_KEY)):
            return _later(op, at)
    return None


def _in_table(op: CreateTable, at: Context) -> Finding | None:
    key = primary_key_columns(op)
    column = next((column for column in op.columns if key == (column.name,)), None)
    if column is None or op.persistence is Persistence.TEMPORARY or _references(column, op.constraints):
        return None
    finding = _finding(op, at, op.table, column.name, column.type)
    return None if finding is None or _is_constant(column, op) else finding


def _is_constant(column: Column, op: CreateTable) -> bool:
    """Whether a CHECK allows only one key, as in a table of one row."""
    checks = [constraint.check for constraint in (*column.constraints, *op.constraints) if constraint.check is not None]
    return any(column.name in expressions.columns_equal_to_constants(check) for check in checks)


def _later(op: AddConstraint, at: Context) -> Finding | None:
    """Return the finding about a key that the migration gives to a table of its own after creating it, as pg_dump does."""
    table = at.catalog.relation(op.target.name)
    if table is None or table.persistence is Persistence.TEMPORARY or not is_created_here(at, op.target.name):
        return None
    index = at.catalog.index(Name(op.constraint.index.name, table.name.schema)) if op.constraint.index is not None else None
    names = op.constraint.columns or [
        column.name for key in (index.keys if index is not None else ()) if key.column and (column := table.column_numbered(key.column))
    ]
    column = table.column(names[0]) if len(names) == 1 else None
    if column is None or any(
        constraint.kind is ConstraintKind.FOREIGN_KEY and column.number in constraint.columns
        for constraint in at.catalog.constraints(table.oid)
    ):
        return None
    return _finding(op, at, op.target.name, column.name, column.type)


def _references(column: Column, constraints: tuple[Constraint, ...]) -> bool:
    """Whether the column is a foreign key."""
    return any(
        constraint.kind is ConstraintKind.FOREIGN_KEY and (constraint in column.constraints or column.name in constraint.columns)
        for constraint in (*column.constraints, *constraints)
    )


def _finding(
    op: CreateTable | AddColumn | AddConstraint, at: Context, table: Name, column: str, column_type: TypeName | None
) -> Finding | None:
    if column_type is None or column_type.name not in _LAST or column_type.dimensions:
        return None
    usual = _is_usual(at)
    others = ", like those of the tables before it" if usual else ""
    return at.finding(
        op,
        f"the primary key {quoted(column)} of {at.resolve(table)} is {column_type}: its largest value is {_LAST[column_type.name]}{others}",
        severity=Severity.INFO if usual else None,
        help=definition(
            at, quoted(column), _LARGER[column_type.name], "sa.BigInteger(), primary_key=True", ", and every column that references it"
        ),
        relations=(table,),
    )


def _is_usual(at: Context) -> bool:
    """Whether earlier migrations have given small integer keys to their tables, and hardly a bigint, as a library's own table may have."""
    small = large = 0
    for table in at.catalog.relations():
        key = at.catalog.primary_key(table.oid) if table.kind is RelationKind.TABLE and table.created_in != at.catalog.migration else None
        column = table.column_numbered(key.columns[0]) if key is not None and len(key.columns) == 1 else None
        if column is None or column.type is None:
            continue
        large += column.type.name in ("bigint", "bigserial")
        small += column.type.name in _LAST
    return small >= _USUAL and large * _ONE_IN <= small + large
