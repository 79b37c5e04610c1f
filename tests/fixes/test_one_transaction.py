"""Fixes in the files of a runner that has one transaction for all of them: what leaves it stands between COMMIT and BEGIN."""

from collections.abc import Mapping
from pathlib import Path

from migsafe import Configuration, fix
from migsafe.library.fixes import Fixes
from tests.fixes.test_runners import write_files

MARK = "--> statement-breakpoint"
TABLES = """\
CREATE TABLE orders (id bigint PRIMARY KEY, note text, CONSTRAINT one_note UNIQUE (note, id));
CREATE TABLE customers (id bigint PRIMARY KEY, email text);
"""


def _fixes(folder: Path, statements: list[str], files: Mapping[str, str] | None = None) -> Fixes:
    """Returns the unsafe fixes of the second of two Drizzle migrations, whose last line has no end."""
    contents = {"0000_a.sql": TABLES.replace(";\n", f";\n{MARK}\n"), "0001_b.sql": f";{MARK}\n".join(statements) + ";"}
    entries = ", ".join(f'{{"idx": {number}, "when": {number}, "tag": "{name[:-4]}"}}' for number, name in enumerate(contents))
    write_files(folder, {**contents, "meta/_journal.json": f'{{"dialect": "postgresql", "entries": [{entries}]}}', **(files or {})})
    return fix([str(folder / "0001_b.sql")], settings=Configuration(pg_version=16), unsafe=True)


def _statements(text: str) -> list[str]:
    """Returns the statements as Drizzle sends them."""
    return [each.strip() for each in text.split(MARK)]


def test_no_empty_statement_and_no_setting_in_vain_is_left(tmp_path: Path) -> None:
    constraints = ["ALTER TABLE orders DROP CONSTRAINT one_note", "ALTER TABLE orders ADD CONSTRAINT only_note UNIQUE (note)"]
    (change,) = _fixes(tmp_path, constraints).changes
    assert _statements(change.after) == [
        "COMMIT;",
        "DROP INDEX CONCURRENTLY IF EXISTS only_note;",
        "CREATE UNIQUE INDEX CONCURRENTLY only_note ON orders (note);",
        "SET lock_timeout = '2s';",
        "ALTER TABLE orders\n    DROP CONSTRAINT IF EXISTS one_note, ADD CONSTRAINT only_note UNIQUE USING INDEX only_note;",
        "BEGIN;",
        "RESET lock_timeout;",
    ]


def test_each_transaction_gets_its_timeout_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    columns = ("orders", "note"), ("customers", "email"), ("orders", "created"), ("customers", "created")
    tables = f"{TABLES}ALTER TABLE orders ADD COLUMN created date;\nALTER TABLE customers ADD COLUMN created date;\n"
    statements = [f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL" for table, column in columns]
    fixes = _fixes(tmp_path, statements, {"0000_a.sql": tables.replace(";\n", f";\n{MARK}\n")})
    (change,) = fixes.changes
    assert fixes.verdict.findings == []
    blocks = change.after.split("COMMIT;")
    assert len(blocks) > len(columns)
    assert [block for block in blocks if "SET LOCAL lock_timeout" not in block] == []
    fixes.write()
    assert fix([change.path], settings=Configuration(pg_version=16), unsafe=True).changes == ()


def test_a_new_table_before_the_commit_can_be_created_again(tmp_path: Path) -> None:
    statements = [
        'CREATE TABLE "carts" (\n\t"id" bigint PRIMARY KEY,\n\t"customer_id" bigint\n)',
        'ALTER TABLE "carts" ADD CONSTRAINT "carts_customer_fk" FOREIGN KEY ("customer_id") REFERENCES "customers" ("id")',
        'CREATE INDEX "carts_customer_idx" ON "carts" ("customer_id")',
        'CREATE INDEX "customers_email_idx" ON "customers" ("email")',
    ]
    fixes = _fixes(tmp_path, statements)
    (change,) = fixes.changes
    assert _statements(change.after) == [
        'CREATE TABLE IF NOT EXISTS "carts" (\n\t"id" bigint PRIMARY KEY,\n\t"customer_id" bigint\n);',
        "SET LOCAL lock_timeout = '2s';",
        'ALTER TABLE "carts" DROP CONSTRAINT IF EXISTS carts_customer_fk, ADD CONSTRAINT "carts_customer_fk" '
        'FOREIGN KEY ("customer_id") REFERENCES "customers" ("id");',
        'CREATE INDEX IF NOT EXISTS "carts_customer_idx" ON "carts" ("customer_id");',
        "COMMIT;",
        'CREATE INDEX CONCURRENTLY "customers_email_idx" ON "customers" ("email");',
        "BEGIN;",
    ]
    assert fixes.verdict.findings == []
