"""The folders that servers of this process use. They are removed when the process ends, even if it is killed."""

import atexit
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from migsafe.errors import MigsafeError
from migsafe.replaying.servers import cleanup
from migsafe.replaying.servers.account import Account, copy_installation, find_unprivileged_account
from migsafe.replaying.servers.installations import Installation
from migsafe.terminal.quantities import format_size

_MEMORY = Path("/dev/shm")  # noqa: S108  # mkdtemp creates a private folder there
_ENOUGH = 2 * 1024**3
_LONGEST_SOCKET = 60
"""The path of a Unix socket is limited to 103 bytes on macOS, including `migsafe.12345678/server-1234/.s.PGSQL.5432`."""

_PREFIX = "migsafe."
_MAX_TRIES = 10


class WorkFolders:
    """A folder for the servers of this process, in memory if there is room, and one for programs, because memory may be mounted noexec.

    A second process removes both when this process ends, and ends the programs that still run. If both are killed, the next run does so:
    their lock on the folder is gone. `room` is the number of bytes that the data needs. `account` is the account that servers run as, `user`
    is that of this process.
    """

    def __init__(self, room: int = 0) -> None:
        self._process = os.getpid()
        self._count = 0
        self._programs: dict[Path, Path] = {}
        self.templates: dict[Path, Path] = {}
        """New database clusters to copy, by the folder of their programs."""
        account = find_unprivileged_account()
        self.folder, self._lock = _create_locked_folder(room)
        # What starts or fills the folder from here on is found through this file, even if this process is killed at once.
        programs_file = self.folder / cleanup.PROGRAMS_FILE
        programs_file.touch(mode=0o600)
        descriptor = cleanup.lock(str(programs_file))
        self._inherited = () if descriptor is None else (descriptor,)
        self.account = replace(account, inherited=self._inherited)
        self.user = Account(inherited=self._inherited)
        self._watch = subprocess.Popen(  # noqa: S603  # the module `cleanup`
            [sys.executable, "-I", "-S", cleanup.__file__, self.folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            pass_fds=[self._lock],
        )
        if account.uid is not None:
            self.folder.chmod(0o711)
        atexit.register(self.clear)
        os.register_at_fork(after_in_child=self._release)

    def clear(self) -> None:
        """Stops the servers that still run, and removes the folders."""
        if self._process == os.getpid():
            self._release()
            with suppress(KeyboardInterrupt):  # the other process cleans up whether or not this one waits for it
                self._watch.wait()

    def new_server_folder(self) -> Path:
        """Creates a folder for one server, owned by the account."""
        self._count += 1
        return self.new_folder(f"server-{self._count}")

    def new_folder(self, name: str) -> Path:
        """Creates a folder that only the account can read."""
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        self.account.own(folder)
        return folder

    def runnable_programs(self, installation: Installation) -> Path:
        """Returns a folder from which the account can run an installation's programs: a copy, if it may not read the original."""
        bindir = installation.bindir
        if bindir not in self._programs:
            runnable = bindir
            if not self.account.can_run(bindir / "postgres", self.folder):
                runnable = copy_installation(bindir, Path(tempfile.mkdtemp(dir=self._folder_for_copies())))
                runnable.parents[1].parent.chmod(0o755)
            self._programs[bindir] = runnable
        return self._programs[bindir]

    def _folder_for_copies(self) -> Path:
        """Returns the folder for copies of programs; the link to it exists before the folder does."""
        link = self.folder / cleanup.COPIES_LINK
        if not link.is_symlink():
            link.symlink_to(Path(tempfile.gettempdir()) / f"{cleanup.COPIES_PREFIX}{secrets.token_hex(8)}")
        folder = link.readlink()
        folder.mkdir(mode=0o755, exist_ok=True)
        return folder

    def _release(self) -> None:
        """Closes what shows that this process is alive; a fork does so, too, because only its parent uses the folder."""
        if self._watch.stdin is None or self._watch.stdin.closed:
            return
        for descriptor in (self._lock, *self._inherited):
            os.close(descriptor)
        self._watch.stdin.close()


_folders_by_process: list[WorkFolders] = []


def work_folders(room: int = 0) -> WorkFolders:
    """Returns the folders of this process; the first call creates them, and removes those of dead processes. If they have less room than this
    number of bytes, others are created and used from then on. Raises MigsafeError."""
    folders = _folders_by_process[-1] if _folders_by_process else None
    if folders is None or folders._process != os.getpid() or shutil.disk_usage(folders.folder).free < room:
        remove_leftovers()
        _folders_by_process.append(WorkFolders(room))
    return _folders_by_process[-1]


def remove_leftovers() -> None:
    """Removes the folders of migsafe processes that were killed together with the process that cleans up after them, and ends the programs
    that they have started. The folder of a live process is locked."""
    for parent in _parents():
        with suppress(OSError), os.scandir(parent) as entries:
            for entry in entries:
                if not entry.name.startswith(_PREFIX) or not entry.is_dir(follow_symlinks=False):
                    continue
                if entry.stat(follow_symlinks=False).st_uid != os.geteuid():
                    continue
                path = str(Path(entry.path).resolve())
                descriptor = cleanup.lock(path)
                if descriptor is not None:
                    cleanup.clean_up(path)
                    os.close(descriptor)


def _create_locked_folder(room: int) -> tuple[Path, int]:
    """Creates a private folder where there is room; returns it with the descriptor of its lock. Raises MigsafeError."""
    full = []
    for parent in _parents():
        free = shutil.disk_usage(parent).free
        if free < room + (_ENOUGH if parent == str(_MEMORY) else 0):
            full.append(f"{parent} has {format_size(free)}")
            continue
        for _ in range(_MAX_TRIES):
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent)).resolve()
            descriptor = cleanup.lock(str(folder))
            if descriptor is not None:
                return folder, descriptor
            # Another process has taken the folder, not locked yet, for that of a dead process, and removes it.
            with suppress(OSError):
                folder.rmdir()
    if room and full:
        raise MigsafeError(
            f"no folder has room for the server's data, {format_size(room)} with the copies for experiments: {', '.join(full)}",
            "Set TMPDIR to a folder with more room (and a short path), or use a thin clone: --server dblab:URL.",
        )
    raise MigsafeError(
        "no folder for temporary files can be written and locked, or its path is too long", "Set TMPDIR to a folder with a short path."
    )


def _parents() -> Iterator[str]:
    """Yields the folders in which the folder of a process may be: memory first."""
    parents = [str(_MEMORY), tempfile.gettempdir(), "/tmp", "/var/tmp"]  # noqa: S108  # mkdtemp creates a private folder there
    for parent in dict.fromkeys(parents):
        if len(parent) <= _LONGEST_SOCKET and Path(parent).is_dir() and os.access(parent, os.W_OK):
            yield parent
