"""What to write into a repository so that migsafe looks at its migrations: configuration, hook, CI job."""

import json
import re
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from typing import Literal

from msgspec import Struct

from migsafe import __version__
from migsafe.errors import ConfigError
from migsafe.setup import texts
from migsafe.setup.repository import GITHUB, GITLAB, GITLAB_JOB, HOOKS, OWN, PYPROJECT, History, Repository

Ci = Literal["github", "gitlab", "none"]

_DISTRIBUTION = "migsafe-cli"
_LIST_OF_REPOS = re.compile(r"^repos:[ \t]*(?:#.*)?\n((?:[ \t]*(?:#.*)?\n|[ \t]+.*\n|-.*\n)*)", re.MULTILINE)
_ENTRY = re.compile(r"^([ \t]*)-[ \t]", re.MULTILINE)
_INCLUDES = re.compile(r"^include:", re.MULTILINE)


class Wish(Struct, frozen=True, kw_only=True):
    """What somebody wants: a hook or none, and whose CI; None where it is as the repository suggests."""

    hook: bool = True
    ci: Ci | None = None


class Proposal(Struct, frozen=True, kw_only=True):
    """One file to write: its path from the root, what is to be added (all of it, where the file is new), and the text that it has then. Where
    `text` is None nothing is written, and `why` says why not, or what to do by hand."""

    path: str
    added: str = ""
    text: str | None = None
    new: bool = True
    why: str = ""


def propose(found: Repository, wish: Wish) -> list[Proposal]:
    """The files to write, and those to leave as they are. Raises ConfigError where none of the histories looks like production's."""
    histories = [history for history in found.histories if history.is_production] or list(found.histories)
    if not histories:
        raise ConfigError("no migrations found", "Name their folder: `migsafe init db/migrations`.")
    scripted = any(history.runner == "Alembic" for history in histories)
    proposals = [_configuration(found, histories)]
    if wish.hook:
        proposals.append(_hook(found, scripted))
    ci = wish.ci or ("gitlab" if found.on_gitlab else "github" if found.on_github else "none")
    if ci == "github":
        proposals.append(_job(found, GITHUB, texts.github(requirement(), scripted)))
    elif ci == "gitlab":
        proposals += _gitlab(found, scripted)
    return proposals


def requirement() -> str:
    """What installs this very migsafe elsewhere: its version, or the commit of the repository that it was installed from."""
    try:
        written = distribution(_DISTRIBUTION).read_text("direct_url.json")
    except PackageNotFoundError:
        written = None
    origin = json.loads(written) if written else {}
    git = origin.get("vcs_info", {})
    if git.get("vcs") == "git":
        return f"{_DISTRIBUTION} @ git+{origin['url']}@{git['commit_id']}"
    return f"{_DISTRIBUTION}=={__version__}"


def _configuration(found: Repository, histories: Sequence[History]) -> Proposal:
    if found.configured:
        return Proposal(path=found.configured, new=False, why="it holds a configuration of migsafe already")
    if PYPROJECT in found.texts:
        return _appended(PYPROJECT, found.texts[PYPROJECT], f"[tool.migsafe]\n{texts.configuration(histories)}")
    text = texts.configuration(histories)
    return Proposal(path=OWN, added=text, text=text)


def _hook(found: Repository, scripted: bool) -> Proposal:
    entry = texts.hook(requirement(), scripted)
    before = found.texts.get(HOOKS)
    if before is None:
        text = "repos:\n" + _indented(entry, "  ")
        return Proposal(path=HOOKS, added=text, text=text)
    if "migsafe" in before:
        return Proposal(path=HOOKS, new=False, why="it runs migsafe already")
    block = _LIST_OF_REPOS.search(before if before.endswith("\n") else before + "\n")
    first = _ENTRY.search(block[1]) if block else None
    if block is None or first is None:
        return Proposal(path=HOOKS, new=False, added=entry, why="its `repos` are not written as a list; add this by hand")
    entry = _indented(entry, first[1])
    text, end = block.string, block.start(1) + len(block[1].rstrip()) + 1
    return Proposal(path=HOOKS, added=entry, text=text[:end] + entry + text[end:], new=False)


def _job(found: Repository, path: str, text: str) -> Proposal:
    if path in found.texts:
        return Proposal(path=path, new=False, why="it is there already")
    return Proposal(path=path, added=text, text=text)


def _gitlab(found: Repository, scripted: bool) -> Iterator[Proposal]:
    yield _job(found, GITLAB_JOB, texts.gitlab(requirement(), scripted))
    before = found.texts.get(GITLAB)
    include = f"include:\n  - local: {GITLAB_JOB}\n"
    if before is None:
        yield Proposal(path=GITLAB, added=include, text=include)
    elif GITLAB_JOB in before:
        yield Proposal(path=GITLAB, new=False, why="it includes the job already")
    elif _INCLUDES.search(before):
        yield Proposal(path=GITLAB, new=False, added=f"- local: {GITLAB_JOB}\n", why="it has an `include`; add this to it by hand")
    else:
        yield _appended(GITLAB, before, include)


def _appended(path: str, before: str, added: str) -> Proposal:
    gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
    return Proposal(path=path, added=added, text=before + gap + added, new=False)


def _indented(text: str, by: str) -> str:
    return "".join(f"{by}{line}" for line in text.splitlines(keepends=True))
