"""The names, types and constants in queries, in the bodies of SQL functions, and in the expressions of constraints, indexes and policies.

PostgreSQL resolves them when it runs or creates the statement. `migsafe.workload` resolves the application's queries in the same way.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Self

from migsafe import expressions
from migsafe.prediction.refusals.arbiters import refuse_deferrable_arbiter
from migsafe.prediction.refusals.calls import refuse_calls, refuse_calls_in
from migsafe.prediction.refusals.definitions import complete_table, is_built_in
from migsafe.prediction.refusals.duplicates import refuse_repeated_update
from migsafe.prediction.refusals.function_results import refuse_result
from migsafe.prediction.refusals.later_functions import refuse_later_calls
from migsafe.prediction.refusals.later_relations import refuse_later_relation
from migsafe.prediction.refusals.new_tables import has_other_names, is_read_only_view, refuse_columns, refuse_default
from migsafe.prediction.refusals.operands import refuse_operands
from migsafe.prediction.refusals.own_path import refuse_names_without_schema
from migsafe.prediction.refusals.plain_queries import is_evidently_valid
from migsafe.prediction.refusals.values import refuse_copies, refuse_rows
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.descriptions import name_in_quotes
from migsafe.schema.objects import Relation, RelationKind
from migsafe.schema.refusal import Refusal
from migsafe.schema.requirements import missing_relation, unmade_relations
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Expression, Name, Operation, TypeName
from migsafe.sql.operations.values import quoted
from migsafe.sql.row_values import RowValues, read_row_values
from migsafe.sql.statements import read
from migsafe.text import MARK_START

if TYPE_CHECKING:
    from migsafe.workload.assessment import Assessor

_CERTAIN = frozenset(("22P02", "428C9", "42601", "42702", "42703", "42803", "42804", "42P10"))
"""The errors that do not depend on what another part of the project may have created."""
_CERTAIN_MESSAGES = ("operator does not exist", "could not identify", "missing FROM-clause", "constraint ")
_HELP = {
    " is ambiguous": "-- write the name or the alias of its table before the column",
    " must appear in the GROUP BY clause or be used in an aggregate function": "-- add the column to GROUP BY, or aggregate it",
}
"""What to do about an error, by the end of its message."""
_LONGEST = 20_000
"""Longer statements are generated, and take long to resolve."""
_POLYMORPHIC = ("any", "anycompatible")


_WithExpressions = sql.AddConstraint | sql.AddColumn | sql.AlterColumnType | sql.CreateIndex | sql.CreatePolicy


class QueryChecks:
    """Finds what PostgreSQL refuses in queries. Each query is read once, and resolved again only if what it depends on has changed."""

    def __reduce__(self) -> tuple[type[Self], tuple[()]]:
        """What was found is not kept in a checkpoint: a run that continues from it meets few of the queries again."""
        return type(self), ()

    @cached_property
    def _assessor(self) -> "Assessor":
        from migsafe.workload.assessment import Assessor  # noqa: PLC0415  # only for statements with a query over known relations

        return Assessor(with_accesses=False)

    def refusal(self, catalog: Catalog, op: Operation, text: str, *, checks_bodies: bool) -> Refusal | None:
        """Returns why PostgreSQL refuses a query. `text` is that of the statement, `checks_bodies` the setting check_function_bodies."""
        match op:
            case sql.Insert():
                return self._view(catalog, op) or self._insert(catalog, op, text)
            case sql.Update() | sql.Delete() | sql.Merge():
                return self._view(catalog, op) or self._change(catalog, op, text)
            case sql.CreateTable():
                refusal = refuse_columns(catalog, op, self._assessor.shapes) if has_other_names(catalog, op) else None
                return refusal or _refuse_conditions(catalog, op)
            case sql.Select(query=query):
                return self._query(catalog, query.sql, query.reads) or refuse_calls(catalog, query)
            case sql.CreateView(recursive=True):
                return None
            case sql.CreateView(query=query) | sql.CreateMaterializedView(query=query) | sql.CreateTableAs(query=query) if query is not None:
                refusal = self._query(catalog, query.sql, query.reads) or self._outputs(catalog, query, op.columns)
                return refusal or refuse_calls(catalog, query) or _refuse_operands(catalog, query, query.reads)
            case sql.CreateFunction(language="sql") if checks_bodies and not op.is_standard:
                return refuse_names_without_schema(catalog, op) or self._body(catalog, op)
            case sql.CreateIndex() if (view := catalog.relation(op.table)) is not None and view.kind is RelationKind.MATERIALIZED:
                return self._index_of_view(catalog, op, view)
            case sql.SetDefault():
                return refuse_default(catalog, op, self._assessor.shapes)
            case sql.AddColumn() if (refusal := refuse_default(catalog, op, self._assessor.shapes)) is not None:
                return refusal
            case sql.AddConstraint() | sql.AddColumn() | sql.AlterColumnType() | sql.CreateIndex() | sql.CreatePolicy():
                return self._expressions(catalog, op)
            case sql.DropConstraint(cascade=False):
                return self._key(catalog, op)
        return None

    def _view(self, catalog: Catalog, op: sql.Insert | sql.Update | sql.Delete | sql.Merge) -> Refusal | None:
        """The rows of a view can be changed if its query has one table, and neither groups nor limits."""
        view = catalog.relation(op.table)
        if view is None or view.kind is not RelationKind.VIEW or view.query is None or not certainly_exists(catalog, view):
            return None
        if isinstance(op, sql.Merge) or len(view.query.sql) > _LONGEST or not is_read_only_view(catalog, view, self._assessor.shapes.query):
            return None
        action = {sql.Insert: "insert into", sql.Update: "update", sql.Delete: "delete from"}[type(op)]
        return Refusal(
            error=f'cannot {action} view "{view.name.name}"',
            detail="its query joins, groups, limits or combines rows",
            help="-- change the tables of the view; or create an INSTEAD OF trigger first",
        )

    def _insert(self, catalog: Catalog, op: sql.Insert, text: str) -> Refusal | None:
        values = read_row_values(text) if op.source == "values" and MARK_START not in text else None
        if values is not None:
            refusal = refuse_rows(catalog, op, values.rows)
            if refusal is None and op.on_conflict == "update":
                refusal = refuse_repeated_update(catalog, op, values.rows, text[values.end :])
            if refusal is None and op.on_conflict is not None:
                refusal = refuse_deferrable_arbiter(catalog, op, text[values.end :])
            if refusal is not None or (op.on_conflict is None and "returning" not in text[values.end :].lower()):
                return refusal
            text = _with_parameters(text, values)
        refusal = self._query(catalog, text, (op.table, *op.reads))
        if refusal is not None or op.source != "query" or len(text) > _LONGEST:
            return refusal
        refusal = refuse_copies(catalog, op, text) if op.on_conflict is None else None
        return refusal or _refuse_operands(catalog, sql.Query(sql=text, span=op.span), op.reads, stores=True)

    def _change(self, catalog: Catalog, op: sql.Update | sql.Delete | sql.Merge, text: str) -> Refusal | None:
        refusal = self._query(catalog, text, (op.table, *op.reads))
        is_readable = len(text) <= _LONGEST and MARK_START not in text and not isinstance(op, sql.Merge)
        if refusal is not None or not is_readable or catalog.relation(op.table) is None:
            return refusal
        table = complete_table(catalog, op.table)
        if table is None or (not op.reads and is_evidently_valid(text, table)):
            return None
        query = sql.Query(sql=text, span=op.span)
        return refuse_calls(catalog, query) or _refuse_operands(catalog, query, (op.table, *op.reads))

    def _query(self, catalog: Catalog, text: str, relations: tuple[Name, ...], parameters: frozenset[str] = frozenset()) -> Refusal | None:
        """Returns why PostgreSQL refuses a query over relations of which the history tells everything."""
        from migsafe.workload.query import Query  # noqa: PLC0415

        if len(text) > _LONGEST or MARK_START in text or all(catalog.relation(name) is None for name in relations):
            return None
        table = complete_table(catalog, relations[0]) if len(set(relations)) == 1 else None
        if table is not None and is_evidently_valid(text, table):
            return None
        failure = self._assessor.assess(Query(text=text, fingerprint=""), catalog).failure
        if failure is None or failure.name in parameters:
            return None
        if failure.code not in _CERTAIN and not failure.message.startswith(
            ("operator does not exist", "could not identify", "missing FROM-clause", "constraint ")
        ):
            return None
        if failure.code in ("42703", "42803", "428C9") and any(not _has_certain_columns(catalog, catalog.relation(name)) for name in relations):
            return None
        error = failure.message
        for schema in catalog.search_path:
            error = error.replace(f" {Name(schema)}.", " ")  # as PostgreSQL shows a type that search_path finds
        return Refusal(error=error, help=next((help for ending, help in _HELP.items() if error.endswith(ending)), ""))

    def _outputs(self, catalog: Catalog, query: sql.Query, names: tuple[str, ...]) -> Refusal | None:
        """The columns of a view or a table have different names."""
        if names or len(query.sql) > _LONGEST or not all(_has_certain_columns(catalog, catalog.relation(name)) for name in query.reads):
            return None
        if "," not in query.sql and "*" not in query.sql:
            return None  # one column; no tree is needed
        from migsafe.workload.query import Query  # noqa: PLC0415

        twice = self._assessor.assess(Query(text=query.sql, fingerprint=""), catalog).repeated_output
        if twice is None:
            return None
        return Refusal(error=f'column "{twice}" specified more than once', help="-- give one of the two an alias: AS …")

    def _index_of_view(self, catalog: Catalog, op: sql.CreateIndex, view: Relation) -> Refusal | None:
        for column in (element.column for element in op.elements if element.column is not None):
            refusal = self._query(catalog, " ".join(("SELECT", quoted(column), "FROM", str(view.name))), (view.name,))
            if refusal is not None:
                return refusal
        return None

    def _body(self, catalog: Catalog, op: sql.CreateFunction) -> Refusal | None:
        """The body of an SQL function is resolved when the function is created, unless its result depends on the types of a call."""
        arguments = (*(argument.type for argument in op.arguments), *([op.returns] if op.returns is not None else []))
        if op.code is None or any(each.name.startswith(_POLYMORPHIC) for each in arguments):
            return None
        # The function's own name may qualify a parameter (executor/functions.c, sql_fn_post_column_ref).
        parameters = frozenset((op.function.name, *(argument.name for argument in op.arguments if argument.name is not None)))
        statements = [(statement.operations[0], op.code[statement.span.start : statement.span.end]) for statement in read(op.code)]
        for operation, text in statements:
            missing = missing_relation(catalog, operation)
            if missing is not None:
                return Refusal(error=f"relation {name_in_quotes(missing)} does not exist")
            later = refuse_later_relation(catalog, op, unmade_relations(catalog, operation)) or refuse_later_calls(catalog, op, operation)
            if later is not None and not catalog.runs_again:
                return later
            if isinstance(operation, sql.Select):
                relations: tuple[Name, ...] = operation.query.reads
            elif isinstance(operation, sql.Insert | sql.Update | sql.Delete | sql.Merge):
                relations = (operation.table, *operation.reads)
            else:
                continue
            refusal = self._query(catalog, text, relations, parameters)
            if refusal is None and isinstance(operation, sql.Select):
                refusal = refuse_calls(catalog, _with_typed_parameters(operation.query, op), op)
            if refusal is not None:
                return refusal
        return refuse_result(catalog, op, statements)

    def _key(self, catalog: Catalog, op: sql.DropConstraint) -> Refusal | None:
        """A view depends on the primary key if it groups by it, and reads other columns of the table."""
        table = complete_table(catalog, op.target.name)
        key = catalog.primary_key(table.oid) if table is not None else None
        if table is None or key is None or key.name.name != op.constraint:
            return None
        for view in catalog.dependents(table.oid, Relation):
            if view.query is None or "group" not in view.query.sql.lower() or len(view.query.sql) > _LONGEST:
                continue
            if certainly_exists(catalog, view) and self._assessor.needs_key(view.query.sql, catalog, table.oid):
                place = f"constraint {key.name.name} on table {table.name.name}"
                return Refusal(
                    error=f"cannot drop {place} because other objects depend on it",
                    detail=f"{view.kind.value} {view.name.name} depends on {place}",
                    help=f"-- first drop {view.name}, or name all its columns in GROUP BY",
                )
        return None

    def _expressions(self, catalog: Catalog, op: _WithExpressions) -> Refusal | None:
        name = op.table if isinstance(op, sql.CreateIndex | sql.CreatePolicy) else op.target.name
        table = complete_table(catalog, name)
        if table is None:
            return None
        own = op.column.name if isinstance(op, sql.AddColumn) else None
        for expression, is_condition in _expressions_of(op):
            source = f"FROM {table.name}"
            query = " ".join(("SELECT 1", source, "WHERE", expression.sql) if is_condition else ("SELECT", expression.sql, source))
            place = _PLACES.get(type(op), "CHECK") if is_condition else ""
            refused = _refuse_expression(catalog, table, expression, query, place) if len(query) <= _LONGEST else None
            if refused is not None:
                return refused
            if expression.reads:
                continue
            refusal = self._query(catalog, query, (table.name,), frozenset() if own is None else frozenset((own,)))
            if refusal is not None:
                return refusal
        return None


_PLACES: dict[type[Operation], str] = {sql.CreatePolicy: "POLICY", sql.CreateIndex: "WHERE"}
"""What PostgreSQL's messages call the conditions of operations."""


def _refuse_expression(catalog: Catalog, table: Relation, expression: Expression, query: str, place: str) -> Refusal | None:
    """Returns why PostgreSQL refuses a call or an operand in an expression over the columns of a table."""
    whole = sql.Query(sql=query, span=expression.span)
    types = {column.name: column.type for column in table.columns if column.type is not None}
    return refuse_calls_in(catalog, expression, types, whole) or refuse_operands(
        catalog, whole, expression.sql, lambda: _columns_of(catalog, (table.name, *expression.reads)), place=place
    )


def _refuse_operands(catalog: Catalog, query: sql.Query, relations: tuple[Name, ...], *, stores: bool = False) -> Refusal | None:
    return refuse_operands(catalog, query, query.sql, lambda: _columns_of(catalog, relations), stores=stores)


def _columns_of(catalog: Catalog, relations: tuple[Name, ...]) -> Iterator[tuple[str, TypeName | None]]:
    for name in relations:
        relation = catalog.relation(name)
        for column in relation.columns if relation is not None else ():
            yield column.name, column.type


def _refuse_conditions(catalog: Catalog, op: sql.CreateTable) -> Refusal | None:
    """Returns why PostgreSQL refuses a call or an operand in a CHECK or a generated column of a new table: they are resolved in a query over
    columns of its types."""
    types = {column.name: column.type for column in op.columns if column.type is not None and is_built_in(column.type)}
    constraints = [*op.constraints, *(constraint for column in op.columns for constraint in column.constraints)]
    checks = [constraint.check for constraint in constraints if constraint.kind is ConstraintKind.CHECK and constraint.check is not None]
    generated = [column.generated.expression for column in op.columns if column.generated is not None]
    if not types or not (checks or generated):
        return None
    source = f"(SELECT {', '.join(f'NULL::{each} AS {quoted(name)}' for name, each in types.items())}) AS {quoted(op.table.name)}"
    for expression, is_condition in (*((check, True) for check in checks), *((each, False) for each in generated)):
        query = f"SELECT 1 FROM {source} WHERE {expression.sql}" if is_condition else f"SELECT {expression.sql} FROM {source}"  # noqa: S608
        if len(query) > _LONGEST:
            continue
        whole = sql.Query(sql=query, span=expression.span)
        refusal = refuse_calls_in(catalog, expression, types, whole) if expression.calls else None
        refusal = refusal or refuse_operands(catalog, whole, expression.sql, types.items, place="CHECK" if is_condition else "")
        if refusal is not None:
            return refusal
    return None


def _has_certain_columns(catalog: Catalog, relation: Relation | None) -> bool:
    """Whether the history tells all columns of a relation: of a table, or of a view whose query writes their names."""
    if relation is None or relation.query is None:
        return relation is not None and complete_table(catalog, relation.name) is not None
    if not certainly_exists(catalog, relation) or not expressions.has_written_outputs(relation.query):
        return False
    read = [catalog.get(each.oid) for each in relation.read_relations]
    return len(read) == len(set(relation.query.reads)) and all(
        isinstance(each, Relation) and _has_certain_columns(catalog, each) for each in read
    )


def _expressions_of(op: _WithExpressions) -> Iterator[tuple[Expression, bool]]:
    """Returns the expressions over the columns of a table, each with whether it is a condition."""
    match op:
        case sql.AddConstraint(constraint=constraint):
            if constraint.kind is ConstraintKind.CHECK and constraint.check is not None:
                yield constraint.check, True
        case sql.AddColumn(column=column):
            for constraint in column.constraints:
                if constraint.kind is ConstraintKind.CHECK and constraint.check is not None:
                    yield constraint.check, True
            if column.generated is not None:
                yield column.generated.expression, False
        case sql.AlterColumnType():
            if op.using is not None:
                yield op.using, False
        case sql.CreateIndex():
            for element in op.elements:
                if element.expression is not None:
                    yield element.expression, False
            if op.where is not None:
                yield op.where, True
        case sql.CreatePolicy():
            for condition in (op.using, op.check):
                if condition is not None:
                    yield condition, True


def _with_typed_parameters(query: sql.Query, op: sql.CreateFunction) -> sql.Query:
    """Returns a query in the body of a function with its parameters as columns of these types, if it reads nothing else."""
    taken = [argument for argument in op.arguments if argument.name is not None and argument.mode in ("in", "inout")]
    if query.reads or not taken or not all(is_built_in(argument.type) for argument in taken) or "from" in query.sql.lower():
        return query
    columns = ", ".join(f"NULL::{argument.type} AS {quoted(argument.name)}" for argument in taken if argument.name is not None)
    return sql.Query(sql=f"{query.sql} FROM (SELECT {columns}) AS own", span=query.span, calls=query.calls)


def _with_parameters(text: str, values: RowValues) -> str:
    """Returns an INSERT with one row, and with parameters for its values, so that all INSERTs of a form are read once."""
    row = ", ".join(value if value.lower() == "default" else f"${number}" for number, value in enumerate(values.rows[0], 1))
    return f"{text[: values.start]}({row}) {text[values.end :]}"
