"""The values that INSERT … VALUES gives to a column."""

from sqlglot import exp

from migsafe.expressions.trees import parse_statement


def inserted_values(statement: str, position: int) -> tuple[str | None, ...] | None:
    """Return the values of the column at a position of the rows, each as SQL, None for DEFAULT or for a row that is shorter.

    The result is None if the statement cannot be read, or has no VALUES.
    """
    tree = parse_statement(statement)
    values = tree.args.get("expression") if isinstance(tree, exp.Insert) else None
    if not isinstance(values, exp.Values):
        return None
    rows = [row.expressions if isinstance(row, exp.Tuple) else [row.unnest()] for row in values.expressions]
    return tuple(_value(row[position]) if position < len(row) else None for row in rows)


def _value(value: exp.Expr) -> str | None:
    text = str(value.sql("postgres"))
    return None if text.upper() == "DEFAULT" else text
