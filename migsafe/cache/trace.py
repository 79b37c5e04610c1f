"""Traces: what a run looked at, and whether all of it is unchanged.

A trace contains digests of files, the entries of folders, the kinds of paths (or that nothing was there), the targets of links, and git's
answers. Times and sizes alone are not trusted: a file's signature stands for its content only if the file was last written well before it was
read, because a file that is written twice within a tick of the clock has the same signature both times.
"""

import os
import stat
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Signature = tuple[int, int, int, int]
"""A file's inode, size, and when its content and its inode were last written. No program can set the last of these times."""

Seen = bytes | int
"""The digest of a file's content; if it could not be read, the error's number, negative."""

Listing = list[tuple[str, bool]] | int
"""The entries of a folder, sorted, each with whether it is a folder; or the error's number, negative."""

Trace = tuple[
    list[tuple[str, Seen, Signature | None]],
    list[tuple[str, Listing]],
    list[tuple[str, bool, int, int]],
    list[tuple[str, str | int]],
    list[tuple[str | None, list[str], list[str]]],
]
"""Files, with the signatures that can be trusted; folders; checks of paths (whether links were followed, the kind of what was there, and a
number that two paths of the same file share); the targets of links; git's questions and answers. Plain values, for marshal."""

COMPILED = "__pycache__"

TICK = 2_000_000_000
"""The nanoseconds after which every file system gives a different time. FAT has the coarsest clock."""


def signature(status: os.stat_result) -> Signature:
    """Returns a file's signature, which tells its states apart without reading it."""
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def is_settled(file_signature: Signature, time_ns: int) -> bool:
    """Whether a file that is written after `time_ns` cannot have the same signature."""
    return max(file_signature[2], file_signature[3]) < time_ns - TICK


def digest(path: str) -> Seen:
    """Returns the digest of a file."""
    import hashlib  # noqa: PLC0415  # loads OpenSSL, which is not needed if no file was touched

    try:
        with open(path, "rb", buffering=0) as file:
            return hashlib.blake2b(file.read(), digest_size=20).digest()
    except OSError as error:
        return -(error.errno or 1)


def listing(path: str) -> Listing:
    """Returns the entries of a folder, without Python's folder of compiled files."""
    try:
        with os.scandir(path) as entries:
            return sorted([(entry.name, _is_folder(entry)) for entry in entries if entry.name != COMPILED])
    except OSError as error:
        return -(error.errno or 1)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a symbolic link to itself
        return False


def kind(path: str, *, followed: bool) -> tuple[int, tuple[int, int] | None]:
    """Returns the kind of what is at a path (the type bits of its mode, or the error's number, negative), and the file's identity."""
    try:
        return _kind(os.stat(path) if followed else os.lstat(path))
    except OSError as error:
        return -(error.errno or 1), None


def _kind(status: os.stat_result) -> tuple[int, tuple[int, int]]:
    return stat.S_IFMT(status.st_mode), (status.st_dev, status.st_ino)


def target(path: str, readlink: "Callable[[str], str]" = os.readlink) -> str | int:
    """Returns the target of a link; or the error's number, negative."""
    try:
        return readlink(path)
    except OSError as error:
        return -(error.errno or 1)


def numbered(checks: "Iterable[tuple[str, bool, int, tuple[int, int] | None]]") -> list[tuple[str, bool, int, int]]:
    """Returns checks of paths with numbers instead of file identities, which differ between machines and checkouts."""
    numbers: dict[tuple[int, int] | None, int] = {None: 0}
    return [(path, followed, path_kind, numbers.setdefault(identity, len(numbers))) for path, followed, path_kind, identity in checks]


def confirmed(trace: Trace) -> Trace | None:
    """Returns the trace, with new signatures for files that were touched and have the same content; None if anything has changed."""
    files, folders, checks, links, git_answers = trace
    if any(listing(path) != known for path, known in folders) or any(target(path) != known for path, known in links):
        return None
    statuses: dict[str, os.stat_result] = {}
    confirmed_files = _unchanged(files, statuses)
    repeated_checks = (
        (path, followed, *(_kind(statuses[path]) if followed and path in statuses else kind(path, followed=followed)))
        for path, followed, *_ in checks
    )
    if confirmed_files is None or numbered(repeated_checks) != checks or not all(_git_answers_the_same(*answer) for answer in git_answers):
        return None
    return trace if confirmed_files == files else (confirmed_files, folders, checks, links, git_answers)


def _unchanged(
    files: list[tuple[str, Seen, Signature | None]], statuses: dict[str, os.stat_result]
) -> list[tuple[str, Seen, Signature | None]] | None:
    """Returns the files, with new signatures for those that were touched; None if a content has changed. Adds their states to `statuses`."""
    touched: dict[int, tuple[str, Seen, Signature]] = {}
    confirmed_files = list(files)
    for position, (path, known_digest, old_signature) in enumerate(files):
        try:
            status = statuses[path] = os.stat(path)
        except OSError:
            return None
        new_signature = signature(status)
        if new_signature != old_signature:
            if not stat.S_ISREG(status.st_mode) or (old_signature is not None and old_signature[1] != new_signature[1]):
                return None
            touched[position] = (path, known_digest, new_signature)
    for position, (path, known_digest, new_signature) in touched.items():
        read_at_ns = time.time_ns()
        if digest(path) != known_digest:
            return None
        confirmed_files[position] = (path, known_digest, new_signature if is_settled(new_signature, read_at_ns) else None)
    return confirmed_files


def _git_answers_the_same(revision: str | None, folders: list[str], known_files: list[str]) -> bool:
    from migsafe.errors import MigsafeError  # noqa: PLC0415
    from migsafe.sources.git import Comparison  # noqa: PLC0415  # most runs do not use git

    try:
        return Comparison(revision, folders).answer == known_files
    except MigsafeError:
        return False
