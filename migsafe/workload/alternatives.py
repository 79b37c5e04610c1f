"""The parts of an OR, each of which an index may serve."""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.expressions.queries.shapes import Condition, Either
from migsafe.workload.proposals import is_selective
from migsafe.workload.terms import OUTER, Term, Terms


class Part(Struct):
    """A part of an OR, with its terms on one table."""

    condition: Condition
    terms: list[Term]


def alternatives_of(terms: Terms, at: int, condition: Either) -> list[Part]:
    """Returns the parts of an OR with their terms; nothing if a part has none on the table."""
    parts = [Part(part, [term for term in terms.of(at, [part]) if _is_alternative(term)]) for part in condition.parts]
    return parts if all(part.terms for part in parts) else []


def _is_alternative(term: Term) -> bool:
    """Whether an index can find the rows of one part of an OR: not those that a query after IN or ANY returns."""
    return term.query is None or term.operator not in ("in", "any")


def known_alternatives(alternatives: list[list[Part]], found: set[int]) -> Iterator[list[Part]]:
    """Yields the parts of each OR with the terms that compare with tables that are found."""
    for parts in alternatives:
        yield [Part(part.condition, [term for term in part.terms if term.others <= found | {OUTER}]) for part in parts]


def selects_few(parts: list[Part]) -> bool:
    """Whether each part of an OR selects few rows."""
    return all(any(map(is_selective, part.terms)) for part in parts)
