"""The migrations that paths select."""

import io
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from migsafe.errors import ConfigError, MigsafeError
from migsafe.sources import CustomRunner, Plan, SourceSettings, Transaction, find_migrations

from .conftest import Write

NUMBERED = {"0001_customers.sql": "SELECT 1;", "0002_orders.sql": "SELECT 2;", "0003_index.sql": "SELECT 3;"}


def selected(plan: Plan) -> list[str]:
    return [migration.id for migration in plan.migrations]


def test_a_file_selects_only_itself_and_has_a_history(shop: Write) -> None:
    shop(NUMBERED)
    plan = find_migrations(["shop/0002_orders.sql"])
    assert selected(plan) == ["0002"]
    assert [migration.id for migration in plan.history] == ["0001"]
    assert plan.migrations[0].up.script.path == "shop/0002_orders.sql"


def test_a_named_file_for_another_database_is_skipped(shop: Write) -> None:
    shop({"1_a.up.sql": "SELECT 1;", "2_b.up.sql": "SELECT 2;", "2_b.cockroach.up.sql": "SELECT 3;", "other/1.mysql.sql": "SELECT 4;"})
    plan = find_migrations(["shop/2_b.up.sql", "shop/2_b.cockroach.up.sql"])
    assert (selected(plan), plan.skipped) == (["2"], ("shop/2_b.cockroach.up.sql",))
    assert find_migrations(["shop/2_b.cockroach.up.sql"]).sources == ()
    assert len(find_migrations(["shop/other/1.mysql.sql"]).migrations) == 1


SQLITE_JOURNAL = '{"dialect": "sqlite", "entries": [{"when": 1, "tag": "0000_a"}]}'


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"1_a/migration.sql": "SELECT 1;", "migration_lock.toml": 'provider = "sqlite"'}, "they are for sqlite"),
        ({"0000_a.sql": "SELECT 1;", "meta/_journal.json": SQLITE_JOURNAL}, "they are for sqlite"),
        ({"1_a/migration.sql": "SELECT 1;", "1_a/snapshot.json": '{"dialect": "turso"}'}, "they are for turso"),
        ({"supabase/migrations/20260101000000-a.sql": "SELECT 1;"}, "Supabase runs only files named <version>_<name>.sql"),
    ],
)
def test_a_folder_whose_migrations_do_not_run_on_postgresql_says_why(shop: Write, files: dict[str, str], reason: str) -> None:
    shop(files)
    with pytest.raises(MigsafeError, match="contains no migrations") as caught:
        find_migrations(["shop"])
    assert reason in caught.value.hint


def test_a_migration_of_a_folder_for_another_database_is_skipped(shop: Write) -> None:
    shop({"1_a/migration.sql": "SELECT 1;", "migration_lock.toml": 'provider = "mysql"'})
    assert find_migrations(["shop/1_a/migration.sql"]).skipped == ("shop/1_a/migration.sql",)
    with pytest.raises(MigsafeError, match="contains no migrations"):
        find_migrations(["shop/1_a"])


@pytest.mark.parametrize("dialect", ["postgresql", "pg"])
def test_a_journal_for_postgresql_has_migrations(shop: Write, dialect: str) -> None:
    shop({"0000_a.sql": "SELECT 1;", "meta/_journal.json": SQLITE_JOURNAL.replace("sqlite", dialect)})
    assert selected(find_migrations(["shop"])) == ["0000"]


@pytest.mark.parametrize("lock", [{}, {"prisma/migrations/migration_lock.toml": 'provider = "postgresql"'}])
def test_a_template_above_the_migrations_of_prisma_is_none(shop: Write, lock: dict[str, str]) -> None:
    shop({"prisma/custom/migration.sql": "", "prisma/migrations/1_a/migration.sql": "SELECT 1;", **lock})
    assert selected(find_migrations(["shop/prisma"])) == ["1_a"]


def test_named_queries_are_not_migrations(shop: Write) -> None:
    query = "-- name: by_email^\nSELECT 1;"
    shop({"sql/tables.sql": "SELECT 1;", "sql/customers.sql": query, "queries/orders.sql": query})
    assert selected(find_migrations(["shop"])) == ["tables"]
    shop({"queries/migsafe.toml": ""})
    with pytest.raises(MigsafeError, match="contains no migrations") as caught:
        find_migrations(["shop/queries"])
    assert "--config shop/queries/migsafe.toml" in caught.value.hint


def test_files_are_in_the_order_of_the_runner_with_the_history_between_them(shop: Write) -> None:
    shop(NUMBERED)
    (source,) = find_migrations(["shop/0003_index.sql", "shop/0001_customers.sql"]).sources
    assert [(step.migration.id, step.selected) for step in source.steps()] == [("0001", True), ("0002", False), ("0003", True)]


def test_a_migration_that_two_paths_select_is_selected_once(shop: Write) -> None:
    shop(NUMBERED)
    assert selected(find_migrations(["shop/0002_orders.sql", "shop", "./shop/"])) == ["0001", "0002", "0003"]


def test_named_files_of_a_folder_may_look_like_those_of_two_runners(shop: Write) -> None:
    shop({"1_a.sql": "SELECT 1;", "2_b.up.sql": "SELECT 2;", "2_b.down.sql": "SELECT -2;", "3_c.sql": "SELECT 3;"})
    for paths in (["shop/2_b.up.sql", "shop/3_c.sql"], ["shop/3_c.sql", "shop/2_b.up.sql"]):
        texts = [migration.up.script.text for migration in find_migrations(paths).migrations]
        assert sorted(texts) == ["SELECT 2;", "SELECT 3;"]


def test_a_down_file_is_selected_if_it_is_named(shop: Write) -> None:
    shop({"1_a.up.sql": "SELECT 1;", "1_a.down.sql": "SELECT -1;", "2_b.up.sql": "SELECT 2;"})
    plan = find_migrations(["shop/1_a.down.sql"])
    assert [migration.up.script.text for migration in plan.migrations] == ["SELECT -1;"]
    assert [migration.up.script.text for migration in plan.history] == ["SELECT 1;"]


def test_the_runner_of_a_script_in_its_own_folder_is_recognised_from_the_parent_folder(shop: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    shop({"1_a/up.sql": "SELECT 1;", "2_b/up.sql": "SELECT 2;"})
    plan = find_migrations(["shop/2_b/up.sql"])
    assert (plan.migrations[0].runner, selected(plan)) == ("diesel", ["2"])
    monkeypatch.chdir("shop/2_b")
    assert [(migration.id, migration.up.script.path) for migration in find_migrations(["up.sql"]).migrations] == [("2", "up.sql")]


@pytest.mark.parametrize(
    ("script", "names", "version"),
    [
        ("up.sql", ("2026-01-01_a", "2026-01-02_b", "2026-01-03_c"), "20260102"),
        ("up.sql", ("1735689600000_a", "1735689600001_b", "1735689600002_c"), "1735689600001"),
        ("migration.sql", ("20260101_a", "20260102_b", "20260103_c"), "20260102_b"),
        ("1_first.sql", ("v1.9", "v1.10", "v1.11"), "v1.10/1_first"),
    ],
)
def test_the_folder_of_a_migration_means_that_migration_with_its_history(
    shop: Write, monkeypatch: pytest.MonkeyPatch, script: str, names: tuple[str, str, str], version: str
) -> None:
    shop({f"{name}/{script}": "SELECT 1;" for name in names} | {f"{names[1]}/down.sql": "SELECT -1;" for _ in names if script == "up.sql"})
    for path in (f"shop/{names[1]}", f"./shop/{names[1]}/", f"shop/{names[1]}/{script}"):
        plan = find_migrations([path])
        assert (selected(plan), len(list(plan.history)), plan.sources[0].release) == ([version], 1, True)
    monkeypatch.chdir(f"shop/{names[1]}")
    assert selected(find_migrations(["."])) == [version]


def test_the_folder_of_a_migration_of_a_custom_runner(shop: Write) -> None:
    shop({"1-a/apply.sql": "SELECT 1;", "2-b/apply.sql": "SELECT 2;"})
    plan = find_migrations(["shop/2-b"], SourceSettings(custom=CustomRunner(files="*/apply.sql")))
    assert ([migration.up.script.text for migration in plan.migrations], len(list(plan.history))) == (["SELECT 2;"], 1)


def test_every_subfolder_is_recognised_by_itself(shop: Write) -> None:
    path = shop(
        {
            "billing/migrations/1_a.up.sql": "SELECT 1;",
            "orders/db/V1__a.sql": "SELECT 1;",
            "queries.sql": "SELECT 1;",
            "node_modules/x/1.sql": "SELECT 1;",
            "orders/mysql/V1__a.sql": "SELECT 1;",
        }
    )
    assert [(source.path, source.runner.name) for source in find_migrations([path]).sources] == [
        ("shop/billing/migrations", "golang-migrate"),
        ("shop/orders/db", "flyway"),
    ]


def test_a_symbolic_link_to_a_parent_folder_is_not_followed_forever(shop: Write) -> None:
    path = shop({"one/1.sql": "SELECT 1;"})
    Path("shop/one/again").symlink_to(Path("shop").resolve(), target_is_directory=True)
    Path("shop/one/self").symlink_to("self")
    assert selected(find_migrations([path])) == ["1"]


def test_an_unreadable_file_does_not_affect_other_files(shop: Write) -> None:
    path = shop(NUMBERED)
    Path("shop/0002_orders.sql").write_bytes(b"SELECT '\xff';")
    plan = find_migrations([path])
    assert selected(plan) == ["0001", "0003"]
    assert ["0002_orders.sql" in problem.message for problem in plan.problems] == [True]


@pytest.mark.parametrize(("path", "message"), [("nowhere", "no such file or folder"), ("shop", "contains no migrations")])
def test_a_path_without_migrations_is_an_error(shop: Write, path: str, message: str) -> None:
    shop({"README.md": "A shop."})
    with pytest.raises(MigsafeError, match=message):
        find_migrations([path])


@pytest.mark.parametrize(
    ("text", "runner", "transaction"),
    [
        ("SELECT 1;", "plain", "statement"),
        ("-- migrate:up\nSELECT 1;", "dbmate", "file"),
        ("-- +goose Up\nSELECT 1;", "goose", "file"),
        ("--liquibase formatted sql\n--changeset a:1\nSELECT 1;", "liquibase", "file"),
    ],
)
def test_standard_input(text: str, runner: str, transaction: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    (migration,) = find_migrations(["-"]).migrations
    assert (migration.runner, migration.up.transaction.value) == (runner, transaction)


def test_directives_take_precedence_over_the_configured_transaction(shop: Write) -> None:
    path = shop(
        {"1.sql": "-- +goose Up\nSELECT 1;", "2_b.sql": "-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;", "1_a.sql": "-- +goose Up\n"}
    )
    plan = find_migrations([path], SourceSettings(transaction=Transaction.STATEMENT))
    assert [migration.up.transaction for migration in plan.migrations] == [Transaction.STATEMENT, Transaction.NONE]


def test_a_named_runner_is_not_guessed(shop: Write) -> None:
    path = shop({"1_a.up.sql": "SELECT 1;"})
    assert find_migrations([path], SourceSettings(runner="sqlx")).migrations[0].runner == "sqlx"
    with pytest.raises(ConfigError, match="there is no runner flywy"):
        find_migrations([path], SourceSettings(runner="flywy"))


def test_a_custom_runner(shop: Write) -> None:
    shop(
        {
            "one/10-orders.sql": "SELECT 10;",
            "one/9-customers.sql": "SELECT 9;\n-- backwards\nSELECT -9;",
            "two/11-index.auto.sql": "SELECT 11;",
            "two/11-index.undo.sql": "SELECT -11;",
        }
    )
    custom = CustomRunner(files="**/*.sql", down="*.undo.sql", down_marker="^-- backwards", no_transaction="*.auto.sql")
    migrations = find_migrations(["shop"], SourceSettings(custom=custom)).migrations
    assert [(migration.id, migration.up.transaction.value, migration.down is not None) for migration in migrations] == [
        ("9", "file", True),
        ("10", "file", False),
        ("11", "none", True),
    ]


def test_a_folder_is_not_listed_again_for_each_of_its_files(shop: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shop({f"{number:04}_orders.up.sql": "SELECT 1;" for number in range(200)})
    listed = Counter[str]()

    def counting(list_folder: Callable[..., Any]) -> Callable[..., Any]:
        def counted(folder: Any = ".") -> Any:
            listed[os.fspath(folder)] += 1
            return list_folder(folder)

        return counted

    monkeypatch.setattr(os, "listdir", counting(os.listdir))
    monkeypatch.setattr(os, "scandir", counting(os.scandir))
    assert len(find_migrations([path]).migrations) == 200
    assert max(listed.values()) < 5
