"""What tells the rows of a query's result apart."""

from migsafe.expressions.trees import parse_query
from migsafe.sql.operations import Query


def grouping_columns(query: Query) -> tuple[str, ...]:
    """The output columns by which a query is grouped, which no two of its rows share; none where it is not, or they are not all put out."""
    from sqlglot import exp  # noqa: PLC0415  # see migsafe.expressions.trees

    tree = parse_query(query)
    group = tree.args.get("group") if isinstance(tree, exp.Select) else None
    # ROLLUP and its kin give rows of several groupings, whose nulls look alike.
    if not isinstance(tree, exp.Select) or group is None or any(group.args.get(kind) for kind in ("rollup", "cube", "grouping_sets")):
        return ()
    puts_out = {(one.this if isinstance(one, exp.Alias) else one): one.alias_or_name for one in tree.selects}
    numbered = [one.alias_or_name for one in tree.selects]
    found = [_name(one, puts_out, numbered) for one in group.expressions]
    return tuple(name for name in found if name) if all(found) else ()


def _name(key: object, puts_out: "dict[object, str]", numbered: list[str]) -> str:
    from sqlglot import exp  # noqa: PLC0415

    if isinstance(key, exp.Literal) and not key.is_string:
        place = int(key.this) if key.this.isdigit() else 0
        return numbered[place - 1] if 0 < place <= len(numbered) else ""
    by_name = key.name if isinstance(key, exp.Column) and not key.table and key.name in numbered else ""
    return puts_out.get(key) or by_name


def output_columns(query: Query) -> tuple[str, ...]:
    """The names of a query's output columns, as far as it gives them any."""
    from sqlglot import exp  # noqa: PLC0415

    tree = parse_query(query)
    return tuple(name for name in tree.named_selects if name and name != "*") if isinstance(tree, exp.Select) else ()
