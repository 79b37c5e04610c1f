"""Ends the programs that a migsafe process has started, and removes its folder, after that process has ended.

Every program inherits an open, locked file of the folder. So the programs that still run are those that have this file open, and its lock is
free when none is left. Process numbers would not tell: the system uses them again.

This module also runs as a process of its own, which waits for the end of a migsafe process. So it imports only the standard library.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

PROGRAMS_FILE = "programs"
"""The file that all programs of a run have open."""

COPIES_LINK = "copies"
"""A symbolic link in the folder of a run to its other folder, which has copies of programs."""

COPIES_PREFIX = "migsafe-programs."
"""The beginning of the name of the folder that the link leads to."""

_GRACE = 5.0
"""The seconds after which programs are killed that do not end when they are asked to."""

_LONGEST = 20.0
_PAUSE = 0.02


def lock(path: str) -> int | None:
    """Locks a file or folder until the returned descriptor is closed, here and in every process that inherits it. Returns None if another
    process has locked it, or if there is no such file (any more)."""
    import fcntl  # noqa: PLC0415  # Windows does not have it

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), os.stat(path)):
            return descriptor
    except OSError:  # locked, removed, or a file system without locks
        pass
    os.close(descriptor)
    return None


def clean_up(folder: str) -> bool:
    """Ends the programs of a run that has ended, and removes its folders. Returns whether nothing is left."""
    if not _end_programs(folder):
        return False
    import shutil  # noqa: PLC0415  # slow to load, and not needed while waiting

    link = os.path.join(folder, COPIES_LINK)
    if os.path.islink(link):
        copies = os.readlink(link)
        if os.path.basename(copies).startswith(COPIES_PREFIX):
            shutil.rmtree(copies, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    return not os.path.exists(folder)


def _end_programs(folder: str) -> bool:
    """Ends the programs of a run: servers with an immediate shutdown, which needs no checkpoint, others with SIGKILL."""
    path = os.path.join(folder, PROGRAMS_FILE)
    started = time.monotonic()
    asked: set[int] = set()
    while os.path.exists(path):
        descriptor = lock(path)
        if descriptor is not None:
            os.close(descriptor)
            return True
        passed = time.monotonic() - started
        if passed > _LONGEST:
            return False
        for process, name in _users_of(path):
            if name != "postgres" or passed > _GRACE:
                _send(process, signal.SIGKILL)
            elif process not in asked:
                asked.add(process)
                _send(process, signal.SIGQUIT)
        time.sleep(_PAUSE)
    return True


def _send(process: int, number: signal.Signals) -> None:
    with suppress(OSError):  # it has ended
        os.kill(process, number)


def _users_of(path: str) -> Iterator[tuple[int, str]]:
    """Yields the processes that have a file open, and the names of their programs."""
    if os.path.isdir("/proc/self/fd"):
        yield from _users_in_proc(path)
    else:
        yield from _users_by_lsof(path)


def _users_in_proc(path: str) -> Iterator[tuple[int, str]]:
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        folder = f"/proc/{entry}/fd"
        try:
            if any(os.readlink(f"{folder}/{number}") == path for number in os.listdir(folder)):
                with open(f"/proc/{entry}/comm", encoding="utf-8", errors="replace") as name:
                    yield int(entry), name.read().strip()
        except OSError:  # it has ended, or belongs to another user
            continue


def _users_by_lsof(path: str) -> Iterator[tuple[int, str]]:
    """Asks lsof, which macOS has and other systems usually have."""
    import subprocess  # noqa: PLC0415  # slow to load, and not needed while waiting

    try:
        run = subprocess.run(["lsof", "-F", "pc", "--", path], capture_output=True, text=True, check=False)  # noqa: S603, S607
    except OSError:
        return
    process = 0
    for line in run.stdout.splitlines():
        if line.startswith("p"):
            process = int(line[1:])
        elif line.startswith("c") and process not in {0, os.getpid()}:
            yield process, line[1:]


def main() -> None:
    """Waits for the end of the standard input, which comes when the process at its other end closes it or ends, kill -9 included, and cleans
    up the folder that the command line names."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A service manager or terminal sends these to all processes of a command.
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 1):
        pass
    clean_up(sys.argv[1])


if __name__ == "__main__":
    main()
