"""From paths and a configuration to the plan: the migrations to judge, and their history."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from migsafe.configuration import Configuration
from migsafe.errors import ConfigError, MigsafeError
from migsafe.sources import Plan, find_migrations
from migsafe.sources.runner import Folder
from migsafe.sources.runners import recognise_runner
from migsafe.text import Script

OnGitAnswer = Callable[[str | None, list[str], list[str]], None]
"""Receives what git was asked (a revision, or None for uncommitted changes; folders) and all that its answers depend on."""


def find_plan(
    paths: Sequence[str] | None,
    settings: Configuration,
    verb: str,
    *,
    since: str | None = None,
    changed: bool = False,
    upgrade_from: str | None = None,
    text: str | None = None,
    on_git_answer: OnGitAnswer | None = None,
    allow_none: bool = False,
) -> Plan:
    """Returns the migrations at the paths, or those of the configuration, with the history before them. `since` (a git revision) and `changed`
    (uncommitted) restrict them to what git says changed, `upgrade_from` to what follows a migration, as one upgrade. `text` is SQL instead of
    files. `allow_none`: the configuration may exclude all the paths. Raises MigsafeError; `verb` completes its sentence “nothing to …”."""
    if text is not None and (paths or since is not None or changed):
        raise ConfigError("SQL as text cannot be combined with files or a comparison", "Pass either the text or the names of files.")
    plan = find_migrations(["-"] if text is not None else requested_paths(paths, settings, verb), settings.sources, text)
    if plan.excluded and not plan.sources and not allow_none:
        raise MigsafeError(f"nothing to {verb}: {', '.join(plan.excluded)}", "`exclude` in the configuration says that it is not a migration.")
    if upgrade_from is not None:
        if since is not None or changed:
            raise ConfigError("--upgrade-from cannot be used with --since or --changed", "Name the migration that production has applied last.")
        return plan.starting_after(upgrade_from, is_upgrade=True)
    return narrow(plan, settings, since, changed, on_git_answer)


def plan_of_file(path: str, settings: Configuration, text: str) -> Plan:
    """Returns the history of a file, in which only it is selected. If it does not exist yet, it is new SQL with this text, in a folder of
    migrations. Raises MigsafeError."""
    home = None if os.path.isfile(path) else _home_of_new(path)
    if home is None or settings.sources.exclusion.covers(path):
        return find_plan([path], settings, "lint", allow_none=True)
    return find_plan([home], settings, "lint").with_new_file(Script(path, text))


def plan_of_text(path: str, settings: Configuration, text: str) -> Plan:
    """Returns the history in which a text is the migration of a file, whether or not the file exists; none if the file is excluded. Raises
    MigsafeError if it would not be a migration."""
    plan = plan_of_file(path, settings, text)
    if not plan.sources and not plan.excluded:
        raise MigsafeError(f"{path}: would not be a migration", "Name a file as the other migrations of its folder are named.")
    return plan.edited({os.path.abspath(path): Script(path, text)})  # noqa: PTH100  # links stay


def can_be_migration(path: str) -> bool:
    """Whether a file exists, or is new SQL in a folder of migrations, or in a new folder there."""
    return os.path.isfile(path) or (path.endswith(".sql") and _home_of_new(path) is not None)


def _home_of_new(path: str) -> str | None:
    """Returns the folder of migrations in which a new file is; None if there is none."""
    folder = Path(path).parent
    home = folder if folder.is_dir() else folder.parent
    try:
        return home.as_posix() if recognise_runner(Folder(home.as_posix())) is not None else None
    except MigsafeError:
        return None


def requested_paths(paths: Sequence[str] | None, settings: Configuration, verb: str) -> list[str]:
    """Returns the given paths, or those of the configuration. Raises ConfigError if there are none; `verb` completes “nothing to …”."""
    requested = list(paths or settings.migrations)
    if not requested:
        raise ConfigError(f"nothing to {verb}", "Name a file or a folder, or set `migrations` in [tool.migsafe] of pyproject.toml.")
    return requested


def narrow(plan: Plan, settings: Configuration, since: str | None, changed: bool, on_git_answer: OnGitAnswer | None = None) -> Plan:
    """Returns the part of a plan to judge: after `start-after`, and only what git says changed if that is requested. Raises ConfigError."""
    if since is not None and changed:
        raise ConfigError("--since and --changed cannot be used together", "--since includes uncommitted changes.")
    if settings.start_after is not None:
        plan = plan.starting_after(settings.start_after)
    return _compare(plan, settings, since, on_git_answer) if since is not None or changed else plan


def _compare(plan: Plan, settings: Configuration, since: str | None, on_git_answer: OnGitAnswer | None) -> Plan:
    from migsafe.sources import git  # noqa: PLC0415  # most runs do not need git

    folders = [source.folder for source in plan.sources if source.folder is not None]
    comparison = git.Comparison(since, folders)
    # Queries are judged on the database at the end, also if no migration has changed.
    compared = plan.compared_with(comparison, to_end=bool(settings.queries))
    if on_git_answer is not None:
        on_git_answer(since, folders, comparison.answer)
    return compared


def schema_script(path: str | None) -> Script | None:
    """Returns the script of a `pg_dump --schema-only`, if there is one."""
    return Script(path) if path else None


def has_only_new_migrations(plan: Plan, settings: Configuration) -> bool:
    """Whether it is known that no database has applied the migrations of a plan, because they are not a whole history."""
    return settings.start_after is not None or all(source.release or len(source.files) <= 1 for source in plan.sources)
