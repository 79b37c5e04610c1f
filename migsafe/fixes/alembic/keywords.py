"""Fixes that only add an argument to the call that is there: its other arguments, its format and its comments stay."""

import libcst as cst
from msgspec import structs

from migsafe.fixes.alembic.python_source import PythonSource
from migsafe.fixes.alembic.text_edits import TextEdit, apply_edits
from migsafe.fixes.shapes import shape
from migsafe.sql import operations as sql
from migsafe.sql.operations import Operation

_METHODS = {
    "create_index": sql.CreateIndex,
    "drop_index": sql.Drop,
    "create_foreign_key": sql.AddConstraint,
    "create_check_constraint": sql.AddConstraint,
}


def keywords_for(method: str, old: Operation, new: Operation) -> dict[str, str] | None:
    """Returns the arguments that make a method of `op`, which sends the operation `old`, send `new`: none if it does already. The result
    is None if arguments are not enough."""
    if type(old) is not type(new) or not isinstance(old, _METHODS.get(method, ())):
        return None
    keywords: dict[str, str] = {}
    match old, new:
        case (sql.CreateIndex(concurrently=False), sql.CreateIndex(concurrently=True)) | (
            sql.Drop(kind="index", concurrently=False),
            sql.Drop(kind="index", concurrently=True),
        ):
            keywords["postgresql_concurrently"] = "True"
        case sql.AddConstraint(constraint=before), sql.AddConstraint(constraint=after) if not before.not_valid and after.not_valid:
            keywords["postgresql_not_valid"] = "True"
    for field in ("if_not_exists", "if_exists"):
        if getattr(old, field, False) != getattr(new, field, False):
            keywords[field] = str(getattr(new, field))
    ignored = {_FIELDS.get(keyword, keyword) for keyword in keywords}
    return keywords if shape(old, ignored) == shape(new, ignored) else None


_FIELDS = {"postgresql_concurrently": "concurrently", "postgresql_not_valid": "not_valid"}


def with_keywords(statement: str, keywords: dict[str, str], newline: str) -> str:
    """Returns the text of a statement that is one call, with arguments added, or changed where the call has them."""
    source, call = _parsed(statement, newline)
    edits, added = [], []
    for name, value in keywords.items():
        existing = next((arg for arg in call.args if arg.keyword is not None and arg.keyword.value == name), None)
        if existing is not None:
            edits.append(TextEdit(*source.span(existing.value), value))
        else:
            added.append(f"{name}={value}")
    return apply_edits(statement, [*edits, *(_added(source, call, added) if added else ())])


def without_not_null(statement: str, newline: str) -> str:
    """Returns the text of a statement that is a call of `alter_column`, without what makes the column NOT NULL."""
    source, call = _parsed(statement, newline)
    changed = (arg for arg in call.args if arg.keyword is not None and arg.keyword.value == "nullable")
    return apply_edits(statement, [TextEdit(*source.span(arg), "existing_nullable=True") for arg in changed])


def adds_nullable_instead(method: str, old: Operation, new: Operation) -> bool:
    """Whether a call of `add_column`, which sends `old`, sends `new` when the column is nullable."""
    if method != "add_column" or not isinstance(old, sql.AddColumn) or not isinstance(new, sql.AddColumn):
        return False
    others = tuple(each for each in old.column.constraints if each.kind is not sql.ConstraintKind.NOT_NULL)
    nullable = structs.replace(old, column=structs.replace(old.column, not_null=False, constraints=others))
    return old.column.not_null and shape(nullable, {"new_enum"}) == shape(new, {"new_enum"})


def with_nullable_column(statement: str, newline: str) -> str | None:
    """Returns the text of a statement that is a call of `add_column`, with a nullable column; None if its `nullable=False` is not found."""
    source, _ = _parsed(statement, newline)
    arguments = (node for node in source.nodes(cst.Arg) if isinstance(node, cst.Arg))
    values = [arg.value for arg in arguments if arg.keyword is not None and arg.keyword.value == "nullable"]
    if len(values) != 1 or source.source(values[0]) != "False":
        return None
    return apply_edits(statement, [TextEdit(*source.span(values[0]), "True")])


def _parsed(statement: str, newline: str) -> tuple[PythonSource, cst.Call]:
    """Returns a statement that is one call with the places of its parts."""
    source = PythonSource(statement + newline)
    call = next(node for node in source.nodes(cst.Call) if source.span(node) == (0, len(statement)))
    assert isinstance(call, cst.Call)
    return source, call


def _added(source: PythonSource, call: cst.Call, arguments: list[str]) -> list[TextEdit]:
    """Returns the edits that add arguments at the end of a call."""
    end = source.span(call).end - 1
    if not call.args:
        return [TextEdit(end, end, ", ".join(arguments))]
    last = call.args[-1]
    last_end = source.span(last).end
    has_comma = isinstance(last.comma, cst.Comma)
    line = source.line_start(end)
    if last_end < line and not source.text[line:end].strip():
        # The closing parenthesis has its own line, and so gets each argument.
        comma = [] if has_comma else [TextEdit(last_end, last_end, ",")]
        indentation = source.indentation(source.span(last).start)
        return [*comma, TextEdit(line, line, "".join(f"{indentation}{argument},{source.newline}" for argument in arguments))]
    if has_comma:
        comma_end = source.text.index(",", last_end) + 1
        return [TextEdit(comma_end, comma_end, f" {', '.join(arguments)}")]
    return [TextEdit(last_end, last_end, f", {', '.join(arguments)}")]
