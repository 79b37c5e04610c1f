"""Parts of INSERT, UPDATE, DELETE and MERGE that other queries do not have."""

from collections.abc import Iterator

from sqlglot import exp

from migsafe.expressions.queries.collecting import NotUnderstoodError
from migsafe.expressions.queries.from_clauses import alias_of
from migsafe.expressions.queries.shapes import MergedRow
from migsafe.expressions.trees import folded_name


def target_column(node: exp.Expr) -> str:
    """Returns the column that a list of columns or SET names, also in `column[1]` and `column.field`."""
    while not isinstance(node, exp.Identifier):
        if isinstance(node, exp.Column) and node.args.get("table") is not None:
            node = node.args["table"]
        elif isinstance(node.this, exp.Expr):
            node = node.this
        else:
            raise NotUnderstoodError("a column that is written is not understood")
    return folded_name(node)


def defaults(body: exp.Expr) -> tuple[int, ...]:
    """Returns the positions where every row of VALUES says DEFAULT."""
    if not isinstance(body, exp.Values):
        return ()
    rows: Iterator[set[int]] = ({at for at, value in enumerate(row.expressions) if is_default(value)} for row in body.expressions)
    return tuple(sorted(set.intersection(*rows))) if body.expressions else ()


def nulls(body: exp.Expr) -> tuple[int, ...]:
    """Returns the positions where a row of VALUES, or the output of a SELECT, is the constant NULL."""
    rows = body.expressions if isinstance(body, exp.Values) else [] if any(item.is_star for item in body.expressions) else [body]
    return tuple(sorted({at for row in rows for at, value in enumerate(row.expressions) if _is_null(value)}))


def _is_null(node: exp.Expr) -> bool:
    while isinstance(node, exp.Cast | exp.Paren | exp.Alias):
        node = node.this
    return isinstance(node, exp.Null)


def merged_row(insert: exp.Insert) -> MergedRow | None:
    """Returns the row of WHEN NOT MATCHED THEN INSERT; None if its values are not understood."""
    listed, values = insert.this, insert.expression
    if not isinstance(values, exp.Tuple) or not (listed is None or isinstance(listed, exp.Tuple)):
        return None
    columns = tuple(target_column(column) for column in listed.expressions) if listed is not None else None
    at_default = tuple(at for at, value in enumerate(values.expressions) if is_default(value))
    return MergedRow(columns, len(values.expressions), at_default, nulls(values))


def is_default(node: exp.Expr) -> bool:
    """Whether a value is the word DEFAULT."""
    is_bare = isinstance(node, exp.Column) and not node.table and not node.this.args.get("quoted")
    name = node.this if isinstance(node, exp.Var) else node.name if is_bare else ""
    return isinstance(name, str) and name.upper() == "DEFAULT"


def without_row_versions(item: exp.Expr, statement: exp.Expr) -> exp.Expr:
    """Returns an item of RETURNING in which the changed table stands for `old` and `new`, which are its rows before and after the change
    (manual 18, UPDATE, RETURNING), unless they are names of other tables in the statement."""
    target = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
    alias = exp.to_identifier(alias_of(target)[0] or folded_name(target.this), quoted=True)
    others = {folded_name(other.this) for other in statement.find_all(exp.Table, exp.TableAlias) if isinstance(other.this, exp.Identifier)}
    versions = {"old", "new"} - others

    def replaced(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column):
            table = node.args.get("table")
            if table is not None and folded_name(table) in versions:
                node.set("table", alias.copy())
            elif table is None and isinstance(node.this, exp.Identifier) and folded_name(node.this) in versions:
                node.set("this", alias.copy())
        return node

    return item.copy().transform(replaced)
