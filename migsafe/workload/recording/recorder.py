"""Counts the statements that an application sends, by query and call site."""

from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from migsafe.workload.normal_text import NormalText
from migsafe.workload.query import CallSite, Query
from migsafe.workload.recording.call_sites import CallSites, Site
from migsafe.workload.recording.journal import Journal
from migsafe.workload.recording.scopes import MIGRATING, REQUEST, Scope
from migsafe.workload.recording.statements import outline, read_queries

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


class Recorder:
    """Counts statements and reports them to a journal.

    `folder` is the project's folder. `seen` is the number of statements that the drivers reported, `sent` of those that the application sent.
    """

    def __init__(self, folder: Path, journal: Journal) -> None:
        self.seen = 0
        self.sent = 0
        self._journal = journal
        self._sites = CallSites(folder)
        self._texts: dict[str, tuple[NormalText, ...]] = {}
        self._outlines: dict[str, tuple[NormalText, ...]] = {}
        self._counts: dict[tuple[str, Site], Count] = {}
        self._changed: set[Count] = set()
        self._test: Scope | None = None

    def statement(self, text: str | bytes, style: str, frame: FrameType | None, *, driver: bool = True) -> None:
        """Counts a statement that a driver, or a library above it, is called with.

        `frame` is the frame of the caller; `style` and `driver` are those of `read_queries` and `CallSites.in_request`.
        """
        if isinstance(text, bytes):
            text = text.decode("utf-8", "replace")
        self.seen += 1
        queries = self._texts.get(text)
        if queries is None:
            queries = self._read(text, style)
        if not queries or MIGRATING.get():
            return
        request = REQUEST.get()
        path: tuple[int, ...] | None = None
        scope = request
        if request is not None:
            site = self._sites.in_request(frame, request, driver=driver)
        else:
            outside = self._sites.outside(frame, driver=driver)
            site, path = outside if outside is not None else (None, None)
            scope = self._test if path is not None else None
        if site is None:
            return
        self.sent += 1
        for query in queries:
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

    def _count(self, query: NormalText, site: Site, scope: Scope | None, path: tuple[int, ...] | None) -> None:
        key = query.fingerprint, site
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = Count(query, site)
        count.calls += 1
        number = 1
        if scope is not None and scope.counted:
            within = (count, path)
            number = scope.counts[within] = scope.counts.get(within, 0) + 1
        is_new = not count.per_request
        count.per_request = max(count.per_request, number)
        if is_new:
            self._journal.write(_queries((count,)))  # at once: the process may be killed
        else:
            self._changed.add(count)

    def _read(self, text: str, style: str) -> tuple[NormalText, ...]:
        key = outline(text)
        queries = self._outlines.get(key) if key is not None else None
        if queries is None:
            queries = read_queries(text, style)
            if key is not None:
                _keep(self._outlines, key, queries)
        _keep(self._texts, text, queries)
        return queries


def _keep(cache: dict[str, tuple[NormalText, ...]], text: str, queries: tuple[NormalText, ...]) -> None:
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
