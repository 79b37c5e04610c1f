"""Edits of whole functions: code at their beginning and their end, calls that they no longer make; and imports."""

from collections.abc import Iterator, Sequence

import libcst as cst

from migsafe.fixes.alembic.code import Piece, Style, assemble
from migsafe.fixes.alembic.python_source import PythonSource, called_name
from migsafe.fixes.alembic.steps import Refused
from migsafe.fixes.alembic.text_edits import TextEdit


def at_end(source: PythonSource, style: Style, function: str, pieces: Sequence[Piece]) -> Iterator[TextEdit]:
    """Yields the edit that adds code after the last statement of a function. Raises Refused if the function may end earlier."""
    if not pieces:
        return
    statements = _statements(source, function)
    found = source.function(function)
    if found is not None and any(found in source.parents(node) for node in source.nodes(cst.Return)):
        raise Refused(f"{function}() may return before its end")
    last = source.span(statements[-1])
    indentation = source.indentation(source.span(statements[0]).start)
    end = source.next_line(last.end)
    before = "" if source.text[end - 1 : end] == "\n" else style.newline
    yield TextEdit(end, end, f"{before}{indentation}{assemble(pieces, style, indentation)}{style.newline}")


def at_beginning(source: PythonSource, style: Style, function: str, pieces: Sequence[Piece]) -> Iterator[TextEdit]:
    """Yields the edit that adds code before the first statement of a function, and the comments above it. Raises Refused."""
    if not pieces:
        return
    statements = _statements(source, function)
    indentation = source.indentation(source.span(statements[0]).start)
    first = statements[1] if _is_docstring(statements[0]) and len(statements) > 1 else statements[0]
    start = source.line_start(source.span(first).start)
    while _is_comment_or_empty(source.text[source.line_start(start - 1) : start]):
        start = source.line_start(start - 1)
    yield TextEdit(start, start, f"{indentation}{assemble(pieces, style, indentation)}{style.newline}")


def _statements(source: PythonSource, function: str) -> Sequence[cst.BaseStatement]:
    match source.function(function):
        case cst.FunctionDef(body=cst.IndentedBlock(body=[*statements])):
            return statements
    raise Refused(f"{function}() is not a function of several lines")


def _is_docstring(statement: cst.BaseStatement) -> bool:
    match statement:
        case cst.SimpleStatementLine(body=[cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString())]):
            return True
    return False


def _is_comment_or_empty(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def removals(source: PythonSource, removed: Sequence[cst.BaseStatement], *, is_filled: bool) -> Iterator[TextEdit]:
    """Yields the edits that remove statements, and `with` blocks without other statements. A function that has no other statement gets `pass`
    unless it `is_filled` with new ones."""
    nodes: set[cst.CSTNode] = set(removed)
    blocks = {block for node in removed for block in source.parents(node) if isinstance(block, cst.With)}
    for around in sorted(blocks, key=lambda block: source.span(block).start, reverse=True):
        if nodes.issuperset(around.body.body):
            # The block only served these statements.
            nodes = {around, *nodes} - set(around.body.body)
    emptied: set[cst.CSTNode] = set()
    for node in sorted(nodes, key=lambda node: source.span(node).start):
        span, block = source.span(node), source.parent(node)
        if isinstance(block, cst.IndentedBlock) and nodes.issuperset(block.body) and block not in emptied and not is_filled:
            emptied.add(block)
            yield TextEdit(*span, "pass")
        else:
            yield TextEdit(source.line_start(span.start), source.next_line(span.end), "")


def with_imports(source: PythonSource, *, operations: bool, sqlalchemy: bool) -> Iterator[TextEdit]:
    """Yields the edit that adds imports: of Alembic's operations, and of SQLAlchemy as `sa`. Raises Refused if the name is taken."""
    lines = [*(["from alembic import op"] if operations else []), *(["import sqlalchemy as sa"] if sqlalchemy else [])]
    if not lines:
        return
    taken = {node.value for node in source.nodes(cst.Name) if isinstance(node, cst.Name)}
    if (operations and "op" in taken) or (sqlalchemy and "sa" in taken):
        raise Refused("the script uses a name that the new code needs for an import")
    imports = [node for node in source.module.body if _is_import(node)]
    if not imports:
        raise Refused("the script has no imports, to which those of the new code can be added")
    after = next((node for node in imports if "alembic" in source.source(node)), imports[-1])
    end = source.next_line(source.span(after).end)
    yield TextEdit(end, end, "".join(f"{line}{source.newline}" for line in lines))


def _is_import(node: cst.CSTNode) -> bool:
    match node:
        case cst.SimpleStatementLine(body=[cst.Import()]):
            return True
        case cst.SimpleStatementLine(body=[cst.ImportFrom(module=module)]):
            return module is None or called_name(module) != "__future__"
    return False
