"""Files and folders that are not migrations, although they lie among them: drafts, templates, scripts for another database."""

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

import msgspec
from msgspec import Struct

from migsafe.paths import relative_path
from migsafe.sources.custom import glob_pattern
from migsafe.sources.runner import Folder, MigrationFile, Runner
from migsafe.text import Script


class Exclusion(Struct, frozen=True, dict=True):
    """Globs of the paths of files and folders, relative to a folder, which is the current one or relative to it. An excluded folder stands for
    all that is in it."""

    globs: tuple[str, ...] = ()
    folder: str = "."

    def covers(self, path: str) -> bool:
        """Whether a file or folder is excluded, or a folder that contains it."""
        return self._pattern is not None and self._pattern.fullmatch(relative_path(path, self.folder)) is not None

    def applied_to(self, runner: Runner) -> Runner:
        """Returns the runner that does not list the excluded migrations and downgrades, also of a past or edited folder."""
        if self._pattern is None:
            return runner
        files, past_files = runner.files, runner.past_files

        def listed(folder: Folder) -> list[MigrationFile]:
            return self._remaining(files(folder))

        def listed_past(scripts: Iterable[Script]) -> list[MigrationFile]:
            assert past_files is not None
            return self._remaining(past_files(scripts))

        return msgspec.structs.replace(runner, files=listed, past_files=listed_past if past_files is not None else None)

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        if not self.globs:
            return None
        return re.compile(rf"(?:{'|'.join(glob_pattern(relative_path(glob)) for glob in self.globs)})(?:/.*)?")

    def _remaining(self, files: Sequence[MigrationFile]) -> list[MigrationFile]:
        remaining = [file for file in files if not self.covers(file.up.path)]
        return [
            msgspec.structs.replace(file, down=None) if file.down is not None and self.covers(file.down.path) else file for file in remaining
        ]
