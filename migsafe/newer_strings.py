"""f-strings and `except` clauses of a newer Python, written so that the running one can compile them.

From Python 3.12 an expression in an f-string may contain any string, comments and line ends (PEP 701); from 3.14 `except A, B:` needs no
parentheses (PEP 758). Line numbers stay the same, columns on the rewritten lines do not.
"""

import ast
from collections.abc import Sequence

import libcst as cst

_PREFIXES = frozenset(("f", "rf", "fr"))


def without_newer_strings(text: str) -> str:
    """Returns a module whose f-strings and `except` clauses the running Python accepts; unchanged if it cannot be read."""
    try:
        module = cst.parse_module(text)
        return module.visit(_Rewriting(module)).code
    except (cst.ParserSyntaxError, RecursionError, _Unwritable):
        return text


class _Unwritable(Exception):
    """An f-string cannot be written for the running Python."""


class _Rewriting(cst.CSTTransformer):
    """LibCST calls the methods by the names of its classes."""

    def __init__(self, module: cst.Module) -> None:
        self._module = module

    def leave_ExceptHandler(self, original_node: cst.ExceptHandler, updated_node: cst.ExceptHandler) -> cst.ExceptHandler:  # noqa: N802
        """Puts the classes into parentheses."""
        caught = updated_node.type
        if not isinstance(caught, cst.Tuple) or caught.lpar:
            return updated_node
        return updated_node.with_changes(type=caught.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()]))

    def leave_FormattedString(self, original_node: cst.FormattedString, updated_node: cst.FormattedString) -> cst.BaseExpression:  # noqa: N802
        """Writes an f-string that the running Python does not accept as a call of `join`."""
        if _is_accepted(self._module.code_for_node(original_node)):
            return updated_node
        prefix = updated_node.prefix.lower()
        if prefix not in _PREFIXES:
            raise _Unwritable
        return cst.parse_expression(self._joined(updated_node.parts, prefix.replace("f", ""), updated_node.end))

    def visit_ConcatenatedString(self, node: cst.ConcatenatedString) -> bool:  # noqa: N802
        """Leaves the parts to the whole, which can only consist of literals."""
        return False

    def leave_ConcatenatedString(self, original_node: cst.ConcatenatedString, updated_node: cst.ConcatenatedString) -> cst.BaseExpression:  # noqa: N802
        """Adds strings that are no longer literals."""
        code = self._module.code_for_node(original_node)
        return updated_node if _is_accepted(code) else cst.parse_expression(f"({self._added(original_node)})")

    def _added(self, node: cst.ConcatenatedString) -> str:
        right = node.right
        added = self._added(right) if isinstance(right, cst.ConcatenatedString) else self._module.code_for_node(_visited(right, self))
        between = self._module.code_for_node(node.whitespace_between)
        return f"{self._module.code_for_node(_visited(node.left, self))}{between}+ {added}"

    def _joined(self, parts: Sequence[cst.BaseFormattedStringContent], prefix: str, quote: str) -> str:
        return f"''.join(({''.join(self._part(part, prefix, quote) for part in parts)}))"

    def _part(self, part: cst.BaseFormattedStringContent, prefix: str, quote: str) -> str:
        """Returns the source of a part, with a comma."""
        if isinstance(part, cst.FormattedStringText):
            value = part.value.replace("{{", "{").replace("}}", "}")
            if value.endswith(quote[0]):
                if prefix:
                    raise _Unwritable
                value = f"{value[:-1]}\\{quote[0]}"
            return f"{prefix}{quote}{value}{quote},"
        if not isinstance(part, cst.FormattedStringExpression) or part.equal is not None:
            raise _Unwritable
        before = self._module.code_for_node(part.whitespace_before_expression)
        after = self._module.code_for_node(part.whitespace_after_expression)
        value = f"({before}{self._module.code_for_node(part.expression)}{after})"
        if part.conversion:
            value = f"{ {'r': 'repr', 's': 'str', 'a': 'ascii'}[part.conversion] }({value})"
        specification = f", {self._joined(part.format_spec, prefix, quote)}" if part.format_spec else ""
        return f"format({value}{specification}),"


def _visited(node: cst.BaseExpression, rewriting: _Rewriting) -> cst.CSTNode:
    visited = node.visit(rewriting)
    assert isinstance(visited, cst.CSTNode)
    return visited


def _is_accepted(code: str) -> bool:
    try:
        ast.parse(f"({code}\n)")
    except SyntaxError:
        return False
    return True
