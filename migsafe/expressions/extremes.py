"""The queries that only need the smallest or the largest value of columns, which PostgreSQL takes from the end of an index
(preprocess_minmax_aggregates in src/backend/optimizer/plan/planagg.c)."""

from collections.abc import Iterator

from sqlglot import exp

from migsafe.expressions.trees import folded_name, parse_query
from migsafe.sql.operations import Name, Query

_PARTS = ("joins", "where", "group", "having", "distinct", "laterals", "with_", "qualify")


def extreme_reads(query: Query) -> tuple[tuple[Name, frozenset[str]], ...]:
    """Return the tables of which some SELECT in a query needs only the smallest and largest values, each with the columns of these values."""
    tree = parse_query(query)
    return tuple(_reads(tree)) if tree is not None else ()


def _reads(tree: exp.Expr) -> Iterator[tuple[Name, frozenset[str]]]:
    for select in tree.find_all(exp.Select):
        clause = select.args.get("from_")
        table = clause.this if clause is not None else None
        if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier) or any(select.args.get(part) for part in _PARTS):
            continue
        if table.args.get("joins") or table.args.get("sample"):
            continue
        columns = _extremes(select)
        if columns:
            schema = table.args.get("db")
            yield Name(folded_name(table.this), folded_name(schema) if schema is not None else None), columns


def _extremes(select: exp.Select) -> frozenset[str]:
    """Return the columns of which a SELECT without GROUP BY takes the smallest or the largest values; nothing if it needs other values."""
    found: set[str] = set()
    for output in select.expressions:
        for node in output.find_all(exp.Column, exp.AggFunc, exp.Star):
            if node.find_ancestor(exp.Select) is not select:
                return frozenset()  # a sub-query may read the same table
            aggregate = node if isinstance(node, exp.AggFunc) else node.find_ancestor(exp.AggFunc)
            if not isinstance(aggregate, exp.Max | exp.Min) or aggregate.expressions or not isinstance(aggregate.this, exp.Column):
                return frozenset()
            found.add(folded_name(aggregate.this.this))
    return frozenset(found)
