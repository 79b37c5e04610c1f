"""The script that runs, and the text ranges of its calls."""

import ast
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from functools import cached_property
from types import CodeType, FrameType, TracebackType

from migsafe.newer_syntax import parse_python
from migsafe.rendering.worker.failures import Failure, Position, failing_statement, tolerating
from migsafe.rendering.worker.frames import TextPoint, instruction_number, instruction_points
from migsafe.rendering.worker.loops import LoopLines, loop_lines
from migsafe.rendering.worker.transformation import transform

_MAX_FAILURES = 20
_LINE_END = re.compile(r"\r\n?|\n")

LIBRARIES = frozenset(("alembic", "sqlalchemy", *sys.stdlib_module_names))
"""Libraries that are always installed. If a script does not find a name in them, the script or the version is wrong."""
_CHANGES_MODULES = frozenset(
    ("setattr", "delattr", "exec", "eval", "vars", "globals", "compile", "__import__", "__builtins__", "importlib", "patch")
)

TextRange = tuple[int, int]
"""The start and end of a piece of the text, in characters."""


class ScriptFile:
    """The text of a script, its tree and its code. Raises SyntaxError, ValueError or RecursionError if it is not Python."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self._failures: dict[Position, Failure] = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes are the script's problem
            self._source, self.tree = parse_python(text, path)
            self.code: CodeType = self._compiled()
        self._lines = [0, *(end.end() for end in _LINE_END.finditer(text))]
        self._calls: dict[TextPoint, ast.Call] = {}
        self._blocks: dict[TextPoint, ast.Call] = {}
        self._bare: set[ast.AST] = set()
        self._positions: dict[CodeType, list[tuple[TextPoint, TextPoint]]] = {}
        self.nodes = list(ast.walk(self.tree))
        """All nodes of the tree. Walking it takes as long as everything else that is done with most scripts."""
        for node in self.nodes:
            match node:
                case ast.Call(end_lineno=int(line), end_col_offset=int(column)):
                    self._calls[line, column] = node
                case (
                    ast.With(items=[ast.withitem(context_expr=ast.Call() as first), *_])
                    | ast.AsyncWith(items=[ast.withitem(context_expr=ast.Call() as first), *_])
                ):
                    self._blocks[node.lineno, node.col_offset] = first
                case ast.Expr(value=value):
                    self._bare.add(value.value if isinstance(value, ast.Await) else value)

    def tolerate(self, error: BaseException, reason: str) -> bool:
        """Changes the code so that it continues after the statement that ended with an error; returns whether that is possible."""
        position = failing_statement(self.tree, self.path, error.__traceback__)
        text_range = self.error_range(error.__traceback__)
        if position is None or text_range is None or position in self._failures or len(self._failures) >= _MAX_FAILURES:
            return False
        self._failures[position] = Failure(" ".join(self.text[slice(*text_range)].split()), reason, *text_range)
        self._positions.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.code = self._compiled()
        return True

    def _compiled(self) -> CodeType:
        tree = ast.parse(self._source, self.path)
        return compile(transform(tolerating(tree, self._failures) if self._failures else tree), self.path, "exec", dont_inherit=True)

    @cached_property
    def _tests(self) -> dict[tuple[TextPoint, TextPoint], ast.expr]:
        """The conditions, by where their statement or expression begins and ends: bytecode has the position of that."""
        nodes = (node for node in self.nodes if isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert))
        return {((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)): node.test for node in nodes}

    @property
    def full_range(self) -> TextRange:
        """The range of the whole text."""
        return 0, len(self.text)

    def function(self, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """Returns the function of a name that the script itself defines."""
        functions = [node for node in self.nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name]
        return functions[-1] if functions else None

    def first_line_of(self, name: str) -> TextRange:
        """Returns the first line of a function; the first line of the script if it does not define the function."""
        node = self.function(name)
        return self.line_range(node.lineno if node is not None else 1)

    def line_range(self, number: int) -> TextRange:
        """Returns the range of a line, counted from 1, without the spaces around it."""
        number = min(max(number, 1), len(self._lines))
        start = self._lines[number - 1]
        end = self._lines[number] if number < len(self._lines) else len(self.text)
        line = self.text[start:end]
        return start + len(line) - len(line.lstrip()), start + len(line.rstrip())

    def node_range(self, node: ast.AST) -> TextRange:
        """Returns the range of a node of the tree."""
        start = self._offset(getattr(node, "lineno", 1), getattr(node, "col_offset", 0))
        end = self._offset(getattr(node, "end_lineno", 1), getattr(node, "end_col_offset", 0))
        return start, end

    def call_of(self, frame: FrameType, instruction: int | None = None) -> ast.Call | None:
        """Returns the call that a frame of this script is in."""
        start, end = self._points(frame.f_code)[instruction_number(frame, instruction)]
        call = self._calls.get(end)
        if call is not None and (call.lineno, call.col_offset) <= start:
            return call
        return self._blocks.get(start)  # entering and leaving a block has the position of the block

    def frame_range(self, frame: FrameType, instruction: int | None = None, line: int | None = None) -> TextRange:
        """Returns the range of the call that a frame of this script is in; of its line if it is in none."""
        call = self.call_of(frame, instruction)
        return self.node_range(call) if call is not None else self.line_range(line or frame.f_lineno)

    def condition(self, frame: FrameType) -> str:
        """Returns the source of the expression whose truth a frame of this script asks for, on one line; nothing if it is not known."""
        start, end = self._points(frame.f_code)[instruction_number(frame)]
        if start[1] < 0 or end[1] < 0:
            return ""
        node: ast.AST | None = self._tests.get((start, end))
        while isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            node = node.operand
        if isinstance(node, ast.BoolOp):
            return ""
        first, last = self.node_range(node) if node is not None else (self._offset(*start), self._offset(*end))
        return " ".join(self.text[first:last].split())

    def _points(self, code: CodeType) -> list[tuple[TextPoint, TextPoint]]:
        positions = self._positions.get(code)
        if positions is None:
            positions = self._positions[code] = instruction_points(code)
        return positions

    def is_expression_statement(self, call: ast.Call | None) -> bool:
        """Whether a call is a statement whose result is not used."""
        return call in self._bare

    def script_frames(self, frame: FrameType | None) -> Iterator[FrameType]:
        """Yields the frames of this script on the stack, innermost first."""
        while frame is not None:
            if frame.f_code.co_filename == self.path:
                yield frame
            frame = frame.f_back

    def error_range(self, traceback: TracebackType | None) -> TextRange | None:
        """Returns the innermost range of the script in a traceback."""
        innermost = None
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == self.path:
                innermost = self.frame_range(traceback.tb_frame, traceback.tb_lasti, traceback.tb_lineno)
            traceback = traceback.tb_next
        return innermost

    @cached_property
    def optional_imports(self) -> frozenset[str]:
        """The modules that the script tries to import in a `try` that handles their absence."""
        return optional_imports(self.nodes)

    @cached_property
    def loop_lines(self) -> LoopLines:
        """The lines of the script's loops."""
        return loop_lines(self.nodes)

    @cached_property
    def is_self_contained(self) -> bool:
        """Whether the script cannot change other modules: it sets no attributes and imports only libraries."""
        for node in self.nodes:
            match node:
                case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Attribute(attr="__dict__"):
                    return False
                case ast.Name(id=name) if name in _CHANGES_MODULES:
                    return False
                case ast.Import() | ast.ImportFrom():
                    if any(name.partition(".")[0] not in LIBRARIES for name in _imported(node)):
                        return False
        return True

    def _offset(self, line: int, column: int) -> int:
        """Returns the offset of a line and column, which ast counts in bytes of UTF-8."""
        start = self._lines[min(line, len(self._lines)) - 1]
        end = self._lines[line] if line < len(self._lines) else len(self.text)
        piece = self.text[start:end]
        if piece.isascii():
            return min(start + column, end)
        return start + len(piece.encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore"))


def optional_imports(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Returns the modules that a module with these nodes tries to import in a `try` that handles their absence."""
    tries = (node for node in nodes if isinstance(node, ast.Try) and any(map(_handles_missing, node.handlers)))
    return frozenset(name for node in tries for statement in node.body for name in _imported(statement))


def _handles_missing(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(
        name is None or (isinstance(name, ast.Name) and name.id in ("ImportError", "ModuleNotFoundError", "Exception", "BaseException"))
        for name in names
    )


def _imported(statement: ast.stmt) -> Iterable[str]:
    match statement:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=str(module)):
            return [module]
    return []
