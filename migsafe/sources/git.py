"""The files that have changed, according to git."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from migsafe.errors import MigsafeError

_VARIABLES_OF_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


def changed_files(revision: str | None, folders: Iterable[str]) -> set[str]:
    """Returns the files that have changed since a revision; without one, those that are not committed. Raises MigsafeError."""
    return uncommitted_files(folders) if revision is None else changed_since(revision, folders)


def changed_since(revision: str, folders: Iterable[str]) -> set[str]:
    """Returns the absolute paths of the files that have changed since the current branch left `revision`, in the repositories of the folders:
    added, modified or renamed, committed or not. Raises MigsafeError outside a repository, for an unknown revision, and without git."""
    return {path for root in _roots(folders) for path in _since(root, revision)}


def uncommitted_files(folders: Iterable[str]) -> set[str]:
    """Returns the files that differ from the last commit, and the untracked ones. Raises MigsafeError."""
    return {path for root in _roots(folders) for path in _uncommitted(root)}


def _since(root: str, revision: str) -> set[str]:
    resolved = _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") if not revision.startswith("-") else None
    if resolved is None:
        raise MigsafeError(
            f"--since: git has no revision {revision}", "Fetch it first; a CI job that clones only the last commit does not have it."
        )
    commit = resolved.strip()
    # Only changes of the current branch count, not later ones of the other branch. Without a common commit (a shallow clone), all count.
    base = _git(root, "merge-base", commit, "HEAD") or commit
    return _paths(root, _differing(root, base.strip()))


def _uncommitted(root: str) -> set[str]:
    untracked = _git(root, "ls-files", "-z", "--others", "--exclude-standard") or ""
    if _git(root, "rev-parse", "--verify", "--quiet", "HEAD") is None:
        return _paths(root, untracked + (_git(root, "ls-files", "-z", "--cached") or ""))
    return _paths(root, untracked + _differing(root, "HEAD"))


def _differing(root: str, commit: str) -> str:
    differing = _git(root, "-c", "diff.relative=false", "diff", "--name-only", "-z", "--no-renames", "--diff-filter=d", commit, "--")
    if differing is None:
        raise MigsafeError(f"git cannot compare the files with commit {commit}")
    return differing


def _paths(root: str, names: str) -> set[str]:
    return {os.path.realpath(Path(root, name)) for name in names.split("\0") if name}


def _roots(folders: Iterable[str]) -> set[str]:
    return {_root(folder or ".") for folder in folders}


def _root(folder: str) -> str:
    completed = _run(folder, "rev-parse", "--show-toplevel")
    if completed.returncode:
        messages = os.fsdecode(completed.stderr).strip().removeprefix("fatal: ").splitlines()
        raise MigsafeError(
            f"{folder}: is not in a git repository: {messages[0] if messages else 'no reason given'}",
            "--since and --changed need one.",
        )
    return os.fsdecode(completed.stdout).removesuffix("\n")


def _git(root: str, *arguments: str) -> str | None:
    """Returns the output of git; None if it fails."""
    completed = _run(root, *arguments)
    return None if completed.returncode else os.fsdecode(completed.stdout)


def _run(folder: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    # Git tells hooks the repository in variables, which would take precedence over the folder.
    environment = {name: value for name, value in os.environ.items() if name not in _VARIABLES_OF_HOOKS}
    try:
        return subprocess.run(["git", "-C", folder, *arguments], capture_output=True, env=environment, check=False)  # noqa: S603, S607
    except OSError as error:
        raise MigsafeError("git cannot be run", "Install git: --since and --changed need it.") from error
