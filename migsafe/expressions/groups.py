"""The output columns of a query, and those that identify its rows."""

from sqlglot import exp

from migsafe.expressions.trees import parse_query
from migsafe.sql.operations import Query


def grouping_columns(query: Query) -> tuple[str, ...]:
    """Return the output columns by which a query is grouped: no two rows have the same values in them.

    Empty where the query is not grouped, or where a grouping key is not an output column.
    """
    tree = parse_query(query)
    group = tree.args.get("group") if isinstance(tree, exp.Select) else None
    # ROLLUP, CUBE and GROUPING SETS give rows of several groupings, whose NULLs cannot be told apart.
    if not isinstance(tree, exp.Select) or group is None or any(group.args.get(kind) for kind in ("rollup", "cube", "grouping_sets")):
        return ()
    outputs = {(output.this if isinstance(output, exp.Alias) else output): output.alias_or_name for output in tree.selects}
    names = [output.alias_or_name for output in tree.selects]
    columns = [_output_name(key, outputs, names) for key in group.expressions]
    return tuple(column for column in columns if column) if all(columns) else ()


def _output_name(key: exp.Expr, outputs: dict[exp.Expr, str], names: list[str]) -> str:
    """Return the name of the output column that a grouping key is; empty for none. A key may be a number, a name or an expression."""
    if isinstance(key, exp.Literal) and not key.is_string:
        number = int(key.this) if key.this.isdigit() else 0
        return names[number - 1] if 0 < number <= len(names) else ""
    by_name = key.name if isinstance(key, exp.Column) and not key.table and key.name in names else ""
    return outputs.get(key) or by_name


def output_columns(query: Query) -> tuple[str, ...]:
    """Return the names of a query's output columns, without those that have no name."""
    tree = parse_query(query)
    return tuple(name for name in tree.named_selects if name and name != "*") if isinstance(tree, exp.Select) else ()


def all_output_columns(query: Query) -> tuple[str, ...] | None:
    """Return the names of all output columns of a query; None if some are not written in it (`*`, expressions without an alias)."""
    tree = parse_query(query)
    while isinstance(tree, exp.SetOperation):
        tree = tree.left
    if not isinstance(tree, exp.Select):
        return None
    names = tuple(_written_name(output) for output in tree.selects)
    return names if names and all(names) else None


def has_written_outputs(query: Query) -> bool:
    """Whether the names of all output columns of a query are written in it, or are those of the columns of relations that it reads."""
    tree = parse_query(query)
    while isinstance(tree, exp.SetOperation):
        tree = tree.left
    if not isinstance(tree, exp.Select):
        return False
    has_star = any(isinstance(output, exp.Star) or isinstance(output.this, exp.Star) for output in tree.selects)
    if has_star and (tree.find(exp.Subquery, exp.With, exp.Lateral, exp.Unnest) is not None):
        return False
    return all(isinstance(output, exp.Alias | exp.Star | exp.Column) for output in tree.selects)


def _written_name(output: exp.Expr) -> str:
    if isinstance(output, exp.Column) and not isinstance(output.this, exp.Star):
        return output.name
    return output.alias if isinstance(output, exp.Alias) else ""
