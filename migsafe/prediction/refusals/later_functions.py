"""A function exists once it is created: triggers, defaults, expressions, views and queries that call it cannot come before."""

from collections.abc import Iterator

from migsafe import expressions
from migsafe.prediction.refusals.definitions import is_built_in, may_make_nothing, type_text
from migsafe.prediction.refusals.expressions import places
from migsafe.prediction.refusals.foreign_functions import refuse_foreign
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.query_tables import table_columns
from migsafe.schema.refusal import Refusal
from migsafe.schema.volatility import volatility_of
from migsafe.sql import operations as sql
from migsafe.sql.operations import Expression, Name, Query
from migsafe.sql.operations.values import quoted

_WITH_EXPRESSIONS = (sql.CreateTable, sql.AddColumn, sql.SetDefault, sql.AddConstraint, sql.CreateIndex, sql.AlterColumnType)
_WITH_QUERIES = (sql.CreateView, sql.CreateMaterializedView, sql.CreateTableAs, sql.Select)
_CHANGES = (sql.Insert, sql.Update, sql.Delete, sql.Merge)


@refuses(sql.CreateTrigger)
def trigger_before_function(catalog: Catalog, op: sql.CreateTrigger) -> Refusal | None:
    """A trigger executes a function that only a later statement of the migration creates."""
    if not catalog.created_functions or catalog.runs_again:
        return None
    creation = _later(catalog, op, op.function)
    if creation is None or creation.arguments:
        return None
    return _missing(op.function, "") if not creation.or_replace or _knows_functions(catalog) else None


@refuses(*_WITH_QUERIES, *_CHANGES)
def call_foreign(catalog: Catalog, op: sql.Operation) -> Refusal | None:
    """A query calls a function of another database system."""
    match op:
        case sql.Insert() | sql.Update() | sql.Delete() | sql.Merge():
            calls = op.calls
        case sql.CreateView(query=query) | sql.CreateMaterializedView(query=query) | sql.CreateTableAs(query=query) | sql.Select(query=query):
            calls = query.calls if query is not None else ()
        case _:
            calls = ()
    return refuse_foreign(catalog, calls) if calls else None


@refuses(sql.CreatePolicy, *_WITH_EXPRESSIONS, *_WITH_QUERIES, *_CHANGES)
def call_before_creation(catalog: Catalog, op: sql.Operation) -> Refusal | None:
    """An expression or a query calls a function that only a later statement of the migration creates."""
    if not catalog.created_functions or catalog.runs_again or (isinstance(op, sql.CreateTable) and may_make_nothing(catalog, op)):
        return None
    return refuse_later_calls(catalog, op, op)


def refuse_later_calls(catalog: Catalog, op: sql.Operation, caller: sql.Operation) -> Refusal | None:
    """Returns why PostgreSQL refuses a call: a statement of the migration that comes after `op` creates the function, and there is no other of
    the name. `caller` is the operation with the call, `op` itself or a statement in the body of the function that it creates."""
    if not catalog.created_functions or not _knows_functions(catalog):
        return None
    for name, query in calls_of(caller):
        if _later(catalog, op, name) is not None and volatility_of(Name(name.name), catalog.pg_version) is None:
            return _missing(name, argument_types(catalog, name, query))
    return None


def _knows_functions(catalog: Catalog) -> bool:
    """Whether the history has created all functions, so that CREATE OR REPLACE replaces none, and no other one has other parameters."""
    return (catalog.complete or (catalog.from_beginning and catalog.origin.made_all)) and not catalog.has_other_functions


def _later(catalog: Catalog, op: sql.Operation, name: Name) -> sql.CreateFunction | None:
    """Returns the first statement that creates a function of this name, if that is a later one and no function has the name yet."""
    for written, creation in catalog.created_functions.items():
        is_named = written.name == name.name and catalog.in_first_schema(written) == catalog.in_first_schema(name)
        if is_named and creation.span.start > op.span.start and not catalog.functions_named(name.name):
            return creation
    return None


def _missing(name: Name, arguments: str) -> Refusal:
    return Refusal(
        error=f"function {Name(name.name, name.schema)}({arguments}) does not exist",
        detail="a later statement of this migration creates it",
        help=f"-- move the statement that creates {name} before this one",
    )


def calls_of(op: sql.Operation) -> Iterator[tuple[Name, Query | None]]:
    """Yields the functions that an operation calls, each with a query that contains the call."""
    match op:
        case sql.CreateView() | sql.CreateMaterializedView() | sql.CreateTableAs() | sql.Select():
            query = op.query
            yield from ((name, query) for name in (query.calls if query is not None else ()))
        case sql.Insert() | sql.Update() | sql.Delete() | sql.Merge():
            yield from ((name, None) for name in op.calls)
        case sql.CreatePolicy():
            for condition in (op.using, op.check):
                yield from _calls_in(condition, str(op.table))
        case _:
            table = str(op.table) if isinstance(op, sql.CreateIndex) else str(op.target.name) if isinstance(op, sql.AlterRelation) else ""
            columns = op.columns if isinstance(op, sql.CreateTable) else ()
            typed = [f"NULL::{column.type} AS {quoted(column.name)}" for column in columns if column.type and is_built_in(column.type)]
            for place in places(op):
                yield from _calls_in(place.expression, table or (f"(SELECT {', '.join(typed)}) AS own" if typed else ""))


def _calls_in(expression: Expression | None, source: str) -> Iterator[tuple[Name, Query]]:
    if expression is not None and expression.calls:
        query = " ".join(("SELECT", expression.sql, *(("FROM", source) if source else ())))
        yield from ((name, Query(sql=query, span=expression.span)) for name in expression.calls)


def argument_types(catalog: Catalog, name: Name, query: Query | None) -> str:
    """Returns the types of the arguments of a call, as far as they are known."""
    calls = expressions.typed_calls(query, lambda table: table_columns(catalog, table), lambda _: None) if query is not None else ()
    types = next((call.arguments for call in calls if call.function.name == name.name), None)
    if types is None:
        return "…" if query is None else ""
    return ", ".join("…" if data_type is None else type_text(catalog, data_type) for data_type in types)
