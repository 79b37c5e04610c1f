"""What of a plan the command line asks for."""

from collections.abc import Callable, Collection

from migsafe.configuration import Configuration
from migsafe.errors import ConfigError
from migsafe.sources import Plan

GitSaid = Callable[[str | None, list[str], Collection[str]], None]
"""Who wants to know what git was asked (a revision, or None for what is not committed; folders) and which files it named."""


def narrowed(plan: Plan, settings: Configuration, since: str | None, changed: bool, git_said: GitSaid | None = None) -> Plan:
    """What of a plan is to be judged: after `start-after`, and changed where that is asked for. Raises ConfigError."""
    if settings.start_after is not None:
        plan = plan.after(settings.start_after)
    if since is None and not changed:
        return plan
    if since is not None and changed:
        raise ConfigError("--since and --changed cannot both be given", "--since counts what is not committed, too.")
    from migsafe import changed as git  # noqa: PLC0415  # most runs do not ask git

    folders = [source.folder for source in plan.sources if source.folder is not None]
    files = git.asked(since, folders)
    if git_said is not None:
        git_said(since, folders, files)
    return plan.narrowed(lambda file: file.is_among(files))
