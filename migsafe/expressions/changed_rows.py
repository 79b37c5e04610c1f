"""What INSERT, UPDATE and MERGE write when they run a second time."""

from sqlglot import exp

from migsafe.expressions.recomputed_values import Assignments, volatile_functions
from migsafe.expressions.trees import folded_alias, folded_name, parse_statement
from migsafe.schema.catalog import Catalog
from migsafe.sql.operations import Insert, Merge, Name, Update


def columns_changed_again(op: Insert | Update | Merge, text: str, catalog: Catalog) -> list[str]:
    """Return the columns to which the SET clauses of a statement give another value on a second run. `text` is its SQL."""
    tree = parse_statement(text)
    if tree is None:
        return []
    target = frozenset((op.table.name, _alias(tree)))
    if isinstance(op, Insert):
        conflict = tree.args.get("conflict")
        pairs = _assigned_pairs(conflict.expressions if conflict is not None else [])
        return _assignments(op.table, target, pairs, catalog).columns_changed_again()
    for update in tree.find_all(exp.Update):
        if isinstance(op, Update) and update.this is not None and folded_name(update.this.this) != op.table.name:
            continue
        assignments = _assignments(op.table, target | {_alias(update)}, _assigned_pairs(update.expressions), catalog)
        where = update.args.get("where")
        columns = assignments.columns_changed_again()
        if columns and not assignments.is_guarded(where.this if where is not None else None):
            return columns
    return []


def constant_assigned(text: str, column: str) -> str | None:
    """Return the constant that an UPDATE gives to a column, as SQL; None if that is another expression. `text` is the statement."""
    tree = parse_statement(text)
    if not isinstance(tree, exp.Update):
        return None
    value = dict(_assigned_pairs(tree.expressions)).get(column)
    inner = value.this if isinstance(value, exp.Cast | exp.Neg) else value
    return value.sql("postgres") if value is not None and isinstance(inner, exp.Literal | exp.Boolean) else None


def constants_assigned(text: str) -> dict[str, str]:
    """Return the constants that an UPDATE gives to columns, NULL among them, as SQL. `text` is the statement."""
    tree = parse_statement(text)
    if not isinstance(tree, exp.Update):
        return {}
    constants = exp.Literal | exp.Boolean | exp.Null
    pairs = [(column, value, value.this if isinstance(value, exp.Neg) else value) for column, value in _assigned_pairs(tree.expressions)]
    return {column: value.sql("postgres") for column, value, inner in pairs if isinstance(inner, constants)}


def repeated_positions(text: str, pg_version: int) -> set[int] | None:
    """Return the positions, from 0, of the values of an INSERT that are the same on a second run and not NULL; None where not known.

    The positions are those of the first row of VALUES, or of the output columns of its query.
    """
    values = _inserted_values(parse_statement(text))
    return None if values is None else {position for position, value in enumerate(values) if not _differs(value, pg_version)}


def _inserted_values(tree: exp.Expr | None) -> list[exp.Expr] | None:
    if not isinstance(tree, exp.Insert):
        return None
    source = tree.expression
    if isinstance(source, exp.Values):
        row = source.expressions[0]
        return list(row.expressions) if isinstance(row, exp.Tuple) else [row]
    if isinstance(source, exp.Select) and not any(isinstance(output, exp.Star) for output in source.expressions):
        return [output.unalias() for output in source.expressions]
    return None


def _differs(value: exp.Expr, pg_version: int) -> bool:
    """Whether a value differs from run to run, or is NULL, which no unique key rejects."""
    if isinstance(value, exp.Null) or (isinstance(value, exp.Var | exp.Column) and value.name.lower() == "default"):
        return True
    return any(True for _ in volatile_functions(value, pg_version))


def _assignments(table: Name, target: frozenset[str], pairs: list[tuple[str, exp.Expr]], catalog: Catalog) -> Assignments:
    relation = catalog.relation(table)
    columns = relation.columns if relation is not None else ()
    jsonb = frozenset(column.name for column in columns if column.type is not None and column.type.name == "jsonb")
    return Assignments(pairs, target, catalog.pg_version, jsonb)


def _alias(tree: exp.Expr) -> str:
    table = tree.this
    while table is not None and table.key == "schema":
        table = table.this
    return folded_alias(table) if table is not None else ""


def _assigned_pairs(expressions: list[exp.Expr]) -> list[tuple[str, exp.Expr]]:
    """Return the columns and values of SET. `(a, b) = (x, y)` gives two pairs."""
    pairs: list[tuple[str, exp.Expr]] = []
    for equation in expressions:
        if not isinstance(equation, exp.EQ):
            continue
        left, right = equation.this, equation.expression
        if isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple):
            pairs += [(_column_name(column), value) for column, value in zip(left.expressions, right.expressions, strict=False)]
        elif not isinstance(left, exp.Tuple):
            pairs.append((_column_name(left), right))
    return pairs


def _column_name(tree: exp.Expr) -> str:
    return folded_name(tree.this if isinstance(tree, exp.Column) else tree)
