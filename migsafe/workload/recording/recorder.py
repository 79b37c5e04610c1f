"""Counts the statements that an application sends, by query and call site."""

from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from migsafe.workload.normal_text import NormalText
from migsafe.workload.query import CallSite, Query
from migsafe.workload.recording.call_sites import CallSites, Site
from migsafe.workload.recording.journal import Journal
from migsafe.workload.recording.scopes import MIGRATING, REQUEST, Scope
from migsafe.workload.recording.statements import may_be_query, outline, read_queries, reads_catalogue

_MOST_TEXTS = 20_000
_LONGEST_KEPT = 10_000


class Count:
    """How often a place sends a query: `calls` since the last report, `per_request` the highest number within one request."""

    __slots__ = ("calls", "per_request", "query", "site")

    def __init__(self, query: NormalText, site: Site) -> None:
        self.query = query
        self.site = site
        self.calls = 0
        self.per_request = 0


class _Recorded:
    """A query with its counts by call site."""

    __slots__ = ("counts", "query")

    def __init__(self, query: NormalText) -> None:
        self.query = query
        self.counts: dict[Site, Count] = {}


class Recorder:
    """Counts statements and reports them to a journal.

    `folder` is the project's folder. `seen` is the number of statements that the drivers reported, `others` are the databases other than
    PostgreSQL that got some of them.
    """

    def __init__(self, folder: Path, journal: Journal) -> None:
        self.seen = 0
        self.others: set[str] = set()
        self._journal = journal
        self._sites = CallSites(folder)
        self._recorded: dict[str, _Recorded] = {}
        self._texts: dict[str, tuple[_Recorded, ...]] = {}
        self._outlines: dict[str, tuple[_Recorded, ...]] = {}
        self._changed: set[Count] = set()
        self._sent_above: str | bytes | None = None
        self._test: Scope | None = None

    def statement(self, text: str | bytes, style: str, frame: FrameType | None, *, driver: bool = True) -> None:
        """Counts a statement that a driver, or a library above it, is called with.

        `frame` is the frame of the caller; `style` and `driver` are those of `read_queries` and `CallSites.in_request`.
        """
        self.seen += 1
        if not driver:
            self._sent_above = text
        elif text is self._sent_above:
            # The library above has reported it. A driver that gets another text looks at its callers, which takes longer.
            self._sent_above = None
            return
        if isinstance(text, bytes):
            text = text.decode("utf-8", "replace")
        queries = self._texts.get(text)
        if queries is None and reads_catalogue(text):
            _keep(self._texts, text, queries := ())
        if (not may_be_query(text) if queries is None else not queries) or MIGRATING.get():
            return
        scope = REQUEST.get()
        path: tuple[int, ...] | None = None
        site: Site | None
        if scope is not None:
            site = self._sites.in_request(frame, scope, driver=driver)
        elif (outside := self._sites.outside(frame, driver=driver)) is not None:
            site, path = outside
            scope = self._test if path is not None else None
        else:
            return
        if site is None:
            return
        # To read a text takes longer than all else, so only those of the application are read.
        for query in self._read(text, style) if queries is None else queries:
            self._count(query, site, scope, path)

    def start_test(self) -> None:
        """Begins to count for another test."""
        self._test = Scope()

    def end_test(self) -> None:
        """Ends to count for a test, and reports what has changed if enough time has passed."""
        self._test = None
        if self._changed and self._journal.is_due():
            self.report()

    def report(self) -> None:
        """Writes what has changed to the journal."""
        changed, self._changed = self._changed, set()
        self._journal.write(_queries(changed))

    def _count(self, query: _Recorded, site: Site, scope: Scope | None, path: tuple[int, ...] | None) -> None:
        count = query.counts.get(site)
        if count is None:
            count = query.counts[site] = Count(query.query, site)
            count.calls = count.per_request = 1
            self._journal.write(_queries((count,)))  # at once: the process may be killed
        else:
            count.calls += 1
            self._changed.add(count)
        if scope is not None and scope.counted:
            within = (count, path) if path is not None else count
            number = scope.counts[within] = scope.counts.get(within, 0) + 1
            if number > count.per_request:  # noqa: PLR1730  # max() takes longer
                count.per_request = number

    def _read(self, text: str, style: str) -> tuple[_Recorded, ...]:
        key = outline(text)
        queries = self._outlines.get(key) if key is not None else None
        if queries is None:
            queries = tuple(self._known(query) for query in read_queries(text, style))
            if key is not None:
                _keep(self._outlines, key, queries)
        _keep(self._texts, text, queries)
        return queries

    def _known(self, query: NormalText) -> _Recorded:
        return self._recorded.setdefault(query.fingerprint, _Recorded(query))


def _keep(cache: dict[str, tuple[_Recorded, ...]], text: str, queries: tuple[_Recorded, ...]) -> None:
    if len(text) > _LONGEST_KEPT:
        return
    if len(cache) >= _MOST_TEXTS:
        cache.clear()
    cache[text] = queries


def _queries(counts: "set[Count] | tuple[Count]") -> Iterator[Query]:
    """Yields what counts have seen since the last report, and resets their calls."""
    for count in counts:
        calls, count.calls = count.calls, 0
        place = CallSite(path=count.site.path, line=count.site.line, name=count.site.name, calls=calls, per_request=count.per_request)
        normal = count.query
        yield Query(text=normal.text, fingerprint=normal.fingerprint, parameters=normal.parameters(), places=(place,), calls=calls)
