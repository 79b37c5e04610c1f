"""What is asked for: from paths and a configuration to the migrations to look at."""

from collections.abc import Callable, Collection, Sequence

from migsafe.configuration import Configuration
from migsafe.errors import ConfigError
from migsafe.sources import Plan, find_migrations
from migsafe.text import Script

GitSaid = Callable[[str | None, list[str], Collection[str]], None]
"""Who wants to know what git was asked (a revision, or None for what is not committed; folders) and which files it named."""


def planned(
    paths: Sequence[str] | None,
    settings: Configuration,
    doing: str,
    *,
    since: str | None = None,
    changed: bool = False,
    git_said: GitSaid | None = None,
) -> Plan:
    """The migrations at the paths, or those of the configuration, with the history before them: only what git says changed since a revision,
    or what is not committed, where that is asked for. Raises MigsafeError; `doing` says what there is nothing for."""
    return narrowed(find_migrations(asked_for(paths, settings, doing), settings.sources), settings, since, changed, git_said)


def asked_for(paths: Sequence[str] | None, settings: Configuration, doing: str) -> list[str]:
    """The paths that were given, or those of the configuration. Raises ConfigError where there are none; `doing` says what for."""
    found = list(paths or settings.migrations)
    if not found:
        raise ConfigError(f"nothing to {doing}", "Name a file or a folder, or set `migrations` in [tool.migsafe] of pyproject.toml.")
    return found


def narrowed(plan: Plan, settings: Configuration, since: str | None, changed: bool, git_said: GitSaid | None = None) -> Plan:
    """What of a plan is to be judged: after `start-after`, and changed where that is asked for. Raises ConfigError."""
    if settings.start_after is not None:
        plan = plan.starting_after(settings.start_after)
    if since is None and not changed:
        return plan
    if since is not None and changed:
        raise ConfigError("--since and --changed cannot both be given", "--since counts what is not committed, too.")
    from migsafe.sources import git  # noqa: PLC0415  # most runs do not need git

    folders = [source.folder for source in plan.sources if source.folder is not None]
    files = git.changed_files(since, folders)
    if git_said is not None:
        git_said(since, folders, files)
    return plan.restricted_to(lambda file: file.is_among(files))


def dump(schema: str | None) -> Script | None:
    """The script of a `pg_dump --schema-only`, where one is named."""
    return Script(schema) if schema else None
