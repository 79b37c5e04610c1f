"""Whom a server runs as: PostgreSQL refuses to serve root."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from migsafe.errors import MigsafeError

_PREFERRED = ("postgres", "nobody")
_PARTS = ("bin", "lib", "lib64", "share")


class Account(Struct, frozen=True):
    """An account to run a program as; None for both is whoever runs us."""

    uid: int | None = None
    gid: int | None = None

    def start(self, command: Sequence[str | Path], folder: Path, output: int, source: int = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
        """Start a program in a folder, out of reach of the terminal's Ctrl-C. `output`, a file, takes all that it says; it reads `source`."""
        return subprocess.Popen(  # noqa: S603  # a program of PostgreSQL's
            command,
            cwd=folder,
            env=_environment(folder),
            stdin=source,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
        )

    def run(self, command: Sequence[str | Path], folder: Path) -> None:
        """Run a program to its end. Raises MigsafeError, with what the program said, if it fails."""
        with (folder / "said").open("w+b") as said:
            process = self.start(command, folder, said.fileno())
            try:
                failed = process.wait() != 0
            except BaseException:
                process.kill()
                process.wait()
                raise
            said.seek(0)
            if failed:
                raise MigsafeError(f"{command[0]} failed", said.read().decode("utf-8", "replace").strip())
        (folder / "said").unlink()

    def own(self, folder: Path) -> None:
        """Give the account a folder of ours."""
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)

    def can_run(self, program: Path, folder: Path) -> bool:
        """Whether it gets at the program, and at the libraries that it needs."""
        try:
            self.run([program, "--version"], folder)
        except (OSError, MigsafeError):
            return False
        return True


def find_unprivileged_account() -> Account:
    """An account that PostgreSQL serves: our own, or another if we are root. Raises MigsafeError if there is none."""
    if os.geteuid() != 0:
        return Account()
    accounts = {one.pw_name: one for one in pwd.getpwall() if one.pw_uid != 0}
    for name in (*_PREFERRED, *accounts):
        if name in accounts:
            return Account(accounts[name].pw_uid, accounts[name].pw_gid)
    raise MigsafeError("PostgreSQL refuses to run as root, and there is no other account", "Run migsafe as another user.")


def copy_installation(bindir: Path, folder: Path) -> Path:
    """A copy of an installation that stands where an account must not enter; where the programs are then.

    Programs find their files and libraries by where they stand themselves, so that the folders must stand to each other as before: those
    beside `bin`, and the folder `*.libs` that a Python package keeps beside its own.
    """
    root = bindir.parent
    new = folder / root.parent.name / root.name
    for part in {bindir.name, *_PARTS}:
        if (root / part).is_dir():
            shutil.copytree(root / part, new / part, symlinks=True, dirs_exist_ok=True)
    for libs in root.parent.parent.glob(f"{root.parent.name}.libs"):
        shutil.copytree(libs, folder / libs.name, symlinks=True, dirs_exist_ok=True)
    return new / bindir.name


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of ours may bend the server: no PG… variables, no locale."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C", "HOME": str(folder), "TMPDIR": str(folder)}
