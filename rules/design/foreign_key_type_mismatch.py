"""A foreign key whose type differs from the key that it refers to.

An integer that refers to a bigint fails on the first key beyond 2,147,483,647, which is when nobody has time for it. And where the types
differ so much that they are compared as a third one, the index on the referenced side cannot be used for the check: each DELETE reads the
table.

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

from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.schema.objects import Column, Constraint, Relation
from migsafe.sql.operations import AddColumn, AddConstraint, ConstraintKind, CreateTable, Name
from migsafe.sql.operations.values import quoted


@rule(category="design", severity=Severity.WARNING)
def foreign_key_type_mismatch(op: CreateTable | AddColumn | AddConstraint | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Note what may bring a foreign key, and compare the types of both sides when the migration ends."""
    if not isinstance(op, MigrationEnd):
        at.notes.append(len(at.past))
        return
    seen: set[tuple[Name, str]] = set()
    # What was added afterwards belongs to what added it, and not to the CREATE TABLE.
    for done in sorted((at.past[position] for position in at.notes), key=lambda done: isinstance(done.operation, CreateTable)):
        for table, constraint in _foreign_keys(at, done):
            key = (table.name, constraint.name.name)
            if key not in seen:
                seen.add(key)
                yield from _compared(at, done, table, constraint)


def _foreign_keys(at: Context, done: PastOperation) -> Iterator[tuple[Relation, Constraint]]:
    match done.operation:
        case CreateTable(table=name):
            wanted = None
        case AddColumn(target=target, column=column) if any(one.kind is ConstraintKind.FOREIGN_KEY for one in column.constraints):
            name, wanted = target.name, {column.name}
        case AddConstraint(target=target, constraint=given) if given.kind is ConstraintKind.FOREIGN_KEY:
            name, wanted = target.name, set(given.columns)
        case _:
            return
    table = at.catalog.relation(name)
    for constraint in at.catalog.constraints(table.oid) if table is not None else ():
        if table is not None and constraint.kind is ConstraintKind.FOREIGN_KEY and constraint.parent is None:
            columns = {found.name for number in constraint.columns if (found := table.numbered(number)) is not None}
            if wanted is None or columns == wanted:
                yield table, constraint


def _compared(at: Context, done: PastOperation, table: Relation, constraint: Constraint) -> Iterator[Finding]:
    far = at.catalog.get(constraint.references) if constraint.references is not None else None
    if not isinstance(far, Relation):
        return
    for number, other in zip(constraint.columns, constraint.referenced_columns, strict=False):
        here, there = table.numbered(number), far.numbered(other)
        if here is not None and there is not None and _differ(here, there):
            yield at.finding(
                done,
                f"{quoted(here.name)} of {table.name} is {here.type}, and refers to {quoted(there.name)} of {far.name}, which is {there.type}",
                help=f"-- {quoted(here.name)} {there.type}",
                relations=(table.name, far.name),
            )


def _differ(here: Column, there: Column) -> bool:
    if here.type is None or there.type is None:
        return False
    one, other = here.type, there.type
    same_text = {one.name, other.name} <= {"text", "character varying"}
    return not same_text and (one.name, one.schema, one.dimensions) != (other.name, other.schema, other.dimensions)
