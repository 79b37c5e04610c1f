"""The supported runners, in the order in which they are tried."""

from migsafe.errors import ConfigError, did_you_mean
from migsafe.sources.alembic import ALEMBIC
from migsafe.sources.atlas import ATLAS
from migsafe.sources.bun import BUN
from migsafe.sources.dbmate import DBMATE
from migsafe.sources.drizzle import DRIZZLE
from migsafe.sources.flyway import FLYWAY
from migsafe.sources.folders import DIESEL, HASURA, PRISMA
from migsafe.sources.golang_migrate import GOLANG_MIGRATE
from migsafe.sources.goose import GOOSE
from migsafe.sources.graphile_migrate import GRAPHILE_MIGRATE
from migsafe.sources.liquibase import LIQUIBASE
from migsafe.sources.mybatis import MYBATIS
from migsafe.sources.node_pg_migrate import NODE_PG_MIGRATE
from migsafe.sources.plain import PLAIN
from migsafe.sources.play import PLAY
from migsafe.sources.pop import POP
from migsafe.sources.postgrator import POSTGRATOR
from migsafe.sources.postgres_migrations import POSTGRES_MIGRATIONS
from migsafe.sources.refinery import REFINERY
from migsafe.sources.runner import Folder, Runner
from migsafe.sources.sqitch import SQITCH
from migsafe.sources.sql_migrate import SQL_MIGRATE
from migsafe.sources.sqlx import SQLX
from migsafe.sources.supabase import SUPABASE
from migsafe.sources.tern import TERN
from migsafe.sources.versioned import VERSIONED
from migsafe.sources.yoyo import YOYO

# Directives in the files are stronger evidence than names, and names of one runner stronger than those that several share.
RUNNERS: tuple[Runner, ...] = (
    ALEMBIC,
    SQITCH,
    GRAPHILE_MIGRATE,
    HASURA,
    DIESEL,
    PRISMA,
    GOOSE,
    DBMATE,
    SQL_MIGRATE,
    TERN,
    NODE_PG_MIGRATE,
    PLAY,
    MYBATIS,
    LIQUIBASE,
    DRIZZLE,
    REFINERY,
    FLYWAY,
    BUN,
    POP,
    SQLX,
    GOLANG_MIGRATE,
    POSTGRATOR,
    SUPABASE,
    YOYO,
    ATLAS,
    POSTGRES_MIGRATIONS,
    VERSIONED,
    PLAIN,
)


def runner_named(name: str) -> Runner:
    """Returns the runner of that name. Raises ConfigError, with the nearest name, for an unknown one."""
    for runner in RUNNERS:
        if runner.name == name:
            return runner
    raise ConfigError(f"there is no runner {name}", did_you_mean(name, (runner.name for runner in RUNNERS)))


def recognise_runner(folder: Folder) -> Runner | None:
    """Returns the runner whose migrations a folder contains; None if it contains none."""
    return next((runner for runner in RUNNERS if runner.recognises(folder)), None)
