"""Which files git says have changed."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from migsafe.errors import MigsafeError

_HOOKS_OWN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


def changed_files(revision: str | None, folders: Iterable[str]) -> set[str]:
    """The files that have changed since a revision; those that are not committed where none is given. Raises MigsafeError."""
    return uncommitted_files(folders) if revision is None else changed_since(revision, folders)


def changed_since(revision: str, folders: Iterable[str]) -> set[str]:
    """The files, as absolute paths, that differ from where the current branch left `revision`, in the repositories of the folders: added,
    modified or renamed, committed or not. Raises MigsafeError outside a repository, for a revision that there is not, and without git."""
    return {path for root in _roots(folders) for path in _since(root, revision)}


def uncommitted_files(folders: Iterable[str]) -> set[str]:
    """The files that differ from the last commit, those that git does not follow yet among them. Raises MigsafeError."""
    return {path for root in _roots(folders) for path in _uncommitted(root)}


def _since(root: str, revision: str) -> set[str]:
    found = _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") if not revision.startswith("-") else None
    if found is None:
        raise MigsafeError(
            f"--since: git knows no revision {revision}", "Fetch it first; a CI job that clones only the last commit does not have it."
        )
    commit = found.strip()
    # What others have changed on their branch meanwhile is not ours. Where the histories have nothing in common (a shallow clone), all is.
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
        raise MigsafeError(f"git cannot compare with {commit}")
    return differing


def _paths(root: str, names: str) -> set[str]:
    return {os.path.realpath(Path(root, name)) for name in names.split("\0") if name}


def _roots(folders: Iterable[str]) -> set[str]:
    return {_root(folder or ".") for folder in folders}


def _root(folder: str) -> str:
    found = _run(folder, "rev-parse", "--show-toplevel")
    if found.returncode:
        said = os.fsdecode(found.stderr).strip().removeprefix("fatal: ").splitlines()
        raise MigsafeError(
            f"{folder}: git sees no repository here: {said[0] if said else 'it does not say why'}",
            "--since and --changed need one.",
        )
    return os.fsdecode(found.stdout).removesuffix("\n")


def _git(root: str, *arguments: str) -> str | None:
    """What git prints; None where it fails."""
    found = _run(root, *arguments)
    return None if found.returncode else os.fsdecode(found.stdout)


def _run(folder: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    # A hook is told which repository it runs in by variables that would go before the folder.
    environment = {name: value for name, value in os.environ.items() if name not in _HOOKS_OWN}
    try:
        return subprocess.run(["git", "-C", folder, *arguments], capture_output=True, env=environment, check=False)  # noqa: S603, S607
    except OSError as error:
        raise MigsafeError("git cannot be run", "--since and --changed ask git which files have changed.") from error
