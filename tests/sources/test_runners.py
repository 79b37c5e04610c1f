"""Each runner: how it is recognised, its order, its halves and its transactions."""

import pytest

from migsafe.sources import Half, Migration, find_migrations
from migsafe.sql.statements import read

from .conftest import Write

CUSTOMERS = "CREATE TABLE customers (id bigint PRIMARY KEY);\n"
ORDERS = "CREATE TABLE orders (id bigint PRIMARY KEY);\n"
NO_ORDERS = "DROP TABLE orders;\n"
DIVIDER = "---- create above / drop below ----\n"
INDEX = "CREATE INDEX CONCURRENTLY orders_id_idx ON orders (id);\n"


def sql(half: Half | None) -> list[str]:
    return [half.script.text[start:end].strip() for start, end in half.chunks] if half else []


def up(migration: Migration) -> tuple[str, str]:
    return migration.id, migration.up.transaction.value


@pytest.mark.parametrize(
    ("runner", "files", "expected"),
    [
        ("plain", {"1_customers.sql": CUSTOMERS, "10_orders.sql": ORDERS, "2_x.sql": ORDERS}, ["1 statement", "2 statement", "10 statement"]),
        ("plain", {"001.sql": CUSTOMERS, "002.sql": ORDERS, "schema.sql": ORDERS}, ["001 statement", "002 statement"]),
        ("plain", {"V0001.Customers.up.sql": CUSTOMERS, "V0001.Customers.down.sql": NO_ORDERS}, ["0001 statement"]),
        ("plain", {"1_a.up.sql": CUSTOMERS, "2_b.sql": ORDERS}, ["1 statement", "2 statement"]),
        (
            "plain",
            {
                "1_a.sql": "LOCK TABLE orders IN SHARE MODE;\n" + ORDERS,
                "2_b.sql": "BEGIN;\nLOCK orders;\nCOMMIT;\n",
                "3_c.sql": ORDERS + "-- lock\nSAVEPOINT a;\n",
                "4_d.sql": INDEX,
            },
            ["1 file", "2 statement", "3 file", "4 statement"],
        ),
        ("plain", {"1_a.sql": ORDERS, "2_b.sql": "SAVEPOINT a;\nRELEASE a;\n", "3_c.sql": ORDERS}, ["1 file", "2 file", "3 file"]),
        ("plain", {"1_a.sql": "COMMENT ON TABLE orders IS '\nlock\n';", "2_b.sql": "BEGIN; LOCK orders; END;"}, ["1 statement", "2 statement"]),
        ("plain", {"1_a.sql": ORDERS, "meta/_journal.json": '{"entries": [{"tag": "0000_old"}]}'}, ["1 statement"]),
        ("golang-migrate", {"2_b.up.sql": ORDERS, "10_c.up.sql": ORDERS, "2_b.down.sql": NO_ORDERS}, ["2 query", "10 query"]),
        ("pop", {"1_a.up.sql": ORDERS, "1_a.postgres.up.sql": CUSTOMERS, "1_a.mysql.up.sql": ORDERS}, ["1 file"]),
        ("pop", {"1_a.autocommit.up.sql": INDEX, "2_b.sqlite.up.sql": ORDERS}, ["1 query"]),
        ("bun", {"1_a.tx.up.sql": CUSTOMERS, "1_a.tx.down.sql": NO_ORDERS, "2_b.up.sql": INDEX}, ["1 file", "2 query"]),
        (
            "bun",
            {"1_a.up.sql": CUSTOMERS + "\n--bun:split\n\n" + ORDERS, "10_b.up.sql": ORDERS, "2_c.up.sql": INDEX},
            ["1 query", "10 query", "2 query"],
        ),
        (
            "plain",
            {"1_a.sql": "SAVEPOINT a;\n" + CUSTOMERS, "2_b.notx.sql": ORDERS, "3_c.no_transaction.sql": ORDERS},
            ["1 file", "2 none", "3 none"],
        ),
        ("plain", {"1_a.tx.sql": CUSTOMERS, "2_b.notx.sql": INDEX}, ["1 file", "2 none"]),
        ("plain", {"1_a.notx.up.sql": CUSTOMERS, "1_a.notx.down.sql": "DROP TABLE customers;", "2_b.up.sql": ORDERS}, ["1 none", "2 file"]),
        ("sqlx", {"1_a.sql": CUSTOMERS, "2_b.sql": "-- no-transaction\n" + INDEX}, ["1 file", "2 query"]),
        ("sqlx", {"1_a.up.sql": "-- Add up migration script here\n" + CUSTOMERS, "1_a.down.sql": "DROP TABLE customers;"}, ["1 file"]),
        ("tern", {"migrations-tern/1_a.sql": ORDERS, "go.mod": "require github.com/jackc/tern/v2 v2.3.3\n"}, ["1 file"]),
        ("refinery", {"V2__b.sql": ORDERS, "U10__c.sql": INDEX, "Cargo.toml": 'refinery = "0.8"\n'}, ["2 file", "10 file"]),
        ("flyway", {"V2__b.sql": ORDERS, "Cargo.toml": 'sqlx = "0.8"\n'}, ["2 file"]),
        ("sqlx", {"1_a.up.sql": CUSTOMERS, "Cargo.toml": '[dependencies]\nsqlx = "0.8"\n'}, ["1 file"]),
        ("dbmate", {"2_b.sql": "-- migrate:up\n" + ORDERS, "10_a.sql": "-- migrate:up transaction:false\n" + INDEX}, ["10 query", "2 file"]),
        ("goose", {"2_b.sql": "-- +goose up\n" + ORDERS, "10_c.sql": "-- +goose NO TRANSACTION\n-- +goose Up\n"}, ["2 file", "10 none"]),
        ("sql-migrate", {"2.sql": "-- +migrate Up\n" + ORDERS, "10.sql": "-- +migrate Up notransaction\n"}, ["2.sql file", "10.sql none"]),
        ("tern", {"002_b.sql": ORDERS + DIVIDER + NO_ORDERS, "010_c.sql": "---- tern: disable-tx ----\n" + INDEX}, ["002 file", "010 none"]),
        (
            "sqitch",
            {
                "sqitch.plan": "%project=shop\n\nb 2024-01-01T00:00:00Z\na [b] 2024-01-02T00:00:00Z\n@v1 2024-01-03T00:00:00Z\nb [b@v1] 2024\n",
                "deploy/a.sql": ORDERS,
                "deploy/b.sql": INDEX,
                "deploy/b@v1.sql": CUSTOMERS,
                "verify/a.sql": "SELECT 1 / 0;",
            },
            ["b@v1 statement", "a statement", "b statement"],
        ),
        (
            "sqitch",
            {
                "sqitch.plan": "b 2024\n@v1 2024\n@v1.1 2024\na [b] 2024\n@v2 2024\n@v3 2024\nc 2024\nb [b@v3] 2024\n@v4 2024\nb [b@v4] 2024\n",
                "deploy/a.sql": ORDERS,
                "deploy/b.sql": INDEX,
                "deploy/b@v2.sql": CUSTOMERS,
                "deploy/b@v4.sql": CUSTOMERS,
            },
            ["b@v2 statement", "a statement", "b@v4 statement", "b statement"],
        ),
        (
            "sqitch",
            {
                "sqitch.plan": "b 2024\n@v1 2024\n@v1.1 2024\na [b] 2024\n@v2 2024\n@v3 2024\nc 2024\nb [b@v1.1] 2024\n",
                "deploy/a.sql": ORDERS,
                "deploy/b.sql": INDEX,
                "deploy/b@v1.1.sql": CUSTOMERS,
            },
            ["b@v1.1 statement", "a statement", "b statement"],
        ),
        (
            "graphile-migrate",
            {
                "committed/000010-b.sql": "--! Previous: sha1:1\n--! Hash: sha1:2\n\n--! no-transaction\n" + INDEX,
                "committed/000002.sql": "--! Previous: -\n--! Hash: sha1:1\n\n" + ORDERS,
                "committed/notes.sql": ORDERS,
                "current.sql": "-- Enter migration here\n",
                "fixtures/f.sql": ORDERS,
                "afterReset.sql": "SELECT 1;\n",
            },
            ["000002 file", "000010 query", "current file"],
        ),
        (
            "graphile-migrate",
            {"committed/000001.sql": "--! Previous: -\n\n" + ORDERS, "current/20-b.sql": ORDERS, "current/3.sql": CUSTOMERS},
            ["000001 file", "current/3 file", "current/20 file"],
        ),
        ("play", {"10.sql": "# --- !Ups\n" + ORDERS, "2.sql": "-- !Ups\n" + CUSTOMERS, "seed.sql": ORDERS}, ["2 statement", "10 statement"]),
        ("play", {"1.sql": "# !Ups\n" + ORDERS, "application.conf": "play.evolutions {\n  autocommit = false\n}\n"}, ["1 file"]),
        ("play", {"1.sql": "# !Ups\n" + ORDERS, "application.conf": "play.evolutions.db.default.autocommit=false\n"}, ["1 file"]),
        ("play", {"1.sql": "# !Ups\n" + ORDERS, "application.conf": "# evolutions.autocommit=false\n"}, ["1 statement"]),
        (
            "mybatis",
            {
                "scripts/20240102_b.sql": ORDERS + "-- //@UNDO\n" + NO_ORDERS,
                "scripts/9_a.sql": CUSTOMERS + "--//@UNDO\n",
                "scripts/bootstrap.sql": "-- //\n",
                "scripts/onabort.sql": "SELECT 1;",
                "environments/production.properties": "auto_commit=false\n",
            },
            ["bootstrap file", "9 file", "20240102 file"],
        ),
        ("mybatis", {"scripts/1_a.sql": ORDERS + "-- //@UNDO\n", "environments/e.properties": "auto_commit=true\n"}, ["1 statement"]),
        (
            "mybatis",
            {"scripts/1_a.sql": ORDERS + "-- //@UNDO\n", "environments/e.properties": "auto_commit=true\nsend_full_script = true\n"},
            ["1 query"],
        ),
        (
            "postgres-migrations",
            {
                "package.json": '{"dependencies": {"postgres-migrations": "^5.3.0"}}',
                "migrations/2_b.sql": "-- postgres-migrations disable-transaction\n" + INDEX,
                "migrations/10-c.sql": ORDERS,
                "migrations/1_a.sql": CUSTOMERS,
            },
            ["1 file", "2 query", "10 file"],
        ),
        (
            "postgrator",
            {
                "0010.do.b.sql": INDEX,
                "0009.do.sql": ORDERS,
                "0009.undo.sql": NO_ORDERS,
                "0010.undo.no-index.sql": "DROP INDEX orders_status_idx;",
                "schema.sql": ORDERS,
            },
            ["0009 query", "0010 query"],
        ),
        ("plain", {"package.json": '{"dependencies": {"pg": "8.0.0"}}', "migrations/1_a.sql": CUSTOMERS}, ["1 statement"]),
        ("node-pg-migrate", {"2_b.sql": "-- Up Migration\n" + ORDERS, "10_c.sql": CUSTOMERS}, ["2_b file", "10_c file"]),
        (
            "diesel",
            {"2024-01-02-030405_a/up.sql": ORDERS, "2024-01-01-030405_b/up.sql": ORDERS},
            ["20240101030405 file", "20240102030405 file"],
        ),
        ("diesel", {"1_a/up.sql": INDEX, "1_a/metadata.toml": "run_in_transaction = false\n"}, ["1 query"]),
        ("hasura", {"1700000000001_b/up.sql": ORDERS, "1700000000000_a/up.sql": CUSTOMERS}, ["1700000000000 file", "1700000000001 file"]),
        ("prisma", {"2024_b/migration.sql": ORDERS, "2023_a/migration.sql": ORDERS}, ["2023_a query", "2024_b query"]),
        ("drizzle", {"2024_b/migration.sql": ORDERS, "2024_b/snapshot.json": "{}"}, ["2024_b file"]),
        ("supabase", {"supabase/migrations/20240101000000_a.sql": ORDERS}, ["20240101000000 query"]),
        ("atlas", {"1_a.sql": "-- atlas:txmode none\n\n" + INDEX, "2_b.sql": ORDERS, "atlas.sum": "h1:"}, ["1 none", "2 file"]),
        ("atlas", {"1_a.sql": "-- atlas:txmode none\n" + INDEX, "atlas.sum": "h1:"}, ["1 file"]),
        ("yoyo", {"a.sql": "-- depends: b\n" + ORDERS, "b.sql": CUSTOMERS, "b.rollback.sql": NO_ORDERS}, ["b file", "a file"]),
        ("yoyo", {"a.sql": "-- transactional: false\n" + INDEX}, ["a none"]),
        ("versioned", {"v1.10/1.sql": ORDERS, "v1.9/1.sql": CUSTOMERS, "LATEST.sql": ORDERS}, ["v1.9/1 statement", "v1.10/1 statement"]),
        (
            "versioned",
            {
                "10-c/up.sql": ORDERS,
                "9-b/up.sql": ORDERS,
                "9-b/up_tests.sql": CUSTOMERS,
                "9-b/notes.yaml": "name: b\n",
                "9-b/down.sql": NO_ORDERS,
            },
            ["9-b statement", "10-c statement"],
        ),
        (
            "versioned",
            {"10/01_c.up.sql": ORDERS, "9/02_b.up.sql": ORDERS, "9/01_a.up.sql": CUSTOMERS, "9/01_a.down.sql": NO_ORDERS},
            ["9/01_a.up statement", "9/02_b.up statement", "10/01_c.up statement"],
        ),
        ("flyway", {"V1_10__c.sql": ORDERS, "R__v.sql": ORDERS, "V1.2__b.sql": ORDERS}, ["1.2 file", "1.10 file", "R__v file"]),
        (
            "flyway",
            {"migration/V1__a.sql": CUSTOMERS, "migration/postgresql/V2__b.sql": ORDERS, "migration/H2/V2__b.sql": ORDERS},
            ["1 file", "2 file"],
        ),
        ("flyway", {"R__a.sql": CUSTOMERS}, ["R__a file"]),
        (
            "flyway",
            {
                "V1__a.sql": CUSTOMERS,
                "afterMigrate__b.sql": "VACUUM;",
                "afterEachMigrate.sql": ORDERS,
                "R__v.sql": ORDERS,
                "beforeMigrate.sql": INDEX,
            },
            ["1 file", "R__v file", "afterEachMigrate file", "afterMigrate__b none"],
        ),
        ("flyway", {"V1__a.sql": CUSTOMERS, "2024/V2__b.sql": ORDERS, "B2__base.sql": ORDERS}, ["1 file", "2 file"]),
        (
            "flyway",
            {"B1__a.sql": CUSTOMERS, "B2__a.sql": CUSTOMERS, "V3__b.sql": ORDERS, "V4__c.sql": INDEX, "B4__a.sql": CUSTOMERS},
            ["2 file", "3 file", "4 none"],
        ),
    ],
)
def test_runner(shop: Write, runner: str, files: dict[str, str], expected: list[str]) -> None:
    plan = find_migrations([shop(files)])
    assert {migration.runner for migration in plan.migrations} == {runner}
    assert [" ".join(up(migration)) for migration in plan.migrations] == expected


def test_a_change_of_the_plan_without_a_script_is_a_problem(shop: Write) -> None:
    folder = shop({"sqitch.plan": "a 2024\nb 2024\n@v1 2024\nb [b@v1] 2024\n", "deploy/a.sql": ORDERS, "deploy/b.sql": ORDERS})
    plan = find_migrations([folder])
    assert [migration.id for migration in plan.migrations] == ["a", "b"]
    assert [str(problem) for problem in plan.problems] == [
        f"{folder}/deploy/b@v1.sql: there is no such file, although sqitch.plan has the change b@v1\n"
        "  Add the script, or remove the change from the plan: `sqitch deploy` stops there."
    ]


@pytest.mark.parametrize(
    ("files", "ups", "downs"),
    [
        ({"1.up.sql": ORDERS, "1.down.sql": NO_ORDERS}, [ORDERS], [NO_ORDERS]),
        ({"1_a.up.sql": ORDERS, "1_other.down.sql": NO_ORDERS}, [ORDERS], [NO_ORDERS]),
        ({"V1__a.sql": ORDERS, "U1__a.sql": NO_ORDERS}, [ORDERS], [NO_ORDERS]),
        ({"1_a.sql": ORDERS + DIVIDER + NO_ORDERS}, [ORDERS], [DIVIDER + NO_ORDERS]),
        ({"sqitch.plan": "a 2024\n", "deploy/a.sql": ORDERS, "revert/a.sql": NO_ORDERS}, [ORDERS], [NO_ORDERS]),
        ({"1.sql": "# c\n\n# --- !Ups\r\n" + ORDERS + "# --- !Downs\r\n" + NO_ORDERS}, [ORDERS], [NO_ORDERS]),
        ({"1.sql": "-- !Downs\n" + NO_ORDERS + "-- !Ups\n" + ORDERS + "--- !Ups 2\n" + INDEX}, [ORDERS, INDEX], [NO_ORDERS]),
        ({"1_a.sql": "-- // a\n" + ORDERS + " // //@UNDO\n" + NO_ORDERS}, ["-- // a\n" + ORDERS], [NO_ORDERS]),
        (
            {"1_a.sql": "-- Up Migration\n" + ORDERS + "-- Down Migration\n" + NO_ORDERS},
            ["-- Up Migration\n" + ORDERS],
            ["-- Down Migration\n" + NO_ORDERS],
        ),
        (
            {"1_a.sql": "-- a note\n-- +goose Up\r\n" + ORDERS + "-- +goose Down\r\n" + NO_ORDERS},
            ["-- +goose Up\r\n" + ORDERS],
            ["-- +goose Down\r\n" + NO_ORDERS],
        ),
        (
            {"1_a.sql": "-- +migrate Down\n" + NO_ORDERS + "-- +migrate Up\n" + ORDERS},
            ["-- +migrate Up\n" + ORDERS],
            ["-- +migrate Down\n" + NO_ORDERS],
        ),
        ({"1_a.sql": "-- :up\n" + ORDERS + "-- :down\n" + NO_ORDERS}, ["-- :up\n" + ORDERS], ["-- :down\n" + NO_ORDERS]),
        (
            {"1_a.sql": "-- the orders\n-- ==== UP ====\r\n" + ORDERS + "-- [Down]\r\n" + NO_ORDERS},
            ["-- ==== UP ====\r\n" + ORDERS],
            ["-- [Down]\r\n" + NO_ORDERS],
        ),
        ({"1_a.sql": ORDERS + "-- up\n" + INDEX + "-- down\n" + NO_ORDERS}, [ORDERS + "-- up\n" + INDEX + "-- down\n" + NO_ORDERS], []),
        (
            {"1_a.sql": "-- up\n" + ORDERS + "-- down\n-- the drain\n" + NO_ORDERS},
            ["-- up\n" + ORDERS + "-- down\n-- the drain\n" + NO_ORDERS],
            [],
        ),
        (
            {"1_a.sql": "-- up\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n-- down\nSELECT 1 $$;\n"},
            ["-- up\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n-- down\nSELECT 1 $$;\n"],
            [],
        ),
        ({"1_a.sql": f"{ORDERS}--> statement-breakpoint\n{INDEX}"}, [ORDERS, INDEX], []),
        ({"1_a.sql": f"-- atlas:txtar\n\n-- checks.sql --\nSELECT 1;\n-- migration.sql --\n{ORDERS}"}, [ORDERS], []),
    ],
)
def test_halves(shop: Write, files: dict[str, str], ups: list[str], downs: list[str]) -> None:
    (migration,) = find_migrations([shop(files)]).migrations
    assert sql(migration.up) == [text.strip() for text in ups]
    assert sql(migration.down) == [text.strip() for text in downs]


@pytest.mark.parametrize("first", ["-- +goose Up\n", "-- +migrate Up\n", "-- migrate:up\n", "--liquibase formatted sql\n--changeset a:1\n"])
def test_a_file_without_the_directives_of_its_folder_is_one_upgrade(shop: Write, first: str) -> None:
    second = find_migrations([shop({"1_a.sql": first, "2_b.sql": ORDERS, "3_c.sql": first})]).migrations[1]
    assert sql(second.up) == [ORDERS.strip()]


@pytest.mark.parametrize(
    ("files", "one_query"),
    [
        ({"1_a.sql": "-- migrate:up\n" + ORDERS}, True),
        ({"1_a.sql": "-- no-transaction\n" + ORDERS}, True),
        ({"1_a/up.sql": ORDERS}, True),
        ({"1_a.postgres.up.sql": ORDERS}, True),
        ({"1_a.sql": "-- +goose Up\n" + ORDERS}, False),
        ({"V1__a.sql": ORDERS}, False),
    ],
)
def test_some_runners_send_a_migration_as_one_query(shop: Write, files: dict[str, str], one_query: bool) -> None:
    (migration,) = find_migrations([shop(files)]).migrations
    assert migration.up.one_query is one_query


@pytest.mark.parametrize("path", ["shop/current.sql", "shop/committed/000001.sql", "shop/committed", "shop"])
def test_graphile_migrate_has_one_history_for_the_committed_and_the_current_migrations(shop: Write, path: str) -> None:
    shop({"committed/000001.sql": "--! Previous: -\n\n" + CUSTOMERS, "current.sql": ORDERS})
    (source,) = find_migrations([path]).sources
    assert [(step.migration.id, step.selected) for step in source.steps()] == {
        "shop/current.sql": [("000001", False), ("current", True)],
        "shop/committed/000001.sql": [("000001", True)],
    }.get(path, [("000001", True), ("current", True)])


def test_two_semicolons_are_one_in_a_statement_of_play(shop: Write) -> None:
    text = "# --- !Ups\nDO $$ BEGIN PERFORM 1;; END $$;\n"
    (migration,) = find_migrations([shop({"1.sql": text})]).migrations
    assert sql(migration.up) == ["DO $$ BEGIN PERFORM 1;  END $$;"]
    assert len(migration.up.script.text) == len(text)


def test_play_applies_all_evolutions_in_one_transaction_without_autocommit(shop: Write) -> None:
    texts = {f"{number}.sql": "# !Ups\n" + ORDERS for number in (1, 2)}
    folder = shop(texts | {"application.conf": "play.evolutions.autocommit=false\n"})
    (source,) = find_migrations([f"{folder}/1.sql", f"{folder}/2.sql"]).sources
    assert [step.transaction_continues for step in source.steps()] == [True, False]


def test_dbmate_applies_every_section_of_a_file_by_itself(shop: Write) -> None:
    text = "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n-- migrate:up transaction:false\nSELECT 3;\n-- migrate:down\n"
    migrations = find_migrations([shop({"1_a.sql": text})]).migrations
    assert [up(migration) for migration in migrations] == [("1", "file"), ("1", "query")]


@pytest.mark.parametrize(
    ("text", "transaction"),
    [
        (INDEX, "none"),
        ("DROP INDEX CONCURRENTLY orders_id_idx;", "none"),
        ("VACUUM orders;", "none"),
        ("REINDEX INDEX CONCURRENTLY orders_id_idx;", "file"),
        ("COMMENT ON TABLE orders IS 'VACUUM it'; -- VACUUM", "file"),
    ],
)
def test_flyway_recognises_statements_that_are_impossible_in_a_transaction(shop: Write, text: str, transaction: str) -> None:
    (migration,) = find_migrations([shop({"V1__a.sql": text})]).migrations
    assert migration.up.transaction.value == transaction


def test_flyway_script_configuration_takes_precedence_over_its_parser(shop: Write) -> None:
    plan = find_migrations([shop({"V1__a.sql": ORDERS, "V1__a.sql.conf": "executeInTransaction=false\n"})])
    assert [up(migration) for migration in plan.migrations] == [("1", "none")]


@pytest.mark.parametrize(
    ("files", "held"),
    [
        ({}, True),
        ({"flyway.conf": "flyway.postgresql.transactional.lock=false\n"}, False),
        ({"conf/flyway.toml": "[flyway.postgresql.transactional]\nlock = false\n"}, False),
        ({"src/main/resources/application.yml": "spring:\n  flyway:\n    postgresql:\n      transactional-lock: false\n"}, False),
        ({"application.properties": "spring.flyway.postgresql.transactional-lock=true\n"}, True),
        ({"dependencies.gradle": 'ext["flyway.version"] = "7.15.0"\n'}, False),
        ({"dependencies.gradle": 'ext["flyway.version"] = "10.4.1"\n'}, True),
        ({"build.gradle": 'flyway {\n  pluginConfiguration = [postgresqlTransactionalLock: "false"]\n}\n'}, False),
        ({"compose.yaml": "environment:\n  FLYWAY_POSTGRESQL_TRANSACTIONAL_LOCK: 'false'\n"}, False),
        ({"src/main/java/shop/FlywaySetup.java": "settings.setTransactionalLock(false);\n"}, False),
        ({"src/main/kotlin/shop/DataConfig.kt": 'mapOf("flyway.postgresql.transactional.lock" to "false")\n'}, False),
        ({"build.gradle": "implementation 'org.flywaydb:flyway-core:9.0.4'\n"}, False),
        ({"build.gradle": "implementation group: 'org.flywaydb', name: 'flyway-core', version: '9.0.1'\n"}, False),
        ({"pom.xml": "<flyway.version>10.4.1</flyway.version>\n"}, True),
        ({"pom.xml": "<artifactId>flyway-core</artifactId>\n    <version>8.5.13</version>\n"}, False),
        ({"build.gradle": "id 'org.springframework.boot' version '2.7.3'\n"}, False),
        ({"db/Dockerfile.migrations": "FROM flyway/flyway:8.5.13-alpine\n"}, False),
        ({"Dockerfile": "FROM flyway/flyway:11.1\n"}, True),
        ({"run_flyway.sh": "flyway -postgresql.transactional.lock=false migrate\n"}, False),
    ],
)
def test_flyway_holds_its_lock_in_a_transaction(shop: Write, files: dict[str, str], held: bool) -> None:
    shop({"db/migration/V1__a.sql": ORDERS, "db/migration/V2__b.sql": INDEX, ".git/HEAD": "", **files})
    first, second = find_migrations(["shop/db/migration"]).migrations
    assert first.up.runner_transaction is None
    assert (second.up.runner_transaction is not None) is held


MAKE_SHOP = "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'shop') THEN CREATE SCHEMA shop; END IF; END $$"


@pytest.mark.parametrize(
    ("prefix", "settings"),
    [
        ("", {"src/main/resources/application.properties": "spring.flyway.sql-migration-prefix=\nspring.flyway.placeholder-prefix=#[\n"}),
        ("", {"application.yml": "spring:\n  flyway:\n    sql-migration-prefix: ''\n"}),
        ("", {"flyway.toml": '[flyway]\nsqlMigrationPrefix = ""\n'}),
        ("shop-", {"flyway.conf": "flyway.sqlMigrationPrefix = shop-\n"}),
    ],
)
def test_flyway_reads_the_prefix_of_its_settings(shop: Write, prefix: str, settings: dict[str, str]) -> None:
    scripts = {f"{prefix}10__c.sql": INDEX, f"{prefix}2_1__b.sql": ORDERS, "R__d.sql": "SELECT 1;", "U10__c.sql": "SELECT 2;", "V3__no.sql": ""}
    shop({f"db/migration/{name}": text for name, text in scripts.items()} | {".git/HEAD": "", **settings})
    migrations = find_migrations(["shop/db/migration"]).migrations
    assert [up(migration) for migration in migrations] == [("2.1", "file"), ("10", "none"), ("R__d", "file")]
    assert [migration.down is not None for migration in migrations] == [False, True, False]


@pytest.mark.parametrize(
    ("files", "setup"),
    [
        ({"flyway.conf": "flyway.defaultSchema=shop\n"}, (MAKE_SHOP, 'SET search_path = shop, "$user", public')),
        (
            {"application.yml": "spring:\n  flyway:\n    schemas: Shop,other\n    create-schemas: false\n"},
            ('SET search_path = "Shop", "$user", public',),
        ),
        ({"flyway.toml": '[flyway]\nschemas = ["shop", "other"]\n'}, (MAKE_SHOP, 'SET search_path = shop, "$user", public')),
        ({"flyway.conf": "flyway.schemas=public\n"}, ()),
        ({"flyway.conf": "flyway.schemas=${SCHEMA}\n"}, ()),
        ({}, ()),
    ],
)
def test_flyway_makes_its_schema_the_first_one(shop: Write, files: dict[str, str], setup: tuple[str, ...]) -> None:
    shop({"db/migration/V1__a.sql": ORDERS, ".git/HEAD": "", **files})
    (migration,) = find_migrations(["shop/db/migration"]).migrations
    assert migration.up.setup == setup


def test_files_are_not_flyways_without_its_prefix(shop: Write) -> None:
    shop({"db/migration/1__a.sql": ORDERS, "application.properties": "spring.flyway.schemas=shop\n", ".git/HEAD": ""})
    (migration,) = find_migrations(["shop/db/migration"]).migrations
    assert migration.runner != "flyway"


def test_a_fork_of_postgres_migrations(shop: Write) -> None:
    shop({"package.json": '{"dependencies": {"postgres-schema-migrations": "7"}}', "migrations/0001-a.sql": ORDERS, ".git/HEAD": ""})
    (migration,) = find_migrations(["shop/migrations"]).migrations
    assert migration.runner == "postgres-migrations"


def test_supabase_sends_statements_that_are_impossible_in_a_transaction_separately(shop: Write) -> None:
    shop({"supabase/migrations/1_a.sql": ORDERS + INDEX + CUSTOMERS})
    (migration,) = find_migrations(["shop/supabase/migrations"]).migrations
    assert [chunk.strip(";\n") for chunk in sql(migration.up)] == [text.strip(";\n") for text in (ORDERS, INDEX, CUSTOMERS)]


def test_drizzle_uses_the_order_of_its_journal(shop: Write) -> None:
    journal = '{"entries": [{"idx": 0, "tag": "0001_b"}, {"idx": 1, "tag": "0000_a"}]}'
    plan = find_migrations([shop({"0000_a.sql": ORDERS, "0001_b.sql": CUSTOMERS, "meta/_journal.json": journal})])
    assert [migration.id for migration in plan.migrations] == ["0001", "0000"]


LIQUIBASE = """--liquibase formatted sql

--changeset ann:1
--preconditions onFail:MARK_RAN
CREATE TABLE orders (id bigint);
--rollback DROP TABLE orders;

--changeset "bob b":two runInTransaction:false
CREATE INDEX CONCURRENTLY i ON orders (id);
/* liquibase rollback
DROP INDEX i;
*/
--changeset ann:3 dbms:mysql
SELECT 1;
--changeset ann:4 splitStatements:false runInTransaction:false
SELECT 2;
--rollback not required
--changeset ann:5 endDelimiter:/
SELECT 3
/
SELECT 4
/
"""


def test_liquibase_changesets_are_migrations(shop: Write) -> None:
    migrations = find_migrations([shop({"changes.sql": LIQUIBASE})]).migrations
    assert [up(migration) for migration in migrations] == [
        ("ann:1", "file"),
        ("bob b:two", "none"),
        ("ann:4", "query"),
        ("ann:5", "file"),
    ]
    assert [sql(migration.down) for migration in migrations] == [["DROP TABLE orders;"], ["DROP INDEX i;"], [], []]
    assert sql(migrations[3].up)[:2] == ["SELECT 3", "SELECT 4"]


def test_liquibase_runs_plain_scripts_that_a_changelog_names(shop: Write) -> None:
    plan = find_migrations([shop({"changelog.xml": "<databaseChangeLog/>", "sql/V1__a.sql": ORDERS, "sql/rollback/U1__a.sql": NO_ORDERS})])
    assert [(migration.runner, *up(migration)) for migration in plan.migrations] == [("liquibase", "1", "file")]


def test_a_schema_beside_numbered_files_is_not_a_migration(shop: Write) -> None:
    files = {"migration_0001_a.sql": ORDERS, "migration_0002_b.sql": CUSTOMERS, "current_schema.sql": ORDERS + CUSTOMERS}
    plan = find_migrations([shop(files)])
    assert [migration.up.file.path.rpartition("/")[2] for migration in plan.migrations] == ["migration_0001_a.sql", "migration_0002_b.sql"]


def test_files_without_a_common_word_before_their_numbers_are_all_migrations(shop: Write) -> None:
    plan = find_migrations([shop({"part1.sql": ORDERS, "tables.sql": CUSTOMERS, "step_2.sql": "SELECT 1;"})])
    assert len(plan.migrations) == 3


YAML_CHANGELOG = """databaseChangeLog:
  - include:
      file: db/changelog/tables/second.sql
  # - include: {file: tables/off.sql}
  - include: {file: tables/first.sql, relativeToChangelogFile: true}
  - includeAll:
      path: classpath:db/changelog/all/
  - changeSet:
      id: 1
      author: ann
      changes:
        - sqlFile:
            path: plain.sql
      rollback:
        - sqlFile:
            path: undo.sql
  - changeSet:
      id: 2
      author: ann
      dbms: h2
      changes:
        - sqlFile: {path: other.sql}
"""
XML_CHANGELOG = """<databaseChangeLog>
  <!-- <include file="tables/off.sql"/> -->
  <include file="/db/changelog/tables/second.sql"/>
  <include relativeToChangelogFile="true" file="inner.json"/>
  <changeSet id="1" author="ann"><sqlFile path="plain.sql"/><rollback><sqlFile path="undo.sql"/></rollback></changeSet>
  <changeSet id="2" author="ann" dbms="!postgresql"><sqlFile path="other.sql"/></changeSet>
</databaseChangeLog>
"""
JSON_CHANGELOG = """{"databaseChangeLog": [{"include": {"file": "tables/first.sql"}}, {"includeAll": {"path": "all"}}]}"""
LIQUIBASE_FILES = {
    f"db/changelog/{name}.sql": ORDERS
    for name in ("plain", "other", "undo", "tables/first", "tables/second", "tables/off", "all/10-a", "all/9-b")
}


@pytest.mark.parametrize(
    "changelogs", [{"main.yaml": YAML_CHANGELOG}, {"main.xml": XML_CHANGELOG, "inner.json": JSON_CHANGELOG}], ids=["yaml", "xml and json"]
)
def test_liquibase_runs_the_files_that_its_changelogs_name_in_their_order(shop: Write, changelogs: dict[str, str]) -> None:
    folder = shop({**LIQUIBASE_FILES, **{f"db/changelog/{name}": text for name, text in changelogs.items()}})
    plan = find_migrations([f"{folder}/db/changelog"])
    names = [migration.up.file.path.partition("changelog/")[2] for migration in plan.migrations]
    assert names == ["tables/second.sql", "tables/first.sql", "all/10-a.sql", "all/9-b.sql", "plain.sql"]


def test_a_liquibase_changelog_that_names_what_is_not_there_leaves_out_no_file(shop: Write) -> None:
    changelog = 'databaseChangeLog:\n- include: {file: b.sql}\n- include: {file: "${folder}/a.sql"}\n'
    plan = find_migrations([shop({"main.yaml": changelog, "a.sql": ORDERS, "b.sql": CUSTOMERS})])
    assert [migration.up.file.path.rpartition("/")[2] for migration in plan.migrations] == ["b.sql", "a.sql"]


@pytest.mark.parametrize("runner", ["goose", "migrate"])
def test_a_statement_that_is_sent_in_pieces(shop: Write, runner: str) -> None:
    body = "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1; -- one\nEND $$;\n"
    block = f"-- +{runner} StatementBegin\n{body}-- +{runner} StatementEnd\n"
    whole = (
        "CREATE TABLE a (b text); CREATE TABLE c (d text);\n"
        "INSERT INTO a VALUES ('x; y'), (\n-- not yet;\n'z');\n"
        "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS $$ SELECT 1; SELECT 2 $$;\n"
    )
    shop({"1_a.sql": f"-- +{runner} Up\n{block}{whole}{body}-- +{runner} Down\n{block}DO $$\nBEGIN\nPERFORM 1;\nEND $$;\n"})
    (migration,) = find_migrations(["shop"]).migrations
    title = {"goose": "goose", "migrate": "sql-migrate"}[runner]
    halves = [half for half in (migration.up, migration.down) if half]
    spans = [[statement.span for statement in read(half.script.text, half.chunks)] for half in halves]
    divided = [[(span, division) for span in each if (division := half.division(span))] for half, each in zip(halves, spans, strict=True)]
    pieces = [[half.script.text[span.start : cut.end] for span, cut in each] for half, each in zip(halves, divided, strict=True)]
    assert pieces == [["CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1; -- one"], ["DO $$\nBEGIN\nPERFORM 1;"]]
    assert [each[0][1].error for each in divided] == [f"{title} sends it only up to the `;` at the end of line {line}" for line in (15, 26)]


@pytest.mark.parametrize(
    ("files", "shares"),
    [
        ({"drizzle/0000_a.sql": ORDERS, "drizzle/meta/_journal.json": '{"entries": [{"tag": "0000_a", "when": 1}]}'}, True),
        ({"migrations/1_a.sql": f"-- Up Migration\n{ORDERS}\n-- Down Migration\nDROP TABLE orders;"}, True),
        ({"db/migrations/1_a.sql": f"-- migrate:up\n{ORDERS}\n-- migrate:down\n"}, False),
    ],
)
def test_the_migrations_of_a_run_share_a_transaction(shop: Write, files: dict[str, str], shares: bool) -> None:
    plan = find_migrations([shop(files)])
    assert [migration.own_transaction_advice is not None for source in plan.sources for migration in source.selected()] == [shares]
