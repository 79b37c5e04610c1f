"""Atlas begins the next run with the statement that failed, if the migration runs outside a transaction."""

from pathlib import Path

import pytest

from migsafe import lint

TABLE = "CREATE TABLE loans (id bigint PRIMARY KEY, due date);\n"
ADD = "ALTER TABLE loans ADD COLUMN note text;\n"
BUILD = "CREATE UNIQUE INDEX CONCURRENTLY loans_due_key ON loans (due);\n"
RULES = ("not-rerunnable", "invalid-index-kept")


def found(folder: Path, sql: str) -> list[tuple[str, str | None]]:
    """Returns the findings of the rules about second runs, with their help."""
    (folder / "1_loans.sql").write_text(TABLE)
    (folder / "2_index.sql").write_text(sql)
    (folder / "atlas.sum").write_text("")
    return [(finding.rule, finding.help) for finding in lint([str(folder)]).findings if finding.rule in RULES]


def test_statements_that_are_recorded_do_not_run_again(tmp_path: Path) -> None:
    assert found(tmp_path, f"-- atlas:txmode none\n\n{ADD}{BUILD}") == []


def test_without_the_directive_nothing_is_recorded_singly(tmp_path: Path) -> None:
    (tmp_path / "3_split.sql").write_text(f"COMMIT;\n{ADD}ALTER TABLE loans ADD COLUMN other text;\n")
    assert [rule for rule, _ in found(tmp_path, "SELECT 1;\n")] == ["not-rerunnable"]


@pytest.mark.parametrize("before", ["", "DROP INDEX CONCURRENTLY IF EXISTS loans_due_key;\n"])
def test_an_invalid_index_is_kept_also_after_a_drop_before_it(tmp_path: Path, before: str) -> None:
    build = BUILD.replace("CONCURRENTLY", "CONCURRENTLY IF NOT EXISTS")
    assert found(tmp_path, f"-- atlas:txmode none\n\n{before}{build}") == [
        (
            "invalid-index-kept",
            f"{BUILD}-- if it fails, run this manually before the next run:\n-- DROP INDEX CONCURRENTLY IF EXISTS loans_due_key;",
        )
    ]
