"""The production for the first words of a statement."""

from collections.abc import Callable

from msgspec.structs import replace

from migsafe.sql import features
from migsafe.sql.grammar import (
    alter_object,
    drops,
    indexes,
    maintenance,
    objects,
    privileges,
    publications,
    routines,
    settings,
    type_definitions,
    views,
)
from migsafe.sql.grammar.alter_table import alter_relation
from migsafe.sql.grammar.kinds import object_kind
from migsafe.sql.grammar.options import uses_options, utility_options
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.grammar.tables import create_foreign_table, create_table, persistence
from migsafe.sql.operations import (
    CreateCompositeType,
    CreateDomain,
    CreateEnum,
    CreateFunction,
    CreateIndex,
    CreateObject,
    CreateSequence,
    CreateTable,
    CreateTableAs,
    CreateTrigger,
    CreateView,
    Do,
    Explain,
    Grant,
    Name,
    Operation,
    Persistence,
    Prepare,
    Query,
    Select,
    SetVariable,
    TwoPhase,
)
from migsafe.sql.operations.running import A_STATEMENT

Reader = Callable[[Parser, int], list[Operation]]


def statement(c: Parser) -> list[Operation]:
    """Read a whole statement and return its operations. Raises Unexpected at a token that the grammar does not allow."""
    operations = _statement(c)
    if not c.done:
        c.fail("the end of the statement")
    return operations


def _statement(c: Parser) -> list[Operation]:
    start = c.i
    reader = _STATEMENTS.get(c.words[start])
    if reader is None:
        c.fail(A_STATEMENT)
    c.i += 1
    operations = reader(c, start)
    nested, c.nested = c.nested, []
    return [*operations, *nested]


def _rows(c: Parser, start: int) -> list[Operation]:
    """Read a query or a statement that changes rows."""
    c.i = start
    row_statement = c.row_statement()
    if not isinstance(row_statement, Query):
        return [row_statement]
    if c.into is not None:
        table, table_persistence = c.into
        return [CreateTableAs(c.span(start), table=table, query=row_statement, persistence=table_persistence)]
    return [Select(c.span(start), query=row_statement), *(_set_config(c, start) if Name("set_config") in _unqualified(row_statement) else ())]


def _unqualified(query: Query) -> list[Name]:
    return [Name(call.name) for call in query.calls]


def _set_config(c: Parser, start: int) -> list[Operation]:
    """Return a SET for each call set_config('name', 'value', is_local) with constant arguments."""
    operations: list[Operation] = []
    for i in range(start, c.i):
        if c.words[i : i + 7 : 2] == ["set_config", "'", "'", c.words[i + 6]] and c.words[i + 1 : i + 6 : 2] == ["(", ",", ","]:
            local = c.words[i + 6]
            if local in ("true", "false"):
                operations.append(
                    SetVariable(c.span(i, i + 8), variable=c.string_at(i + 2).lower(), value=c.string_at(i + 4), local=local == "true")
                )
    return operations


_REPLACEABLE = frozenset(
    """temporary temp local global view recursive function procedure trigger constraint rule aggregate language procedural trusted
    transform""".split()
)
"""The words that may follow CREATE OR REPLACE."""


def _create(c: Parser, start: int) -> list[Operation]:
    or_replace = c.accept("or", "replace")
    word = c.words[c.i]
    if or_replace and word not in _REPLACEABLE:
        c.fail("a kind of object that CREATE OR REPLACE supports")
    if word in ("temporary", "temp", "local", "global", "unlogged"):
        return [_create_persistent(c, start, persistence(c), or_replace)]
    reader = _CREATE.get(word)
    if reader is not None and not (word == "foreign" and c.words[c.i + 1] != "table"):
        return reader(c, start, or_replace)
    if c.accept("default"):
        if not c.at("conversion"):
            c.fail("CONVERSION")
    elif c.accept("trusted") and c.words[c.i] not in ("language", "procedural"):
        c.fail("LANGUAGE")
    kind = object_kind(c)
    if kind in ("column", "constraint", "routine", "large object", "parameter"):
        c.i -= 1
        c.fail("a kind of object that CREATE supports")
    return objects.create_object(c, start, kind, or_replace=or_replace)


def _create_persistent(c: Parser, start: int, table_persistence: Persistence, or_replace: bool) -> Operation:
    if c.accept("table"):
        return create_table(c, start, table_persistence)
    if c.accept("sequence"):
        return views.create_sequence(c, start, table_persistence)
    if table_persistence is Persistence.UNLOGGED:
        c.expect("materialized", "view")
        return views.create_materialized_view(c, start, unlogged=True)
    return views.create_view(c, start, or_replace=or_replace, temporary=True)


def _create_view(c: Parser, start: int, or_replace: bool) -> list[Operation]:
    return [views.create_view(c, start, or_replace=or_replace, temporary=False)]


def _create_table(c: Parser, start: int, or_replace: bool) -> list[Operation]:
    c.i += 1
    return [create_table(c, start, Persistence.PERMANENT)]


def _create_sequence(c: Parser, start: int, or_replace: bool) -> list[Operation]:
    c.i += 1
    return [views.create_sequence(c, start, Persistence.PERMANENT)]


def _create_materialized_view(c: Parser, start: int, or_replace: bool) -> list[Operation]:
    c.expect("materialized", "view")
    return [views.create_materialized_view(c, start, unlogged=False)]


def _create_index(c: Parser, start: int, or_replace: bool) -> list[Operation]:
    unique = c.accept("unique")
    c.expect("index")
    return [indexes.create_index(c, start, unique=unique)]


def _create_routine(c: Parser, start: int, or_replace: bool) -> list[Operation]:
    kind = c.words[c.i]
    c.i += 1
    return [routines.create_function(c, start, kind, or_replace=or_replace)]


def _create_trigger(c: Parser, start: int, or_replace: bool) -> list[Operation]:
    constraint = c.accept("constraint")
    c.expect("trigger")
    return [routines.create_trigger(c, start, or_replace=or_replace, constraint=constraint)]


def _create_rule(c: Parser, start: int, or_replace: bool) -> list[Operation]:
    c.i += 1
    return [routines.create_rule(c, start, or_replace=or_replace)]


def _create_policy(c: Parser, start: int, or_replace: bool) -> list[Operation]:
    c.i += 1
    return [routines.create_policy(c, start)]


def _create_foreign_table(c: Parser, start: int, or_replace: bool) -> list[Operation]:
    c.i += 2
    return [create_foreign_table(c, start)]


def _create_schema(c: Parser, start: int, or_replace: bool) -> list[Operation]:
    c.i += 1
    header = objects.create_schema_header(c, start)
    operations: list[Operation] = [header]
    while c.words[c.i] in ("create", "grant"):
        element = c.i
        c.i += 1
        element_operations = _create(c, element) if c.words[element] == "create" else privileges.grant(c, element)
        if not isinstance(element_operations[0], _SCHEMA_ELEMENTS):
            c.uses(features.SCHEMA_ELEMENTS, element)
        schema = header.schema or header.owner
        operations += [_in_schema(operation, schema) for operation in element_operations] if schema else element_operations
    return operations


def _in_schema(operation: Operation, schema: str) -> Operation:
    """Return an operation of an element of CREATE SCHEMA, with its unqualified name in that schema."""
    field = _NAME_FIELDS.get(type(operation))
    name: Name | None = getattr(operation, field) if field is not None else None
    return operation if name is None or name.schema or field is None else replace(operation, **{field: Name(name.name, schema)})


_SCHEMA_ELEMENTS = (CreateTable, CreateView, CreateIndex, CreateSequence, CreateTrigger, Grant)
"""The elements of CREATE SCHEMA up to PostgreSQL 18."""

_NAME_FIELDS = {
    CreateTable: "table",
    CreateView: "view",
    CreateIndex: "table",
    CreateSequence: "sequence",
    CreateTrigger: "table",
    CreateFunction: "function",
    CreateEnum: "type",
    CreateCompositeType: "type",
    CreateDomain: "domain",
    CreateObject: "name",
}


def _with_nothing_before(reader: Reader) -> Callable[[Parser, int, bool], list[Operation]]:
    """Return a reader for CREATE that starts after the kind of object."""

    def read(c: Parser, start: int, or_replace: bool) -> list[Operation]:
        c.i += 1
        return reader(c, start)

    return read


_CREATE: dict[str, Callable[[Parser, int, bool], list[Operation]]] = {
    "view": _create_view,
    "recursive": _create_view,
    "table": _create_table,
    "sequence": _create_sequence,
    "materialized": _create_materialized_view,
    "unique": _create_index,
    "index": _create_index,
    "function": _create_routine,
    "procedure": _create_routine,
    "trigger": _create_trigger,
    "constraint": _create_trigger,
    "rule": _create_rule,
    "policy": _create_policy,
    "foreign": _create_foreign_table,
    "schema": _create_schema,
    "extension": _with_nothing_before(views.create_extension),
    "type": _with_nothing_before(type_definitions.create_type),
    "domain": _with_nothing_before(type_definitions.create_domain),
    "statistics": _with_nothing_before(objects.create_statistics),
    "publication": _with_nothing_before(lambda c, start: publications.publication(c, start, "create")),
}


def _alter(c: Parser, start: int) -> list[Operation]:
    if c.accept("default", "privileges"):
        return privileges.alter_default_privileges(c, start)
    if c.accept("system"):
        return settings.alter_system(c, start)
    kind = object_kind(c)
    if kind in ("table", "index", "view", "sequence", "materialized view", "foreign table"):
        return alter_relation(c, start, kind)
    match kind:
        case "type":
            return type_definitions.alter_type(c, start)
        case "domain":
            return type_definitions.alter_domain(c, start)
        case "extension":
            return views.alter_extension(c, start)
        case "policy":
            return routines.alter_policy(c, start)
        case "publication":
            return publications.publication(c, start, "alter")
    return alter_object.alter_object(c, start, kind)


def _explain(c: Parser, start: int) -> list[Operation]:
    if c.words[c.i] == "(" and not c.at_query():
        analyze = indexes.option_is_on(uses_options(c, "EXPLAIN", utility_options(c)), "analyze")
    else:
        analyze = bool(c.accept_any(("analyze", "analyse")))
        c.accept("verbose")
    at = c.i
    explained = _statement(c)
    if c.words[at] not in (
        "select",
        "with",
        "values",
        "table",
        "(",
        "insert",
        "update",
        "delete",
        "merge",
        "declare",
        "create",
        "refresh",
        "execute",
    ):
        c.i = at
        c.fail("a query")
    return (
        [Explain(c.span(start), analyze=True), *explained] if analyze else [Explain(c.span(start), analyze=False, explained=tuple(explained))]
    )


def _prepare(c: Parser, start: int) -> list[Operation]:
    if c.accept("transaction"):
        identifier = c.string()
        return [TwoPhase(c.span(start), action="prepare transaction", identifier=identifier)]
    name = c.name("a name for the statement")
    if c.words[c.i] == "(":
        c.in_parentheses(c.type_name)
    c.expect("as")
    prepared = [*_rows(c, c.i), *c.nested]
    c.nested = []
    return [Prepare(c.span(start), name=name, prepared=tuple(prepared))]


def _do(c: Parser, start: int) -> list[Operation]:
    language = "plpgsql"
    body: int | None = None
    while not c.done:
        if c.accept("language"):
            language = c.string() if c.at_string() else c.non_reserved("a language")
        elif body is None and c.at_string():
            body = c.i
            c.i += 1
        else:
            c.fail("the code as a string" if body is None else "LANGUAGE")
    if body is None:
        c.fail("the code as a string")
    return [Do(c.span(start), language=language.lower(), body=c.span(body, body + 1))]


_STATEMENTS: dict[str, Reader] = {
    **dict.fromkeys(("select", "with", "values", "table", "(", "insert", "update", "delete", "merge"), _rows),
    "create": _create,
    "alter": _alter,
    "drop": drops.drop,
    **dict.fromkeys(("grant", "revoke"), privileges.grant),
    "comment": privileges.comment,
    "security": privileges.security_label,
    "set": settings.set_statement,
    "reset": settings.reset_statement,
    "show": settings.show_statement,
    "discard": settings.discard,
    **dict.fromkeys(("begin", "start"), settings.begin),
    **dict.fromkeys(("commit", "end"), settings.commit),
    **dict.fromkeys(("rollback", "abort"), settings.rollback),
    "savepoint": settings.savepoint,
    "release": settings.release,
    "prepare": _prepare,
    "execute": maintenance.execute,
    "deallocate": maintenance.deallocate,
    "declare": maintenance.declare,
    **dict.fromkeys(("listen", "unlisten", "notify", "close", "load", "checkpoint", "fetch", "move"), maintenance.named),
    "vacuum": maintenance.vacuum,
    **dict.fromkeys(("analyze", "analyse"), maintenance.analyze),
    "lock": maintenance.lock,
    "truncate": maintenance.truncate,
    "copy": maintenance.copy,
    "call": maintenance.call,
    "cluster": indexes.cluster,
    "reindex": indexes.reindex,
    "repack": indexes.repack,
    "wait": maintenance.wait,
    "refresh": views.refresh,
    "explain": _explain,
    "do": _do,
    "import": objects.import_foreign_schema,
    "reassign": objects.reassign_owned,
}

STATEMENT_WORDS = frozenset(_STATEMENTS)
"""The words with which the statements of PostgreSQL begin."""
