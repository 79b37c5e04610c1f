"""Engines that the project's own code makes: for a database whose URL is unknown here, which is the one that is migrated.

Its connections are those of the simulated database, as with `op.get_bind().engine`.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine
from sqlalchemy.engine import create as create_module
from sqlalchemy.exc import ArgumentError

from migsafe.rendering.worker.older_sqlalchemy import REMOVED_ENGINE_ARGUMENTS
from migsafe.rendering.worker.project import ProjectCode
from migsafe.rendering.worker.unknown import MARK, Unknown


class ProjectEngine(Engine):
    """An engine for the simulated database of the run that currently uses it."""

    def __init__(self, project: ProjectCode) -> None:
        self._project = project

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._project.database.connection.engine, name)

    @property
    def database(self) -> Any:
        """The simulated database of the run."""
        return self._project.database

    def connect(self) -> Connection:
        """Returns a connection to the simulated database."""
        connection: Connection = self._project.database.connection.engine.connect()
        return connection

    def dispose(self, close: bool = True) -> None:
        """Does nothing: there are no connections to close."""


def install_engines(project: ProjectCode) -> None:
    """Lets code of the project make engines for unknown URLs, for the rest of the process."""
    create = _creating(sqlalchemy.create_engine, lambda: ProjectEngine(project), project)
    sqlalchemy.create_engine = sqlalchemy.engine.create_engine = create
    vars(create_module)["create_engine"] = create  # `engine_from_config` calls it there


def _creating(create: Callable[..., Any], simulated: Callable[[], Any], project: ProjectCode) -> Callable[..., Any]:
    def call(url: Any, *arguments: Any, **named: Any) -> Any:
        if "module" in named or project.owner.run is None:
            return create(url, *arguments, **named)
        if url is None or isinstance(url, Unknown) or MARK.search(str(url)):
            return simulated()
        try:
            return create(url, *arguments, **{name: value for name, value in named.items() if name not in REMOVED_ENGINE_ARGUMENTS})
        except (ImportError, ArgumentError, ValueError):  # its driver is not installed, or a setting in the URL is missing here
            return simulated()

    return call
