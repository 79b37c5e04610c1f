"""A folder of migrations at a revision of git."""

from collections.abc import Iterable, Mapping

from migsafe.sources.runner import Folder
from migsafe.text import Script


class PastFolder(Folder):
    """A folder whose files are given: their paths relative to it, and their scripts."""

    def __init__(self, path: str, scripts: Mapping[str, Script]) -> None:
        self.path = path
        self.requested_file = None
        self._scripts = dict(scripts)
        self.edited = {}
        self.files = sorted(name for name in scripts if "/" not in name)
        self.folders = sorted({name.partition("/")[0] for name in scripts if "/" in name})

    def has_file(self, *names: str) -> bool:
        """Whether the folder contains the file."""
        return "/".join(names) in self._scripts

    def subfolder(self, name: str) -> Folder:
        """Returns a folder in this one."""
        inner = f"{name}/"
        scripts = {path.removeprefix(inner): script for path, script in self._scripts.items() if path.startswith(inner)}
        return PastFolder(self.join(name), scripts)

    def identity_of(self, name: str) -> tuple[int, int]:
        """Returns numbers that identify a folder in this one: git has no links between folders."""
        return (-1, hash(self.join(name)))

    @property
    def scripts(self) -> Iterable[tuple[str, Script]]:
        """The relative paths of all its files, with their scripts."""
        return self._scripts.items()
