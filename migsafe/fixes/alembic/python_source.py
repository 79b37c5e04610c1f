"""A Python script with the places of its syntax nodes, as offsets in its text."""

from collections.abc import Iterator

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper, ParentNodeProvider

from migsafe.text import Span


class NotPython(Exception):
    """The text cannot be parsed."""


class PythonSource:
    """A script, its syntax tree, and the span of each node. Raises NotPython."""

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self.module = cst.parse_module(text)
        except (cst.ParserSyntaxError, RecursionError) as error:
            raise NotPython(str(error)) from error
        wrapper = MetadataWrapper(self.module, unsafe_skip_copy=True)
        self._spans = wrapper.resolve(ByteSpanPositionProvider)
        self._parents = wrapper.resolve(ParentNodeProvider)
        self._offsets = None if text.isascii() else _character_offsets(text)
        self.newline = self.module.default_newline
        self.indent = self.module.default_indent

    def span(self, node: cst.CSTNode) -> Span:
        """Returns the span of a node, without the space, the comments and the line end around it."""
        place = self._spans[node]
        start, end = place.start, place.start + place.length
        return Span(start, end) if self._offsets is None else Span(self._offsets[start], self._offsets[end])

    def source(self, node: cst.CSTNode) -> str:
        """Returns the text of a node."""
        return self.text[slice(*self.span(node))]

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """Returns the node that contains a node; None for the module."""
        return self._parents.get(node)

    def parents(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yields the nodes around a node, from the inside to the outside."""
        above = self.parent(node)
        while above is not None:
            yield above
            above = self.parent(above)

    def simple_statement_at(self, offset: int) -> cst.SimpleStatementLine | None:
        """Returns the line of simple statements that contains an offset."""
        for node in self._spans:
            if isinstance(node, cst.SimpleStatementLine):
                start, end = self.span(node)
                if start <= offset < end:
                    return node
        return None

    def nodes(self, *kinds: type[cst.CSTNode]) -> Iterator[cst.CSTNode]:
        """Yields the nodes of some kinds."""
        return (node for node in self._spans if isinstance(node, kinds))

    def function(self, name: str) -> cst.FunctionDef | None:
        """Returns a function at the top level; None unless there is exactly one of the name."""
        found = [node for node in self.module.body if isinstance(node, cst.FunctionDef) and node.name.value == name]
        return found[0] if len(found) == 1 else None

    def line_start(self, offset: int) -> int:
        """Returns the offset at which the line of an offset begins."""
        return self.text.rfind("\n", 0, offset) + 1

    def next_line(self, offset: int) -> int:
        """Returns the offset at which the line after an offset begins."""
        end = self.text.find("\n", offset)
        return end + 1 if end >= 0 else len(self.text)

    def indentation(self, offset: int) -> str:
        """Returns the space at the beginning of the line of an offset."""
        line = self.text[self.line_start(offset) : self.next_line(offset)]
        return line[: len(line) - len(line.lstrip(" \t"))]


def _character_offsets(text: str) -> list[int]:
    """Returns the offset in characters for each offset in bytes."""
    offsets = []
    for number, character in enumerate(text):
        offsets += [number] * len(character.encode())
    return [*offsets, len(text)]


def called_name(node: cst.BaseExpression) -> str:
    """Returns a dotted name such as `op.execute`; empty for another expression."""
    match node:
        case cst.Name(value=name):
            return name
        case cst.Attribute(value=value, attr=cst.Name(value=name)):
            inner = called_name(value)
            return f"{inner}.{name}" if inner else ""
    return ""


def names_in(node: cst.CSTNode) -> set[str]:
    """Returns the names that a node uses, without those of attributes and keywords."""
    match node:
        case cst.Name(value=name):
            return {name}
        case cst.Attribute(value=value):
            return names_in(value)
        case cst.Arg(value=value):
            return names_in(value)
    return {name for child in node.children for name in names_in(child)}
