"""What the tools of a server may read, run and write."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from migsafe.configuration import Configuration, read_configuration
from migsafe.errors import MigsafeError

_FROM_TEXT = "-"


class Workspace(Struct, frozen=True, kw_only=True):
    """The working folder of a server, and its permissions.

    The folder is the current one of the process. `allow_writes`: tools may write files. `allow_outside`: tools may read files outside the
    folder. `no_exec`: nothing of the project is executed: no migrations written in Python, no rules of its own, no SQL. `config` is the
    configuration to read instead of the nearest one.
    """

    folder: Path
    allow_writes: bool = False
    allow_outside: bool = False
    no_exec: bool = False
    config: str | None = None

    def settings(self, pg_version: int | None = None) -> Configuration:
        """Returns the project's configuration, read again for each call. Raises ConfigError if it is invalid, and MigsafeError if it names
        files outside the folder."""
        settings = read_configuration(Path(self.config) if self.config is not None else None)
        if pg_version is not None:
            settings = settings.overridden(pg_version=str(pg_version))
        self.check_paths(_configured_paths(settings), "The project's configuration names it. ")
        return replace(settings, no_exec=True) if self.no_exec else settings

    def check_paths(self, paths: Iterable[str], why: str = "") -> None:
        """Raises MigsafeError for a path that is not in the working folder, also through a symbolic link."""
        root = self.folder.resolve()
        for path in paths:
            if not self.allow_outside and not (root / path).resolve().is_relative_to(root):
                raise MigsafeError(
                    f"{path}: is outside the working folder {root}",
                    f"{why}`migsafe mcp --allow-outside` permits it; only the user of this server can set that.",
                )

    def requested(self, paths: list[str] | None) -> list[str] | None:
        """Returns the paths of a call, None without any. Raises MigsafeError for one that the tools may not read."""
        if paths and _FROM_TEXT in paths:
            raise MigsafeError("-: a tool has no standard input", "Pass SQL as text in the argument `sql`, or the names of files in `paths`.")
        self.check_paths(paths or ())
        return paths or None

    def check_results(self, paths: Iterable[str]) -> None:
        """Raises MigsafeError if a result would show a file outside the working folder, to which a symbolic link in it leads."""
        self.check_paths(path for path in paths if path != _FROM_TEXT)


def _configured_paths(settings: Configuration) -> Iterator[str]:
    yield from settings.migrations
    yield from settings.queries
    yield from (path for path in (settings.schema, settings.stats, settings.baseline, settings.rules) if path is not None)
