"""Writing the changes of fixes to the files of a project: all of them, or none."""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct

from migsafe.errors import MigsafeError, unwritable
from migsafe.fixes.edits import FileChange
from migsafe.text import Script, encoded

_BOM = b"\xef\xbb\xbf"
_AGAIN = "Nothing was written. Run the command again."
_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def write_changes(changes: Sequence[FileChange]) -> None:
    """Writes the changed and the new files. Raises MigsafeError for a new file that exists by now, for an edited one that is no longer as it
    was read or that is read-only, and if the disk refuses one of them. After any exception, also KeyboardInterrupt, the files are as before.
    """
    for change in changes:
        with _named(change):
            _check(change)
    with ExitStack() as undo:
        edited: list[_Edited] = []
        for change in changes:
            with _named(change):
                if change.before is None:
                    _create(Path(change.path), encoded(change.path, change.after), undo)
                else:
                    edited.append(_beside(change, undo))
        # An edited migration alone would lack what moved out of it, so it is replaced when the new files exist.
        for file in edited:
            with _named(file.change):
                undo.callback(_put_back, file)
                file.part.replace(file.place)
        undo.pop_all()


class _Edited(Struct, frozen=True):
    """An edited file: where it is, following links, its content before, and the file beside it with its new content."""

    change: FileChange
    place: Path
    original: bytes
    part: Path


@contextmanager
def _named(change: FileChange) -> Iterator[None]:
    """Raises the errors of a file as MigsafeError."""
    try:
        yield
    except OSError as error:
        raise unwritable(change.path, error, "Nothing was written.") from error
    except UnicodeEncodeError as error:
        character = error.object[error.start : error.end]
        raise MigsafeError(f"{change.path}: its encoding, {error.encoding}, has no {character!r}", "Nothing was written.") from error


def _check(change: FileChange) -> None:
    """Raises MigsafeError for a file that is not as the fixes expect it."""
    if change.before is None:
        if os.path.lexists(change.path):
            raise MigsafeError(f"{change.path}: exists already, and is not overwritten", _AGAIN)
        return
    if Script(change.path).text != change.before:
        raise MigsafeError(f"{change.path}: has changed meanwhile", _AGAIN)
    # To replace a file needs no permission to write it.
    if not Path(change.path).stat().st_mode & _WRITABLE or not os.access(change.path, os.W_OK):
        raise MigsafeError(f"{change.path}: is read-only", "Nothing was written. Change its permissions, or leave the file out.")


def _create(path: Path, data: bytes, undo: ExitStack) -> None:
    """Writes a new file, and the folders that it needs."""
    for folder in [each for each in reversed(path.parents) if not each.exists()]:
        folder.mkdir()
        undo.callback(folder.rmdir)
    with path.open("xb") as file:
        undo.callback(path.unlink, missing_ok=True)
        file.write(data)


def _beside(change: FileChange, undo: ExitStack) -> _Edited:
    """Writes the new content of an edited file into a file beside it."""
    place = Path(change.path).resolve()
    original = place.read_bytes()
    part = place.with_name(f".{place.name}.{os.getpid()}.migsafe")
    undo.callback(part.unlink, missing_ok=True)
    part.write_bytes((_BOM if original.startswith(_BOM) else b"") + encoded(change.path, change.after))
    part.chmod(place.stat().st_mode)
    return _Edited(change, place, original, part)


def _put_back(file: _Edited) -> None:
    """Writes the original content of an edited file again, if it has been replaced."""
    if file.place.read_bytes() != file.original:
        file.part.write_bytes(file.original)
        file.part.chmod(file.place.stat().st_mode)
        file.part.replace(file.place)
