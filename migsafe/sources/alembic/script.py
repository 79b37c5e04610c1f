"""What the script of a revision declares, read from its syntax tree; the script is not run."""

import ast
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path

from msgspec import Struct

from migsafe.errors import UnreadableError
from migsafe.newer_syntax import parse_python
from migsafe.patterns import lazy_pattern
from migsafe.sources.alembic.constants import Unknown, as_names, evaluate
from migsafe.sources.alembic.imported_constants import ImportedConstants
from migsafe.text import Script, Span

_LEGACY = lazy_pattern(r"[a-f0-9]+(?=\.py$)")
"""Names of scripts that need not declare their revision (alembic/script/base.py, _legacy_rev)."""

_NAMES = ("revision", "down_revision", "depends_on", "branch_labels")
_FUNCTIONS = ("upgrade", "downgrade", "*")
_DECLARATION = r"(?:^|;[ \t]*){}[ \t]*(?::[^=\n]*)?=[ \t]*(?P<value>[^\n#;]*)"
_QUOTED = lazy_pattern(r"[\"']([^\"']*)[\"']")
_LINE_END = lazy_pattern(r"\r\n?|\n")
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
_SYNTAX_HINT = f"Correct it. If it is written for a Python that is newer than {_PYTHON}, install migsafe in an environment with that Python."


class Body(Enum):
    """What a function of a script contains."""

    ABSENT = "absent"
    EMPTY = "empty"
    RAISES = "raises"
    WORKS = "works"


class RevisionFunction(Struct, frozen=True):
    """The upgrade or downgrade function, and the line in which it begins."""

    body: Body
    span: Span | None = None


class Revision(Struct, frozen=True, kw_only=True):
    """A revision as its script declares it.

    `down_revisions`, `depends_on` (revisions or branch labels) and `branch_labels` are as in Alembic; `title` is the first line of the
    docstring. `version_span`, `parents_span` and `depends_span` are where the script declares its revision, `down_revision` and `depends_on`.
    `error` says why the script cannot be read; the other fields are then guessed from its text.
    """

    version: str
    down_revisions: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    branch_labels: tuple[str, ...] = ()
    title: str = ""
    upgrade: RevisionFunction = RevisionFunction(Body.ABSENT)
    downgrade: RevisionFunction = RevisionFunction(Body.ABSENT)
    version_span: Span | None = None
    parents_span: Span | None = None
    depends_span: Span | None = None
    error: UnreadableError | None = None


def read_revision(script: Script) -> Revision | None:
    """Returns what a script declares; None if it is not the script of a revision."""
    try:
        text = script.text
    except UnreadableError as error:
        return _guessed(script, _bytes(script.path), error)
    if "revision" not in text and not _LEGACY.match(_name(script)):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes are the script's problem
            _, tree = parse_python(text)
    except SyntaxError as error:
        message = f"{script.path}:{error.lineno or 1}: is not Python: {error.msg}"
        return _guessed(script, text, UnreadableError(message, _SYNTAX_HINT))
    except (ValueError, RecursionError) as error:
        return _guessed(script, text, UnreadableError(f"{script.path}: is not Python: {error}"))
    return _Declarations(script, text, tree).revision()


def _name(script: Script) -> str:
    return script.path.replace("\\", "/").rpartition("/")[2]


class _Declarations:
    """The assignments and functions at the top level of a script."""

    def __init__(self, script: Script, text: str, tree: ast.Module) -> None:
        self.script = script
        self.text = text
        self.tree = tree
        self.values: dict[str, object] = {}
        self.spans: dict[str, Span] = {}
        self.functions: dict[str, RevisionFunction] = {}
        self._lines = [0, *(end.end() for end in _LINE_END.finditer(text))]
        for statement in _top_level(tree.body):
            self._add_statement(statement)

    def _add_statement(self, statement: ast.stmt) -> None:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if name in _FUNCTIONS:
                # A decorator may do anything.
                body = Body.WORKS if statement.decorator_list else _body(statement.body)
                self.functions[name] = RevisionFunction(body, self._first_line(statement))
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(target, value, statement)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, value, statement)
            case ast.Import(names=imported) | ast.ImportFrom(names=imported):
                for alias in imported:
                    self._add_import(alias.asname or alias.name, statement)

    def _assign(self, target: ast.expr, value: ast.expr, statement: ast.stmt) -> None:
        match target, value:
            case ast.Name(id=name), _:
                self.values[name] = evaluate(value, self.values)
                if name in _NAMES:
                    if self.values[name] is Unknown.VALUE:
                        self.values[name] = evaluate(value, ImportedConstants(self.values, _top_level(self.tree.body), self.script.path))
                    self.spans[name] = Span(self._offset(statement.lineno, statement.col_offset), self._end(value))
                self._add_import(name, statement)
            case ((ast.Tuple(elts=targets) | ast.List(elts=targets)), (ast.Tuple(elts=items) | ast.List(elts=items))):
                for inner, item in zip(targets, items, strict=False):
                    self._assign(inner, item, statement)

    def _add_import(self, name: str, statement: ast.stmt) -> None:
        """Adds a function that is imported."""
        if name in _FUNCTIONS:
            self.functions[name] = RevisionFunction(Body.WORKS, self._first_line(statement))

    def revision(self) -> Revision | None:
        """Returns the revision that they declare."""
        legacy = _LEGACY.match(_name(self.script))
        if "revision" not in self.values and not (legacy and "upgrade" in self.functions):
            return None
        version = self.values.get("revision", legacy[0] if legacy else None)
        lists = {name: as_names(self.values.get(name)) for name in _NAMES[1:]}
        # Labels only name branches for the command line and for `depends_on`, so that the order is known without them.
        unclear = [name for name, names in lists.items() if names is None and name != "branch_labels"]
        if not isinstance(version, str):
            unclear.insert(0, "revision")
        error = None
        if unclear:
            message = f"the value of {' and '.join(unclear)} cannot be determined without running the script"
            error = UnreadableError(f"{self.script.path}: {message}", "Write it as a string, or as a tuple of strings.")
        # `from … import *` may import any name.
        absent = RevisionFunction(Body.WORKS if "*" in self.functions else Body.ABSENT)
        return Revision(
            version=version if isinstance(version, str) else _name(self.script).removesuffix(".py"),
            down_revisions=lists["down_revision"] or (),
            depends_on=lists["depends_on"] or (),
            branch_labels=lists["branch_labels"] or (),
            title=(ast.get_docstring(self.tree, clean=False) or "").strip().partition("\n")[0].rstrip(),
            upgrade=self.functions.get("upgrade", absent),
            downgrade=self.functions.get("downgrade", absent),
            version_span=self.spans.get("revision"),
            parents_span=self.spans.get("down_revision"),
            depends_span=self.spans.get("depends_on"),
            error=error,
        )

    def _first_line(self, node: ast.stmt) -> Span:
        start = self._offset(node.lineno, node.col_offset)
        end = _LINE_END.search(self.text, start)
        return Span(start, start + len(self.text[start : end.start() if end else len(self.text)].rstrip()))

    def _end(self, node: ast.expr) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._offset(node.end_lineno, node.end_col_offset)

    def _offset(self, line: int, column: int) -> int:
        """Returns the offset of a line and column, which ast counts in bytes of UTF-8."""
        start = self._lines[line - 1]
        end = self._lines[line] if line < len(self._lines) else len(self.text)
        return start + len(self.text[start:end].encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore"))


def _top_level(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yields the statements of a module, with those in its branches."""
    for statement in statements:
        yield statement
        match statement:
            case ast.If(body=body, orelse=others):
                yield from _top_level([*body, *others])
            case ast.Try(body=body, handlers=handlers, orelse=others, finalbody=last):
                yield from _top_level([*(inner for handler in handlers for inner in handler.body), *body, *others, *last])
            case ast.With(body=body):
                yield from _top_level(body)


def _body(statements: list[ast.stmt]) -> Body:
    if any(isinstance(statement, ast.Raise) for statement in statements):
        return Body.RAISES
    return Body.EMPTY if all(map(_does_nothing, statements)) else Body.WORKS


def _does_nothing(statement: ast.stmt) -> bool:
    match statement:
        case ast.Pass() | ast.Expr(value=ast.Constant()) | ast.Return(value=None | ast.Constant()):
            return True
    return False


def _bytes(path: str) -> str:
    """Returns a file that is not UTF-8, each byte as a character."""
    try:
        return Path(path).read_bytes().decode("latin-1")
    except OSError:
        return ""


def _guessed(script: Script, text: str, error: UnreadableError) -> Revision | None:
    """Returns what an unreadable script seems to declare, so that its successors are not reported to have a missing parent."""
    declared = {}
    for name in _NAMES:
        match = re.search(_DECLARATION.format(name), text, re.MULTILINE)
        declared[name] = tuple(_QUOTED.findall(match["value"])) if match else ()
    if not declared["revision"]:
        return None
    return Revision(
        version=declared["revision"][0],
        down_revisions=declared["down_revision"],
        depends_on=declared["depends_on"],
        branch_labels=declared["branch_labels"],
        error=error,
    )
