"""The oracle: the content of statements as PostgreSQL's grammar and as migsafe's operations have it, in a form that can be compared."""

from collections.abc import Sequence
from itertools import zip_longest

import pglast

from migsafe.sql.operations import Operation
from tests.sql.oracle import operations as _operations
from tests.sql.oracle import trees as _trees
from tests.sql.oracle.entry import Entry, Signature, UnmappedError

__all__ = ["Entry", "Signature", "UnmappedError", "difference", "of_operations", "of_tree", "pattern", "postgres_accepts"]

of_tree = _trees.statement
"""The signature of a statement of PostgreSQL's grammar."""


def of_operations(operations: Sequence[Operation]) -> Signature:
    """The signature of the operations of one statement."""
    return _operations.statement(operations)


def postgres_accepts(sql: str) -> bool:
    """Whether PostgreSQL's grammar accepts a script."""
    try:
        pglast.parse_sql(sql)
    except (pglast.parser.ParseError, ValueError):
        return False
    return True


def difference(real: Signature, ours: Signature) -> tuple[str, str] | None:
    """Return the first difference of two signatures, as PostgreSQL and as migsafe have it; None where they are equal."""
    for theirs, mine in zip_longest(real, ours, fillvalue=()):
        if theirs != mine:
            kinds = f"{theirs[0] if theirs else 'nothing'}: ", f"{mine[0] if mine else 'nothing'}: "
            only_real = " | ".join(part for part in theirs[1:] if part not in mine)
            only_ours = " | ".join(part for part in mine[1:] if part not in theirs)
            if not only_real and not only_ours:
                only_real, only_ours = " | ".join(theirs), " | ".join(mine)
            return kinds[0] + _from_difference(only_real, only_ours), kinds[1] + _from_difference(only_ours, only_real)
    return None


_KEPT = 60


def _from_difference(text: str, other: str) -> str:
    """Return a text without most of the beginning that it shares with another text. Its first words stay."""
    same = next((i for i, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), 0)
    return text if same <= 2 * _KEPT else f"{text[:_KEPT]}…{text[same - _KEPT :]}"


def pattern(real: str, ours: str) -> str:
    """Return the subject of a difference: the kind of the entry, and the first words of the details that differ."""
    kind = real.partition(": ")[0]
    other = ours.partition(": ")[0]
    words = {part.split(" ", 1)[0].rstrip(":") for text in (real, ours) for part in text.partition(": ")[2].split(" | ") if part}
    return f"{kind if kind == other else f'{kind} / {other}'}: {', '.join(sorted(words))[:80]}"
