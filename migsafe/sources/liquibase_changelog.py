"""The .sql files that Liquibase's changelogs in XML, YAML or JSON run, in their order.

`include` and `sqlFile` name a file, `includeAll` a folder, whose files run in the order of their names, compared character by character
(liquibase/liquibase DatabaseChangeLog.java, getStandardChangeLogComparator). A name is relative to the changelog, or to a folder of resources
above it, which is not known: the first file that fits is taken.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from migsafe.errors import UnreadableError
from migsafe.patterns import lazy_pattern
from migsafe.sources.runner import Folder, subfolders
from migsafe.text import Script

CHANGELOGS = (".xml", ".yaml", ".yml", ".json")
_ROOT = "databaseChangeLog"
_ROOT_WITHIN = 4096
_COMMENT = lazy_pattern(r"<!--.*?-->|^[ \t]*#[^\r\n]*", re.DOTALL | re.MULTILINE)
_CHANGESET = lazy_pattern(r"changeSet\b", re.IGNORECASE)
_ELEMENT = lazy_pattern(r"(?<![\w$/])(includeAll|include|sqlFile)(?!\w)")
_PATH = lazy_pattern(r"\b(?:file|path)[\"']?\s*[:=]\s*[\"']?([^\"'\r\n,}>]+)")
_DBMS = lazy_pattern(r"\bdbms[\"']?\s*[:=]\s*[\"']?([^\"'\r\n}>]+)", re.IGNORECASE)
_ROLLBACK = lazy_pattern(r"<rollback\b|\brollback[\"']?\s*:", re.IGNORECASE)
_CLASSPATH = "classpath:"


class Included(Struct, frozen=True):
    """The .sql files that changelogs name, in their order. `complete` if each of the names was found."""

    scripts: tuple[Script, ...]
    complete: bool


class _Element(Struct, frozen=True):
    kind: str
    path: str


def is_changelog(folder: Folder, name: str) -> bool:
    """Whether a file of a folder is a changelog in XML, YAML or JSON."""
    if not name.endswith(CHANGELOGS):
        return False
    try:
        return _ROOT in folder.script(name).text[:_ROOT_WITHIN]
    except UnreadableError:
        return False


def included_scripts(folder: Folder) -> Included:
    """Returns the .sql files of a folder and the folders below it that the changelogs there name; none if there is no changelog."""
    changelogs: dict[str, Script] = {}
    scripts: dict[str, Script] = {}
    for inner in (folder, *subfolders(folder)):
        scripts |= {_path(inner.join(name)): inner.script(name) for name in inner.files if name.endswith(".sql")}
        changelogs |= {_path(inner.join(name)): inner.script(name) for name in inner.files if is_changelog(inner, name)}
    if not changelogs:
        return Included((), complete=False)
    walk = _Walk(_path(folder.path or "."), changelogs, scripts)
    named = {path for changelog in changelogs for path in walk.named_changelogs(changelog)}
    for changelog in sorted(changelogs.keys() - named):
        walk.run(changelog)
    return Included(tuple(walk.order.values()), complete=walk.complete)


class _Walk:
    """A walk through changelogs. `order` are the .sql files that have been named, by path."""

    def __init__(self, root: str, changelogs: Mapping[str, Script], scripts: Mapping[str, Script]) -> None:
        self._root = root
        self._changelogs = changelogs
        self._scripts = scripts
        self._walked: set[str] = set()
        self.order: dict[str, Script] = {}
        self.complete = True

    def named_changelogs(self, changelog: str) -> Iterator[str]:
        """Yields the other changelogs that one names."""
        for element in _elements(self._changelogs[changelog].text):
            yield from (path for path in self._found(changelog, element) if path in self._changelogs and path != changelog)

    def run(self, changelog: str) -> None:
        """Adds what a changelog runs."""
        if changelog in self._walked:
            return
        self._walked.add(changelog)
        for element in _elements(self._changelogs[changelog].text):
            found = self._found(changelog, element)
            self.complete = self.complete and bool(found)
            for path in found:
                if path in self._changelogs:
                    self.run(path)
                else:
                    self.order.setdefault(path, self._scripts[path])

    def _found(self, changelog: str, element: _Element) -> list[str]:
        files = self._scripts if element.kind == "sqlFile" else {**self._scripts, **self._changelogs}
        for candidate in self._candidates(changelog, element.path):
            if element.kind != "includeAll" and candidate in files:
                return [candidate]
            if element.kind == "includeAll" and (below := [path for path in files if _is_below(path, candidate) and path != changelog]):
                return sorted(below)
        return []

    def _candidates(self, changelog: str, name: str) -> Iterator[str]:
        """Yields the paths that a name may mean: relative to the changelog and to the folders above it, then without its first folders, which
        may be above the root of the history."""
        home = posixpath.dirname(changelog)
        while True:
            yield _path(posixpath.join(home, name))
            if not home or home == posixpath.dirname(home):
                break
            home = posixpath.dirname(home)
        parts = name.split("/")
        yield from (_path(posixpath.join(self._root, *parts[start:])) for start in range(1, len(parts)))
        yield self._root if parts[-1] == posixpath.basename(self._root) else ""


def _path(path: str) -> str:
    return posixpath.normpath(path.replace("\\", "/"))


def _is_below(path: str, folder: str) -> bool:
    return folder == "." or path.startswith(f"{folder}/")


def _elements(text: str) -> list[_Element]:
    """Returns what a changelog names, apart from rollbacks and what is for other databases."""
    text = _COMMENT.sub("", text)
    matches = list(_ELEMENT.finditer(text))
    ends = [*(match.start() for match in matches), len(text)][1:]
    elements = []
    for match, end in zip(matches, ends, strict=True):
        path = _PATH.search(text, match.end(), end)
        if path is None:
            continue
        before = _since_changeset(text, match.start()) if match[1] == "sqlFile" else ""
        if _in_rollback(before) or not _is_for_postgres(before + text[match.start() : path.end() + 200 if path.end() + 200 < end else end]):
            continue
        elements.append(_Element(match[1], path[1].strip().removeprefix(_CLASSPATH).lstrip("/").rstrip("/")))
    return elements


def _since_changeset(text: str, position: int) -> str:
    """Returns the text between the beginning of the changeset and a position in it."""
    start = max((match.start() for match in _CHANGESET.finditer(text, 0, position)), default=0)
    return text[start:position]


def _in_rollback(before: str) -> bool:
    last = max((match.start() for match in _ROLLBACK.finditer(before)), default=-1)
    return last >= 0 and "</rollback" not in before[last:]


def _is_for_postgres(text: str) -> bool:
    match = _DBMS.search(text)
    if match is None:
        return True
    names = [name.strip().lower() for name in match[1].split(",")]
    wanted = [name for name in names if name and name[0] != "!"]
    return "!postgresql" not in names and (not wanted or "all" in wanted or "postgresql" in wanted)
