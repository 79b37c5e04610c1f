"""The file of recorded queries: JSON lines, one for each fingerprint, sorted, so that it is small and git shows readable differences.

    {"migsafe":"queries","version":1}
    {"text":"SELECT id FROM orders WHERE customer_id = $1","fingerprint":"…","parameters":["bigint"],"calls":12,
     "places":[{"path":"shop/orders.py","line":40,"name":"of_customer","calls":12,"per_request":3}]}

(here on two lines for the page). Processes that record append lines (`line`) behind one `header`, in any order and with repeated fingerprints.
So a process that is killed loses at most its last line.
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from migsafe.errors import UnreadableError, unreadable
from migsafe.patterns import lazy_pattern
from migsafe.terminal.output import write_whole
from migsafe.workload.normal_text import normal_text
from migsafe.workload.query import CallSite, Query

VERSION = 1
MOST_QUERIES = 50_000
"""A file with more fingerprints is refused: its texts contain values, or names that change with each run."""

_NAME = "queries"
_LONGEST_LINE = 1 << 20
_MOST_PLACES = 20
_MOST_MERGED_PLACES = 100
_RECORD_AGAIN = "Record the queries again: `pytest --migsafe-record FILE`."
# What a literal may begin with. A text without it has no values; others are examined token by token.
_PERHAPS_VALUE = lazy_pattern(r"['\\]|\$(?!\d)|(?<![\w$\".])\.?\d|--|/\*")


class _Header(Struct, frozen=True):
    migsafe: str
    version: int


class _Line(Struct, frozen=True, omit_defaults=True):
    text: str
    fingerprint: str
    parameters: tuple[str | None, ...] = ()
    calls: Annotated[int, Meta(ge=0)] = 0
    mean_ms: float | None = None
    places: tuple[CallSite, ...] = ()


_ENCODER = msgspec.json.Encoder()
_HEADER_DECODER = msgspec.json.Decoder(_Header)
_DECODER = msgspec.json.Decoder(_Line)


def header() -> bytes:
    """Returns the first line of a file of queries."""
    return _ENCODER.encode({"migsafe": _NAME, "version": VERSION}) + b"\n"


def line(query: Query) -> bytes:
    """Returns the line of a query. Of many call sites, those that send it most often in one request, and most often, are kept."""
    places = tuple(sorted(_foremost(query.places, _MOST_PLACES), key=lambda place: (place.path, place.line, place.name)))
    mean = round(query.mean_ms, 3) if query.mean_ms is not None else None
    return _ENCODER.encode(_Line(query.text, query.fingerprint, query.parameters, query.calls, mean, places)) + b"\n"


def write_document(path: str, queries: Iterable[Query]) -> None:
    """Writes a file of queries, in place of one that exists. Raises MigsafeError."""
    write_whole(b"".join(_lines(queries)).decode(), path)


def document_text(queries: Iterable[Query]) -> str:
    """Returns the text of a file of queries, in which literals are masked."""
    collection = Collection()
    for query in queries:
        collection.add(_masked(query))
    return b"".join(_lines(collection.queries())).decode()


def _lines(queries: Iterable[Query]) -> Iterator[bytes]:
    yield header()
    yield from (line(query) for query in sorted(queries, key=lambda query: (query.text, query.fingerprint)))


def read_document(path: str, *, unfinished: bool = False, content: bytes | None = None) -> list[Query]:
    """Returns the queries of a file, each fingerprint once. Values in its texts are masked. `content` is what the file contains, if that
    is known.

    `unfinished`: the last line may be incomplete, as behind a process that was killed; it is left out. Raises UnreadableError for a
    file that is not one of queries, is of another version, is truncated, or has too many queries.
    """
    collection = Collection()
    for number, query in _read(path, unfinished=unfinished, content=content):
        collection.add(query)
        if len(collection) > MOST_QUERIES:
            raise UnreadableError(
                f"{path}: line {number}: has more than {MOST_QUERIES:,} different queries",
                "Names that change with each run, such as those of temporary tables, make a query different.",
            )
    return collection.queries()


class Collection:
    """Queries of which each fingerprint is kept once: calls are added up, and call sites merged."""

    def __init__(self) -> None:
        self._queries: dict[str, Query] = {}

    def __len__(self) -> int:
        return len(self._queries)

    def __contains__(self, fingerprint: str) -> bool:
        return fingerprint in self._queries

    def add(self, query: Query) -> None:
        """Adds a query that was seen `query.calls` times more."""
        known = self._queries.get(query.fingerprint)
        self._queries[query.fingerprint] = merged(known, query) if known is not None else query

    def queries(self) -> list[Query]:
        """Returns the queries, sorted by their texts."""
        return sorted(self._queries.values(), key=lambda query: (query.text, query.fingerprint))


def merged(query: Query, other: Query) -> Query:
    """Returns a query with what is known of an equal one: the text of the first, and the calls and call sites of both; of very many, the
    foremost."""
    places = {(place.path, place.line, place.name): place for place in query.places}
    for place in other.places:
        key = place.path, place.line, place.name
        known = places.get(key)
        if known is not None:
            most = max(known.per_request, place.per_request)
            places[key] = replace(place, calls=known.calls + place.calls, per_request=most)
        else:
            places[key] = place
    calls = query.calls + other.calls
    means = [each for each in (query, other) if each.mean_ms is not None]
    weight = sum(each.calls for each in means)
    return Query(
        text=query.text,
        fingerprint=query.fingerprint,
        parameters=_common_types(query, other),
        places=_foremost(tuple(places[key] for key in sorted(places)), _MOST_MERGED_PLACES),
        calls=calls,
        mean_ms=sum((each.mean_ms or 0.0) * each.calls for each in means) / weight if weight else query.mean_ms,
    )


def _foremost(places: tuple[CallSite, ...], most: int) -> tuple[CallSite, ...]:
    """Returns at most so many places: those that send a query most often in one request, and most often."""
    if len(places) <= most:
        return places
    return tuple(sorted(places, key=lambda place: (-place.per_request, -place.calls, place.path, place.line))[:_MOST_PLACES])


def _common_types(query: Query, other: Query) -> tuple[str | None, ...]:
    """Returns the types of a query's parameters, and those of an equal text where they are unknown; no type where the two differ."""
    if query.text != other.text or query.parameters == other.parameters:
        return query.parameters or (other.parameters if query.text == other.text else ())
    length = max(len(query.parameters), len(other.parameters))
    pairs = zip(*(each.parameters + (None,) * (length - len(each.parameters)) for each in (query, other)), strict=True)
    return tuple(mine or its if mine is None or its is None or mine == its else None for mine, its in pairs)


def _read(path: str, *, unfinished: bool, content: bytes | None = None) -> Iterator[tuple[int, Query]]:
    """Yields the queries of a file, with the numbers of their lines."""
    try:
        with Path(path).open("rb") if content is None else BytesIO(content) as file:
            _check_header(path, file.readline(_LONGEST_LINE))
            number = 1
            while text := file.readline(_LONGEST_LINE):
                number += 1
                if not text.endswith(b"\n"):
                    if len(text) == _LONGEST_LINE:
                        raise UnreadableError(f"{path}: line {number}: is longer than {_LONGEST_LINE >> 20} MB", _RECORD_AGAIN)
                    if unfinished:
                        return
                    raise UnreadableError(f"{path}: line {number}: the file is truncated", _RECORD_AGAIN)
                if text.strip():
                    yield number, _query(path, number, text)
    except OSError as error:
        raise unreadable(path, error) from error


def _check_header(path: str, first: bytes) -> None:
    """Raises UnreadableError if a file of queries of this version does not begin with a line."""
    try:
        found = _HEADER_DECODER.decode(first.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = None
    if found is None or found.migsafe != _NAME:
        raise UnreadableError(f"{path}: is not a file of queries: its first line is not {header().decode().strip()}", _RECORD_AGAIN)
    if found.version != VERSION:
        hint = _RECORD_AGAIN if found.version < VERSION else "A newer migsafe wrote it. Update migsafe."
        raise UnreadableError(f"{path}: has version {found.version} of the format; this migsafe reads version {VERSION}", hint)


def _query(path: str, number: int, text: bytes) -> Query:
    try:
        found = _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableError(f"{path}: line {number}: is not a query: {error}", _RECORD_AGAIN) from error
    query = Query(
        text=found.text,
        fingerprint=found.fingerprint,
        parameters=found.parameters,
        places=found.places,
        calls=found.calls,
        mean_ms=found.mean_ms,
    )
    return _masked(query)


def _masked(query: Query) -> Query:
    """Returns a query without values."""
    if not _PERHAPS_VALUE.search(query.text):
        return query
    normal = normal_text(query.text)
    if normal.text == query.text:
        return query
    return replace(query, text=normal.text, fingerprint=normal.fingerprint, parameters=normal.parameters(query.parameters))
