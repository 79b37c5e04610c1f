"""What of a plan the command line asks for."""

from migsafe.configuration import Configuration
from migsafe.errors import ConfigError
from migsafe.sources import Plan


def narrowed(plan: Plan, settings: Configuration, since: str | None, changed: bool) -> Plan:
    """What of a plan is to be judged: after `start-after`, and changed where that is asked for. Raises ConfigError."""
    if settings.start_after is not None:
        plan = plan.after(settings.start_after)
    if since is None and not changed:
        return plan
    if since is not None and changed:
        raise ConfigError("--since and --changed cannot both be given", "--since counts what is not committed, too.")
    from migsafe import changed as git  # noqa: PLC0415  # most runs do not ask git

    folders = [source.folder for source in plan.sources if source.folder is not None]
    files = git.since(since, folders) if since is not None else git.uncommitted(folders)
    return plan.narrowed(lambda file: file.is_among(files))
