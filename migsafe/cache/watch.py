"""The trace of a run, recorded while it runs: which files, folders, paths and code its result depends on."""

import os
import stat
import sys
import time
from collections.abc import Collection
from contextlib import AbstractContextManager

from migsafe.cache.interception import Interception, PathState, error_state, path_state
from migsafe.cache.trace import COMPILED, Listing, Seen, Signature, Trace, digest, is_settled, kind, listing, numbered, signature, target

_STANDARD = f"{os.path.dirname(os.__file__)}{os.sep}"
_INSTALLED = tuple(f"{_STANDARD}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
_WRITING = os.O_WRONLY | os.O_RDWR
_STANDARD_INPUT = 0


Record = tuple[
    dict[str, tuple[Seen, Signature, int]],
    dict[str, Listing],
    dict[tuple[str, bool], PathState],
    dict[str, str | int],
    list[str],
    list[str],
    bool,
]
"""What a fork of a process recorded: files, folders, checked paths, links, their order, the files of loaded code, and whether it is
unrepeatable."""


class Watch:
    """A context manager that records what the run in its block looks at.

    A file is hashed before the run reads it. `trace` checks at the end that it is still the same file, so that a change during the run makes
    the trace unusable.
    """

    def __init__(self) -> None:
        self._began = time.time_ns()
        self._unrepeatable = False
        self._unexplained_program = False
        self._files: dict[str, tuple[Seen, Signature, int]] = {}
        self._folders: dict[str, Listing] = {}
        self._checks: dict[tuple[str, bool], PathState] = {}
        self._links: dict[str, str | int] = {}
        self._git_answers: list[tuple[str | None, list[str], list[str]]] = []
        self._order: list[str] = []
        self._code_digests: dict[str, tuple[Seen, Signature | None]] = {}
        """The files of modules that were read for a trace; the answer and the checkpoints have one each."""
        self._code_at_end: dict[str, tuple[Seen, Signature | None]] | None = None
        """The files of all loaded code, once it is known that nothing has changed during the run."""
        self._forks_code: set[str] = set()
        self._interception = Interception(self)

    def __enter__(self) -> "Watch":
        self._interception.install()
        self._unrepeatable = bool(self._interception.unnoticed_checks())
        return self

    def __exit__(self, *_: object) -> None:
        self._interception.remove()

    def paused(self) -> AbstractContextManager[None]:
        """Record nothing that the block looks at."""
        return self._interception.paused()

    @property
    def position(self) -> int:
        """How much has been recorded so far, for `trace`."""
        return len(self._order)

    def record_git_answer(self, revision: str | None, folders: list[str], answer: list[str]) -> None:
        """Record what git answered when it was asked to compare the folders with a revision. This explains the programs started so far."""
        self._git_answers.append((revision, folders, answer))
        self._unexplained_program = False

    def note_unrepeatable(self) -> None:
        """Note that the run depends on something that a later run cannot check: there will be no trace."""
        self._unrepeatable = True

    def record(self, after: int) -> "Record":
        """Returns what this process, a fork, has recorded since a position, for the `include` of the process that it was forked from."""
        code = [path for module in list(sys.modules.values()) if isinstance(path := getattr(module, "__file__", None), str)]
        return self._files, self._folders, self._checks, self._links, self._order[after:], code, self._unrepeatable

    def include(self, record: "Record") -> None:
        """Adds what a fork of this process has recorded."""
        files, folders, checks, links, order, code, unrepeatable = record
        for path, file in files.items():
            self._unrepeatable = self._unrepeatable or self._files.setdefault(path, file)[0] != file[0]
        for path, found in folders.items():
            self._unrepeatable = self._unrepeatable or self._folders.setdefault(path, found) != found
        for check, state in checks.items():
            self._unrepeatable = self._unrepeatable or self._checks.setdefault(check, state) != state
        self._links.update(links)
        self._order += order
        self._forks_code.update(code)
        self._unrepeatable = self._unrepeatable or unrepeatable

    def trace(self, after: int = 0, without: Collection[str] = ()) -> Trace | None:
        """Returns what was recorded after a position, except for some files, and the code that was loaded; None if the run cannot be repeated
        or something changed during it. To be called after the block."""
        wanted = set(self._order[after:]).difference(without)
        if self._code_at_end is None and not (self._unrepeatable or self._unexplained_program) and self._is_unchanged():
            self._code_at_end = self._code()
        code = self._code_at_end
        if code is None:
            return None
        files = {
            path: (seen, known if is_settled(known, when) else None) for path, (seen, known, when) in self._files.items() if path in wanted
        }
        return (
            [(path, seen, known) for path, (seen, known) in {**code, **files}.items()],
            [(path, found) for path, found in self._folders.items() if path in wanted],
            numbered((path, followed, *state) for (path, followed), state in self._checks.items() if path in wanted),
            [(path, leads_to) for path, leads_to in self._links.items() if path in wanted],
            self._git_answers if not after else [],
        )

    def confirms(self, trace: Trace) -> bool:
        """Record everything that another run looked at, because this run uses its result; returns whether all of it is unchanged."""
        files, folders, checks, links, git_answers = trace
        with self.paused():
            return (
                not git_answers
                and all(self._confirms_file(*file) for file in files)
                and all(self._confirms_folder(*folder) for folder in folders)
                and all(self._confirms_link(*link) for link in links)
                and numbered(self._check_again(path, followed) for path, followed, _, _ in checks) == checks
            )

    def _confirms_file(self, path: str, seen: Seen, known: Signature | None) -> bool:
        if known is not None and path not in self._files and self._signature(path) == known:
            self._files[path] = (seen, known, time.time_ns())
        self.file_opened(path, os.O_RDONLY)
        return path in self._files and self._files[path][0] == seen

    def _confirms_folder(self, path: str, found: Listing) -> bool:
        self.folder_listed(path)
        return self._folders[path] == found

    def _confirms_link(self, path: str, leads_to: str | int) -> bool:
        self._order.append(path)
        return self._links.setdefault(path, target(path, self._interception.readlink)) == leads_to

    def _check_again(self, path: str, followed: bool) -> tuple[str, bool, int, tuple[int, int] | None]:
        state = kind(path, followed=followed)
        self.path_checked(path, state, followed=followed)
        return path, followed, *state

    # What the interception reports

    def file_opened(self, path: object, flags: int) -> None:
        """Record the content of a file that is about to be read."""
        if isinstance(path, int):
            # A file that was opened before, whose name is not reported; standard input, or the end of a pipe.
            self._unrepeatable = self._unrepeatable or path == _STANDARD_INPUT
            return
        path = os.fsdecode(path)  # type: ignore[arg-type]
        if flags & _WRITING or path.endswith(".pyc") or (path.startswith(_STANDARD) and not path.startswith(_INSTALLED)):
            return
        self._order.append(path)
        if path in self._files:
            return
        try:
            found = self._interception.stat(path)
        except OSError as error:
            self.path_checked(path, error_state(error), followed=True)
            return
        if not stat.S_ISREG(found.st_mode):
            # A pipe can be read only once, and the run needs its content.
            self._unrepeatable = self._unrepeatable or not stat.S_ISDIR(found.st_mode)
            self.path_checked(path, path_state(found), followed=True)
            return
        when = time.time_ns()
        self._files[path] = (digest(path), signature(found), when)

    def folder_listed(self, path: object) -> None:
        """Record the content of a folder that is about to be listed."""
        if isinstance(path, int):
            self._unrepeatable = True
            return
        path = os.fsdecode(path) if path is not None else "."  # type: ignore[arg-type]
        if COMPILED in path:
            return
        self._order.append(path)
        if path not in self._folders:
            self._folders[path] = listing(path)

    def path_checked(self, path: str, state: PathState, *, followed: bool) -> None:
        """Record what was at a path."""
        self._order.append(path)
        if self._checks.setdefault((path, followed), state) != state:
            self._unrepeatable = True

    def link_read(self, path: str, leads_to: str | int) -> None:
        """Record where a link leads."""
        self._order.append(path)
        self._links[path] = leads_to

    def program_started(self) -> None:
        """Record that another program was started: its answer is not known here."""
        self._unexplained_program = True

    # The checks at the end

    def _signature(self, path: str) -> Signature | None:
        try:
            return signature(self._interception.stat(path))
        except OSError:
            return None

    def _is_unchanged(self) -> bool:
        """Whether nothing has changed since it was recorded."""
        return all(listing(path) == found for path, found in self._folders.items()) and all(
            self._signature(path) == known and (is_settled(known, when) or digest(path) == seen)
            for path, (seen, known, when) in self._files.items()
        )

    def _code(self) -> dict[str, tuple[Seen, Signature | None]] | None:
        """Returns the files of all loaded modules except Python's own; None if one may have changed since it was loaded."""
        found: dict[str, tuple[Seen, Signature | None]] = {}
        for path in (*(getattr(module, "__file__", None) for module in list(sys.modules.values())), *self._forks_code):
            if not isinstance(path, str) or (path.startswith(_STANDARD) and not path.startswith(_INSTALLED)) or path in found:
                continue
            known = self._signature(path)
            if known is None or not is_settled(known, self._began):
                return None
            if path not in self._code_digests or self._code_digests[path][1] != known:
                self._code_digests[path] = (digest(path), known)
            found[path] = self._code_digests[path]
        return found
