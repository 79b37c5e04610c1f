"""The files with which migsafe checks a repository's migrations: configuration, hook, CI job."""

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from migsafe.configuration.schema import FILE, SITE
from migsafe.patterns import lazy_pattern
from migsafe.setup import texts
from migsafe.setup.installation import USUAL_PYTHON, application, python_for, requirement
from migsafe.setup.repository import AGENTS, GITHUB, GITLAB, GITLAB_JOB, HOOKS, OWN, PYPROJECT, History, Repository

Ci = Literal["github", "gitlab", "none"]

_LIST_OF_REPOS = lazy_pattern(r"^repos:[ \t]*(?:#.*)?\n((?:[ \t]*(?:#.*)?\n|[ \t]+.*\n|-.*\n)*)", re.MULTILINE)
_ENTRY = lazy_pattern(r"^([ \t]*)-[ \t]", re.MULTILINE)
_INCLUDES = lazy_pattern(r"^include:", re.MULTILINE)


class Wish(Struct, frozen=True, kw_only=True):
    """What the user wants: a hook or none, which CI, and a section for coding agents; None means the CI that the repository uses, and a section
    if it has an AGENTS.md."""

    hook: bool = True
    ci: Ci | None = None
    agents: bool | None = None


class Proposal(Struct, frozen=True, kw_only=True):
    """One file to write: its path from the root, what is added (everything, if the file is new), and the resulting text. If `text` is None,
    nothing is written, and `why` says why, or what to do by hand."""

    path: str
    added: str = ""
    text: str | None = None
    new: bool = True
    why: str = ""


def propose(repository: Repository, wish: Wish) -> list[Proposal]:
    """Returns the files to write and the files to leave unchanged."""
    histories = repository.offered
    imported = application(repository.root, [history.path for history in histories if history.runner == "Alembic"])
    python = python_for(repository.root, imported)
    if python is None:  # the job runs without the application, whose missing modules migsafe substitutes
        imported, python = [], USUAL_PYTHON
    proposals = [_configuration(repository, histories)]
    if wish.hook:
        proposals.append(_hook(repository))
    ci = wish.ci or ("gitlab" if repository.on_gitlab else "github" if repository.on_github else "none")
    if ci == "github":
        proposals.append(_job(repository, GITHUB, texts.github(requirement(), imported, python)))
    elif ci == "gitlab":
        proposals += _gitlab(repository, imported, python)
    if wish.agents or (wish.agents is None and AGENTS in repository.texts):
        proposals.append(_agents(repository))
    return proposals


def _configuration(repository: Repository, histories: Sequence[History]) -> Proposal:
    if repository.configured:
        return Proposal(path=repository.configured, new=False, why="it has a configuration of migsafe")
    text = texts.configuration(histories, repository.schemas, repository.queries)
    if PYPROJECT in repository.texts:
        return _appended(PYPROJECT, repository.texts[PYPROJECT], f"[tool.migsafe]\n{text}")
    text = f"#:schema {SITE}{FILE}\n{text}"  # for editors: the TOML language server checks the keys, and offers them
    return Proposal(path=OWN, added=text, text=text)


def _hook(repository: Repository) -> Proposal:
    entry = texts.hook(requirement())
    before = repository.texts.get(HOOKS)
    if before is None:
        text = "repos:\n" + _indented(entry, "  ")
        return Proposal(path=HOOKS, added=text, text=text)
    if "migsafe" in before:
        return Proposal(path=HOOKS, new=False, why="it already runs migsafe")
    block = _LIST_OF_REPOS.search(before if before.endswith("\n") else before + "\n")
    first = _ENTRY.search(block[1]) if block else None
    if block is None or first is None:
        return Proposal(path=HOOKS, new=False, added=entry, why="its `repos` is not a list in block style; add this by hand")
    entry = _indented(entry, first[1])
    text, end = block.string, block.start(1) + len(block[1].rstrip()) + 1
    return Proposal(path=HOOKS, added=entry, text=text[:end] + entry + text[end:], new=False)


def _agents(repository: Repository) -> Proposal:
    before, section = repository.texts.get(AGENTS), texts.agents()
    if before is None:
        return Proposal(path=AGENTS, added=section, text=section)
    if "migsafe" in before:
        return Proposal(path=AGENTS, new=False, why="it already mentions migsafe")
    return _appended(AGENTS, before, section)


def _job(repository: Repository, path: str, text: str) -> Proposal:
    if path in repository.texts:
        return Proposal(path=path, new=False, why="it already exists")
    return Proposal(path=path, added=text, text=text)


def _gitlab(repository: Repository, imported: Sequence[str], python: str) -> Iterator[Proposal]:
    yield _job(repository, GITLAB_JOB, texts.gitlab(requirement(), imported, python))
    before = repository.texts.get(GITLAB)
    include = f"include:\n  - local: {GITLAB_JOB}\n"
    if before is None:
        yield Proposal(path=GITLAB, added=include, text=include)
    elif GITLAB_JOB in before:
        yield Proposal(path=GITLAB, new=False, why="it already includes the job")
    elif _INCLUDES.search(before):
        yield Proposal(path=GITLAB, new=False, added=f"- local: {GITLAB_JOB}\n", why="it has an `include`; add this to it by hand")
    else:
        yield _appended(GITLAB, before, include)


def _appended(path: str, before: str, added: str) -> Proposal:
    gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
    return Proposal(path=path, added=added, text=before + gap + added, new=False)


def _indented(text: str, by: str) -> str:
    return "".join(f"{by}{line}" for line in text.splitlines(keepends=True))
