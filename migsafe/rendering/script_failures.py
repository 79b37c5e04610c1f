"""The calls of an Alembic script that certainly fail, with the driver and the SQLAlchemy of the project.

Each error was raised by Alembic 1.20 with SQLAlchemy 2.1 and asyncpg 0.32 on PostgreSQL 15.
"""

import ast
import builtins
import re
from collections.abc import Iterator, Mapping

from migsafe.patterns import lazy_pattern
from migsafe.rendering.handled_errors import node_span
from migsafe.sources import Call, Program
from migsafe.sources.migration import CallFailure, UnsureNames
from migsafe.sql.operations import PsqlCommand
from migsafe.sql.statements import read
from migsafe.text import Span

_SEVERAL = "cannot insert multiple commands into a prepared statement"
_FAILS = lazy_pattern(r"\bfails here with (?P<error>\w+): (?P<message>.*)", re.DOTALL)
_NAME = lazy_pattern(r"name '(\w+)' is not defined")
_ATTRIBUTE = lazy_pattern(r"module '(?:sqlalchemy|sqlalchemy\.dialects\.postgresql)' has no attribute '(\w+)'")
_EXECUTING = ("execute", "scalar", "scalars")
_OLDER_PYTHON = frozenset("unicode long basestring xrange raw_input unichr reduce file cmp execfile buffer intern apply coerce reload".split())
_OF_SOME_RELEASES = frozenset(
    """AdaptedConnection AggregateOrderBy AliasedReturnsRows AsyncAdaptedQueuePool BaseDDLElement BaseRow Binary BindTyping CacheKey CheckFirst
    CITEXT ColumnExpressionArgument CreateDomainType CreateEnginePlugin CreateTable CreateTableAs CreateView CursorResult DATEMULTIRANGE
    DDLElement DOMAIN DOUBLE DOUBLE_PRECISION Double DropDomainType DropTable DropView ExecutableDDLElement
    FallbackAsyncAdaptedQueuePool INT4MULTIRANGE INT8MULTIRANGE Identity JSONPATH MACADDR8 NamedType NotNullable Nullable NumericCommon
    NUMMULTIRANGE PassiveDefault Range REGCONFIG ResultProxy SQLColumnExpression TSMULTIRANGE TSQUERY TSTZMULTIRANGE TString
    ThreadLocalMetaData TryCast TupleType UUID Uuid aggregate_order_by bitwise_not create_pool_from_url cresultproxy cprocessors
    distinct_on from_dml_column insert_sentinel interfaces lambda_stmt make_url nulls_first nulls_last processors quoted_name subquery
    try_cast tstring values Values""".split()
)
"""Names that some releases of SQLAlchemy from 1.3 to 2.1 have, and others do not."""


def failing_calls(program: Program, text: str, unsure_names: UnsureNames) -> dict[int, CallFailure]:
    """Returns why calls of a rendered program certainly fail, by the offset of their first statement in the SQL `text` that was rendered."""
    calls = program.calls
    tree = _tree(program) if program.sqlalchemy or program.driver or any(call.opaque for call in calls) else None
    found: dict[int, CallFailure] = {}
    for call in calls:
        if not call.certain or call.by_runner or call.raises or call.repeated:
            continue
        failure = _failure(program, call, tree, text, unsure_names)
        # The script ends at the first; those of the same kind are changed with it.
        if failure is None or (tree is not None and _is_conditional(tree, program, call.file_span)):
            continue
        if failure.kind not in {other.kind for other in found.values()}:
            found[_start(call, text)] = failure
    return found


def is_after_failure(failures: Mapping[int, CallFailure], offset: int, reason: str) -> bool:
    """Whether an earlier call of a program certainly fails with an error of the same kind as the call at an offset, which is unknown for a
    `reason`: the program ends before the later one."""
    match = _FAILS.search(reason)
    return match is not None and any(place < offset and failure.kind == match["error"] for place, failure in failures.items())


def _failure(program: Program, call: Call, tree: ast.Module | None, text: str, unsure_names: UnsureNames) -> CallFailure | None:
    if call.opaque:
        return _error(call, tree, unsure_names) if tree is not None else None
    if tree is not None and program.sqlalchemy and _sends_text(tree, program.script.text, call.file_span):
        error = "ObjectNotExecutableError: SQLAlchemy 2 executes no strings"
        return CallFailure(error, "-- put the strings of this script into sa.text(…)", by_script=True)
    if program.driver == "asyncpg" and _has_several(text[call.sql_span.start : call.sql_span.end]):
        return CallFailure(f"{_SEVERAL} (asyncpg prepares what it sends)", "-- one op.execute() for each statement", by_script=False)
    return None


def _is_conditional(tree: ast.Module, program: Program, place: Span) -> bool:
    """Whether it depends on rows, or on something unknown, that a program comes to a place."""
    for node in ast.walk(tree):
        match node:
            case ast.For(iter=iterable):
                may_skip = any(isinstance(part, ast.Call) for part in ast.walk(iterable))
            case ast.AsyncFor() | ast.While():
                may_skip = True
            case ast.If() | ast.IfExp() | ast.Match():
                may_skip = bool(program.paths) or program.has_untried_paths
            case _:
                continue
        span = node_span(program.script.text, node) if may_skip else None
        if span is not None and span.start <= place.start and place.end <= span.end:
            return True
    return False


def _start(call: Call, text: str) -> int:
    first = None if call.opaque else next(read(text, (call.sql_span,)), None)
    return call.sql_span.start if first is None else first.span.start


def _has_several(sql: str) -> bool:
    statements = [statement for statement in read(sql) if not isinstance(statement.operations[0], PsqlCommand)]
    return len(statements) > 1


def _tree(program: Program) -> ast.Module | None:
    try:
        return ast.parse(program.script.text)
    except (SyntaxError, ValueError):
        return None


def _error(call: Call, tree: ast.Module, unsure_names: UnsureNames) -> CallFailure | None:
    """Returns the error with which a call failed when it was rendered, if it does so with every installation."""
    match = _FAILS.search(call.opaque)
    if match is None:
        return None
    error, message = match["error"], match["message"]
    is_certain = (
        (error == "NameError" and (name := _NAME.match(message)) is not None and _is_never_bound(tree, name[1]))
        or (error == "AttributeError" and (name := _ATTRIBUTE.match(message)) is not None and name[1] not in _OF_SOME_RELEASES)
        or (error == "CompileError" and "enum type requires a name" in message.lower() and _has_plain_enum(tree))
        or (error == "CompileError" and "it has no name" in message and unsure_names is UnsureNames.NONE)
    )
    return CallFailure(f"{error}: {message.partition('. Did you mean')[0]}", "", by_script=True) if is_certain else None


def _is_never_bound(tree: ast.Module, name: str) -> bool:
    """Whether a script uses a name that nothing in it binds."""
    if hasattr(builtins, name) or name in _OLDER_PYTHON or name not in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}:
        return False
    return not any(bound in (name, "*") for bound in _bound_names(tree))


def _bound_names(tree: ast.Module) -> Iterator[str | None]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(ctx=ast.Store() | ast.Del()):
                yield node.id
            case ast.alias():
                yield (node.asname or node.name).partition(".")[0]
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
                yield node.name
            case ast.arg():
                yield node.arg
            case ast.MatchMapping():
                yield node.rest
            case ast.Name(id="globals" | "exec" | "locals" | "setattr" | "vars"):
                yield "*"


def _has_plain_enum(tree: ast.Module) -> bool:
    """Whether a script has an Enum of constants without a name."""
    return any(
        isinstance(node, ast.Call)
        and re.search(r"\bEnum$|\bENUM$", ast.unparse(node.func)) is not None
        and node.args
        and all(isinstance(argument, ast.Constant) and isinstance(argument.value, str) for argument in node.args)
        and all(keyword.arg not in (None, "name", "metadata", "inherit_schema") for keyword in node.keywords)
        for node in ast.walk(tree)
    )


def _sends_text(tree: ast.Module, text: str, place: Span) -> bool:
    """Whether the call at a place gives a string to a method of the connection of Alembic."""
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for node in ast.walk(function):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in _EXECUTING or not node.args:
                continue
            if node_span(text, node) == place and _is_connection(function, node.func.value) and _is_string(function, node.args[0]):
                return True
    return False


def _values(function: ast.FunctionDef, name: str) -> list[ast.expr]:
    """Returns the values that a function assigns to a name; an empty list if it may have others."""
    bound = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)]
    values = [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name
    ]
    return values if len(values) == len(bound) else []


def _is_connection(function: ast.FunctionDef, value: ast.expr) -> bool:
    values = _values(function, value.id) if isinstance(value, ast.Name) else [value]
    return bool(values) and all(ast.unparse(each) in ("op.get_bind()", "alembic.op.get_bind()") for each in values)


def _is_string(function: ast.FunctionDef, value: ast.expr) -> bool:
    match value:
        case ast.Constant():
            return isinstance(value.value, str)
        case ast.JoinedStr():
            return True
        case ast.BinOp(op=ast.Mod() | ast.Add(), left=left):
            return _is_string(function, left)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="format")):
            return True
        case ast.Name():
            values = _values(function, value.id)
            return bool(values) and all(not isinstance(each, ast.Name) and _is_string(function, each) for each in values)
    return False
