"""The folders that servers of this process use. They are removed when the process ends, even if it is killed."""

import atexit
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from migsafe.errors import MigsafeError
from migsafe.replaying.servers.account import Account, copy_installation, find_unprivileged_account
from migsafe.replaying.servers.installations import Installation

_MEMORY = Path("/dev/shm")  # noqa: S108  # mkdtemp creates a private folder there
_ENOUGH = 2 * 1024**3
_LONGEST_SOCKET = 70
"""The path of a Unix socket is limited to about a hundred bytes, including `server-12345/.s.PGSQL.5432`."""

_WATCH = """
read -r _
for file in "$1"/*/data/postmaster.pid; do
    [ -f "$file" ] || continue
    server=$(head -n 1 "$file")
    kill -INT "$server" 2>/dev/null
    tries=0
    while kill -0 "$server" 2>/dev/null && [ $tries -lt 600 ]; do
        tries=$((tries + 1))
        [ $tries -eq 200 ] && kill -QUIT "$server" 2>/dev/null
        [ $tries -eq 400 ] && kill -KILL "$server" 2>/dev/null
        sleep 0.05
    done
done
rm -rf -- "$@"
"""
"""A shell script that waits for the end of its input, which comes when this process closes it or ends, kill -9 included. Then it stops the
servers that still run and removes the folders."""


class WorkFolders:
    """A folder for the servers of this process, in memory if there is room, and one for programs, because memory may be mounted noexec.

    Both are removed when the process ends. `account` is the account that servers run as.
    """

    def __init__(self) -> None:
        self.account: Account = find_unprivileged_account()
        self._process = os.getpid()
        self._count = 0
        self._programs: dict[Path, Path] = {}
        self.templates: dict[Path, Path] = {}
        """New database clusters to copy, by the folder of their programs."""
        self.folder = _private_folder()
        self.account.own(self.folder)
        self._copies = Path(tempfile.mkdtemp(prefix="migsafe-programs-"))
        self._copies.chmod(0o755)
        self._watch = subprocess.Popen(  # noqa: S603  # the script above
            ["/bin/sh", "-c", _WATCH, "migsafe", self.folder, self._copies],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        atexit.register(self.clear)

    def clear(self) -> None:
        """Stops the servers that still run, and removes the folders."""
        if self._process == os.getpid() and self._watch.stdin is not None:
            self._watch.stdin.close()
            self._watch.wait()

    def new_server_folder(self) -> Path:
        """Creates a folder for one server, owned by the account."""
        self._count += 1
        folder = self.folder / f"server-{self._count}"
        folder.mkdir(mode=0o700)
        self.account.own(folder)
        return folder

    def runnable_programs(self, installation: Installation) -> Path:
        """Returns a folder from which the account can run an installation's programs: a copy, if it may not read the original."""
        bindir = installation.bindir
        if bindir not in self._programs:
            runnable = bindir
            if not self.account.can_run(bindir / "postgres", self.folder):
                runnable = copy_installation(bindir, Path(tempfile.mkdtemp(dir=self._copies)))
                runnable.parents[1].parent.chmod(0o755)
            self._programs[bindir] = runnable
        return self._programs[bindir]


_folders_by_process: list[WorkFolders] = []


def work_folders() -> WorkFolders:
    """Returns the folders of this process; the first call creates them. Raises MigsafeError."""
    if not _folders_by_process or _folders_by_process[-1]._process != os.getpid():
        _folders_by_process.append(WorkFolders())
    return _folders_by_process[-1]


def _private_folder() -> Path:
    parents = [tempfile.gettempdir(), "/tmp", "/var/tmp"]  # noqa: S108  # mkdtemp creates a private folder there
    if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _ENOUGH:
        parents.insert(0, str(_MEMORY))
    for parent in parents:
        if len(parent) <= _LONGEST_SOCKET and os.access(parent, os.W_OK):
            return Path(tempfile.mkdtemp(prefix="migsafe-", dir=parent)).resolve()
    raise MigsafeError("no folder for temporary files can be written, or its path is too long", "Set TMPDIR to a folder with a short path.")
