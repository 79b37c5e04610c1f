"""What a run looked at, and whether all of it is still so.

A trace says of files what they held, of folders what they listed, of paths whether and as what they were there, and what git answered. Times
and sizes are never believed alone: a file's signature stands for its content only if the file was last touched well before it was read, since
one that is written twice within a tick of the clock looks the same both times.
"""

import os
import stat
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Signature = tuple[int, int, int, int]
"""A file's inode, size, and when its content and the inode itself were last written. Nobody can set the last one back."""

Seen = bytes | int
"""The digest of what a file holds; where it could not be read, the error's number, negative."""

Listing = list[tuple[str, bool]] | int
"""What a folder lists, in order, and whether each is a folder; or the error's number, negative."""

Trace = tuple[
    list[tuple[str, Seen, Signature | None]],
    list[tuple[str, Listing]],
    list[tuple[str, bool, int, int]],
    list[tuple[str, str | int]],
    list[tuple[str | None, list[str], list[str]]],
]
"""Files, with the signatures that can be trusted; folders; looks at paths (whether links were followed, what was there, and the number of
the first path that is the same file); the targets of links; what git was asked and said. Plain values, for marshal."""

COMPILED = "__pycache__"

TICK = 2_000_000_000
"""The nanoseconds after which no file system gives the same time again. FAT's are the longest."""


def signature(found: os.stat_result) -> Signature:
    """What tells a file's states apart without reading it."""
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def is_settled(known: Signature, when: int) -> bool:
    """Whether a file that is written after `when` cannot have that signature again."""
    return max(known[2], known[3]) < when - TICK


def digest(path: str) -> Seen:
    """What a file holds."""
    import hashlib  # noqa: PLC0415  # loads OpenSSL; where nothing was touched nothing needs it

    try:
        with open(path, "rb") as file:
            return hashlib.blake2b(file.read(), digest_size=20).digest()
    except OSError as error:
        return -(error.errno or 1)


def listing(path: str) -> Listing:
    """What a folder lists, but for what Python makes of the scripts in it."""
    try:
        with os.scandir(path) as entries:
            return sorted([(entry.name, _is_folder(entry)) for entry in entries if entry.name != COMPILED])
    except OSError as error:
        return -(error.errno or 1)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a symbolic link that leads round in a circle
        return False


def kind(path: str, *, followed: bool) -> tuple[int, tuple[int, int] | None]:
    """What is at a path (the type bits of its mode, or the error's number, negative), and what makes it the same file elsewhere."""
    try:
        return _kind(os.stat(path) if followed else os.lstat(path))
    except OSError as error:
        return -(error.errno or 1), None


def _kind(found: os.stat_result) -> tuple[int, tuple[int, int]]:
    return stat.S_IFMT(found.st_mode), (found.st_dev, found.st_ino)


def target(path: str, readlink: "Callable[[str], str]" = os.readlink) -> str | int:
    """Where a link leads."""
    try:
        return readlink(path)
    except OSError as error:
        return -(error.errno or 1)


def numbered(looks: "Iterable[tuple[str, bool, int, tuple[int, int] | None]]") -> list[tuple[str, bool, int, int]]:
    """Looks with numbers in the place of identities, which another machine or another checkout need not share."""
    numbers: dict[tuple[int, int] | None, int] = {None: 0}
    return [(path, followed, what, numbers.setdefault(identity, len(numbers))) for path, followed, what, identity in looks]


def confirmed(trace: Trace) -> Trace | None:
    """The trace, with fresh signatures where files were touched and hold the same; None where anything is not as it was."""
    files, folders, looks, links, asked = trace
    if any(listing(path) != found for path, found in folders) or any(target(path) != found for path, found in links):
        return None
    met: dict[str, os.stat_result] = {}
    fresh = _unchanged(files, met)
    again = (
        (path, followed, *(_kind(met[path]) if followed and path in met else kind(path, followed=followed))) for path, followed, *_ in looks
    )
    if fresh is None or numbered(again) != looks or not all(_says_the_same(*one) for one in asked):
        return None
    return trace if fresh == files else (fresh, folders, looks, links, asked)


def _unchanged(
    files: list[tuple[str, Seen, Signature | None]], met: dict[str, os.stat_result]
) -> list[tuple[str, Seen, Signature | None]] | None:
    """The same files, with new signatures where they have been touched; None where one holds something else. What is there goes to `met`."""
    touched: dict[int, tuple[str, Seen, Signature]] = {}
    fresh = list(files)
    for place, (path, seen, known) in enumerate(files):
        try:
            found = met[path] = os.stat(path)
        except OSError:
            return None
        now = signature(found)
        if now != known:
            if not stat.S_ISREG(found.st_mode) or (known is not None and known[1] != now[1]):
                return None
            touched[place] = (path, seen, now)
    for place, (path, seen, now) in touched.items():
        when = time.time_ns()
        if digest(path) != seen:
            return None
        fresh[place] = (path, seen, now if is_settled(now, when) else None)
    return fresh


def _says_the_same(revision: str | None, folders: list[str], files: list[str]) -> bool:
    from migsafe.errors import MigsafeError  # noqa: PLC0415
    from migsafe.sources.git import changed_files  # noqa: PLC0415  # most runs do not ask git

    try:
        return sorted(changed_files(revision, folders)) == files
    except MigsafeError:
        return False
