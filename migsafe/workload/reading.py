"""Reading the queries of a project: those of its files, and recorded ones."""

import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from hashlib import blake2b
from itertools import chain
from pathlib import Path

from migsafe.errors import ConfigError, UnreadableError
from migsafe.text import Script
from migsafe.workload.document import Collection, header, merged, read_document
from migsafe.workload.normal_text import normal_text, production_fingerprint
from migsafe.workload.production import read_statements
from migsafe.workload.query import CallSite, Query, UnreadQuery, Workload
from migsafe.workload.sources import python, rust, sqlc, sqlx
from migsafe.workload.sources.files import Kept, PastProjectFiles, ProjectFiles
from migsafe.workload.sources.found import CreatedTable, Found, kept_queries
from migsafe.workload.sources.named import named_queries

_MIGRATIONS = frozenset("migrations migration migrate versions schema schemas seeds fixtures testdata test tests".split())
_HEADER_START = header()[:10].decode()


def read_workload(
    paths: Sequence[str],
    folder: str = ".",
    *,
    complete: bool = False,
    revision: str | None = None,
    kept: Kept | None = None,
    on_git_answer: Callable[[str | None, list[str], list[str]], None] | None = None,
) -> Workload:
    """Returns the queries of a project.

    `paths` are files and folders, relative to the current folder: recorded workloads, configurations of sqlc, `.sqlx`, files of named queries,
    Python, or folders that contain these. `folder` is the project's folder, to which the paths of call sites are relative. With a `revision`
    of git, `running` are the queries of the same paths at the commit that the current branch left; a path that did not exist there is
    assumed to be unchanged. `kept` has what earlier runs have read; `on_git_answer` receives what git was asked (a revision, folders) and all
    that its answer depends on. Raises MigsafeError for a path that does not exist, a file that cannot be read, and an unknown revision.
    """
    files = ProjectFiles(folder, kept)
    names = [files.name(path) for path in paths]
    for path, name in zip(paths, names, strict=True):
        if not files.is_file(name) and not files.is_folder(name):
            raise ConfigError(f"queries: {path} does not exist", "Name the files or folders of the application's queries, or remove the path.")
    parts = [_Part(files, name) for name in names]
    queries, unread = _combined(parts), tuple(each for part in parts for each in part.unread)
    created = dict.fromkeys(name for part in parts for name in part.created)
    if revision is None or not paths:
        return Workload(queries=queries, running=queries, complete=complete, unread=unread, created=tuple(created))
    from migsafe.sources.git import Comparison  # noqa: PLC0415  # not needed without a revision

    comparison = Comparison(revision, [folder])
    past = PastProjectFiles(folder, comparison.tree(folder), kept)
    past_parts = [_Part(past, part.name) if past.is_file(part.name) or past.is_folder(part.name) else part for part in parts]
    running = _combined(past_parts)
    created |= dict.fromkeys(name for part in past_parts for name in part.created)
    if on_git_answer is not None:  # after the last program that git runs
        on_git_answer(revision, [folder], comparison.answer)
    return Workload(queries=queries, running=running, compared=True, complete=complete, unread=unread, created=tuple(created))


class _Part:
    """What one path contains."""

    def __init__(self, files: ProjectFiles, name: str) -> None:
        self.files = files
        self.name = name
        self.read: list[Query] = []
        self.recorded: list[Query] = []
        self.unread: list[UnreadQuery] = []
        self.created: dict[str, None] = {}
        self._done: set[str] = set()
        if files.is_file(name):
            self._read_file(name, named=True)
        else:
            self._read_folder(files.below(name))

    def _read_folder(self, names: Sequence[str]) -> None:
        """Reads a folder: configurations first, because they say what belongs to PostgreSQL."""
        for name in names:
            if sqlc.is_configuration(name):
                self._read_sqlc(name)
        # Rust's files are searched only where sqlx has checked queries.
        self._read_sqlx([name for name in names if sqlx.is_query_file(name)])
        rest = [name for name in names if name not in self._done and not sqlc.is_configuration(name) and not sqlx.is_query_file(name)]
        for name in rest:
            if name.endswith(".jsonl") or posixpath.basename(name) == sqlx.OLD_FILE:
                self._read_file(name, named=False)
        wanted = [name for name in rest if python.is_read(name) or (name.endswith(".sql") and not self._looks_like_migration(name))]
        for name, text in self._texts(wanted):
            self._read_text(name, text, named=False)

    def _looks_like_migration(self, name: str) -> bool:
        inner = name if self.name == "." else name[len(self.name) + 1 :]
        return not _MIGRATIONS.isdisjoint(inner.split("/")[:-1])

    def _read_file(self, name: str, *, named: bool) -> None:
        """Reads a file; with `named`, the project names it, and it is an error if it contains no queries that migsafe knows."""
        try:
            self._read_known_file(name, named=named)
        except UnreadableError:
            if not isinstance(self.files, PastProjectFiles):  # what a commit contains cannot be corrected
                raise

    def _read_known_file(self, name: str, *, named: bool) -> None:
        if sqlc.is_configuration(name):
            self._read_sqlc(name)
        elif sqlx.is_query_file(name):
            self._read_sqlx([name])
        elif posixpath.basename(name) == sqlx.OLD_FILE:
            self._add(sqlx.old_file(name, self.files.read(name), rust.macro_places(self.files, posixpath.dirname(name) or ".")))
        elif name.endswith((".sql", ".py")):
            self._read_text(name, self.files.read(name), named=named)
        elif name.endswith(".json"):
            self.recorded += read_statements(self.files.path(name), self.files.read(name))
        else:
            self._read_document(name, named=named)

    def _read_document(self, name: str, *, named: bool) -> None:
        path = self.files.path(name)
        if isinstance(self.files, PastProjectFiles):
            self.recorded += read_document(path, content=self.files.read(name).encode())
        elif named or _begins_like_document(path):
            self.recorded += read_document(path)

    def _read_text(self, name: str, text: str, *, named: bool) -> None:
        script = Script(name, text)
        if not name.endswith(".py"):
            self._add_kept(("sql", name, str(named)), text, partial(named_queries, script, chosen=named), named=named)
        elif named or python.is_read(name):
            self._add_kept(("python", name), text, partial(python.python_queries, script), named=named)

    def _read_sqlc(self, name: str) -> None:
        found = sqlc.sqlc_files(self.files, name)
        self._done.update((*found.queries, *found.others))
        for query_file, text in self._texts(found.queries):
            script = Script(query_file, text)
            self._add_kept(("sqlc", query_file), text, partial(named_queries, script, sqlc=True))

    def _read_sqlx(self, names: Sequence[str]) -> None:
        places: dict[str, tuple[sqlx.Places, str]] = {}
        for name, text in self._texts(names):
            folder = posixpath.dirname(posixpath.dirname(name)) or "."
            if folder not in places:
                found = rust.macro_places(self.files, folder)
                places[folder] = found, blake2b(repr(found).encode(errors="surrogatepass"), digest_size=16).hexdigest()
            here, digest = places[folder]
            self._add_kept(("sqlx", name, digest), text, partial(sqlx.query_file, name, text, here))

    def _texts(self, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yields files that were found in a folder or a configuration, with their texts; one that cannot be read is noted."""
        for name, text in self.files.texts(names):
            if isinstance(text, UnreadableError):
                self._note(name, "the file cannot be read: ", text)
            else:
                yield name, text

    def _note(self, name: str, words: str, error: UnreadableError) -> None:
        self.unread.append(UnreadQuery(CallSite(name, 1), words + error.message.removeprefix(self.files.path(name))[2:]))

    def _add_kept(self, kind: Sequence[str], text: str, read: Callable[[], Iterable[Found]], *, named: bool = False) -> None:
        """Adds the queries of a file. One that was found in a folder or a configuration, and has too many, is noted."""
        try:
            self._add(kept_queries(self.files, kind, text, read))
        except UnreadableError as error:
            if named:
                raise
            self._note(kind[1], "the file ", error)

    def _add(self, found: Iterable[Found]) -> None:
        for each in found:
            if isinstance(each, Query):
                self.read.append(each)
            elif isinstance(each, CreatedTable):
                self.created[each.name] = None
            else:
                self.unread.append(each)


def _combined(parts: Sequence[_Part]) -> tuple[Query, ...]:
    """Returns the queries of all parts. What was recorded of a query, with its literals masked, is added to the first text of the project that
    differs only in literals."""
    read: dict[str, Query] = {}
    for query in chain.from_iterable(part.read for part in parts):
        known = read.get(query.fingerprint)
        read[query.fingerprint] = merged(known, query) if known is not None else query
    seen = list(chain.from_iterable(part.recorded for part in parts))
    texts: dict[str, str] = {}
    for query in read.values() if seen else ():
        for fingerprint in (normal_text(query.text).fingerprint, production_fingerprint(query.text)):
            texts.setdefault(fingerprint, query.fingerprint)
    recorded = Collection()
    for query in seen:
        own = texts.get(query.fingerprint)
        if own is not None:
            read[own] = merged(read[own], query)
        else:
            recorded.add(query)
    return (*read.values(), *recorded.queries())


def _begins_like_document(path: str) -> bool:
    try:
        with Path(path).open("rb") as file:
            return file.read(len(_HEADER_START)).decode("utf-8", "replace") == _HEADER_START
    except OSError:
        return False
