"""The lock_timeout that a project gives to its connections, in the files where projects write it."""

from pathlib import Path

import pytest

from migsafe.sources.connection_settings import connection_setup

SET = ("SET lock_timeout = '2s'",)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Makefile", "migrate:\n\tPGOPTIONS='-c lock_timeout=2s' psql -f new.sql\n"),
        (".env", "DATABASE_URL=postgres://app@db/shop?sslmode=disable&options=-c%20lock_timeout%3D2s\n"),
        (".env.production", "DATABASE_URL=postgres://app@db/shop?lock_timeout=2s\n"),
        ("settings.toml", 'url = "postgres://app@db/shop?options=-c+lock_timeout%3D2s"\n'),
        ("database.yml", "url: postgres://app@db/shop?options[lock_timeout]=2s\n"),
        ("schema.prisma", 'url = "postgresql://app@db/shop?options=-c%20lock_timeout%3D2s"\n'),
        ("conf/flyway.conf", "flyway.initSql=SET lock_timeout = '2s'\n"),
        ("src/main/resources/application.yml", "spring:\n  flyway:\n    init-sqls:\n      - SELECT 1\n      - SET lock_timeout TO '2s'\n"),
        (".github/workflows/deploy.yml", "env:\n  PGOPTIONS: -c lock_timeout=2s\n"),
        ("db/migrate.ts", "await client.unsafe('SET lock_timeout = 0')\nawait client.unsafe(\"SET lock_timeout = '2s'\")\nawait migrate(db)\n"),
        ("cmd/run_migrations.go", "db.Exec(\"set session lock_timeout to '2s'\")\n"),
        ("db/migrations/beforeMigrate.sql", "-- for all migrations\nSET lock_timeout = '2s';\n"),
        ("db/migrations/beforeEachMigrate__timeouts.sql", "set lock_timeout to '2s';\n"),
        ("db/migrations.py", "connection.execute(\"SET lock_timeout = '2s'\")\n"),
    ],
)
def test_a_setting_of_the_connections_is_read(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "db" / "migrations").mkdir(parents=True)
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    assert connection_setup(str(tmp_path / "db" / "migrations")) == SET


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Makefile", "# PGOPTIONS='-c lock_timeout=2s' psql\n"),
        (".env", "PGOPTIONS=-c lock_timeout=0\n"),
        (".env", "OPTIONS_FOR_TESTS=1\nlock_timeout=2s\n"),
        ("application.yml", "init-sqls:\n  - SELECT 1\nother:\n  SET lock_timeout TO '2s'\n"),
        ("notes.md", "PGOPTIONS='-c lock_timeout=2s'\n"),
        ("migrate.ts", "// SET lock_timeout = '2s'\n/**\n * SET lock_timeout = '2s'\n */\n"),
        ("migrate.ts", "await sql`SET LOCAL lock_timeout = '2s'`\n"),
        ("migrate.test.ts", "await sql`SET lock_timeout = '2s'`\n"),
        ("beforeMigrate.sql", "SET LOCAL lock_timeout = '2s';\n"),
        ("afterMigrate.sql", "SET lock_timeout = '2s';\n"),
        ("orders.ts", "await sql`SET lock_timeout = '2s'`\n"),
    ],
)
def test_other_mentions_are_none(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / name).write_text(text)
    assert connection_setup(str(tmp_path)) == ()


def test_a_program_may_set_a_value_that_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "migrate.ts").write_text("await client.unsafe(`SET lock_timeout = '${LIMIT}'`)\n")
    assert connection_setup(str(tmp_path)) == ("SET lock_timeout = '${lock_timeout}'",)


def test_another_repository_is_not_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PGOPTIONS=-c lock_timeout=2s\n")
    (tmp_path / "shop" / ".git").mkdir(parents=True)
    assert connection_setup(str(tmp_path / "shop")) == ()
