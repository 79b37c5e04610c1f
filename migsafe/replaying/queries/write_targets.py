"""What the parameters of an INSERT, UPDATE, DELETE or MERGE are written to or compared with."""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.expressions.queries.shapes import All, Compare, Condition, Formula, NullTest, Operand, Parameter, Ref, Truth, UnreadShape, Value
from migsafe.schema.catalog import Catalog
from migsafe.sql.operations import Name
from migsafe.sql.operations.values import quoted
from migsafe.workload.binding import Binder
from migsafe.workload.compared_columns import columns_of_parameters
from migsafe.workload.lookups import Lookups
from migsafe.workload.query import Query
from migsafe.workload.scopes import Level, all_levels
from migsafe.workload.shapes import Shapes

_WRITES = ("insert", "update", "delete", "merge")


class ColumnUse(Struct, frozen=True):
    """A column that a parameter is written to by an `insert` or `update`, or is compared with (`where`)."""

    table: Name
    column: str
    use: str


class WriteTargets(Struct, frozen=True, kw_only=True):
    """The tables that a query writes to, the columns of its parameters by their numbers, and by table the
    conditions with constants that its rows have to satisfy, as SQL. `only_inserts` if it changes no existing row. `constants` are the columns
    that each UPDATE in it sets to a constant; none if it inserts rows, too."""

    tables: tuple[Name, ...] = ()
    parameters: dict[int, ColumnUse] = {}
    conditions: dict[Name, tuple[str, ...]] = {}
    only_inserts: bool = True
    constants: frozenset[str] = frozenset()


def write_targets(query: Query, catalog: Catalog, shapes: Shapes) -> WriteTargets | None:
    """Returns what a query writes; None if it only reads, or is not understood."""
    shape = shapes.query(query.text)
    if isinstance(shape, UnreadShape):
        return None
    lookups = Lookups(catalog, shapes)
    binder = Binder(lookups, query.parameters)
    levels = list(all_levels(binder.query(shape)))
    tables = dict.fromkeys(
        level.sources[0].relation.name
        for level in levels
        if level.shape.kind in _WRITES and level.sources and level.sources[0].relation is not None
    )
    if not any(level.shape.kind in _WRITES for level in levels):
        return None
    parameters: dict[int, ColumnUse] = {}
    conditions: dict[Name, tuple[str, ...]] = {}
    for level in levels:
        for number, use in _uses(level):
            parameters.setdefault(number, use)
        for table, condition in _conditions(level, level.shape.where):
            conditions[table] = (*conditions.get(table, ()), condition)
    for number, compared in columns_of_parameters(binder, lookups, levels).items():
        if compared.column is not None:
            parameters.setdefault(number, ColumnUse(compared.relation, compared.column, "where"))
    only_inserts = all(level.shape.kind == "insert" and not level.shape.assigned for level in levels if level.shape.kind in _WRITES)
    constants = frozenset.intersection(*(_constants(level) for level in levels if level.shape.kind in _WRITES))
    return WriteTargets(tables=tuple(tables), parameters=parameters, conditions=conditions, only_inserts=only_inserts, constants=constants)


def _constants(level: Level) -> frozenset[str]:
    """Returns the columns that one level of a query sets to a constant in existing rows."""
    if level.shape.kind != "update":
        return frozenset()
    return frozenset(column for column, value in level.shape.assigned if isinstance(value, Value))


def _uses(level: Level) -> Iterator[tuple[int, ColumnUse]]:
    """Yields the columns to which one level of a query writes its parameters."""
    shape = level.shape
    target = level.sources[0].relation if shape.kind in _WRITES and level.sources else None
    if target is not None:
        listed = shape.target_columns if shape.target_columns is not None else tuple(level.sources[0].columns)
        outputs = shape.body.outputs if shape.kind == "insert" and shape.body is not None else ()
        for column, output in zip(listed, outputs, strict=False):
            for parameter in _parameters(output.operand):
                yield parameter.number, ColumnUse(target.name, column, "insert")
        for column, value in shape.assigned:
            for parameter in _parameters(value):
                yield parameter.number, ColumnUse(target.name, column, "update")


def _parameters(value: Operand | None) -> tuple[Parameter, ...]:
    """Returns the parameters that a value is, or may be."""
    match value:
        case Parameter():
            return (value,)
        case Formula(passed=passed):
            return passed
    return ()


def _conditions(level: Level, condition: Condition | None) -> Iterator[tuple[Name, str]]:
    """Yields the conditions that compare a column with a constant, as SQL about the table alone."""
    match condition:
        case All(parts=parts):
            for part in parts:
                yield from _conditions(level, part)
        case NullTest(operand=Ref() as ref, is_negated=is_negated):
            use = _column(level, ref)
            if use is not None:
                yield use.table, f"{quoted(use.column)} IS {'NOT ' if is_negated else ''}NULL"
        case Truth(operand=Ref() as ref, value=value):
            use = _column(level, ref)
            if use is not None:
                yield use.table, f"{'' if value else 'NOT '}{quoted(use.column)}"
        case Compare(left=Ref() as ref, operator="=" | "<>" | "<" | "<=" | ">" | ">=" as operator, right=Value(is_string=is_string, text=text)):
            use = _column(level, ref)
            if use is not None:
                constant = "'" + text.replace("'", "''") + "'" if is_string else text
                yield use.table, f"{quoted(use.column)} {operator} {constant}"


def _column(level: Level, ref: Ref) -> ColumnUse | None:
    """Returns the column of a table that a reference names in this level."""
    for source in level.sources:
        if ref.table is None or source.alias == ref.table:
            column = source.columns.get(ref.name)
            if column is not None and source.relation is not None and column.name is not None and column.relation == source.relation.oid:
                return ColumnUse(source.relation.name, column.name, "where")
            if column is not None or ref.table is not None:
                return None
    return None
