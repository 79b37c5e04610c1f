"""What belongs to a column that another column replaces: its key, the foreign keys in both directions, its sequence."""

from collections.abc import Iterator

from msgspec.structs import replace

from migsafe import expressions, versions
from migsafe.linting.facts.index_builds import concurrent_build, plain_index, repeatable_index_build
from migsafe.linting.facts.partitions import foreign_key_by_partition, partitioned_table
from migsafe.linting.rule import Context
from migsafe.schema.default_names import default_name
from migsafe.schema.definitions import foreign_key_definition
from migsafe.schema.objects import Column, Constraint, Relation
from migsafe.sql import operations as sql
from migsafe.sql.generation import (
    TypedColumn,
    batched_update,
    foreign_key_clause,
    is_distinct,
    set_not_null_in_steps,
    synchronising_trigger,
    validate_constraints,
)
from migsafe.sql.operations import ConstraintKind, Expression, Name, TypeName
from migsafe.sql.operations.values import quoted

_KEYS = (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE)
_INTEGERS = frozenset(("smallint", "integer", "bigint"))


def new_column(column: str) -> str:
    """Returns the name of the column that replaces another one."""
    return f"{column}_new"


def filled_column(table: Name, old: TypedColumn, column_type: TypeName, using: Expression | None, at: Context) -> Iterator[str]:
    """Yields the migrations that add the new column, keep both in step with a trigger, and fill it in batches.

    `using` computes the new value; without it the old one is cast.
    """
    name, new = old.name, TypedColumn(new_column(old.name), column_type)
    value = using.sql if using is not None else f"{quoted(name)}::{column_type}"
    yield f"ALTER TABLE {table} ADD COLUMN {quoted(new.name)} {column_type};"
    back = _converted_back(old, new, using)
    trigger = synchronising_trigger(table, old, new, value, back, default_name(table.name, (new.name,), "sync"))
    if back is None:
        comment = (
            f"a trigger fills it for rows that are written from now on; a release that writes {quoted(new.name)} must write {quoted(name)} too,"
        )
        comment += "\n-- as long as an older release reads that, because no conversion back is known"
    else:
        comment = "a trigger keeps both columns in step, whichever a release writes; until it is dropped, it refuses values that "
        comment += f"{quoted(name)} cannot hold"
    yield f"-- {comment}:\n{trigger}"
    yield at.outside_transaction(batched_update(table, new.name, value, is_distinct(quoted(new.name), f"({value})", column_type)))


def _converted_back(old: TypedColumn, new: TypedColumn, using: Expression | None) -> str | None:
    """Returns the new value as PL/pgSQL can assign it to the old column; boolean has only an explicit cast, to integer."""
    assert new.type is not None
    value = f"NEW.{quoted(new.name)}"
    if new.type.name == "boolean" and old.type is not None and old.type.name in _INTEGERS:
        value = f"{value}::integer"
    return value if using is None else expressions.conversion_back(using, old.name, value)


def key_steps(relation: Relation, column: Column, new_type: TypeName, at: Context) -> Iterator[str]:
    """Yields the migrations that give the new column a unique index and the foreign keys of the old one."""
    table, new = relation.name, new_column(column.name)
    if _keys(relation, column, at):
        not_null = default_name(table.name, (new,), "not_null")
        yield from set_not_null_in_steps(table, {new: not_null}, at.catalog.pg_version)
        name = default_name(table.name, (new,), "key")
        yield repeatable_index_build(
            at, Name(name, table.schema), f"CREATE UNIQUE INDEX CONCURRENTLY {quoted(name)} ON {table} ({quoted(new)})"
        )
    for key in _foreign_keys(relation, column, at):
        referenced = at.catalog.get(key.references) if key.references is not None else None
        if isinstance(referenced, Relation) and key.referenced_columns:
            yield from _foreign_key(at, relation, replace(foreign_key_definition(relation, referenced, key), columns=(new,)))
    for key in _references(relation, column, at):
        child = at.catalog.get(key.table)
        referencing = child.column_numbered(key.columns[0]) if isinstance(child, Relation) else None
        if not isinstance(child, Relation) or referencing is None:
            continue
        child_new = new_column(referencing.name)
        yield from filled_column(child.name, TypedColumn(referencing.name, referencing.type), new_type, None, at)
        yield concurrent_build(at, plain_index(child.name, (child_new,)), default_name(child.name.name, (child_new,), "idx"))
        definition = foreign_key_definition(child, relation, key)
        assert definition.references is not None
        reference = replace(definition.references, columns=(new,))
        yield from _foreign_key(at, child, replace(definition, columns=(child_new,), references=reference))


def _foreign_key(at: Context, table: Relation, key: sql.Constraint) -> Iterator[str]:
    name = default_name(table.name.name, key.columns, "fkey")
    parent = partitioned_table(at, table.name)
    if parent is not None and at.catalog.pg_version < versions.NOT_VALID_FOREIGN_KEY_OF_PARTITIONED:
        yield foreign_key_by_partition(at, parent, table.name, key, name)
        return
    yield f"ALTER TABLE {table.name} ADD {foreign_key_clause(key, name)};"
    yield f"-- without blocking reads and writes:\n{validate_constraints(table.name, name)}"


def also_needed(relation: Relation, column: Column, at: Context, *, keys_done: bool) -> str:
    """Returns what the old column has and the new one needs too, as a list of names; empty if there is nothing. `keys_done`: other steps give
    it the keys and the foreign keys."""
    done = {key.oid for key in (*_keys(relation, column, at), *_foreign_keys(relation, column, at))} if keys_done else set()
    own = [each for each in at.catalog.constraints(relation.oid) if column.number in each.columns]
    serial = _sequence(column) is not None
    needed = [f"DEFAULT {column.default.expression.sql}"] if column.default is not None and column.generated is None and not serial else []
    needed += ["NOT NULL"] if column.not_null and not any(each.kind in _KEYS and each.oid in done for each in own) else []
    constraints = [each for each in own if each.kind is not ConstraintKind.NOT_NULL]
    of_constraints = {each.index for each in constraints}
    indexes = [index for index in at.catalog.indexes(relation.oid) if column.number in index.columns and index.oid not in of_constraints]
    needed += [f"the index {quoted(index.name.name)}" for index in indexes]
    needed += [f"the constraint {quoted(each.name.name)}" for each in constraints if each.oid not in done]
    if not keys_done:
        needed += [f"the foreign key {key.name.name} of {at.catalog[key.table].name}" for key in _references(relation, column, at)]
    return ", ".join(needed)


def switch_steps(relation: Relation, column: Column, at: Context) -> Iterator[str]:
    """Yields the statements that make the new column the key, after the release that uses it and before the old column is dropped."""
    table, new = relation.name, new_column(column.name)
    for key in _references(relation, column, at):
        child = at.catalog.get(key.table)
        if isinstance(child, Relation):
            yield f"ALTER TABLE {child.name} DROP CONSTRAINT {quoted(key.name.name)};"
    for key in _keys(relation, column, at):
        index = quoted(default_name(table.name, (new,), "key"))
        name = quoted(key.name.name)
        yield f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {key.kind.value} USING INDEX {index};"
    sequence = _sequence(column)
    if sequence is not None:
        yield f"ALTER SEQUENCE {sequence} AS bigint OWNED BY {table}.{quoted(new)};"
        yield f"ALTER TABLE {table} ALTER COLUMN {quoted(new)} SET DEFAULT nextval('{sequence}');"
    if column.identity is not None:
        yield f"ALTER TABLE {table} ALTER COLUMN {quoted(new)} ADD GENERATED {column.identity.upper()} AS IDENTITY;"
        yield f"SELECT setval(pg_get_serial_sequence('{table}', '{new}'), (SELECT max({quoted(new)}) FROM {table}));"  # noqa: S608


def _keys(relation: Relation, column: Column, at: Context) -> list[Constraint]:
    own = at.catalog.constraints(relation.oid)
    return [key for key in own if key.kind in _KEYS and key.columns == (column.number,)]


def _foreign_keys(relation: Relation, column: Column, at: Context) -> list[Constraint]:
    own = at.catalog.constraints(relation.oid)
    return [key for key in own if key.kind is ConstraintKind.FOREIGN_KEY and key.columns == (column.number,) and key.parent is None]


def _references(relation: Relation, column: Column, at: Context) -> list[Constraint]:
    keys = at.catalog.foreign_keys_to(relation.oid)
    return [key for key in keys if key.referenced_columns == (column.number,) and len(key.columns) == 1 and key.parent is None]


def _sequence(column: Column) -> str | None:
    """Returns the sequence of a serial column, as its default names it."""
    sql = column.default.expression.sql if column.default is not None and column.generated is None else ""
    call, _, rest = sql.partition("nextval(")
    return rest.split("'")[1] if not call.strip() and rest.count("'") >= 2 else None
