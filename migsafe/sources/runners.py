"""The runners that migsafe knows, and which of them a folder's migrations are for."""

from migsafe.errors import MigsafeError
from migsafe.sources.atlas import ATLAS
from migsafe.sources.dbmate import DBMATE
from migsafe.sources.drizzle import DRIZZLE
from migsafe.sources.flyway import FLYWAY
from migsafe.sources.folders import DIESEL, HASURA, PRISMA
from migsafe.sources.golang_migrate import GOLANG_MIGRATE
from migsafe.sources.goose import GOOSE
from migsafe.sources.liquibase import LIQUIBASE
from migsafe.sources.plain import PLAIN
from migsafe.sources.runner import Folder, Runner
from migsafe.sources.sql_migrate import SQL_MIGRATE
from migsafe.sources.sqlx import SQLX
from migsafe.sources.supabase import SUPABASE
from migsafe.sources.yoyo import YOYO

_BY_DIRECTIVES = (GOOSE, SQL_MIGRATE, DBMATE, LIQUIBASE)
# What is peculiar to one runner comes before what several share: a folder a migration, directives, then names.
RUNNERS: tuple[Runner, ...] = (
    PRISMA,
    HASURA,
    DIESEL,
    *_BY_DIRECTIVES,
    DRIZZLE,
    ATLAS,
    FLYWAY,
    SUPABASE,
    YOYO,
    SQLX,
    GOLANG_MIGRATE,
    PLAIN,
)


def recognised(folder: Folder) -> Runner | None:
    """The runner whose migrations a folder holds; None where it holds none."""
    for runner in RUNNERS:
        if runner.recognises(folder):
            return runner
    return None


def named(name: str) -> Runner:
    """The runner of that name. Raises MigsafeError that names the nearest where there is none."""
    for runner in RUNNERS:
        if runner.name == name:
            return runner
    from difflib import get_close_matches  # noqa: PLC0415  # only for a mistake

    names = [runner.name for runner in RUNNERS]
    near = get_close_matches(name, names, 1)
    raise MigsafeError(
        f"there is no runner called {name!r}", f"Did you mean {near[0]!r}?" if near else "Known runners: " + ", ".join(names) + "."
    )


class _Text(Folder):
    """A text that stands in no folder, to be recognised by its directives."""

    def __init__(self, text: str) -> None:
        self.path = ""
        self.named = None
        self.files = []
        self.folders = []
        self.__dict__["sample"] = [text]


def by_directives(text: str) -> Runner | None:
    """The runner whose directives a text holds; None where it holds none."""
    folder = _Text(text)
    return next((runner for runner in _BY_DIRECTIVES if runner.recognises(folder)), None)
