"""JSON documents that satisfy CHECKs on their members, as SQL expressions in `n`, the number of the row."""

import re
from collections.abc import Iterator, Sequence
from itertools import product

from migsafe.sql.operations.values import quoted

_TYPES = {"string": "'value ' || n", "number": "n", "boolean": "n % 2 = 0", "array": "'[]'::{0}", "object": "'{{}}'::{0}"}
"""A value of each type that jsonb_typeof returns. `{0}` is json or jsonb."""

_MAX_DOCUMENTS = 24
_LITERAL = r"'((?:[^']|'')+)'(?:::text)?"


def documents_for(checks: Sequence[str], column: str, spelt: str) -> Iterator[str]:
    """Yields objects of the type `spelt` with the members that CHECKs require of a column, as PostgreSQL writes the CHECKs; the first one is
    the likeliest. Nothing for other types than json and jsonb, and for CHECKs that name no members."""
    if spelt not in ("json", "jsonb"):
        return
    name = rf"(?<!\w){re.escape(quoted(column))}"
    text = " ".join(checks)
    keys = [match[1] for match in re.finditer(rf"{name} (?:\?|->>?) {_LITERAL}", text)]
    for listed in re.finditer(rf"{name} \?& ARRAY\[([^]]*)\]", text):
        keys += re.findall(_LITERAL, listed[1])
    members = {key: list(_values(name, key, text, spelt)) for key in dict.fromkeys(keys)}
    if not members:
        return
    for number, values in enumerate(product(*members.values())):
        if number == _MAX_DOCUMENTS:
            return
        pairs = ", ".join(f"'{key}', {value}" for key, value in zip(members, values, strict=True))
        yield f"pg_catalog.{spelt}_build_object({pairs})"


def _values(name: str, key: str, text: str, spelt: str) -> Iterator[str]:
    """Yields values of a member, the likeliest first."""
    member = rf"\(?{name} ->>? '{re.escape(key)}'(?:::text)?\)*"
    for match in re.finditer(rf"{member} = {_LITERAL}", text):
        yield f"'{match[1]}'::text"
    for match in re.finditer(rf"jsonb?_typeof\({member} = {_LITERAL}", text):
        if match[1] in _TYPES:
            yield _TYPES[match[1]].format(spelt)
    for match in re.finditer(rf"{member}::(?:integer|bigint|numeric|double precision)\)? (?:[<>=]+) \(?(-?\d+(?:\.\d+)?)", text):
        yield from (f"{match[1]} + 1 + n % 100", f"{match[1]} - 1 - n % 100", match[1])
    yield from (template.format(spelt) for template in _TYPES.values())
