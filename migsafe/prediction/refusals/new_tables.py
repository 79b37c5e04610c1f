"""The columns in the expressions of a new table, and views whose rows cannot be changed."""

from collections.abc import Callable, Iterator
from typing import Protocol

from migsafe.expressions.queries.shapes import FIELD, ROW, Shape, UnreadShape
from migsafe.prediction.refusals.definitions import may_make_nothing
from migsafe.schema.catalog import Catalog
from migsafe.schema.formulas import identifiers
from migsafe.schema.objects import SYSTEM_COLUMNS, Attached, Relation
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.keywords import COLUMN_NAME, RESERVED, TYPE_OR_FUNCTION_NAME
from migsafe.sql.operations import ConstraintKind, Expression
from migsafe.text import MARK_START

_VALUES = frozenset("user current_user current_role session_user system_user localtime localtimestamp value".split())
"""Words that a parser may take for a column: functions without parentheses, and the value of a domain."""


_WORDS = RESERVED | TYPE_OR_FUNCTION_NAME | COLUMN_NAME | {"escape", "at", "zone", "time", "to", "unknown"}
"""Words of conditions. A column that has the name of one of them is not looked for."""


_DEFAULT_OF_COLUMN = Refusal(error="cannot use column reference in DEFAULT expression", help="-- use a generated column, or a trigger")


class _Shapes(Protocol):
    def query(self, text: str) -> Shape | UnreadShape:
        """Returns the shape of a query."""


def has_other_names(catalog: Catalog, op: sql.CreateTable) -> bool:
    """Whether an expression of a new table has words other than its columns and key words, so that it must be read."""
    if op.likes or op.inherits or op.of_type is not None or op.partition_of is not None:
        return False
    if may_make_nothing(catalog, op):
        return False
    names = {column.name for column in op.columns}
    return any(
        (name in names) if is_default else (name not in names and name not in _WORDS)
        for expression, is_default in _expressions(op)
        for name in identifiers(expression.sql)
    )


def refuse_columns(catalog: Catalog, op: sql.CreateTable, shapes: _Shapes) -> Refusal | None:
    """Returns why PostgreSQL refuses the expressions of a new table: one names a column that the table does not have, or is a default with a
    column in it."""
    names = {column.name for column in op.columns}
    for expression, is_default in _expressions(op):
        if expression.reads or MARK_START in expression.sql:
            continue
        shape = shapes.query(f"SELECT 1 WHERE ({expression.sql})" if not is_default else f"SELECT {expression.sql}")
        if isinstance(shape, UnreadShape) or shape.queries:
            continue
        for ref in shape.refs:
            if ref.table is not None or ref.schema == FIELD or ref.name in (ROW, op.table.name) or ref.name in _VALUES:
                continue
            if is_default and ref.name in names:
                return _DEFAULT_OF_COLUMN
            if not is_default and ref.name not in names and ref.name not in SYSTEM_COLUMNS and not catalog.has_function_named(ref.name):
                return Refusal(error=f'column "{ref.name}" does not exist')
    return None


def refuse_default(catalog: Catalog, op: sql.AddColumn | sql.SetDefault, shapes: _Shapes) -> Refusal | None:
    """Returns why PostgreSQL refuses a default that is computed from a column of the table."""
    default, table = op.column.default if isinstance(op, sql.AddColumn) else op.default, catalog.relation(op.target.name)
    names = {column.name for column in table.columns} if table is not None else set()
    if default is None or default.reads or MARK_START in default.sql or not names.intersection(identifiers(default.sql)):
        return None
    shape = shapes.query(f"SELECT {default.sql}")
    if isinstance(shape, UnreadShape) or shape.queries:
        return None
    own = (ref for ref in shape.refs if ref.table is None and ref.schema != FIELD and ref.name not in _VALUES)
    return _DEFAULT_OF_COLUMN if any(ref.name in names for ref in own) else None


def _expressions(op: sql.CreateTable) -> Iterator[tuple[Expression, bool]]:
    """Yields the expressions over columns of the table, each with whether it is a default."""
    for column in op.columns:
        if column.default is not None:
            yield column.default, True
        if column.generated is not None:
            yield column.generated.expression, False
        for constraint in column.constraints:
            if constraint.kind is ConstraintKind.CHECK and constraint.check is not None:
                yield constraint.check, False
    for constraint in op.constraints:
        if constraint.kind is ConstraintKind.CHECK and constraint.check is not None:
            yield constraint.check, False


def is_read_only_view(catalog: Catalog, view: Relation, read: Callable[[str], Shape | UnreadShape]) -> bool:
    """Whether the rows of a view certainly cannot be changed (view_query_is_auto_updatable): its query has several tables, groups or limits,
    and no trigger or rule takes the change. `read` returns the shape of a query."""
    if view.query is None or any(catalog.triggers(view.oid)) or any(catalog.dependents(view.oid, Attached)):
        return False
    shape = read(view.query.sql)
    return not isinstance(shape, UnreadShape) and _is_read_only(shape)


def _is_read_only(shape: Shape) -> bool:
    if shape.kind == "set":
        return True
    return shape.kind == "select" and (
        len(shape.sources) != 1 or shape.has_group or shape.distinct or shape.limited or bool(shape.ctes) or shape.grouping is not None
    )
