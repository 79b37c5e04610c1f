"""A folder of migrations with texts that are not on the disk: those of an editor, or what a fix would write."""

import os
from collections.abc import Mapping

from migsafe.errors import MigsafeError
from migsafe.sources.runner import Folder
from migsafe.text import Script


class EditedFolder(Folder):
    """A folder on the disk in which some files have another text, or exist in addition.

    `edited` are the scripts of these files, by their absolute paths; those outside the folder are ignored. Raises MigsafeError if the folder
    cannot be read and none of the files is in it.
    """

    def __init__(self, path: str, edited: Mapping[str, Script]) -> None:
        inside = self._inside(path, edited)
        try:
            super().__init__(path)
        except MigsafeError:
            if not inside:
                raise
            self.path, self.requested_file, self._scripts, self.files, self.folders = path, None, {}, [], []
        self.edited = edited
        self._scripts |= inside
        self.files = sorted({*self.files, *(name for name in inside if "/" not in name)})
        self.folders = sorted({*self.folders, *(name.partition("/")[0] for name in inside if "/" in name)})

    @staticmethod
    def _inside(path: str, edited: Mapping[str, Script]) -> dict[str, Script]:
        """Returns the edited scripts below a folder, by their paths relative to it."""
        top = f"{os.path.abspath(path or '.').rstrip(os.sep)}{os.sep}"  # noqa: PTH100  # resolve() asks the file system
        return {name.removeprefix(top).replace(os.sep, "/"): script for name, script in edited.items() if name.startswith(top)}

    def has_file(self, *names: str) -> bool:
        """Whether the folder contains the file."""
        return "/".join(names) in self._scripts or super().has_file(*names)

    def subfolder(self, name: str) -> Folder:
        """Returns a folder in this one. Raises MigsafeError if it cannot be read."""
        return EditedFolder(self.join(name), self.edited)
