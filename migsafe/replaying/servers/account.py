"""The operating system account that a server runs as: PostgreSQL refuses to run as root."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from migsafe.errors import MigsafeError

_PREFERRED = ("postgres", "nobody")
_PARTS = ("bin", "lib", "lib64", "share")


class Account(Struct, frozen=True):
    """An account that runs programs; if `uid` and `gid` are None, it is the account of this process. All programs inherit the file descriptors
    `inherited`, by which they are found if this process is killed."""

    uid: int | None = None
    gid: int | None = None
    inherited: tuple[int, ...] = ()

    def start(
        self,
        command: Sequence[str | Path],
        folder: Path,
        output: int,
        source: int = subprocess.DEVNULL,
        environment: Mapping[str, str] | None = None,
    ) -> "subprocess.Popen[bytes]":
        """Starts a program in a folder, in a new session so that Ctrl-C does not reach it. `output` and `source` are file descriptors. Without
        `environment`, it gets that of a server."""
        return subprocess.Popen(  # noqa: S603  # a program of PostgreSQL
            command,
            cwd=folder,
            env=_environment(folder) if environment is None else environment,
            stdin=source,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=self.inherited,
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
        )

    def run(self, command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None) -> None:
        """Runs a program and waits for it. Raises MigsafeError with the program's output if it fails. An exception, such as that of Ctrl-C,
        kills the program and the processes that it has started."""
        with (folder / "output").open("w+b") as output:
            process = self.start(command, folder, output.fileno(), environment=environment)
            try:
                failed = process.wait() != 0
            except BaseException:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise
            output.seek(0)
            if failed:
                said = output.read().decode("utf-8", "replace").strip()
                if "No space left on device" in said:
                    raise MigsafeError(
                        f"{command[0]} failed: no space left on the disk of {folder}", "Free some space, or choose a disk with TMPDIR."
                    )
                raise MigsafeError(f"{command[0]} failed", said)
        (folder / "output").unlink()

    def own(self, folder: Path) -> None:
        """Makes the account the owner of a folder."""
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)

    def can_run(self, program: Path, folder: Path) -> bool:
        """Whether the account can run the program and load the libraries that it needs."""
        try:
            self.run([program, "--version"], folder)
        except (OSError, MigsafeError):
            return False
        return True


def find_unprivileged_account() -> Account:
    """Returns an account that is not root: that of this process, or another one. Raises MigsafeError if there is none."""
    if os.geteuid() != 0:
        return Account()
    import pwd  # noqa: PLC0415  # Windows does not have it

    accounts = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid != 0}
    for name in (*_PREFERRED, *accounts):
        if name in accounts:
            return Account(accounts[name].pw_uid, accounts[name].pw_gid)
    raise MigsafeError("PostgreSQL refuses to run as root, and this machine has no other account", "Run migsafe as another user.")


def copy_installation(bindir: Path, folder: Path) -> Path:
    """Copies an installation that an account cannot read into `folder`; returns the folder of the copied programs.

    Programs find their files and libraries relative to their own path, so the copy must have the same layout: the folders next to `bin`,
    and the folder `*.libs` that a Python package has next to its own.
    """
    root = bindir.parent
    copy = folder / root.parent.name / root.name
    for part in {bindir.name, *_PARTS}:
        if (root / part).is_dir():
            shutil.copytree(root / part, copy / part, symlinks=True, dirs_exist_ok=True)
    for libs in root.parent.parent.glob(f"{root.parent.name}.libs"):
        shutil.copytree(libs, folder / libs.name, symlinks=True, dirs_exist_ok=True)
    return copy / bindir.name


def _environment(folder: Path) -> dict[str, str]:
    """Returns the environment of a server: without PG… variables and locales, which would change its behaviour."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C", "HOME": str(folder), "TMPDIR": str(folder)}
