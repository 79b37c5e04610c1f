"""The driver that a project uses, as its scripts see it: the class of the dialect and the URL of the database."""

from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import psycopg, psycopg2
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.util import immutabledict

from migsafe.rendering.worker.environment import unknown_of_env
from migsafe.rendering.worker.script_run import Run
from migsafe.script_environment import UNKNOWN

_DRIVERS = ("psycopg", "psycopg2", "asyncpg", "pg8000", "psycopg2cffi")
DEFAULT_DRIVER = str(postgresql.dialect.driver)
"""The driver of a URL that names none: psycopg2 before SQLAlchemy 2.1, then psycopg."""


class _AnyPsycopg(type(postgresql.dialect)("_AnyPsycopg", (psycopg.dialect, psycopg2.dialect), {})):  # type: ignore[misc]
    """The dialect of a URL that names no driver: which of the two it is depends on the version of SQLAlchemy."""


class _PartlyKnownUrl(URL):
    """The URL of a database whose parts are unknown values. As a string it shows their marks; SQLAlchemy would quote them."""

    def render_as_string(self, hide_password: bool = True) -> str:
        """Returns the URL with the marks of its unknown parts."""
        password = "***" if hide_password else self.password
        return f"{self.drivername}://{self.username}:{password}@{self.host}/{self.database}"


def driver_of(url: str) -> str:
    """Returns the driver that a URL names; SQLAlchemy's default if it names none."""
    driver = url.partition(":")[0].partition("+")[2]
    return driver if driver in _DRIVERS else DEFAULT_DRIVER


@cache
def dialect_class(driver: str) -> Any:
    """Returns the dialect of a driver. For the default it is a dialect of psycopg2 as well."""
    if driver == DEFAULT_DRIVER:
        return _AnyPsycopg
    return import_module(f"sqlalchemy.dialects.postgresql.{driver}").dialect


def database_url(run: Run) -> URL:
    """Returns the URL of the database. Unless the settings contain all of it, only its dialect and driver are known; it is PostgreSQL's even if
    the settings are for another database."""
    url = run.environment.url
    if url and UNKNOWN not in url:
        try:
            known = make_url(url)
        except ArgumentError:
            known = None
        if known is not None and known.get_backend_name() == "postgresql":
            return known
    name = url.partition(":")[0] if url.startswith("postgresql") else "postgresql"
    parts: dict[str, Any] = {part: unknown_of_env(run, f"engine.url.{part}") for part in ("username", "password", "host", "database")}
    return _PartlyKnownUrl(name, port=None, query=immutabledict(), **parts)
