"""What git says about the files since a revision, and the files of folders at that revision."""

import os
import subprocess
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from migsafe.errors import MigsafeError
from migsafe.paths import relative_path
from migsafe.text import Script

_VARIABLES_OF_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
_SUFFIXES = (".sql", ".py", ".json", ".toml", ".xml", ".yaml", ".yml", ".conf")
_LARGEST = 4 << 20
"""Larger files are not migrations."""


class Comparison:
    """The repositories of some folders, compared with a revision; without one, with the last commit.

    `revision` is its name for people, `commit` the one for git. Raises MigsafeError outside a repository, for an unknown revision, and without
    git.
    """

    def __init__(self, revision: str | None, folders: Iterable[str]) -> None:
        self.revision = revision if revision is not None else "the last commit"
        self.commit = revision if revision is not None else "HEAD"
        self._repositories = [_Repository(root, revision) for root in sorted({_root(folder or ".") for folder in folders})]

    @cached_property
    def changed(self) -> set[str]:
        """The absolute paths of the files that the current branch has changed since it left the revision: added, modified or renamed, committed
        or not."""
        return {path for repository in self._repositories for path in repository.changed}

    @property
    def answer(self) -> list[str]:
        """All that git's answers depend on, for a later run to compare."""
        return [*sorted(self.changed), *(f"{each.root} {each.base} {each.tip}" for each in self._repositories)]

    def scripts(self, folder: str, *, tip: bool = False) -> dict[str, Script]:
        """Returns the files of a folder and below it, by their paths relative to it: at the commit that the current branch left, or with `tip`
        at the revision itself, which may have other migrations since."""
        repository = self._repository(folder)
        commit = repository.tip if tip else repository.base
        return repository.scripts(folder, commit) if commit is not None else {}

    def tree(self, folder: str) -> "PastTree":
        """Returns all files of a folder's repository at the commit that the current branch left."""
        repository = self._repository(folder)
        return PastTree(repository.root, repository.base)

    def former_folder(self, folder: str, files: Iterable[str]) -> str | None:
        """Returns the folder that a folder was renamed from, as far as git can tell by its files."""
        return self._repository(folder).former_folder(folder, files)

    def _repository(self, folder: str) -> "_Repository":
        path = os.path.realpath(folder or ".")
        return max((each for each in self._repositories if _is_below(path, each.root)), key=lambda each: len(each.root))


class PastTree:
    """The files of a repository at a commit: their texts are read when they are needed. Without a commit there are none."""

    def __init__(self, root: str, commit: str | None) -> None:
        self.root = root
        self._blobs: dict[str, str] = {}
        for line in (_answer(root, "ls-tree", "-r", "-z", "-l", "--full-tree", commit) if commit else "").split("\0"):
            description, _, name = line.partition("\t")
            words = description.split()
            if len(words) == 4 and words[1] == "blob" and words[3].isdecimal() and int(words[3]) <= _LARGEST:
                self._blobs[name] = words[2]

    @property
    def names(self) -> Iterable[str]:
        """The paths of the files, relative to the repository."""
        return self._blobs.keys()

    def texts(self, names: Iterable[str]) -> dict[str, str]:
        """Returns the texts of files; a byte that is not UTF-8 is replaced."""
        wanted = [name for name in names if name in self._blobs]
        return dict(zip(wanted, _texts(self.root, [self._blobs[name] for name in wanted]), strict=True))


def checked_out_revision(folder: str) -> str:
    """Returns the commit that is checked out in a folder's repository, its branch, and whether files differ from it; empty if there is no
    repository or commit, or no git."""
    try:
        commit = _git(folder, "rev-parse", "--short", "HEAD")
        if commit is None:
            return ""
        branch = (_git(folder, "symbolic-ref", "--quiet", "--short", "HEAD") or "").strip()
        is_changed = bool(_git(folder, "status", "--porcelain", "--untracked-files=no"))
    except MigsafeError:
        return ""
    return commit.strip() + (f" ({branch})" if branch else "") + (", with uncommitted changes" if is_changed else "")


class _Repository:
    """One repository. `tip` is the revision's commit, `base` the last commit that it has in common with the current branch; None without
    commits."""

    def __init__(self, root: str, revision: str | None) -> None:
        self.root = root
        self.tip = _head(root) if revision is None else _resolved(root, revision)
        self.base = _common_commit(root, self.tip, revision) if revision is not None and self.tip is not None else self.tip
        self.changed = _paths(root, self._names())

    def _names(self) -> str:
        untracked = _answer(self.root, "ls-files", "-z", "--others", "--exclude-standard")
        if self.base is None:
            return untracked + _answer(self.root, "ls-files", "-z", "--cached")
        return untracked + _answer(self.root, "diff", "--name-only", "-z", "--no-renames", "--diff-filter=d", self.base, "--")

    def scripts(self, folder: str, commit: str) -> dict[str, Script]:
        """Returns the files below a folder at a commit, with their texts."""
        below = _relative(self.root, folder)
        listed = _answer(self.root, "ls-tree", "-r", "-z", "-l", "--full-tree", commit, "--", *((below,) if below else ()))
        entries = []
        for line in listed.split("\0"):
            description, _, name = line.partition("\t")
            words = description.split()
            if len(words) == 4 and words[1] == "blob" and name.endswith(_SUFFIXES) and words[3].isdecimal() and int(words[3]) <= _LARGEST:
                entries.append((name[len(below) + 1 :] if below else name, words[2]))
        texts = _texts(self.root, [blob for _, blob in entries])
        start = f"{folder.rstrip('/')}/" if folder not in ("", ".") else ""
        return {name: Script(start + name, text) for (name, _), text in zip(entries, texts, strict=True)}

    def former_folder(self, folder: str, files: Iterable[str]) -> str | None:
        """Returns the folder from which the files of a folder were moved."""
        if self.base is None:
            return None
        names = {_relative(self.root, file) for file in files}
        below = _relative(self.root, folder)
        # Git reads the contents of what it compares: a partial clone may lack those of other files.
        kinds = sorted({f"*{suffix}" for name in names if (suffix := Path(name).suffix)})
        renamed = _git(self.root, "diff", "--name-status", "-z", "-M", "--diff-filter=R", self.base, "--", *kinds) or ""
        fields = iter(renamed.split("\0"))
        former: dict[str, int] = {}
        for old, new in ((next(fields, ""), next(fields, "")) for status in fields if status):
            inner = f"/{new[len(below) + 1 :] if below else new}"
            if new in names and f"/{old}".endswith(inner):
                above = f"/{old}".removesuffix(inner).lstrip("/")
                former[above] = former.get(above, 0) + 1
        best = max(former, key=lambda above: former[above], default=None)
        return relative_path(Path(self.root, best)) if best is not None else None


def _head(root: str) -> str | None:
    head = _git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    return head.strip() if head is not None else None


def _resolved(root: str, revision: str) -> str:
    resolved = _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") if not revision.startswith("-") else None
    if resolved is None:
        raise MigsafeError(f"--since: git has no revision {revision}", _how_to_fetch(root))
    return resolved.strip()


def _common_commit(root: str, commit: str, revision: str) -> str:
    # Only changes of the current branch count, not later ones of the other branch.
    base = _git(root, "merge-base", commit, "HEAD")
    if base is None and _is_shallow(root):
        raise MigsafeError(f"--since: the repository is a shallow clone, and has no common commit with {revision}", _how_to_fetch(root))
    return base.strip() if base is not None else commit


def _is_shallow(root: str) -> bool:
    return (_git(root, "rev-parse", "--is-shallow-repository") or "").strip() == "true"


def _how_to_fetch(root: str) -> str:
    if not _is_shallow(root):
        return "Fetch it first; a CI job that clones only the last commit does not have it."
    return 'Clone all commits: `fetch-depth: 0` of actions/checkout, `GIT_DEPTH: "0"` in GitLab, or `git fetch --unshallow`.'


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def _relative(root: str, path: str) -> str:
    """Returns a path relative to the repository, as git writes it; nothing for the repository itself."""
    relative = relative_path(os.path.realpath(path or "."), root)
    return "" if relative == "." else relative


def _texts(root: str, blobs: list[str]) -> Iterator[str]:
    """Yields the texts of blobs; a byte that is not UTF-8 is replaced. Raises MigsafeError."""
    if not blobs:
        return
    completed = _run(root, "cat-file", "--batch", input="".join(f"{blob}\n" for blob in blobs).encode())
    if completed.returncode:
        raise _failed("cat-file", completed)
    content = completed.stdout
    at = 0
    for _ in blobs:
        end = content.index(b"\n", at)
        size = int(content[at:end].split()[2])
        yield content[end + 1 : end + 1 + size].decode("utf-8-sig", "replace")
        at = end + size + 2


def _paths(root: str, names: str) -> set[str]:
    return {os.path.realpath(Path(root, name)) for name in names.split("\0") if name}


def _root(folder: str) -> str:
    completed = _run(folder, "rev-parse", "--show-toplevel")
    if completed.returncode:
        raise MigsafeError(f"{folder}: is not in a git repository: {_reason(completed)}", "--since and --changed need one.")
    return os.path.realpath(os.fsdecode(completed.stdout).removesuffix("\n"))


def _answer(root: str, *arguments: str) -> str:
    """Returns the output of git. Raises MigsafeError if it fails: without the files of a commit, no migration would seem to have changed."""
    completed = _run(root, *arguments)
    if completed.returncode:
        raise _failed(arguments[0], completed)
    return os.fsdecode(completed.stdout)


def _failed(command: str, completed: "subprocess.CompletedProcess[bytes]") -> MigsafeError:
    return MigsafeError(f"git {command} fails: {_reason(completed)}", "A partial clone needs its remote to read the files of a commit.")


def _reason(completed: "subprocess.CompletedProcess[bytes]") -> str:
    messages = os.fsdecode(completed.stderr).strip().removeprefix("fatal: ").splitlines()
    return messages[0] if messages else "no reason given"


def _git(root: str, *arguments: str) -> str | None:
    """Returns the output of git; None if it fails."""
    completed = _run(root, *arguments)
    return None if completed.returncode else os.fsdecode(completed.stdout)


def _run(folder: str, *arguments: str, input: bytes | None = None) -> "subprocess.CompletedProcess[bytes]":
    # Git tells hooks the repository in variables, which would take precedence over the folder.
    environment = {name: value for name, value in os.environ.items() if name not in _VARIABLES_OF_HOOKS}
    try:
        command = ["git", "-C", folder, "-c", "diff.relative=false", *arguments]
        return subprocess.run(command, capture_output=True, env=environment, check=False, input=input)  # noqa: S603
    except OSError as error:
        raise MigsafeError("git cannot be run", "Install git: --since and --changed need it.") from error
