"""What ALTER TABLE and its kin do to objects, beside needing their relation."""

from collections.abc import Iterator
from typing import Any

from migsafe import expressions
from migsafe.linting.reruns.paths import Named, column, constraint, in_schema, relation
from migsafe.linting.reruns.registry import OBJECT_USES, Touches
from migsafe.linting.reruns.touch import Act, Outcome, Path, Touch
from migsafe.schema.catalog import Catalog
from migsafe.schema.default_names import default_name
from migsafe.schema.objects import Relation
from migsafe.sql import operations as sql
from migsafe.sql.operations import AlterRelation, Constraint, ConstraintKind, Name

_WITH_INDEX = (ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY, ConstraintKind.EXCLUDE)


def constraint_paths(table: Named, given: Constraint) -> Iterator[Path]:
    """The paths of a named constraint, and of the index behind it."""
    if given.kind is ConstraintKind.PRIMARY_KEY:
        yield (*table.path, "primary key")
    if given.name is not None:
        yield constraint(table, given.name).path


def _table(op: AlterRelation, catalog: Catalog) -> Named:
    return relation(op.target.name, catalog, op.target.kind)


@OBJECT_USES.register(sql.AddColumn)
def _add_column(op: sql.AddColumn, catalog: Catalog) -> Touches:
    table = _table(op, catalog)
    place = column(table, op.column.name)
    brings = tuple(path for one in op.column.constraints for path in constraint_paths(table, one))
    yield Touch(act=Act.MAKES, path=place.path, what=place.what, error="duplicate_column", lenient=op.if_not_exists, brings=brings)


@OBJECT_USES.register(sql.DropColumn)
def _drop_column(op: sql.DropColumn, catalog: Catalog) -> Touches:
    place = column(_table(op, catalog), op.column)
    yield Touch(act=Act.TAKES, path=place.path, what=place.what, error="undefined_column", lenient=op.if_exists)


@OBJECT_USES.register(sql.RenameColumn)
def _rename_column(op: sql.RenameColumn, catalog: Catalog) -> Touches:
    if op.target.kind == "type":
        place = in_schema("type", op.target.name, catalog)
        path, to, what = (*place.path, f"attribute {op.column}"), (*place.path, f"attribute {op.new_name}"), f"attribute {op.column}"
    else:
        table = _table(op, catalog)
        (path, what), to = column(table, op.column), column(table, op.new_name).path
    yield Touch(act=Act.MOVES, path=path, what=what, to=to, error="undefined_column")


@OBJECT_USES.register(sql.RenameConstraint)
def _rename_constraint(op: sql.RenameConstraint, catalog: Catalog) -> Touches:
    if op.target.kind == "domain":
        place = in_schema("domain", op.target.name, catalog)
        path, to, what = (*place.path, f"constraint {op.constraint}"), (*place.path, f"constraint {op.new_name}"), f"constraint {op.constraint}"
    else:
        table = _table(op, catalog)
        (path, what), to = constraint(table, op.constraint), constraint(table, op.new_name).path
    yield Touch(act=Act.MOVES, path=path, what=what, to=to, error="undefined_object")


_RECONVERSIONS = {
    "converts again": "its USING converts the values once more, or stops at them",
    "expects the old type": "its USING meets values that have the new type already",
}


@OBJECT_USES.register(sql.AlterColumnType)
def _alter_type(op: sql.AlterColumnType, catalog: Catalog) -> Touches:
    yield from _needs_column(op, catalog)
    found = catalog.relation(op.target.name)
    before = found.column(op.column) if found is not None else None
    old_type = before.type if before is not None else None
    reconversion = expressions.converts_again(op, old_type, catalog.pg_version) if op.using is not None else None
    if reconversion is not None:
        place = column(_table(op, catalog), op.column)
        yield Touch(act=Act.REPEATS, path=place.path, what=place.what, why=_RECONVERSIONS[reconversion], outcome=Outcome.EITHER)


@OBJECT_USES.register(sql.SetDefault, sql.DropDefault, sql.SetNotNull, sql.DropNotNull, sql.SetExpression, sql.SetIdentity)
def _needs_column(op: Any, catalog: Catalog) -> Touches:
    place = column(_table(op, catalog), op.column)
    yield Touch(act=Act.NEEDS, path=place.path, what=place.what, error="undefined_column")


@OBJECT_USES.register(sql.DropExpression)
def _drop_expression(op: sql.DropExpression, catalog: Catalog) -> Touches:
    place = column(_table(op, catalog), op.column)
    what = f"the expression of {place.what}"
    yield Touch(act=Act.TAKES, path=(*place.path, "expression"), what=what, error="object_not_in_prerequisite_state", lenient=op.if_exists)


@OBJECT_USES.register(sql.AddIdentity)
def _add_identity(op: sql.AddIdentity, catalog: Catalog) -> Touches:
    place = column(_table(op, catalog), op.column)
    what = f"an identity of {place.what}"
    yield Touch(act=Act.MAKES, path=(*place.path, "identity"), what=what, error="object_not_in_prerequisite_state")


@OBJECT_USES.register(sql.DropIdentity)
def _drop_identity(op: sql.DropIdentity, catalog: Catalog) -> Touches:
    place = column(_table(op, catalog), op.column)
    what = f"the identity of {place.what}"
    yield Touch(act=Act.TAKES, path=(*place.path, "identity"), what=what, error="object_not_in_prerequisite_state", lenient=op.if_exists)


@OBJECT_USES.register(sql.AddConstraint)
def _add_constraint(op: sql.AddConstraint, catalog: Catalog) -> Touches:
    table, given = _table(op, catalog), op.constraint
    if given.kind is ConstraintKind.NOT_NULL:
        return
    if given.kind is ConstraintKind.PRIMARY_KEY:
        what = f"a primary key of {table.what.rpartition(' ')[2]}"
        yield Touch(act=Act.MAKES, path=(*table.path, "primary key"), what=what, error="invalid_table_definition")
        # It is refused as a second primary key before its name matters.
        place = constraint(table, given.name or default_name(op.target.name.name, (), "pkey"))
        yield Touch(act=Act.MAKES, path=place.path, what=place.what, lenient=True)
        return
    if given.name is None:
        yield Touch(
            act=Act.REPEATS, path=table.path, what=table.what, why="it adds the same constraint a second time, under a name with a number"
        )
        return
    place = constraint(table, given.name)
    error = "" if given.index is not None else "duplicate_table" if given.kind in _WITH_INDEX else "duplicate_object"
    yield Touch(act=Act.MAKES, path=place.path, what=place.what, error=error)
    if given.index is not None and given.index.name != given.name:
        # The index takes the constraint's name.
        index = relation(Name(given.index.name, catalog.resolve(op.target.name).schema), catalog, "index")
        yield Touch(act=Act.TAKES, path=index.path, what=index.what, error="undefined_object")


@OBJECT_USES.register(sql.DropConstraint)
def _drop_constraint(op: sql.DropConstraint, catalog: Catalog) -> Touches:
    table = _table(op, catalog)
    place = constraint(table, op.constraint)
    yield Touch(act=Act.TAKES, path=place.path, what=place.what, error="undefined_object", lenient=op.if_exists)
    if _is_primary_key(op, catalog):
        yield Touch(act=Act.TAKES, path=(*table.path, "primary key"), what=f"the primary key of {table.what}", lenient=True)


def _is_primary_key(op: sql.DropConstraint, catalog: Catalog) -> bool:
    table = catalog.relation(op.target.name)
    found = catalog.constraint(table.oid, op.constraint) if isinstance(table, Relation) else None
    return found.kind is ConstraintKind.PRIMARY_KEY if found is not None else op.constraint == f"{op.target.name.name}_pkey"


@OBJECT_USES.register(sql.ValidateConstraint, sql.AlterConstraint)
def _needs_constraint(op: sql.ValidateConstraint | sql.AlterConstraint, catalog: Catalog) -> Touches:
    place = constraint(_table(op, catalog), op.constraint)
    yield Touch(act=Act.NEEDS, path=place.path, what=place.what, error="undefined_object")


@OBJECT_USES.register(sql.AttachPartition)
def _attach(op: sql.AttachPartition, catalog: Catalog) -> Touches:
    if op.bound is None:
        return  # an index that is a partition already is passed over
    table = _table(op, catalog)
    part = relation(op.partition, catalog, "table")
    path, what = (*part.path, "partition"), f"{part.what} as a partition of {table.what.rpartition(' ')[2]}"
    yield Touch(act=Act.MAKES, path=path, what=what, error="wrong_object_type")


@OBJECT_USES.register(sql.DetachPartition)
def _detach(op: sql.DetachPartition, catalog: Catalog) -> Touches:
    table = _table(op, catalog)
    part = relation(op.partition, catalog, "table")
    path, what = (*part.path, "partition"), f"{part.what} as a partition of {table.what.rpartition(' ')[2]}"
    yield Touch(act=Act.TAKES, path=path, what=what, error="undefined_table")


@OBJECT_USES.register(sql.Inherit, sql.NoInherit)
def _inherit(op: sql.Inherit | sql.NoInherit, catalog: Catalog) -> Touches:
    table, parent = _table(op, catalog), relation(op.parent, catalog, "table")
    path = (*table.path, f"parent {'.'.join(parent.path)}")
    what = f"{table.what} as a child of {parent.what.rpartition(' ')[2]}"
    act, error = (Act.MAKES, "duplicate_table") if isinstance(op, sql.Inherit) else (Act.TAKES, "undefined_table")
    yield Touch(act=act, path=path, what=what, error=error)


@OBJECT_USES.register(sql.SetOptions, sql.SetColumnOptions)
def _options(op: sql.SetOptions | sql.SetColumnOptions, catalog: Catalog) -> Touches:
    if not op.foreign:
        return
    table = _table(op, catalog)
    place = column(table, op.column) if isinstance(op, sql.SetColumnOptions) else table
    for option in op.options:
        yield from foreign_option(place, option.name)


def foreign_option(place: Named, words: str) -> Touches:
    """ADD or DROP of an option of something that belongs to foreign data; ADD where no word says what."""
    verb, _, name = words.rpartition(" ")
    if verb != "set":
        act = Act.TAKES if verb == "drop" else Act.MAKES
        yield Touch(act=act, path=(*place.path, f"option {name}"), what=f"the option {name} of {place.what}")
