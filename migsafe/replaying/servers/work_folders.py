"""The ground that servers stand on: folders that go when we go, however we go."""

import atexit
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from migsafe.errors import MigsafeError
from migsafe.replaying.servers.account import Account, copy_installation, find_unprivileged_account
from migsafe.replaying.servers.installations import Installation

_MEMORY = Path("/dev/shm")  # noqa: S108  # a folder made there is private
_ENOUGH = 2 * 1024**3
_LONGEST_SOCKET = 70
"""A socket's whole path has room for some hundred bytes, of which `server-12345/.s.PGSQL.5432` takes a part."""

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
"""A shell that waits for the end of its input, which comes when we close it or die, kill -9 included; then it stops the servers that are
left and removes the folders."""


class WorkFolders:
    """A folder for the servers of this process, in memory if there is room; beside it one for programs, which memory may not run.

    Both are removed when the process ends. `account` is whom servers run as.
    """

    def __init__(self) -> None:
        self.account: Account = find_unprivileged_account()
        self._process = os.getpid()
        self._count = 0
        self._programs: dict[Path, Path] = {}
        self.templates: dict[Path, Path] = {}
        """Database clusters just made, to be copied, by the folder of their programs."""
        self.folder = _private_folder()
        self.account.own(self.folder)
        self._copies = Path(tempfile.mkdtemp(prefix="migsafe-programs-"))
        self._copies.chmod(0o755)
        self._watch = subprocess.Popen(  # noqa: S603  # our own script
            ["/bin/sh", "-c", _WATCH, "migsafe", self.folder, self._copies],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        atexit.register(self.clear)

    def clear(self) -> None:
        """Stop the servers that are left, and remove everything."""
        if self._process == os.getpid() and self._watch.stdin is not None:
            self._watch.stdin.close()
            self._watch.wait()

    def new_server_folder(self) -> Path:
        """A new folder for one server, that its account owns."""
        self._count += 1
        folder = self.folder / f"server-{self._count}"
        folder.mkdir(mode=0o700)
        self.account.own(folder)
        return folder

    def runnable_programs(self, installation: Installation) -> Path:
        """Where the account can run an installation's programs: copied, if they stand where it must not enter."""
        bindir = installation.bindir
        if bindir not in self._programs:
            found = bindir
            if not self.account.can_run(bindir / "postgres", self.folder):
                found = copy_installation(bindir, Path(tempfile.mkdtemp(dir=self._copies)))
                found.parents[1].parent.chmod(0o755)
            self._programs[bindir] = found
        return self._programs[bindir]


_grounds: list[WorkFolders] = []


def work_folders() -> WorkFolders:
    """The ground of this process, made when it is first asked for. Raises MigsafeError."""
    if not _grounds or _grounds[-1]._process != os.getpid():
        _grounds.append(WorkFolders())
    return _grounds[-1]


def _private_folder() -> Path:
    places = [tempfile.gettempdir(), "/tmp", "/var/tmp"]  # noqa: S108  # a folder made there is private
    if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _ENOUGH:
        places.insert(0, str(_MEMORY))
    for place in places:
        if len(place) <= _LONGEST_SOCKET and os.access(place, os.W_OK):
            return Path(tempfile.mkdtemp(prefix="migsafe-", dir=place)).resolve()
    raise MigsafeError("there is no folder for temporary files", "TMPDIR may name one.")
