"""The statements of a text, without what PostgreSQL does not see: comments, white space, the case of unquoted words."""

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from migsafe.errors import MigsafeError
from migsafe.sources.migration import Half, Migration
from migsafe.sql.lexer import DOLLAR_STRING
from migsafe.sql.split import MetaCommand, RawStatement, split
from migsafe.text import Script, Span

StatementText = tuple[str, ...]

_DECLARED = ("revision", "down_revision", "branch_labels", "depends_on")
"""What a revision of Alembic declares about its place in the history."""


def have_same_sql(before: Script, now: Script) -> bool:
    """Whether two scripts contain the same statements, and at least one."""
    try:
        texts = (before.text, now.text)
    except MigsafeError:
        return False
    return bool(texts[0].strip()) and (texts[0] == texts[1] or statement_texts(texts[0]) == statement_texts(texts[1]) != [])


def differ_in_comments_only(before: Script, now: Script) -> bool:
    """Whether two versions of a file of SQL or Python do the same: only comments and layout may differ."""
    if now.path.endswith(".sql"):
        return have_same_sql(before, now)
    try:
        return now.path.endswith(".py") and ast.dump(ast.parse(before.text)) == ast.dump(ast.parse(now.text))
    except (MigsafeError, SyntaxError, ValueError):
        return False


def statement_texts(text: str) -> list[StatementText]:
    """Returns the tokens of each statement of a text: without comments and white space, and with unquoted words in lower case."""
    return [_tokens(piece) for piece in split(text)]


def first_difference(before: Sequence[Migration], now: Migration) -> Span | None:
    """Returns the first place in the file of a migration where it sends other SQL than it did, or its last statement if only statements after
    that are gone; None if it sends the same, or if `before` does not contain it. Both must have been rendered."""
    old = next((migration for migration in before if migration.id == now.id), None)
    if old is None or (now.up.program is not None and _is_same_code(old.up.file.text, now.up.file.text)):
        return None
    remaining = iter([text for text, _ in _sent(old.up)])
    place = Span(0, 0)
    for text, span in _sent(now.up):
        place = now.up.file_span(span)
        if next(remaining, None) != text:
            return place
    return place if next(remaining, None) is not None else None


def unchanged_statements(before: Sequence[Migration], now: Migration, *, is_replacement: bool = False) -> frozenset[int]:
    """Returns the offsets in the script of a migration at which the statements begin that it sent before, too, or that one sent which it
    replaces; empty if `before` contains neither. Both must have been rendered."""
    own = next((migration for migration in before if migration.id == now.id), None)
    old = [own] if own is not None else before if is_replacement else []
    is_same_code = now.up.program is not None and any(_is_same_code(each.up.file.text, now.up.file.text) for each in old)
    remaining = Counter(text for each in old for text, _ in _sent(each.up))
    unchanged = set()
    for text, span in _sent(now.up):
        if remaining[text] > 0 or is_same_code:
            remaining[text] -= 1
            unchanged.add(span.start)
    return frozenset(unchanged)


def _is_same_code(before: str, now: str) -> bool:
    """Whether the upgrades of two versions of a script do the same: a table that was imported, or is of an imported module, may be defined in
    the script today."""
    old, new = _upgrade_code(before), _upgrade_code(now)
    if old is None or new is None:
        return old is new
    return old.functions == new.functions and all(old.values[name] == new.values[name] for name in old.values.keys() & new.values.keys())


class _UpgradeCode(NamedTuple):
    functions: dict[str, list[str]]
    values: dict[str, str]


def _upgrade_code(text: str) -> _UpgradeCode | None:
    """Returns the code of a script that decides what its upgrade sends: functions and values, without imports, classes, annotations and
    docstrings. None if the script has a syntax error."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return None
    imports = [alias for node in body if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names]
    without_modules = _WithoutModules(frozenset(alias.asname or alias.name for alias in imports))
    code = _UpgradeCode({}, {})
    for node in body:
        match node:
            case ast.FunctionDef() if not node.name.startswith("downgrade"):
                docstring = ast.get_docstring(node, clean=False) is not None
                code.functions[node.name] = [ast.dump(without_modules.visit(statement)) for statement in node.body[docstring:]]
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if name not in _DECLARED:
                code.values[name] = ast.dump(node.value) if node.value is not None else ""
    return code


class _WithoutModules(ast.NodeTransformer):
    """Makes `name` of `module.name`, for the modules that a script imports."""

    def __init__(self, modules: frozenset[str]) -> None:
        self.modules = modules

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Returns the attribute of a module as a name."""
        if isinstance(node.value, ast.Name) and node.value.id in self.modules:
            return ast.Name(node.attr, node.ctx)
        return self.generic_visit(node)


def sends_sql(half: Half) -> bool:
    """Whether a half contains a statement, or code."""
    return next(_sent(half), None) is not None


def _sent(half: Half) -> Iterator[tuple[StatementText, Span]]:
    """Yields the statements that a half sends on any of its paths, with their places in its script, and the code whose SQL is not known."""
    for chunk in half.chunks:
        for piece in split(half.script.text, chunk.start, chunk.end):
            yield _tokens(piece), piece.span
    for call in half.program.calls if half.program is not None else ():
        if call.opaque:
            yield ("opaque", call.opaque, _code(half, call.file_span)), call.sql_span


def _code(half: Half, span: Span) -> str:
    return " ".join(half.file.text[span.start : span.end].split())


def _tokens(piece: RawStatement | MetaCommand) -> StatementText:
    if isinstance(piece, MetaCommand):
        return (piece.command, piece.arguments)
    last = piece.span.end
    words = tuple(_token(piece, number) for number, start in enumerate(piece.starts) if start < last)
    return (*words, piece.text[piece.data.start : piece.data.end]) if piece.data is not None else words


def _token(statement: RawStatement, number: int) -> str:
    start, end = statement.starts[number], statement.end_of(number)
    word = statement.words[number]
    text = statement.text[start:end]
    if statement.kinds[number] == DOLLAR_STRING:
        # The body of a function or a DO block: its white space and its comments do not count either.
        tag = text[: text.index("$", 1) + 1]
        return "\n".join("\t".join(tokens) for tokens in statement_texts(text[len(tag) : -len(tag)]))
    return word if word.lower() == text.lower() else text
