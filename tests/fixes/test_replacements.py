"""An index or a constraint that replaces one which its migration drops, and statements that would never end."""

from pathlib import Path

import pytest

from migsafe.configuration import Configuration
from migsafe.library.fix import fix
from tests.fixes.test_runners import ADD, BUILD, SESSION_LOCK, TABLE, fixes_of, write_files


def test_no_fix_makes_a_migration_wait_without_end(tmp_path: Path) -> None:
    write_files(tmp_path, {"V1__a.sql": TABLE, "V2__b.sql": f"SET LOCAL lock_timeout = '2s';\n{BUILD}"})
    fixes = fix([str(tmp_path / "V2__b.sql")], settings=Configuration(select=("index-not-concurrent",)), unsafe=True)
    assert fixes.changes == ()
    assert [each.reason for each in fixes.refused] == [
        "first set `flyway.postgresql.transactional.lock=false` in Flyway's configuration: CREATE INDEX CONCURRENTLY waits without end for the "
        "transaction in which Flyway holds its lock (pg_try_advisory_xact_lock): the migration never finishes"
    ]


def test_a_new_index_is_built_before_the_one_that_its_transaction_drops(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {
            "V1__a.sql": f"{TABLE}CREATE INDEX orders_qty ON orders (qty);\nALTER TABLE orders ADD CONSTRAINT one_qty UNIQUE (qty);\n",
            "V2__b.sql": f"-- too long\nDROP INDEX orders_qty;\n{ADD}CREATE INDEX orders_qty ON orders (qty, id);\n",
            "flyway.conf": SESSION_LOCK,
        },
    )
    fixes = fixes_of(tmp_path, "V2__b.sql", "index-not-concurrent", "drop-index-not-concurrent")
    assert {Path(change.path).name: change.after for change in fixes.changes} == {
        "V2__b.sql": ADD,
        "V3__create_orders_qty_new.sql": "-- too long\nDROP INDEX CONCURRENTLY IF EXISTS orders_qty_new;\n"
        "CREATE INDEX CONCURRENTLY orders_qty_new ON orders (qty, id);\n"
        "DROP INDEX CONCURRENTLY IF EXISTS orders_qty;\n",
        "V4__b_3.sql": "ALTER INDEX orders_qty_new RENAME TO orders_qty;\n",
    }
    write_files(tmp_path, {"V2__b.sql": "ALTER TABLE orders DROP CONSTRAINT one_qty;\nCREATE UNIQUE INDEX one ON orders (qty) WHERE id > 0;\n"})
    fixes = fixes_of(tmp_path, "V2__b.sql", "index-not-concurrent")
    assert {Path(change.path).name: change.after for change in fixes.changes} == {
        "V2__b.sql": "DROP INDEX CONCURRENTLY IF EXISTS one;\nCREATE UNIQUE INDEX CONCURRENTLY one ON orders (qty) WHERE id > 0;\n",
        "V3__alter_orders.sql": "ALTER TABLE orders DROP CONSTRAINT IF EXISTS one_qty;\n",
    }


def test_a_constraint_that_the_statement_drops_if_it_exists_is_dropped_once(tmp_path: Path) -> None:
    statement = "ALTER TABLE orders\n    DROP CONSTRAINT IF EXISTS orders_qty,\n    ADD CONSTRAINT orders_qty CHECK (qty > 1){};\n"
    write_files(
        tmp_path, {"1_a.sql": f"{TABLE}ALTER TABLE orders ADD CONSTRAINT orders_qty CHECK (qty > 0);\n", "2_b.sql": statement.format("")}
    )
    fixes = fixes_of(tmp_path, "2_b.sql", "check-validates")
    assert {Path(change.path).name: change.after for change in fixes.changes} == {
        "2_b.sql": statement.format(" NOT VALID"),
        "3_validate_orders_qty.sql": "ALTER TABLE orders VALIDATE CONSTRAINT orders_qty;\n",
    }
    assert "DROP CONSTRAINT IF EXISTS orders_qty, ADD" in fixes.before.findings[0].help


@pytest.mark.parametrize(
    ("up", "down", "left"),
    [
        pytest.param(
            f"{BUILD}CREATE TABLE notes (id bigint);\nCREATE TABLE others (id bigint);\nCREATE INDEX orders_id ON orders (id, qty);\n",
            "DROP INDEX orders_qty_idx;\n\nDROP TABLE notes;\n\nDROP INDEX orders_id;\n\nDROP TABLE others;\n",
            "DROP TABLE notes;\n\nDROP TABLE others;\n",
            id="with their empty lines",
        ),
        pytest.param(
            "ALTER TABLE orders ADD COLUMN IF NOT EXISTS qty integer;\nCREATE INDEX one_qty ON orders (qty);\n",
            "DROP INDEX one_qty;\n",
            "-- nothing to undo\n",
            id="and is never empty",
        ),
    ],
)
def test_a_downgrade_loses_statements(tmp_path: Path, up: str, down: str, left: str) -> None:
    name = "2024-01-02-000000_b"
    write_files(tmp_path, {"2024-01-01-000000_a/up.sql": TABLE, f"{name}/up.sql": up, f"{name}/down.sql": down})
    changes = {
        str(Path(change.path).relative_to(tmp_path)): change.after
        for change in fixes_of(tmp_path, f"{name}/up.sql", "index-not-concurrent").changes
    }
    assert changes[f"{name}/down.sql"] == left


def test_the_runner_of_one_transaction_for_all_files_ends_the_last_block(tmp_path: Path) -> None:
    checks = [
        f"ALTER TABLE orders ADD CONSTRAINT {name} CHECK (qty {condition})" for name, condition in (("positive", "> 0"), ("small", "< 9"))
    ]
    files = {"0000_a.sql": TABLE, "0001_b.sql": "".join(f"{check};\n" for check in checks)}
    entries = ", ".join(f'{{"idx": {number}, "when": {number}, "tag": "{name[:-4]}"}}' for number, name in enumerate(files))
    write_files(tmp_path, {**files, "meta/_journal.json": f'{{"dialect": "postgresql", "entries": [{entries}]}}'})
    (change,) = fixes_of(tmp_path, "0001_b.sql", "check-validates").changes
    assert change.after.replace("--> statement-breakpoint\n", "") == (
        f"{checks[0]} NOT VALID;\n{checks[1]} NOT VALID;\nCOMMIT;\nBEGIN;\n"
        "ALTER TABLE orders VALIDATE CONSTRAINT positive;\nALTER TABLE orders VALIDATE CONSTRAINT small;\n"
    )


def test_an_index_is_not_dropped_after_it_is_built_and_only_its_migration_undoes_it(tmp_path: Path) -> None:
    setup = f"-- migrate:up\n{TABLE}ALTER TABLE orders ADD CONSTRAINT one_qty UNIQUE (qty);\n\n-- migrate:down\nDROP TABLE orders;\n"
    up = "ALTER TABLE orders DROP CONSTRAINT one_qty;\nCREATE UNIQUE INDEX one ON orders (qty, id);\n"
    up += "ALTER TABLE orders ALTER COLUMN qty SET NOT NULL;\n"
    down = "ALTER TABLE orders ALTER COLUMN qty DROP NOT NULL;\nDROP INDEX one;\nALTER TABLE orders ADD CONSTRAINT one_qty UNIQUE (qty);\n"
    write_files(tmp_path, {"1_a.sql": setup, "2_b.sql": f"-- migrate:up\n{up}\n-- migrate:down\n{down}"})
    fixes = fixes_of(tmp_path, "2_b.sql", "index-not-concurrent", "set-not-null-scans")
    texts = [change.after for change in fixes.changes]
    ups, downs = zip(*(text.split("\n-- migrate:down") for text in texts), strict=True)
    assert [line for text in ups for line in text.splitlines() if "one" in line] == [
        "CREATE UNIQUE INDEX CONCURRENTLY one ON orders (qty, id);",
        "ALTER TABLE orders DROP CONSTRAINT IF EXISTS one_qty;",
    ]
    assert [text.strip() for text in downs if "one" in text] == [
        "DROP INDEX one;",
        "ALTER TABLE orders ADD CONSTRAINT one_qty UNIQUE (qty);",
    ]


def test_a_downgrade_of_several_statements_runs_in_a_transaction(tmp_path: Path) -> None:
    setup = f"-- migrate:up\n{TABLE}CREATE INDEX found ON orders (qty);\n\n-- migrate:down\nDROP TABLE orders;\n"
    up, down = "DROP INDEX found;\nCREATE INDEX found ON orders (qty, id);\n", "DROP INDEX found;\nCREATE INDEX found ON orders (qty);\n"
    write_files(tmp_path, {"1_a.sql": setup, "2_b.sql": f"-- migrate:up\n{up}\n-- migrate:down\n{down}"})
    texts = [change.after for change in fixes_of(tmp_path, "2_b.sql", "index-not-concurrent").changes]
    assert [text for text in texts if text.endswith(f"-- migrate:down\n{down}")] != []


@pytest.mark.parametrize("heading", ["", "SET LOCAL lock_timeout = '2s';\n"])
def test_a_migration_without_anything_but_settings_is_not_left(tmp_path: Path, heading: str) -> None:
    write_files(tmp_path, {"1_a.up.sql": TABLE, "2_b.up.sql": f"{heading}CREATE INDEX twice ON orders (id);\n"})
    fixes = fixes_of(tmp_path, "2_b.up.sql", "redundant-index")
    assert (fixes.changes, [each.reason for each in fixes.refused]) == ((), ["the migration would be empty"])
