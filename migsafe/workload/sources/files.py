"""The files of a project in which queries are looked for: as they are, or as git has them at a revision."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Protocol, TypeVar

from msgspec import msgpack

from migsafe.errors import UnreadableError
from migsafe.paths import relative_path, with_slashes
from migsafe.sources.git import PastTree
from migsafe.text import read_text

_SKIPPED = frozenset("""node_modules site-packages vendor venv env __pycache__ target dist build out third_party __snapshots__""".split())
"""Folders of dependencies and of what is built."""


_Result = TypeVar("_Result")


class Kept(Protocol):
    """What earlier runs have read, by digests of what they read."""

    def look_up(self, digest: bytes, /) -> bytes | None:
        """Returns what was stored."""

    def store(self, digest: bytes, data: bytes, /) -> None:
        """Stores what was read."""


class ProjectFiles:
    """The files of a project's folder. Their names are paths relative to it, with `/`."""

    def __init__(self, folder: str, store: Kept | None = None) -> None:
        self.folder = folder
        self._store = store

    def kept(self, kind: Sequence[str], text: str, read: Callable[[], _Result], decoder: "msgpack.Decoder[_Result]") -> _Result:
        """Returns the result of `read`, which depends on its `kind` and a text; from an earlier run, if that has stored it."""
        if self._store is None:
            return read()
        digest = blake2b(f"{kind!r} {text}".encode(errors="surrogatepass"), digest_size=16).digest()
        data = self._store.look_up(digest)
        if data is not None:
            return decoder.decode(data)
        result = read()
        self._store.store(digest, msgpack.encode(result))
        return result

    def name(self, path: str) -> str:
        """Returns the name of a path relative to the current folder."""
        return relative_path(os.path.normpath(path), self.folder or ".")

    def path(self, name: str) -> str:
        """Returns the path of a file relative to the current folder."""
        return with_slashes(os.path.normpath(Path(self.folder, name)))

    def is_folder(self, name: str) -> bool:
        """Whether there is a folder of a name."""
        return os.path.isdir(self.path(name))

    def is_file(self, name: str) -> bool:
        """Whether there is a file of a name."""
        return os.path.isfile(self.path(name))

    def below(self, name: str) -> list[str]:
        """Returns the files of a folder and below it, sorted; without hidden folders, other than `.sqlx`, and dependencies."""
        found = []
        for folder, folders, files in os.walk(self.path(name)):
            folders[:] = sorted(each for each in folders if _is_searched(each))
            inner = relative_path(folder, self.folder or ".")
            found += [each if inner == "." else f"{inner}/{each}" for each in files]
        return sorted(found)

    def read(self, name: str) -> str:
        """Returns the text of a file. Raises UnreadableError."""
        return read_text(self.path(name))

    def texts(self, names: Iterable[str]) -> Iterator[tuple[str, str | UnreadableError]]:
        """Yields files and their texts; the error of one that cannot be read."""
        for name in names:
            try:
                text: str | UnreadableError = self.read(name)
            except UnreadableError as error:
                text = error
            yield name, text


class PastProjectFiles(ProjectFiles):
    """The files of a project's folder at a revision of git."""

    def __init__(self, folder: str, tree: PastTree, store: Kept | None = None) -> None:
        super().__init__(folder, store)
        self._tree = tree
        start = relative_path(os.path.realpath(folder or "."), tree.root)
        self._names = {relative_path(name, start): name for name in tree.names}

    def is_folder(self, name: str) -> bool:
        """Whether the revision has a folder of a name."""
        return any(_is_below(each, name) for each in self._names)

    def is_file(self, name: str) -> bool:
        """Whether the revision has a file of a name."""
        return name in self._names

    def below(self, name: str) -> list[str]:
        """Returns the files of a folder and below it at the revision, sorted."""
        inside = (each for each in self._names if _is_below(each, name))
        return sorted(each for each in inside if all(map(_is_searched, _folders_below(each, name))))

    def read(self, name: str) -> str:
        """Returns the text of a file at the revision."""
        return self._tree.texts([self._names[name]])[self._names[name]]

    def texts(self, names: Iterable[str]) -> Iterator[tuple[str, str | UnreadableError]]:
        """Yields files and their texts at the revision."""
        wanted = list(names)
        texts = self._tree.texts(self._names[name] for name in wanted)
        for name in wanted:
            yield name, texts[self._names[name]]


def _is_searched(folder: str) -> bool:
    return folder not in _SKIPPED and (not folder.startswith(".") or folder == ".sqlx")


def _is_below(file: str, folder: str) -> bool:
    return not file.startswith("../") if folder == "." else file.startswith(f"{folder}/")


def _folders_below(file: str, folder: str) -> list[str]:
    inner = file if folder == "." else file[len(folder) + 1 :]
    return inner.split("/")[:-1]
