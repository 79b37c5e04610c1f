"""An enum value is added at the end of an order that is in use.

The order of the values decides ORDER BY, comparisons, min and max. Without BEFORE or AFTER a new value becomes the last. It cannot be moved
afterwards: a different order needs a new type. Reported if a CHECK, an index, a partition key or a view of the known schema sorts or
compares a column of the type; for most enum types the order has no meaning.

Unsafe:
    CREATE TYPE severity AS ENUM ('low', 'high');
    CREATE TABLE incidents (id bigint PRIMARY KEY, severity severity NOT NULL);
    CREATE VIEW worst_incidents AS SELECT id FROM incidents ORDER BY severity DESC;
    -- next migration
    ALTER TYPE severity ADD VALUE IF NOT EXISTS 'medium';

Safe:
    CREATE TYPE severity AS ENUM ('low', 'high');
    CREATE TABLE incidents (id bigint PRIMARY KEY, severity severity NOT NULL);
    CREATE VIEW worst_incidents AS SELECT id FROM incidents ORDER BY severity DESC;
    -- next migration
    ALTER TYPE severity ADD VALUE IF NOT EXISTS 'medium' AFTER 'low';

See: https://www.postgresql.org/docs/current/sql-altertype.html
"""

import re
from collections.abc import Iterator

from migsafe import expressions
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.patterns import lazy_pattern
from migsafe.schema.catalog import Catalog
from migsafe.schema.dependents import is_type_named
from migsafe.schema.objects import EnumType, Relation
from migsafe.sql.operations import AddEnumValue, Expression, Query

_ORDERS = lazy_pattern(r"[<>]|\b(?:between|order|min|max)\b", re.IGNORECASE)


@rule(category="design", severity=Severity.INFO, no_fix="only the author knows the place of the value")
def enum_value_order(op: AddEnumValue, at: Context) -> Finding | None:
    """Report a value that is added without BEFORE or AFTER to a type whose order is used."""
    known = at.catalog.type_named(op.type)
    if op.before is not None or op.after is not None or not isinstance(known, EnumType) or op.value in known.values:
        return None
    use = next(_uses_of_order(at.catalog, known), None)
    if use is None:
        return None
    last = known.values[-1] if known.values else "…"
    return at.finding(
        op,
        f"'{op.value}' becomes the last value of {op.type}, after '{last}': {use} uses the order of its values, and it cannot be changed later",
        help=f"ALTER TYPE {op.type} ADD VALUE {'IF NOT EXISTS ' if op.if_not_exists else ''}'{op.value}' AFTER '…';",
    )


def _uses_of_order(catalog: Catalog, enum: EnumType) -> Iterator[str]:
    """Yield the objects that sort or compare a column of the type."""
    for table in catalog.relations():
        columns = {column.name for column in table.columns if is_type_named(column.type, enum.name)}
        if columns:
            yield from _uses_in(catalog, table, columns)


def _uses_in(catalog: Catalog, table: Relation, columns: set[str]) -> Iterator[str]:
    key = table.partition_key
    if key is not None and key.strategy == "range" and any(element.column in columns for element in key.elements):
        yield f"the partition key of {table.name}"
    for constraint in catalog.constraints(table.oid):
        if constraint.check is not None and _are_ordered(columns, constraint.check.expression):
            yield f"the CHECK constraint {constraint.name.name} of {table.name}"
    for index in catalog.indexes(table.oid):
        if index.predicate is not None and _are_ordered(columns, index.predicate.expression):
            yield f"the index {index.name}"
    for view in catalog.dependents(table.oid, Relation):
        if view.query is not None and table.oid in view.reads and _are_ordered(columns, view.query):
            yield f"the {view.kind.value} {view.name}"


def _are_ordered(columns: set[str], text: Expression | Query) -> bool:
    """Whether a condition or a query uses the order of one of the columns. Most use the order of nothing, and need no tree."""
    return _ORDERS.search(text.sql) is not None and bool(columns & expressions.ordered_columns(text))
