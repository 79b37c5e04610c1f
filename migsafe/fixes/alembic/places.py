"""The place of a statement in a script: the Python statement that sends it, and the blocks around that."""

import libcst as cst
from msgspec import Struct

from migsafe.fixes.alembic.python_source import PythonSource, called_name
from migsafe.fixes.alembic.steps import Refused
from migsafe.sources.migration import Call
from migsafe.text import Span

_BATCH = "batch_alter_table"
_HARMLESS = ("schema", "naming_convention", "reflect_args", "reflect_kwargs")
"""Arguments of a batch that have no effect on how it is sent to PostgreSQL."""

_AUTOCOMMIT = "autocommit_block"


class CallPlace(Struct, frozen=True):
    """A statement that consists of one call, which the function of a migration makes at most once.

    `conditional`: it is in an `if`. `in_autocommit`: it already runs outside a transaction. `other_block`: it is in another `with` block.
    `batch` is the block of a batch that contains the call, and is replaced as a whole.
    """

    line: cst.SimpleStatementLine
    call: cst.Call
    span: Span
    conditional: bool = False
    in_autocommit: bool = False
    other_block: bool = False
    batch: cst.With | None = None

    @property
    def node(self) -> cst.SimpleStatementLine | cst.With:
        """The statement that a fix replaces."""
        return self.batch or self.line


def find_place(source: PythonSource, call: Call, function: str) -> CallPlace:
    """Returns the place of a call. Raises Refused if it is made several times, or depends on more than conditions."""
    _refuse_uncertain(call)
    line = source.simple_statement_at(call.file_span.start)
    if line is None:
        raise Refused("it shares its line with the head of a block")
    match line.body:
        case [cst.Expr(value=cst.Call() as node)] if source.span(node) == call.file_span:
            pass
        case [cst.Expr(value=cst.Call())]:
            raise Refused("the call is part of another one")
        case [_]:
            raise Refused("the result of the call is used")
        case _:
            raise Refused("it shares its line with another statement")
    place = _in_blocks(source, CallPlace(line, node, source.span(line)), function)
    _refuse_other_callers(source, place)
    return place


def _refuse_uncertain(call: Call) -> None:
    if call.opaque or call.unknown_part:
        raise Refused("a part of the statement is not known")
    if call.repeated:
        raise Refused("the call is in a loop")
    if not call.certain or call.raises:
        raise Refused("it is not certain that the script makes the call")


def _in_blocks(source: PythonSource, place: CallPlace, function: str) -> CallPlace:
    """Returns the place with the blocks around it, up to the function of the migration."""
    conditional = in_autocommit = other_block = False
    batch: cst.With | None = None
    for node in source.parents(place.line):
        match node:
            case cst.IndentedBlock() | cst.Module():
                pass
            case cst.If() | cst.Else():
                conditional = True
            case cst.With():
                name = _with_name(node)
                in_autocommit = in_autocommit or name == _AUTOCOMMIT
                if name == _BATCH:
                    _refuse_unusual_batch(node)
                    batch = node
                other_block = other_block or name not in (_AUTOCOMMIT, _BATCH)
            case cst.FunctionDef(name=cst.Name(value=name)) if name == function and isinstance(source.parent(node), cst.Module):
                return CallPlace(
                    place.line,
                    place.call,
                    source.span(batch or place.line),
                    conditional,
                    in_autocommit,
                    other_block,
                    batch,
                )
            case cst.For() | cst.While():
                raise Refused("the call is in a loop")
            case cst.FunctionDef() | cst.Lambda() | cst.ClassDef():
                raise Refused(f"the call is in another function than {function}()")
            case _:
                raise Refused("the call is in a block that handles errors or decides")
    raise Refused(f"the call is not in {function}()")


def is_autocommit(statement: cst.CSTNode) -> bool:
    """Whether a statement is an autocommit block."""
    return isinstance(statement, cst.With) and _with_name(statement) == _AUTOCOMMIT


def _with_name(block: cst.With) -> str:
    """Returns the name of the method that a `with` block calls; empty for another one."""
    match block.items:
        case [cst.WithItem(item=cst.Call(func=cst.Attribute(attr=cst.Name(value=name))))]:
            return name
    return ""


def _refuse_unusual_batch(batch: cst.With) -> None:
    """Refuses a batch that does not send its statements one after the other, or contains anything but calls."""
    call = batch.items[0].item
    assert isinstance(call, cst.Call)
    if any(arg.star or (arg.keyword is not None and arg.keyword.value not in _HARMLESS) for arg in call.args[1:]):
        raise Refused("the batch may create its table again")
    for statement in batch.body.body:
        match statement:
            case cst.SimpleStatementLine(body=[cst.Expr(value=cst.Call(func=cst.Attribute(value=cst.Name(value=name))))]) if (
                name == _batch_name(batch)
            ):
                pass
            case _:
                raise Refused("the batch contains more than calls of its own")


def _batch_name(batch: cst.With) -> str:
    """Returns the name of a batch in its block."""
    match batch.items[0].asname:
        case cst.AsName(name=cst.Name(value=name)):
            return name
    return ""


def _refuse_other_callers(source: PythonSource, place: CallPlace) -> None:
    """Refuses a call of something that may do more than to send a statement."""
    function = place.call.func
    name = called_name(function)
    if place.batch is not None or name.split(".")[0] in operations_names(source):
        return
    root = name.split(".")[0] if name else ""
    if name.endswith(".execute") and root in _connections(source):
        return
    if isinstance(function, cst.Attribute) and function.attr.value == "execute" and source.source(function.value).endswith("get_bind()"):
        return
    raise Refused("the statement is sent by another function than those of op")


def _connections(source: PythonSource) -> set[str]:
    """Returns the names that are assigned from `op.get_bind()`."""
    names = set()
    for node in source.nodes(cst.Assign):
        match node:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=cst.Call() as value) if called_name(
                value.func
            ).endswith("get_bind"):
                names.add(name)
    return names


def operations_names(source: PythonSource) -> dict[str, str]:
    """Returns the names that begin the calls of Alembic's operations, each with the expression for the operations themselves."""
    names = {}
    for node in source.nodes(cst.ImportFrom, cst.Import):
        match node:
            case cst.ImportFrom(module=cst.Name(value="alembic"), names=[*aliases]):
                for alias in aliases:
                    if called_name(alias.name) == "op":
                        name = alias.evaluated_alias or "op"
                        names[name] = name
            case cst.Import(names=aliases):
                for alias in aliases:
                    imported = called_name(alias.name)
                    if imported == "alembic.op" and alias.evaluated_alias:
                        names[alias.evaluated_alias] = alias.evaluated_alias
                    elif imported.split(".")[0] == "alembic":
                        name = alias.evaluated_alias or "alembic"
                        names[name] = f"{name}.op"
    return names


def sqlalchemy_name(source: PythonSource) -> str:
    """Returns the name under which the script imports SQLAlchemy; empty if it does not."""
    for node in source.nodes(cst.Import):
        if isinstance(node, cst.Import):
            for alias in node.names:
                if called_name(alias.name) == "sqlalchemy":
                    return alias.evaluated_alias or "sqlalchemy"
    return ""
