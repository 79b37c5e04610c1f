"""What INSERT, UPDATE and ON CONFLICT need of their table, beyond the names."""

from collections.abc import Iterable

from migsafe.expressions.queries.shapes import Conflict, Ref, Shape, Value
from migsafe.schema.objects import Column, Domain, Relation, RelationKind
from migsafe.sql.operations import TypeName
from migsafe.workload.binding import Binder
from migsafe.workload.conditions import is_implied, key_subject, subject_of, types_of
from migsafe.workload.lookups import Lookups
from migsafe.workload.needs import InsertProblem
from migsafe.workload.scopes import BoundSource, Level
from migsafe.workload.types import is_assignable

_TABLES = (RelationKind.TABLE, RelationKind.PARTITIONED)


def check_writes(binder: Binder, level: Level) -> list[InsertProblem]:
    """Records why an INSERT or UPDATE is rejected, and returns why it fails when it runs."""
    shape = level.shape
    target = level.sources[0]
    table = target.relation
    if table is None or not target.complete or table.kind not in _TABLES:
        return []
    problems: list[InsertProblem] = []
    if shape.kind == "insert":
        written = _inserted(binder, shape, level, target)
        if written is not None:
            problems += _omitted(binder.catalog, table, written, _listed(shape.target_columns, target, shape.nulls))
            problems += _generated(binder, table, written, overrides=shape.overrides)
        if shape.conflict is not None:
            _check_conflict(binder, table, shape.conflict)
    for row in shape.merged:
        given = _listed(row.columns, target, [at for at in range(row.width) if at not in row.defaults])
        problems += _omitted(binder.catalog, table, given, _listed(row.columns, target, row.nulls))
    if shape.kind in ("insert", "update"):
        problems += _generated(binder, table, {name for name, value in shape.assigned if not _is_default(value)}, update=True)
    return problems


def _listed(columns: tuple[str, ...] | None, target: BoundSource, positions: Iterable[int]) -> set[str]:
    """Returns the columns at some positions of a list; without a list, of the table."""
    names = columns if columns is not None else tuple(target.columns)
    return {names[at] for at in positions if at < len(names)}


def _is_default(value: object) -> bool:
    return isinstance(value, Value) and value.text == "default"


def _inserted(binder: Binder, shape: Shape, level: Level, target: BoundSource) -> set[str] | None:
    """Returns the columns that get a value; None if they are not known."""
    listed = shape.target_columns if shape.target_columns is not None else tuple(target.columns)
    if shape.body is None:
        return set()
    body = level.inner[0]
    width = shape.body.width or (len(body.outputs) if body.complete else None)
    if width is not None and width > len(listed):
        binder.fail("42601", "INSERT has more expressions than target columns", shape.sources[0].name)
    elif width is not None and shape.target_columns is not None and width < len(listed):
        binder.fail("42601", "INSERT has more target columns than expressions", shape.sources[0].name)
    if width is None and shape.target_columns is None:
        return None
    if body.complete and shape.body.kind != "values":
        for name, (_, column) in zip(listed, body.outputs, strict=False):
            goal = target.columns.get(name)
            if goal is not None and goal.type is not None and column.type is not None:
                _check_type(binder, name, goal.type, column.type)
    return {name for at, name in enumerate(listed[: width if width is not None else None]) if at not in shape.defaults}


def _check_type(binder: Binder, name: str, target: TypeName, source: TypeName) -> None:
    if not is_assignable(binder.catalog, source, target):
        binder.fail("42804", f'column "{name}" is of type {target} but expression is of type {source}', name)


def _omitted(catalog: Lookups, table: Relation, written: set[str], nulls: set[str]) -> list[InsertProblem]:
    """A column that gets no value becomes NULL, like one that gets NULL, unless a trigger fills it."""
    if any(trigger.row and trigger.timing == "before" and "insert" in trigger.events for trigger in catalog.triggers(table.oid)):
        return []
    return [
        InsertProblem(kind="null" if column.name in nulls else "omits", oid=table.oid, table=table.name, column=column.name)
        for column in table.columns
        if column.not_null is True
        and (_takes_null(column) if column.name in nulls else not (column.name in written or _has_value(catalog, column)))
    ]


def _takes_null(column: Column) -> bool:
    """Whether NULL would be stored in the column, which PostgreSQL does not compute itself."""
    return column.generated is None and column.identity is None


def _has_value(catalog: Lookups, column: Column) -> bool:
    if column.default is not None or column.identity is not None or column.generated is not None:
        return True
    if column.type is None or column.type.name in ("serial", "bigserial", "smallserial"):
        return True
    defined = catalog.type_of(column.type)
    return isinstance(defined, Domain) and defined.default is not None


def _generated(binder: Binder, table: Relation, written: set[str], *, update: bool = False, overrides: bool = False) -> list[InsertProblem]:
    problems: list[InsertProblem] = []
    for column in table.columns:
        if column.name in written and (column.generated is not None or (column.identity == "always" and not overrides)):
            problems.append(InsertProblem(kind="generated", oid=table.oid, table=table.name, column=column.name))
            verb = f'column "{column.name}" can only be updated to DEFAULT'
            text = verb if update else f'cannot insert a non-DEFAULT value into column "{column.name}"'
            binder.fail("428C9", text, column.name, table.oid)
    return problems


def _check_conflict(binder: Binder, table: Relation, conflict: Conflict) -> None:
    """ON CONFLICT needs a constraint of the name, or a unique index over exactly these keys (infer_arbiter_indexes in plancat.c)."""
    catalog = binder.catalog
    if conflict.constraint is not None:
        if catalog.constraint(table.oid, conflict.constraint) is None:
            text = f'constraint "{conflict.constraint}" for table "{table.name.name}" does not exist'
            binder.fail("42704", text, conflict.constraint, table.oid)
        return
    if not conflict.keys:
        return
    owns = lambda ref: True  # noqa: E731  # the keys are columns of the table
    keys = {subject_of(key, owns) for key in conflict.keys}
    if binder.failure is not None or None in keys or any(isinstance(key, Ref) and table.column(key.name) is None for key in conflict.keys):
        return
    conditions = [conflict.where] if conflict.where is not None else []
    for index in catalog.indexes(table.oid):
        own = {key_subject(key, table, catalog.shapes) for key in index.keys}
        if index.unique and index.valid and own == keys and is_implied(index, table, conditions, owns, types_of(table), catalog.shapes):
            return
    names = ", ".join(sorted(str(key) for key in keys))
    binder.fail("42P10", "there is no unique or exclusion constraint matching the ON CONFLICT specification", names, table.oid)
