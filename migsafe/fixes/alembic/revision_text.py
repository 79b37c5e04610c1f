"""The text of a new revision, with the header and the style of the revision before it."""

import re
from collections.abc import Iterable, Iterator, Sequence

import libcst as cst
from msgspec import Struct

from migsafe.fixes.alembic.code import Piece, Style, assemble
from migsafe.fixes.alembic.python_source import PythonSource, called_name, names_in
from migsafe.fixes.alembic.revision_names import RevisionName
from migsafe.fixes.alembic.text_edits import TextEdit, apply_edits
from migsafe.patterns import lazy_pattern

_IDENTIFIERS = ("revision", "down_revision", "branch_labels", "depends_on")
_COMPOUND = (cst.FunctionDef, cst.ClassDef, cst.If, cst.For, cst.While, cst.Try, cst.With)
_LINE = lazy_pattern(r"^(Revision ID|Revises|Create Date):([ \t]*)(.*)$", re.MULTILINE)
_QUOTES = lazy_pattern(r"[rRuU]*(\"\"\"|'''|\"|')")
_TEMPLATE_DOCSTRINGS = ('"""Upgrade schema."""', '"""Downgrade schema."""')


class RevisionBody(Struct, frozen=True):
    """The code of a new revision."""

    upgrade: Sequence[Piece]
    downgrade: Sequence[Piece]


def revision_text(edited: PythonSource, style: Style, name: RevisionName, parent: str, body: RevisionBody) -> str:
    """Returns the text of a revision that follows another one, whose style is that of an edited script."""
    upgrade, downgrade = (_function(edited, style, function, pieces) for function, pieces in _functions(body))
    used = names_in(PythonSource(f"{upgrade}{downgrade}").module)
    header = _header(edited, name, parent, used)
    blank = edited.newline * 3
    return f"{header.rstrip()}{blank}{upgrade.rstrip()}{blank}{downgrade.rstrip()}{edited.newline}"


def _functions(body: RevisionBody) -> Iterable[tuple[str, Sequence[Piece]]]:
    return ("upgrade", body.upgrade), ("downgrade", body.downgrade)


def _function(edited: PythonSource, style: Style, name: str, pieces: Sequence[Piece]) -> str:
    original = edited.function(name) or edited.function("upgrade")
    result = f" -> {edited.source(original.returns.annotation)}" if original is not None and original.returns is not None else ""
    code = assemble(pieces, style, style.indent) if pieces else "pass"
    docstring = _template_docstring(edited, edited.function(name))
    first = f"{style.indent}{docstring}{style.newline}" if docstring else ""
    return f"def {name}(){result}:{style.newline}{first}{style.indent}{code}{style.newline}"


def _template_docstring(edited: PythonSource, function: cst.FunctionDef | None) -> str:
    """Returns the docstring of a function if it is that of Alembic's template, which says nothing about one revision."""
    match function:
        case cst.FunctionDef(body=cst.IndentedBlock(body=[cst.SimpleStatementLine() as first, *_])):
            text = edited.source(first)
            return text if text in _TEMPLATE_DOCSTRINGS else ""
    return ""


def _header(edited: PythonSource, name: RevisionName, parent: str, used: set[str]) -> str:
    """Returns the header of a script: its docstring, imports that are needed, and identifiers, with the values of the new revision."""
    statements, end = _header_statements(edited)
    edits: list[TextEdit] = []
    quote, found = '"', set()
    kept = [statement for statement in statements if _assigned(statement) in _IDENTIFIERS]
    needed = used | {used_name for statement in kept for used_name in names_in(statement)} | _constants(edited, statements)
    for number, statement in enumerate(statements):
        target = _assigned(statement)
        if number == 0 and _is_docstring(statement):
            edits.append(TextEdit(*edited.span(statement), _docstring(edited.source(statement), name, parent)))
        elif target in _IDENTIFIERS:
            found.add(target)
            value = _value(statement)
            assert value is not None
            if target == "revision" and (match := _QUOTES.match(edited.source(value))):
                quote = match[1][0]
            texts = {"revision": f"{quote}{name.version}{quote}", "down_revision": f"{quote}{parent}{quote}"}
            edits.append(TextEdit(*edited.span(value), texts.get(target, "None")))
            if target == "down_revision":
                edits += _with_type(edited, statement)
        elif not _is_needed(statement, needed):
            edits.append(_removal(edited, statement))
    header = apply_edits(edited.text[:end], edits)
    if "revision" not in found or "down_revision" not in found:
        header += f"{edited.newline}revision = {quote}{name.version}{quote}{edited.newline}down_revision = {quote}{parent}{quote}"
    return _without_gaps(header, edited.newline)


def _header_statements(edited: PythonSource) -> tuple[list[cst.SimpleStatementLine], int]:
    """Returns the statements before the first function, and where they end."""
    statements: list[cst.SimpleStatementLine] = []
    for statement in edited.module.body:
        if isinstance(statement, _COMPOUND):
            break
        if isinstance(statement, cst.SimpleStatementLine):
            statements.append(statement)
    return statements, edited.next_line(edited.span(statements[-1]).end) if statements else 0


def _assigned(statement: cst.SimpleStatementLine) -> str:
    """Returns the name to which a statement assigns a value; empty for another statement."""
    match statement.body:
        case [cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))])]:
            return name
        case [cst.AnnAssign(target=cst.Name(value=name), value=cst.BaseExpression())]:
            return name
    return ""


def _value(statement: cst.SimpleStatementLine) -> cst.BaseExpression | None:
    match statement.body:
        case [cst.Assign(value=value)] | [cst.AnnAssign(value=value)]:
            return value
    return None


def _with_type(edited: PythonSource, statement: cst.SimpleStatementLine) -> Iterator[TextEdit]:
    """Yields the edit of an annotation that only allows None."""
    match statement.body:
        case [cst.AnnAssign(annotation=cst.Annotation(annotation=cst.Name(value="None") as annotation))]:
            yield TextEdit(*edited.span(annotation), "str")


def _is_docstring(statement: cst.SimpleStatementLine) -> bool:
    match statement.body:
        case [cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString())]:
            return True
    return False


def _docstring(text: str, name: RevisionName, parent: str) -> str:
    """Returns the docstring of a revision as that of another one."""
    match = _QUOTES.match(text)
    if match is None:
        return text
    values = {"Revision ID": name.version, "Revises": parent, "Create Date": name.created}
    lines = [f"{label}:{space or ' '}{values[label]}" for label, space, _ in _LINE.findall(text)]
    multiline = "\n" in text
    ending = text[len(text.rstrip(match[1]).rstrip()) : len(text) - len(match[1])] if multiline else ""
    newline = "\r\n" if "\r\n" in text else "\n"
    title = name.title.replace("\\", "\\\\").replace(match[1][0], "'" if match[1][0] == '"' else '"')
    content = newline.join((title, "", *lines)) if lines else title
    start = text[: match.end()] + (newline if text[match.end() :].startswith(("\n", "\r")) else "")
    return f"{start}{content}{ending}{match[1]}"


def _constants(edited: PythonSource, statements: Sequence[cst.SimpleStatementLine]) -> set[str]:
    """Returns the names of constants in the header that the script itself does not use: they are for the project."""
    counts: dict[str, int] = {}
    for node in edited.nodes(cst.Name):
        if isinstance(node, cst.Name):
            counts[node.value] = counts.get(node.value, 0) + 1
    return {
        name
        for statement in statements
        if (name := _assigned(statement)) and counts[name] == 1 and isinstance(_value(statement), cst.SimpleString | cst.Name | cst.Integer)
    }


def _is_needed(statement: cst.SimpleStatementLine, names: set[str]) -> bool:
    """Whether a new revision needs a statement of the header: a constant, or an import of one of the names."""
    if _assigned(statement):
        return _assigned(statement) in names
    match statement.body:
        case [cst.ImportFrom(module=module, names=[*aliases])]:
            source = called_name(module) if module is not None else ""
            imported = {alias.evaluated_alias or called_name(alias.name) for alias in aliases}
            return source in ("__future__", "alembic") or bool(imported & names)
        case [cst.Import(names=aliases)]:
            imported = {(alias.evaluated_alias or called_name(alias.name)).split(".")[0] for alias in aliases}
            return bool(imported & names) or any(called_name(alias.name) in ("sqlalchemy", "alembic") for alias in aliases)
    return False


def _removal(edited: PythonSource, statement: cst.SimpleStatementLine) -> TextEdit:
    """Returns the edit that removes a statement with the comments directly above it."""
    span = edited.span(statement)
    start = edited.line_start(span.start)
    while start and edited.text[edited.line_start(start - 1) : start].lstrip().startswith("#"):
        start = edited.line_start(start - 1)
    return TextEdit(start, edited.next_line(span.end), "")


def _without_gaps(header: str, newline: str) -> str:
    """Returns a header in which no more than two empty lines follow each other."""
    return re.sub(r"(?:[ \t]*\r?\n){4,}", newline * 3, header)
