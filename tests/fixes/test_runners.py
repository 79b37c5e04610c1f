"""A fix that needs a migration of its own: the files of each runner, before and after."""

from pathlib import Path
from textwrap import dedent

import pytest

from migsafe.configuration import Configuration
from migsafe.fixes.way import read_way
from migsafe.library.fix import fix
from migsafe.library.fixes import Fixes
from migsafe.sources.custom import CustomRunner

TABLE = "CREATE TABLE orders (id bigint PRIMARY KEY, qty integer);\n"
ADD = "ALTER TABLE orders ADD COLUMN note text;\n"
BUILD = "-- for the report\nCREATE INDEX orders_qty_idx ON orders (qty);\n"
BUILT = "-- for the report\nCREATE INDEX CONCURRENTLY orders_qty_idx ON orders (qty);\n"
UNDO = "DROP INDEX orders_qty_idx;\n"
UNDONE = "DROP INDEX CONCURRENTLY orders_qty_idx;\n"
DROP = "ALTER TABLE orders DROP COLUMN note;\n"

SESSION_LOCK = "flyway.postgresql.transactional.lock=false\n"

Files = dict[str, str]

RUNNERS: dict[str, tuple[Files, Files]] = {
    "dbmate": (
        {
            "20240101000000_a.sql": f"-- migrate:up\n{TABLE}\n-- migrate:down\nDROP TABLE orders;\n",
            "20240102235959_b.sql": f"-- migrate:up\n{ADD}{BUILD}\n-- migrate:down\n{UNDO}{DROP}",
        },
        {
            "20240102235959_b.sql": f"-- migrate:up\n{ADD}\n-- migrate:down\n{DROP}",
            "20240103000000_create_orders_qty_idx.sql": f"-- migrate:up transaction:false\n{BUILT}\n"
            f"-- migrate:down transaction:false\n{UNDONE}",
        },
    ),
    "goose": (
        {
            "00001_a.sql": f"-- +goose Up\n{TABLE}-- +goose Down\nDROP TABLE orders;\n",
            "00002_b.sql": f"-- +goose Up\n{ADD}{BUILD}-- +goose Down\n{UNDO}{DROP}",
        },
        {
            "00002_b.sql": f"-- +goose Up\n{ADD}-- +goose Down\n{DROP}",
            "00003_create_orders_qty_idx.sql": f"-- +goose NO TRANSACTION\n-- +goose Up\n{BUILT}\n-- +goose Down\n{UNDONE}",
        },
    ),
    "sql-migrate": (
        {"1_a.sql": f"-- +migrate Up\n{TABLE}", "2_b.sql": f"-- +migrate Up\n{ADD}{BUILD}-- +migrate Down\n{UNDO}{DROP}"},
        {
            "2_b.sql": f"-- +migrate Up\n{ADD}-- +migrate Down\n{DROP}",
            "3_create_orders_qty_idx.sql": f"-- +migrate Up notransaction\n{BUILT}\n-- +migrate Down notransaction\n{UNDONE}",
        },
    ),
    "tern": (
        {"001_a.sql": TABLE, "002_b.sql": f"{ADD}{BUILD}\n---- create above / drop below ----\n\n{UNDO}{DROP}"},
        {
            "002_b.sql": f"{ADD}\n---- create above / drop below ----\n\n{DROP}",
            "003_create_orders_qty_idx.sql": f"---- tern: disable-tx ----\n{BUILT}\n"
            f"---- create above / drop below ----\n---- tern: disable-tx ----\n{UNDONE}",
        },
    ),
    "golang-migrate": (
        {"001_a.up.sql": TABLE, "001_a.down.sql": "DROP TABLE orders;\n", "002_b.up.sql": f"{ADD}{BUILD}", "002_b.down.sql": f"{UNDO}{DROP}"},
        {
            "002_b.up.sql": ADD,
            "002_b.down.sql": DROP,
            "003_create_orders_qty_idx.up.sql": BUILT,
            "003_create_orders_qty_idx.down.sql": UNDONE,
        },
    ),
    "sqlx": (
        {"1_x.sql": "-- no-transaction\nSELECT 1;\n", "2_a.sql": TABLE, "3_b.sql": f"{ADD}{BUILD}"},
        {"3_b.sql": ADD, "4_create_orders_qty_idx.sql": f"-- no-transaction\n{BUILT}"},
    ),
    "flyway": (
        {"V1.1__a.sql": TABLE, "V1.2__b.sql": f"{ADD}{BUILD}", "V1.3__c.sql": "SELECT 1;\n", "flyway.conf": SESSION_LOCK},
        {"V1.2__b.sql": ADD, "V1.2.1__create_orders_qty_idx.sql": BUILT},
    ),
    "prisma": (
        {"20240101000000_a/migration.sql": TABLE, "20240102000000_b/migration.sql": f"{ADD}{BUILD}"},
        {"20240102000000_b/migration.sql": ADD, "20240102000001_create_orders_qty_idx/migration.sql": BUILT},
    ),
    "diesel": (
        {
            "2024-01-01-000000_a/up.sql": TABLE,
            "2024-01-02-000000_b/up.sql": f"{ADD}{BUILD}",
            "2024-01-02-000000_b/down.sql": f"{UNDO}{DROP}",
        },
        {
            "2024-01-02-000000_b/up.sql": ADD,
            "2024-01-02-000000_b/down.sql": DROP,
            "2024-01-02-000001_create_orders_qty_idx/up.sql": BUILT,
            "2024-01-02-000001_create_orders_qty_idx/down.sql": UNDONE,
            "2024-01-02-000001_create_orders_qty_idx/metadata.toml": "run_in_transaction = false\n",
        },
    ),
    "diesel, numbered": (
        {"2024-01-01-000000-0000_a/up.sql": TABLE, "2024-01-02-000000-0000_b/up.sql": f"{ADD}{BUILD}"},
        {
            "2024-01-02-000000-0000_b/up.sql": ADD,
            "2024-01-02-000000-0001_create_orders_qty_idx/up.sql": BUILT,
            "2024-01-02-000000-0001_create_orders_qty_idx/metadata.toml": "run_in_transaction = false\n",
        },
    ),
    "atlas": (
        {"20240101000000_a.sql": TABLE, "20240102000000_b.sql": f"{ADD}{BUILD}", "atlas.sum": ""},
        {"20240102000000_b.sql": ADD, "20240102000001_create_orders_qty_idx.sql": f"-- atlas:txmode none\n\n{BUILT}"},
    ),
    "yoyo": (
        {"001-a.sql": TABLE, "001-a.rollback.sql": "DROP TABLE orders;\n", "002-b.sql": f"{ADD}{BUILD}", "002-b.rollback.sql": f"{UNDO}{DROP}"},
        {
            "002-b.sql": ADD,
            "002-b.rollback.sql": DROP,
            "003-create_orders_qty_idx.sql": f"-- depends: 002-b\n-- transactional: false\n{BUILT}",
            "003-create_orders_qty_idx.rollback.sql": UNDONE,
        },
    ),
    "liquibase": (
        {"a.sql": f"--liquibase formatted sql\n--changeset me:1\n{TABLE}--changeset me:2\n{ADD}{BUILD}--rollback {DROP}"},
        {
            "a.sql": f"--liquibase formatted sql\n--changeset me:1\n{TABLE}--changeset me:2\n{ADD}--rollback {DROP}\n"
            f"--changeset me:2-2 runInTransaction:false\n{BUILT}--rollback DROP INDEX CONCURRENTLY IF EXISTS orders_qty_idx;\n"
        },
    ),
    "drizzle": (
        {
            "0000_a.sql": TABLE,
            "0001_b.sql": f"{ADD.strip()}\n--> statement-breakpoint\n{BUILD}",
            "meta/_journal.json": '{"entries": [{"tag": "0000_a", "when": 1}, {"tag": "0001_b", "when": 2}]}',
        },
        {
            "0001_b.sql": f"{ADD.strip()}\n--> statement-breakpoint\nCOMMIT;\n--> statement-breakpoint\n{BUILT.strip()}\n"
            "--> statement-breakpoint\nBEGIN;\n"
        },
    ),
    "plain": ({"0001_a.sql": TABLE, "0002_b.sql": f"{ADD}{BUILD}"}, {"0002_b.sql": f"{ADD}{BUILT}"}),
}
"""The files of each runner, and what the fix of index-not-concurrent makes of those that it changes."""


def fixes_of(folder: Path, name: str, *rules: str) -> Fixes:
    """Returns the fixes of some rules for a file."""
    return fix([str(folder / name)], settings=Configuration(select=rules, no_exec=True), unsafe=True)


def write_files(folder: Path, files: Files) -> None:
    """Writes the files of a project."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.mark.parametrize("runner", RUNNERS)
def test_an_index_gets_a_migration_outside_a_transaction(runner: str, tmp_path: Path) -> None:
    before, after = RUNNERS[runner]
    folder = tmp_path / "migrations"
    write_files(folder, before)
    changed = next(name for name in after if name in before)
    fixes = fixes_of(folder, changed, "index-not-concurrent")
    assert {str(Path(change.path).relative_to(folder)): change.after for change in fixes.changes} == after
    fixes.write()
    assert [finding.rule for finding in fixes.applied] == ["index-not-concurrent"]
    assert fixes_of(folder, changed, "index-not-concurrent").changes == ()


def test_a_runner_that_has_only_transactions_is_told_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    write_files(folder, {"1000000000000_a/up.sql": TABLE, "1000000000001_b/up.sql": BUILD})
    fixes = fixes_of(folder, "1000000000001_b/up.sql", "index-not-concurrent")
    assert (fixes.changes, [each.reason for each in fixes.refused]) == (
        (),
        ["Hasura sends every migration in a transaction: run the statement with psql"],
    )


def test_a_configured_transaction_cannot_be_left(tmp_path: Path) -> None:
    write_files(tmp_path, {"1_a.sql": TABLE, "2_b.sql": BUILD})
    fixes = fix([str(tmp_path / "2_b.sql")], settings=Configuration(transaction="file"), unsafe=True)
    assert [each.reason for each in fixes.refused if each.finding.rule == "index-not-concurrent"] == [
        'the configuration says `transaction = "file"`, so every statement runs in a transaction'
    ]
    assert "CONCURRENTLY" not in "".join(change.after for change in fixes.changes)


def test_a_new_migration_does_not_take_the_place_of_another(tmp_path: Path) -> None:
    write_files(tmp_path, {"1_a.up.sql": TABLE, "2_b.up.sql": f"{ADD}{BUILD}", "3_c.up.sql": "SELECT 1;\n"})
    fixes = fixes_of(tmp_path, "2_b.up.sql", "index-not-concurrent")
    assert (fixes.changes, [each.reason for each in fixes.refused]) == (
        (),
        ["it needs another migration, and there is no version between 2 and 3"],
    )


def test_one_action_of_several_is_replaced_in_its_statement(tmp_path: Path) -> None:
    change = dedent("""\
        ALTER TABLE orders -- two at once
            ADD COLUMN buyer bigint,
            ADD CONSTRAINT orders_qty_check CHECK (qty > 0),
            ADD COLUMN note text; -- the end
        """)
    write_files(tmp_path, {"1_a.up.sql": TABLE, "2_b.up.sql": change})
    fixes = fixes_of(tmp_path, "2_b.up.sql", "check-validates")
    assert {Path(change.path).name: change.after for change in fixes.changes} == {
        "2_b.up.sql": change.replace("(qty > 0)", "(qty > 0) NOT VALID"),
        "3_validate_orders_qty_check.up.sql": "ALTER TABLE orders VALIDATE CONSTRAINT orders_qty_check;\n",
    }


def test_several_actions_of_a_statement_are_replaced_at_once_and_comments_stay_with_it(tmp_path: Path) -> None:
    change = dedent("""\
        alter table orders
            add column a integer
                constraint a_positive check (a > 0), -- the first
            add column if not exists b integer constraint b_positive check (b > 0);
        comment on column orders.a is 'first';
        """)
    write_files(tmp_path, {"1_a.up.sql": TABLE, "2_b.up.sql": change})
    fixes = fixes_of(tmp_path, "2_b.up.sql", "check-validates")
    assert {Path(change.path).name: change.after for change in fixes.changes} == {
        "2_b.up.sql": dedent("""\
            alter table orders
                add column a integer,
                add constraint a_positive check (a > 0) not valid, -- the first
                add column if not exists b integer,
                add constraint b_positive check (b > 0) not valid;
            comment on column orders.a is 'first';
            """),
        "3_validate_a_positive.up.sql": "alter table orders validate constraint a_positive;\n"
        "alter table orders validate constraint b_positive;\n",
    }


def test_a_new_statement_is_written_as_the_one_that_it_replaces(tmp_path: Path) -> None:
    build = (
        "create unique index if not exists orders_qty_idx -- for the report\n  on orders(qty,\n    lower(id::text)) where qty is not null;\n"
    )
    write_files(tmp_path, {"1_a.up.sql": TABLE, "2_b.up.sql": build})
    fixes = fixes_of(tmp_path, "2_b.up.sql", "index-not-concurrent")
    assert fixes.changes[-1].after == build.replace("index if not exists", "index concurrently")


def test_a_statement_that_lock_table_protects_does_not_leave_its_transaction(tmp_path: Path) -> None:
    protected = f"BEGIN;\nLOCK TABLE orders IN SHARE MODE;\nDELETE FROM orders WHERE id = 1;\n{BUILD}COMMIT;\n"
    write_files(tmp_path, {"1_a.up.sql": TABLE, "2_b.up.sql": protected})
    fixes = fixes_of(tmp_path, "2_b.up.sql", "index-not-concurrent")
    assert (fixes.changes, [each.reason for each in fixes.refused]) == (
        (),
        ["LOCK TABLE orders protects it, so it must stay in the same transaction"],
    )


def test_a_backfill_does_not_move_behind_statements_that_read_its_rows(tmp_path: Path) -> None:
    first, second = "UPDATE orders SET qty = 1;\n", "UPDATE lines SET qty = orders.qty FROM orders WHERE lines.id = orders.id;\n"
    write_files(tmp_path, {"1_a.up.sql": f"{TABLE}CREATE TABLE lines (id bigint, qty integer);\n", "2_b.up.sql": f"{ADD}{first}{second}"})
    fixes = fixes_of(tmp_path, "2_b.up.sql", "backfill-unbatched")
    names = [Path(change.path).name for change in fixes.changes]
    assert [change.after for change in fixes.changes if second.strip() in change.after] == [second]
    assert names == ["2_b.up.sql", "3_fill_orders.up.sql", "4_update_lines.up.sql"]


def test_an_action_that_the_statement_has_already_is_not_repeated(tmp_path: Path) -> None:
    change = "ALTER TABLE orders DROP CONSTRAINT positive, ADD CONSTRAINT positive CHECK (qty > 0);\n"
    write_files(tmp_path, {"1_a.up.sql": f"{TABLE}ALTER TABLE orders ADD CONSTRAINT positive CHECK (id > 0);\n", "2_b.up.sql": change})
    fixes = fixes_of(tmp_path, "2_b.up.sql", "check-validates")
    assert fixes.changes[0].after == change.replace("(qty > 0)", "(qty > 0) NOT VALID")


def test_a_constraint_that_the_fix_replaces_later_is_not_dropped_before(tmp_path: Path) -> None:
    change = "alter table orders\n    drop constraint orders_pkey,\n    add primary key (id, qty),\n    add column note text;\n"
    write_files(tmp_path, {"1_a.up.sql": TABLE.replace("integer", "integer NOT NULL"), "2_b.up.sql": change})
    fixes = fixes_of(tmp_path, "2_b.up.sql", "primary-key-builds-index")
    assert {Path(change.path).name: change.after for change in fixes.changes} == {
        "2_b.up.sql": "alter table orders\n    add column note text;\n",
        "3_create_orders_pkey_new.up.sql": "create unique index concurrently orders_pkey_new on orders (id, qty);\n",
        "4_alter_orders.up.sql": "alter table orders\n    drop constraint orders_pkey,\n"
        "    add constraint orders_pkey primary key using index orders_pkey_new;\n",
    }


def test_rules_that_are_not_selected_judge_a_result_but_are_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {"1_a.sql": TABLE, "2_b.sql": f"{BUILD}{ADD}"})
    monkeypatch.setattr(
        "migsafe.library.fixes.read_way", lambda text: read_way(f"{text}\nALTER TABLE orders DROP COLUMN gone;") if text else None
    )
    fixes = fixes_of(tmp_path, "2_b.sql", "index-not-concurrent")
    assert (fixes.changes, [each.reason.partition(":")[0] for each in fixes.refused]) == ((), ["PostgreSQL would refuse the result"])
    assert {finding.rule for finding in fixes.verdict.findings} == {"index-not-concurrent"}


def test_a_block_of_the_file_is_in_each_file_that_gets_a_part(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {
            "1_a.up.sql": TABLE,
            "2_b.up.sql": f"BEGIN;\n-- add\n{ADD}ALTER TABLE orders ADD CONSTRAINT positive CHECK (qty > 0); -- or none\n{BUILD}COMMIT;\n",
        },
    )
    fixes = fixes_of(tmp_path, "2_b.up.sql", "check-validates", "index-not-concurrent")
    assert {Path(change.path).name: change.after for change in fixes.changes} == {
        "2_b.up.sql": f"BEGIN;\n-- add\n{ADD}ALTER TABLE orders ADD CONSTRAINT positive CHECK (qty > 0) NOT VALID; -- or none\nCOMMIT;\n",
        "3_validate_positive.up.sql": "BEGIN;\nALTER TABLE orders VALIDATE CONSTRAINT positive;\nCOMMIT;\n",
        "4_create_orders_qty_idx.up.sql": BUILT,
    }


def test_line_ends_and_a_byte_order_mark_stay(tmp_path: Path) -> None:
    write_files(tmp_path, {"001_a.up.sql": TABLE})
    (tmp_path / "002_b.up.sql").write_bytes(b"\xef\xbb\xbf" + f"{ADD}{BUILD}".replace("\n", "\r\n").encode())
    fixes_of(tmp_path, "002_b.up.sql", "index-not-concurrent").write()
    assert (tmp_path / "002_b.up.sql").read_bytes() == b"\xef\xbb\xbf" + ADD.replace("\n", "\r\n").encode()
    assert (tmp_path / "003_create_orders_qty_idx.up.sql").read_bytes() == BUILT.replace("\n", "\r\n").encode()


def test_a_file_with_commands_of_psql_is_not_divided(tmp_path: Path) -> None:
    write_files(
        tmp_path, {"1_a.sql": TABLE, "2_b.sql": f"\\set ON_ERROR_STOP on\nALTER TABLE orders ADD CONSTRAINT positive CHECK (qty > 0);\n{ADD}"}
    )
    fixes = fixes_of(tmp_path, "2_b.sql", "check-validates")
    assert (fixes.changes, [each.reason for each in fixes.refused]) == (
        (),
        ["the file has commands of psql, rows of COPY, or delimiters of its own"],
    )


def test_a_named_down_file_is_not_fixed(tmp_path: Path) -> None:
    write_files(tmp_path, {"1_a.up.sql": TABLE, "2_b.up.sql": ADD, "2_b.down.sql": BUILD})
    fixes = fixes_of(tmp_path, "2_b.down.sql", "index-not-concurrent")
    assert (fixes.changes, [each.reason for each in fixes.refused]) == ((), ["its file is not a migration of a history"])


def test_a_setting_of_the_transaction_goes_with_the_transaction(tmp_path: Path) -> None:
    write_files(tmp_path, {"1_a.up.sql": TABLE, "2_b.up.sql": f"SET LOCAL lock_timeout = '2s';\n{BUILD}"})
    fixes = fixes_of(tmp_path, "2_b.up.sql", "index-not-concurrent", "set-local-outside-transaction")
    assert {Path(change.path).name: change.after for change in fixes.changes} == {"2_b.up.sql": BUILT}


def test_a_setting_that_another_statement_has_is_used_again(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {"1_a.sql": TABLE, "2_b.sql": f"SET lock_timeout = '2s';\n{ADD}RESET lock_timeout;\nALTER TABLE orders DROP COLUMN qty;\n"},
    )
    fixes = fixes_of(tmp_path, "2_b.sql", "lock-timeout-missing")
    assert [change.after for change in fixes.changes] == [
        f"SET lock_timeout = '2s';\n{ADD}ALTER TABLE orders DROP COLUMN qty;\nRESET lock_timeout;\n"
    ]


def test_timeouts_that_fixes_have_set_in_vain_are_removed(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {
            "1_a.sql": f"{TABLE}CREATE INDEX orders_qty ON orders (qty);\n",
            "2_b.sql": f"DROP INDEX orders_qty;\nCREATE INDEX orders_qty_id ON orders (qty, id);\n{ADD}",
        },
    )
    fixes = fix([str(tmp_path / "2_b.sql")], settings=Configuration(pg_version=16), unsafe=True)
    assert [change.after for change in fixes.changes] == [
        "DROP INDEX CONCURRENTLY IF EXISTS orders_qty_id;\n"
        "CREATE INDEX CONCURRENTLY orders_qty_id ON orders (qty, id);\n"
        "DROP INDEX CONCURRENTLY IF EXISTS orders_qty;\n"
        f"SET lock_timeout = '2s';\n{ADD}RESET lock_timeout;\n"
    ]


def test_a_timeout_of_the_script_stays(tmp_path: Path) -> None:
    build = "SET lock_timeout = '1s';\nSET lock_timeout = 0;\nCREATE INDEX CONCURRENTLY orders_id ON orders (id);\n"
    write_files(tmp_path, {"1_a.sql": TABLE, "2_b.sql": f"{build}{ADD}"})
    fixes = fix([str(tmp_path / "2_b.sql")], settings=Configuration(select=("lock-timeout-missing",)), unsafe=True)
    assert [change.after for change in fixes.changes] == [f"{build}SET lock_timeout = '2s';\n{ADD}RESET lock_timeout;\n"]


def test_files_without_versions_get_no_new_ones(tmp_path: Path) -> None:
    write_files(tmp_path, {"orders.sql": TABLE, "report.sql": f"ALTER TABLE orders ADD CONSTRAINT positive CHECK (qty > 0);\n{ADD}"})
    [change] = fixes_of(tmp_path, "report.sql", "check-validates").changes
    assert change.after == (
        f"ALTER TABLE orders ADD CONSTRAINT positive CHECK (qty > 0) NOT VALID;\nALTER TABLE orders VALIDATE CONSTRAINT positive;\n{ADD}"
    )


def test_empty_lines_and_comments_stay_where_they_are(tmp_path: Path) -> None:
    down = "\n-- +goose Down\nalter table orders drop column note;\n"
    write_files(tmp_path, {"1_a.sql": f"-- +goose Up\n{TABLE}", "2_b.sql": f"-- +goose Up\n\n-- for the shop\n{ADD.lower()}{down}"})
    fixes = fixes_of(tmp_path, "2_b.sql", "lock-timeout-missing")
    (change,) = fixes.changes
    assert change.after == f"-- +goose Up\n\nset local lock_timeout = '2s';\n\n-- for the shop\n{ADD.lower()}{down}"


def test_a_block_beside_the_runners_transaction_is_not_divided(tmp_path: Path) -> None:
    write_files(tmp_path, {"1_a.sql": f"-- migrate:up\n{TABLE}", "2_b.sql": f"-- migrate:up\nBEGIN;\n{ADD}{BUILD}COMMIT;\n"})
    fixes = fixes_of(tmp_path, "2_b.sql", "index-not-concurrent")
    assert (fixes.changes, [each.reason for each in fixes.refused]) == (
        (),
        ["the migration has BEGIN and COMMIT beside the transaction of its runner"],
    )


def test_a_statement_leaves_the_block_of_a_file_whose_statements_commit_by_themselves(tmp_path: Path) -> None:
    other = "CREATE TABLE notes (id bigint PRIMARY KEY);\n"
    write_files(tmp_path, {"1_a.sql": TABLE, "2_b.sql": f"BEGIN;\n{ADD}{BUILD}{other}COMMIT;\n"})
    fixes = fixes_of(tmp_path, "2_b.sql", "index-not-concurrent")
    assert [change.after for change in fixes.changes] == [f"BEGIN;\n{ADD}{other}COMMIT;\n{BUILT}"]


def test_a_command_of_psql_does_not_prevent_a_fix_that_moves_nothing(tmp_path: Path) -> None:
    write_files(tmp_path, {"1_a.sql": TABLE, "2_b.sql": f"\\echo notes\n{ADD}"})
    fixes = fixes_of(tmp_path, "2_b.sql", "lock-timeout-missing")
    assert [change.after for change in fixes.changes] == [f"\\echo notes\nSET lock_timeout = '2s';\n{ADD}RESET lock_timeout;\n"]


def test_indexes_that_may_exist_get_one_migration_each_where_it_can_have_one_statement(tmp_path: Path) -> None:
    builds = "".join(f"CREATE INDEX IF NOT EXISTS {name}_idx ON orders (qty, {name});\n" for name in ("id", "note"))
    write_files(tmp_path, {"1_a.up.sql": f"{TABLE}{ADD}", "2_b.up.sql": builds, "2_b.down.sql": "DROP INDEX note_idx;\nDROP INDEX id_idx;\n"})
    fixes = fixes_of(tmp_path, "2_b.up.sql", "index-not-concurrent")
    assert {Path(change.path).name: change.after for change in fixes.changes} == {
        "2_b.up.sql": "CREATE INDEX CONCURRENTLY id_idx ON orders (qty, id);\n",
        "2_b.down.sql": "DROP INDEX id_idx;\n",
        "3_create_note_idx.up.sql": "CREATE INDEX CONCURRENTLY note_idx ON orders (qty, note);\n",
        "3_create_note_idx.down.sql": "DROP INDEX CONCURRENTLY note_idx;\n",
    }
    assert "drop it before the next run" in fixes.applied[0].help


OUTSIDE = "-- migrate:up transaction:false\n"
CHECK = "ALTER TABLE orders ADD CONSTRAINT positive CHECK (qty > 0)"
VALIDATE = "ALTER TABLE orders VALIDATE CONSTRAINT positive;\n"
SECTIONS = CustomRunner(up_marker="^--- up", down_marker="^--- down")

TRANSACTIONS: dict[str, tuple[Files, str, Files]] = {
    "a block keeps its transaction where the runner opens none": (
        {"1_a.sql": f"-- migrate:up\n{TABLE}", "2_b.sql": f"{OUTSIDE}BEGIN;\n{ADD}{CHECK};\n{BUILD}COMMIT;\n-- migrate:down\n{DROP}"},
        "2_b.sql",
        {
            "2_b.sql": f"{OUTSIDE}BEGIN;\n{ADD}{CHECK} NOT VALID;\nCOMMIT;\n-- migrate:down\n{DROP}",
            "3_validate_positive.sql": f"-- migrate:up\n{VALIDATE}\n-- migrate:down\n-- nothing to undo\n",
            "4_create_orders_qty_idx.sql": f"{OUTSIDE}{BUILT}\n"
            "-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY IF EXISTS orders_qty_idx;\n",
        },
    ),
    "a directive is written once": (
        {"1_a.sql": f"-- migrate:up\n{TABLE}", "2_b.sql": f"{OUTSIDE}{BUILD}"},
        "2_b.sql",
        {"2_b.sql": f"{OUTSIDE}{BUILT}"},
    ),
    "a block with nothing else is left": (
        {"1_a.up.sql": TABLE, "2_b.up.sql": f"BEGIN;\n{BUILD}COMMIT;\n"},
        "2_b.up.sql",
        {"2_b.up.sql": BUILT},
    ),
    "a transaction that begins with the end of another one": (
        {"1_a.up.sql": TABLE, "2_b.up.sql": f"BEGIN;\n{ADD}COMMIT AND CHAIN;\n"},
        "2_b.up.sql",
        {"2_b.up.sql": f"BEGIN;\n{ADD}COMMIT AND CHAIN;\nCOMMIT;\n"},
    ),
    "a timeout needs no migration of its own": (
        {"1_a.sql": f"-- migrate:up\n{TABLE}", "2_b.sql": f"{OUTSIDE}{ADD}ALTER TABLE orders ALTER COLUMN qty DROP DEFAULT;\n"},
        "2_b.sql",
        {"2_b.sql": f"{OUTSIDE}SET LOCAL lock_timeout = '2s';\n{ADD}ALTER TABLE orders ALTER COLUMN qty DROP DEFAULT;\n"},
    ),
    "a runner that sends only a file without others outside": (
        {"committed/000001.sql": f"--! Previous: -\n--! Hash: sha1:0\n\n{TABLE}", "current.sql": f"--! no-transaction\n{BUILD}"},
        "current.sql",
        {"current.sql": f"--! no-transaction\n{BUILT}"},
    ),
}
"""Files with transactions of their own, or outside that of their runner: those before, the one that is fixed, and what its fixes make."""


@pytest.mark.parametrize("case", TRANSACTIONS)
def test_the_transactions_of_a_file_stay(case: str, tmp_path: Path) -> None:
    before, name, after = TRANSACTIONS[case]
    write_files(tmp_path, before)
    rules = ["check-validates", "index-not-concurrent", "transaction-not-closed"]
    fixes = fixes_of(tmp_path, name, *(["lock-timeout-missing"] if "timeout" in case else rules))
    assert {Path(change.path).name: change.after for change in fixes.changes} == after


@pytest.mark.parametrize(
    ("files", "runner", "reason"),
    [
        (
            {"1_a.sql": f"--- up\n{TABLE}", "2_b.sql": f"--- up\n{ADD}{CHECK};\n--- down\n{DROP}"},
            SECTIONS,
            "it needs another file, whose sections only your runner knows",
        ),
        (
            {"2_b.sql": f"--liquibase formatted sql\n--changeset a:1\n{TABLE}--changeset a:2 endDelimiter:/\n{ADD[:-2]}\n/\n{CHECK}\n/\n"},
            None,
            "the file has commands of psql, rows of COPY, or delimiters of its own",
        ),
    ],
    ids=["sections of a custom runner", "delimiters of Liquibase"],
)
def test_a_file_that_only_its_runner_can_divide_is_not_divided(files: Files, runner: CustomRunner | None, reason: str, tmp_path: Path) -> None:
    write_files(tmp_path, files)
    settings = Configuration(select=("check-validates",), custom_runner=runner)
    fixes = fix([str(tmp_path / "2_b.sql")], settings=settings, unsafe=True)
    assert (fixes.changes, [each.reason for each in fixes.refused]) == ((), [reason])


def test_a_file_of_a_custom_runner_without_sections_is_divided(tmp_path: Path) -> None:
    write_files(tmp_path, {"1_a.sql": TABLE, "2_b.sql": f"{ADD}{CHECK};\n"})
    fixes = fix([str(tmp_path / "2_b.sql")], settings=Configuration(select=("check-validates",), custom_runner=CustomRunner()), unsafe=True)
    assert [Path(change.path).name for change in fixes.changes] == ["2_b.sql", "3_validate_positive.sql"]


def test_statistics_are_gathered_by_the_next_migration(tmp_path: Path) -> None:
    write_files(tmp_path, {"1_a.up.sql": TABLE, "2_b.up.sql": "ALTER TABLE orders ALTER COLUMN qty TYPE bigint;\n"})
    fixes = fixes_of(tmp_path, "2_b.up.sql", "statistics-lost")
    assert {Path(change.path).name: change.after for change in fixes.changes} == {"3_b_2.up.sql": "ANALYZE public.orders (qty);\n"}
    assert fixes.verdict.findings == []
