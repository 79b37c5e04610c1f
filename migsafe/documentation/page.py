"""The parts of a rule's documentation.

A docstring has a first sentence, paragraphs (`- ` begins an item of a list), examples, and addresses:

    Unsafe, on a large table:
        CREATE INDEX orders_qty_idx ON orders (qty);

    See: https://www.postgresql.org/docs/current/sql-createindex.html
"""

from collections.abc import Iterator
from inspect import cleandoc
from textwrap import dedent

from msgspec import Struct

_SEE = "See:"


class Prose(Struct, frozen=True):
    """A paragraph, or an item of a list; on one line."""

    text: str
    item: bool = False


class Example(Struct, frozen=True):
    """Code below a heading such as `Unsafe` or `Safe, in two migrations`; the heading is empty if the code has none."""

    heading: str
    code: str

    @property
    def safe(self) -> bool | None:
        """Whether the example shows the safe way; None if it shows neither a safe nor an unsafe one."""
        kind = self.heading.partition(",")[0].split(" ")[0].lower()
        return {"safe": True, "unsafe": False}.get(kind)

    @property
    def language(self) -> str:
        """The language of the code: `python` if it begins with the name of a script, as in `# 5b1_order_notes.py`; otherwise `sql`."""
        first = self.code.partition("\n")[0]
        return "python" if first.startswith("# ") and first.endswith(".py") else "sql"


class Page(Struct, frozen=True):
    """A docstring. `see` are addresses."""

    summary: str
    blocks: tuple[Prose | Example, ...]
    see: tuple[str, ...]


def page(documentation: str) -> Page:
    """Returns the parts of a docstring."""
    summary, _, rest = cleandoc(documentation).partition("\n\n")
    blocks: list[Prose | Example] = []
    see: list[str] = []
    for piece in _pieces(rest):
        if piece.startswith(_SEE):
            see += [word for word in piece.split() if word != _SEE]
        else:
            blocks += _blocks(piece)
    return Page(_joined(summary), tuple(blocks), tuple(see))


def _pieces(text: str) -> Iterator[str]:
    """Yields the pieces of a text between its empty lines; an empty line inside of code does not separate pieces."""
    piece: list[str] = []
    for line in text.splitlines():
        if not line.strip() and not (piece and piece[-1].startswith("    ")):
            if piece:
                yield "\n".join(piece)
            piece = []
        elif line.strip() and not line.startswith("    ") and piece and (not piece[-1].strip() or piece[-1].startswith("    ")):
            yield "\n".join(piece).rstrip()
            piece = [line]
        else:
            piece.append(line)
    if piece:
        yield "\n".join(piece).rstrip()


def _blocks(piece: str) -> Iterator[Prose | Example]:
    """Yields the paragraphs of a piece, and the code at its end with the heading before it."""
    lines = piece.splitlines()
    first = next((number for number, line in enumerate(lines) if line.startswith("    ")), len(lines))
    before, code = lines[:first], "\n".join(lines[first:])
    heading = before.pop().removesuffix(":") if code and before and before[-1].endswith(":") else ""
    yield from _prose(before)
    if code:
        yield Example(heading, dedent(code))


def _prose(lines: list[str]) -> Iterator[Prose]:
    paragraph: list[str] = []
    for line in lines:
        if line.startswith("- ") and paragraph:
            yield _paragraph(paragraph)
            paragraph = []
        paragraph.append(line)
    if paragraph:
        yield _paragraph(paragraph)


def _paragraph(lines: list[str]) -> Prose:
    text = _joined("\n".join(lines))
    return Prose(text.removeprefix("- "), item=text.startswith("- "))


def _joined(text: str) -> str:
    return " ".join(line.strip() for line in text.splitlines())
