"""`migsafe lint --watch`: lints again whenever a file changes.

The files are looked at three times a second, with the standard library alone. That works on network file systems, in containers and after a
folder was deleted and made again, where notifications of the operating system get lost; looking at 2,000 files takes 20 ms. Each
run is a process of its own: rules and configuration are read as they are, no error can end the watching, and the cache makes the runs short.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from migsafe.configuration import FILES, Configuration, read_configuration
from migsafe.errors import ConfigError, MigsafeError
from migsafe.paths import relative_path, with_slashes
from migsafe.reports.paths import root
from migsafe.terminal.colours import BOLD, DIM
from migsafe.terminal.display import display_for

_SECONDS = 0.3
_PAUSES = 20
_MOST_PAUSES = 10
_MOST_NAMED = 3
_NOT_ENTERED = frozenset(("__pycache__", "node_modules"))
_IN_OWN_FOLDER = ("up.sql", "down.sql", "migration.sql")
"""The names of migrations whose runner gives each its own folder."""
_SETTINGS = (".toml", ".ini", ".cfg", ".conf", ".yml", ".yaml", ".py", ".json", ".hcl", ".env")
"""How the names of files end that can be the settings of a runner, in the folders above the migrations."""
_BEGIN = "import sys; sys.path[:] = {path!r}; from migsafe.__main__ import main; sys.exit(main())"
_CLEAR = "\x1b[H\x1b[2J\x1b[3J"

Snapshot = Mapping[str, tuple[int, int, int]]
"""The files that are watched: of each path, the time of its last change, the size, and the number of its inode."""


def watch_files(paths: Sequence[str] | None, config: str | None, files: Sequence[str | None], others: Mapping[str, object]) -> NoReturn:
    """Lint, and again whenever a file changes, until KeyboardInterrupt. `files` are those that options name. `others` are options that cannot
    be combined with --watch, and whether each was given. Raises ConfigError for one that was, and for standard input."""
    for option, given in others.items():
        if given:
            raise ConfigError(f"--watch and {option} cannot be used together", "--watch shows people the findings as text, and writes no file.")
    if "-" in (*(paths or ()), *files):
        raise ConfigError("--watch cannot watch standard input", "Name files or folders.")
    watched = WatchedFiles(paths, config, files)
    before = watched.look()
    reason = ""
    while True:
        _show_run(reason)
        _say(f"Watching {len(before)} file{'' if len(before) == 1 else 's'}. Ctrl-C ends this.", DIM)
        before, reason = wait_for_changes(watched, before)


class WatchedFiles:
    """The files on which a run depends: those in the folders of the migrations, what the configuration names, the configuration itself, and
    settings of runners in the folders above the migrations."""

    def __init__(self, paths: Sequence[str] | None, config: str | None, files: Sequence[str | None] = ()) -> None:
        self._paths = paths
        self._config = config
        self._files = files
        self._settings = Configuration()
        self.pause = _SECONDS
        """How many seconds to wait before the next look: longer for very many files."""

    def look(self) -> Snapshot:
        """Returns the files as they are now. While the configuration is invalid, the last valid one says what is watched."""
        with suppress(MigsafeError):
            self._settings = read_configuration(Path(self._config) if self._config else None)
        snapshot: dict[str, tuple[int, int, int]] = {}
        begun = time.monotonic()
        for path in self._all_paths():
            with suppress(OSError):
                state = os.stat(path)  # noqa: PTH116  # a Path for each file takes longer than looking at it
                snapshot[path] = (state.st_mtime_ns, state.st_size, state.st_ino)
        self.pause = max(_SECONDS, _PAUSES * (time.monotonic() - begun))
        return snapshot

    def _all_paths(self) -> Iterator[str]:
        settings = self._settings
        yield from [self._config] if self._config else _configurations()
        for path in self._paths or settings.migrations:
            yield from _history(path)
            yield from _settings_above(path)
        for path in settings.queries:
            yield from _query_files(path, settings.folder)
        if settings.rules is not None:
            yield from _files_below(settings.rules)
        yield from (file for file in (*self._files, settings.schema, settings.stats, settings.baseline) if file is not None)


def changes(before: Snapshot, after: Snapshot) -> dict[str, str]:
    """Returns what happened to each path: added, changed or deleted."""
    words = {path: "added" if path not in before else "changed" for path, state in after.items() if before.get(path) != state}
    return words | {path: "deleted" for path in before if path not in after}


def named(changed: Mapping[str, str]) -> str:
    """Returns the first few changes as text: `0007_orders.sql changed`."""
    parts = [f"{with_slashes(path)} {word}" for path, word in sorted(changed.items())]
    more = len(parts) - _MOST_NAMED
    return ", ".join((*parts[:_MOST_NAMED], *([f"and {more} more"] if more > 0 else [])))


def wait_for_changes(watched: WatchedFiles, before: Snapshot) -> tuple[Snapshot, str]:
    """Returns the files once they differ from `before` and change no more, and what happened to them since then, as text."""
    while not (changed := changes(before, after := watched.look())):
        time.sleep(watched.pause)
    settled = _settled(watched, after)
    return settled, named(changes(before, settled) or changed)


def _settled(watched: WatchedFiles, now: Snapshot) -> Snapshot:
    """Waits until nothing changes any more: a checkout writes many files, and an editor replaces one in several steps."""
    for _ in range(_MOST_PAUSES):
        time.sleep(watched.pause)
        later = watched.look()
        if later == now:
            break
        now = later
    return now


def _show_run(reason: str) -> None:
    """Run the command without --watch, below a line with the time and the reason."""
    print(_CLEAR if sys.stdout.isatty() else "\n" if reason else "", end="")
    _say(f"{time.strftime('%H:%M:%S')}  {reason or 'first run'}", BOLD)
    path = [entry or str(Path.cwd()) for entry in sys.path]
    arguments = [argument for argument in sys.argv[1:] if argument != "--watch"]
    subprocess.run([sys.executable, "-P", "-c", _BEGIN.format(path=path), *arguments], stdin=subprocess.DEVNULL, check=False)  # noqa: S603


def _say(text: str, colour: str) -> None:
    try:
        print(display_for(None).paint(text, colour), flush=True)
    except BrokenPipeError:  # the reader has left, and nothing else ends the watching
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None


def _configurations() -> Iterator[str]:
    """Yields the paths where a configuration is looked for, existing or not."""
    folder = Path.cwd()
    for above in (folder, *folder.parents):
        yield from (relative_path(above / name) for name in FILES)


def _history(path: str) -> Iterator[str]:
    """Yields the migrations in a folder; for a file, those next to it, which are its history."""
    file = Path(path)
    if not file.suffix or os.path.isdir(path):
        yield from _files_below(path)
    elif file.name in _IN_OWN_FOLDER:
        yield from _files_below(str(file.parent.parent))
    else:
        yield from _files_below(str(file.parent), enter=False)


def _query_files(path: str, folder: str) -> Iterator[str]:
    """Yields a file of queries, those in a folder, and those that a configuration of sqlc names."""
    from migsafe.workload.sources.files import ProjectFiles  # noqa: PLC0415  # only needed with --watch and queries
    from migsafe.workload.sources.sqlc import is_configuration, sqlc_files  # noqa: PLC0415

    if os.path.isdir(path):
        yield from _files_below(path)
        return
    yield path
    if is_configuration(with_slashes(path)):
        files = ProjectFiles(folder)
        with suppress(MigsafeError):
            yield from map(files.path, sqlc_files(files, files.name(path)).queries)


def _files_below(folder: str, *, enter: bool = True) -> Iterator[str]:
    """Yields the files in a folder and, with `enter`, below, without hidden ones and what editors write for a moment."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            is_hidden = entry.name.startswith((".", "#")) and entry.name != ".sqlx"
            if is_hidden or entry.name.endswith("~") or entry.name in _NOT_ENTERED:
                continue
            if entry.is_dir(follow_symlinks=False):
                if enter:
                    yield from _files_below(entry.path)
            elif not entry.name.isdecimal():  # vim tests with a file such as 4913 whether it may write
                yield entry.path


def _settings_above(path: str) -> Iterator[str]:
    """Yields what can be a runner's settings in the folders above the migrations, up to the root of the repository, or the current one."""
    top = root(Path.cwd())
    for above in Path(path).absolute().parents:
        if not above.is_relative_to(top):
            return
        with suppress(OSError), os.scandir(above) as entries:
            yield from (relative_path(entry.path) for entry in entries if entry.name.endswith(_SETTINGS) and entry.is_file())
