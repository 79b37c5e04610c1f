"""The files of a project in which runners and connections may have settings."""

import os
from pathlib import Path

from migsafe.errors import UnreadableError
from migsafe.sources.runner import Folder
from migsafe.text import read_text


def files_in(folder: Path) -> list[os.DirEntry[str]]:
    """Returns the files of a folder, sorted by name; none if it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            return sorted((entry for entry in entries if entry.is_file()), key=lambda entry: entry.name)
    except OSError:
        return []


def readable_text(path: Path) -> str | None:
    """Returns the text of a file; None if it cannot be read."""
    try:
        return read_text(str(path))
    except UnreadableError:
        return None


def mentioned_above(folder: Folder, file_name: str, word: str) -> bool:
    """Whether a file of this name, in the folder or above it in the repository, contains a word: a project's manifest names what it uses."""
    if folder.requested_file == "-":
        return False
    return any((text := readable_text(above / file_name)) is not None and word in text for above in folder.self_and_parents())
