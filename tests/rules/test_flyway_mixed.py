"""A script of Flyway that mixes statements that can run in a transaction with others."""

from pathlib import Path

import pytest

from migsafe import lint

TABLE = "CREATE TABLE loans (id bigint PRIMARY KEY, due date);\n"
MIXED = "SET lock_timeout = 0;\nDROP INDEX CONCURRENTLY IF EXISTS loans_due_idx;\n"


def refused(folder: Path, scripts: dict[str, str]) -> list[str]:
    """Returns the messages about the scripts, in files of these names."""
    for name, text in scripts.items():
        (folder / name).write_text(text)
    findings = lint([str(folder)]).findings
    return [finding.message for finding in findings if finding.rule == "concurrently-in-transaction"]


def test_the_last_script_is_refused(tmp_path: Path) -> None:
    (message,) = refused(tmp_path, {"V1__loans.sql": TABLE, "V2__index.sql": MIXED})
    assert message == (
        "the runner refuses the script: DROP INDEX CONCURRENTLY cannot run inside a transaction, other statements of the script can, and "
        "`flyway.mixed` is not set"
    )


@pytest.mark.parametrize(
    "scripts",
    [
        {"V2__index.sql": MIXED, "flyway.conf": "flyway.mixed=true\n"},
        {"V2__index.sql": MIXED, "application.yml": "spring:\n  flyway:\n    mixed: true\n"},
        {"V2__index.sql": MIXED.partition("\n")[2]},
        # An older script was applied, so that the setting is somewhere else.
        {"V2__index.sql": MIXED, "V3__index.sql": MIXED},
        {"V2__index.sql": MIXED, "V3__column.sql": "ALTER TABLE loans ADD COLUMN note text;\n"},
    ],
)
def test_a_script_is_accepted(tmp_path: Path, scripts: dict[str, str]) -> None:
    assert refused(tmp_path, {"V1__loans.sql": TABLE, **scripts}) == []


def test_a_script_setting_does_not_allow_it(tmp_path: Path) -> None:
    scripts = {"V1__loans.sql": TABLE, "V2__index.sql": MIXED, "V2__index.sql.conf": "executeInTransaction=false\n"}
    assert len(refused(tmp_path, scripts)) == 1
