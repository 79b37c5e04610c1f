"""The types of a query's output columns, where the query shows them: columns of known tables, casts, and some functions."""

from collections.abc import Mapping

from sqlglot import exp

from migsafe.expressions.trees import folded_name, parse_query
from migsafe.sql.operations import AddColumn, Query, TypeName
from migsafe.sql.statements import read

TableTypes = Mapping[tuple[str | None, str], Mapping[str, TypeName | None]]
"""The types of the columns of known tables, by schema (None if the query names none) and name."""

_WITH_TIME_ZONE = TypeName(name="timestamp with time zone")
_FUNCTIONS: dict[type[exp.Expr], TypeName] = {
    exp.Count: TypeName(name="bigint"),
    exp.CurrentTimestamp: _WITH_TIME_ZONE,
    exp.CurrentDate: TypeName(name="date"),
}


def output_types(query: Query, tables: TableTypes) -> tuple[TypeName | None, ...]:
    """Return the types of the output columns of a plain SELECT, None where it is unknown; nothing for another query."""
    tree = parse_query(query)
    if not isinstance(tree, exp.Select) or any(_is_star(output) for output in tree.expressions):
        return ()
    sources = _sources(tree, tables)
    return tuple(_type(output.this if isinstance(output, exp.Alias) else output, sources) for output in tree.expressions)


def _is_star(output: exp.Expr) -> bool:
    return isinstance(output, exp.Star) or (isinstance(output, exp.Column) and isinstance(output.this, exp.Star))


Sources = dict[str, Mapping[str, TypeName | None] | None]


def _sources(tree: exp.Select, tables: TableTypes) -> Sources:
    """Return the columns of each element of FROM by its name in the query, None for anything but a known table."""
    first = tree.args.get("from_")
    elements = [first.this] if first is not None else []
    elements += [join.this for join in tree.args.get("joins") or ()]
    with_clause = tree.args.get("with_")
    ctes = {cte.alias for cte in with_clause.expressions} if with_clause is not None else set()
    sources: Sources = {}
    for number, element in enumerate(elements):
        alias = element.args.get("alias")
        identifier = alias.this if alias is not None and alias.this is not None else element.this
        name = folded_name(identifier) if isinstance(identifier, exp.Identifier) else f"?{number}"
        is_table = isinstance(element, exp.Table) and isinstance(element.this, exp.Identifier) and element.name not in ctes
        schema = element.args.get("db") if is_table else None
        key = (folded_name(schema) if schema is not None else None, folded_name(element.this)) if is_table else (None, "")
        sources[name] = tables.get(key) if is_table else None
    return sources


def _type(output: exp.Expr, sources: Sources) -> TypeName | None:
    while isinstance(output, exp.Paren):
        output = output.this
    match output:
        case exp.Column():
            return _column_type(output, sources)
        case exp.Cast():
            return _cast_type(output)
    return _FUNCTIONS.get(type(output))


def _column_type(column: exp.Column, sources: Sources) -> TypeName | None:
    name = folded_name(column.this)
    qualifier = column.args.get("table")
    if qualifier is not None:
        columns = sources.get(folded_name(qualifier))
        return columns.get(name) if columns is not None else None
    known = [columns for columns in sources.values() if columns is not None]
    having = [columns for columns in known if name in columns]
    return having[0][name] if len(having) == 1 and len(known) == len(sources) else None


def _cast_type(cast: exp.Cast) -> TypeName | None:
    for statement in read(f"ALTER TABLE a ADD b {cast.to.sql('postgres')}"):
        operation = statement.operations[0]
        return operation.column.type if isinstance(operation, AddColumn) else None
    return None
