"""One rule speaks for another about the same operation; a suppression leaves the hazard that it does not name."""

from pathlib import Path
from textwrap import dedent

import pytest

from migsafe import lint
from migsafe.configuration import Configuration
from migsafe.linting.baseline import read, subtract_baseline, write
from migsafe.linting.finding import Severity
from migsafe.linting.rulebook import shipped_rules
from migsafe.linting.verdict import Verdict

TABLES = """
    CREATE TABLE readers (id bigint PRIMARY KEY, name text CONSTRAINT readers_name_check CHECK (name <> ''));
    CREATE TABLE loans (id bigint PRIMARY KEY, reader_id bigint REFERENCES readers);
    CREATE VIEW reader_names AS SELECT id, name FROM readers;
    CREATE VIEW first_readers AS SELECT id FROM reader_names;
    CREATE SCHEMA archive;
    CREATE DOMAIN amounts AS integer;
    CREATE TABLE bills (id bigint, amount integer, cost amounts);
    CREATE UNIQUE INDEX bills_id_idx ON bills (id);
    CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM bills;
    CREATE TABLE days (day date NOT NULL) PARTITION BY RANGE (day);
    CREATE TABLE loans_2026 (day date NOT NULL);
"""

PAIRS = [
    ("drop-cascade", "drop-table", "DROP TABLE readers CASCADE"),
    ("drop-cascade", "drop-column", "ALTER TABLE readers DROP COLUMN name CASCADE"),
    ("drop-cascade", "drop-object", "DROP VIEW reader_names CASCADE"),
    ("drop-cascade", "drop-primary-key", "ALTER TABLE readers DROP CONSTRAINT readers_pkey CASCADE"),
    ("drop-cascade", "drop-constraint", "ALTER TABLE unknown_readers DROP CONSTRAINT readers_name_key CASCADE"),
    ("drop-primary-key", "drop-constraint", "ALTER TABLE loans DROP CONSTRAINT loans_pkey"),
    (
        "required-column-added",
        "drop-default",
        "ALTER TABLE loans ADD COLUMN place bigint NOT NULL DEFAULT 1; ALTER TABLE loans ALTER COLUMN place DROP DEFAULT",
    ),
    ("drop-database-or-schema", "drop-object", "DROP SCHEMA archive CASCADE"),
    ("type-narrowed", "type-change-rewrites", "ALTER TABLE bills ALTER COLUMN amount TYPE smallint"),
    ("delete-everything", "backfill-unbatched", "DELETE FROM loans"),
    ("newer-than-server", "statement-fails", "ALTER TABLE loans ADD COLUMN id bigint GENERATED ALWAYS AS (1) VIRTUAL"),
    ("add-column-rewrites", "check-validates", "ALTER TABLE loans ADD COLUMN place serial CHECK (place > 0)"),
    ("add-column-rewrites", "unique-builds-index", "ALTER TABLE loans ADD COLUMN place serial UNIQUE"),
    ("add-column-rewrites", "primary-key-builds-index", "ALTER TABLE unknown_loans ADD COLUMN place serial PRIMARY KEY"),
    *(
        (speaking, "long-work-under-lock", statement)
        for speaking, statement in (
            ("add-column-rewrites", "ALTER TABLE loans ADD COLUMN place serial"),
            ("attach-partition-scans", "ALTER TABLE days ATTACH PARTITION loans_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"),
            ("check-validates", "ALTER TABLE loans ADD CONSTRAINT known CHECK (reader_id > 0)"),
            ("domain-constraint-validates", "ALTER DOMAIN amounts ADD CONSTRAINT small CHECK (VALUE < 9)"),
            ("exclusion-builds-index", "ALTER TABLE loans ADD EXCLUDE (reader_id WITH =)"),
            ("foreign-key-validates", "ALTER TABLE loans ADD FOREIGN KEY (id) REFERENCES loans (id)"),
            ("index-not-concurrent", "CREATE INDEX ON loans (reader_id)"),
            ("maintenance-rewrites", "CLUSTER loans USING loans_pkey"),
            ("primary-key-builds-index", "ALTER TABLE bills ADD PRIMARY KEY (id)"),
            ("primary-key-scans-nullable", "ALTER TABLE bills ADD PRIMARY KEY USING INDEX bills_id_idx"),
            ("refresh-not-concurrent", "REFRESH MATERIALIZED VIEW totals"),
            ("reindex-not-concurrent", "REINDEX TABLE loans"),
            ("required-column-added", "ALTER TABLE loans ADD COLUMN place bigint NOT NULL"),
            ("set-not-null-scans", "ALTER TABLE loans ALTER COLUMN reader_id SET NOT NULL"),
            ("type-change-rewrites", "ALTER TABLE bills ALTER COLUMN amount TYPE bigint"),
            ("unique-builds-index", "ALTER TABLE loans ADD UNIQUE (reader_id)"),
            ("validate-holds-lock", "ALTER TABLE readers VALIDATE CONSTRAINT reader_born"),
        )
    ),
    (
        "add-column-rewrites",
        "foreign-key-validates",
        "ALTER TABLE loans ADD COLUMN place bigint DEFAULT (random() * 9)::bigint REFERENCES readers",
    ),
]
"""Each with the speaking rule, the rule for which it speaks, and a statement about which both report."""


def judged(folder: Path, sql: str, **settings: object) -> Verdict:
    (folder / "V1__tables.sql").write_text(dedent(TABLES))
    (folder / "V2__change.sql").write_text(sql)
    return lint([str(folder)], settings=Configuration(**settings))  # type: ignore[arg-type]


def in_transaction(other: str, sql: str) -> str:
    """Returns a statement, after another one that takes ACCESS EXCLUSIVE if the pair is about that."""
    if other != "long-work-under-lock":
        return f"{sql};"
    locking = "ALTER TABLE readers ADD COLUMN born date;\nALTER TABLE readers ADD CONSTRAINT reader_born CHECK (born > '1900-01-01') NOT VALID;"
    return f"BEGIN;\n{locking}\n{sql};\nCOMMIT;"


def rules_of(verdict: Verdict) -> set[str]:
    return {finding.rule for finding in verdict.findings if finding.migration == "2"}


def test_every_pair_is_tried() -> None:
    assert {(speaking, other) for speaking, other, _ in PAIRS} == {(rule.name, other) for rule in shipped_rules() for other in rule.speaks_for}


def test_rules_speak_for_rules_that_exist() -> None:
    names = {rule.name for rule in shipped_rules()}
    assert {other for rule in shipped_rules() for other in rule.speaks_for} <= names


@pytest.mark.parametrize(("speaking", "other", "sql"), PAIRS)
def test_only_the_speaking_rule_is_shown(tmp_path: Path, speaking: str, other: str, sql: str) -> None:
    verdict = judged(tmp_path, in_transaction(other, sql))
    assert speaking in rules_of(verdict)
    assert other not in rules_of(verdict)
    shown = [finding.severity for finding in verdict.findings]
    assert (verdict.summary.errors, verdict.summary.warnings) == (shown.count(Severity.ERROR), shown.count(Severity.WARNING))


@pytest.mark.parametrize(("speaking", "other", "sql"), PAIRS)
def test_a_suppression_leaves_the_hazard_that_it_does_not_name(tmp_path: Path, speaking: str, other: str, sql: str) -> None:
    shown = rules_of(judged(tmp_path, in_transaction(other, f"-- migsafe: ignore[{speaking}] nothing uses it\n{sql}")))
    assert speaking not in shown
    assert other in shown


@pytest.mark.parametrize(("speaking", "other", "sql"), PAIRS)
def test_both_can_be_suppressed(tmp_path: Path, speaking: str, other: str, sql: str) -> None:
    shown = rules_of(judged(tmp_path, in_transaction(other, f"-- migsafe: ignore[{speaking}, {other}] nothing uses it\n{sql}")))
    assert not {speaking, other, "suppression-unused"} & shown


@pytest.mark.parametrize(("speaking", "other", "sql"), PAIRS)
def test_a_rule_that_is_ignored_does_not_speak(tmp_path: Path, speaking: str, other: str, sql: str) -> None:
    assert other in rules_of(judged(tmp_path, in_transaction(other, sql), ignore=(speaking,)))


def test_a_rule_speaks_only_about_its_own_operation(tmp_path: Path) -> None:
    verdict = judged(tmp_path, "DROP TABLE readers CASCADE;\nDROP TABLE loans;")
    assert [finding.rule for finding in verdict.findings if finding.rule in ("drop-cascade", "drop-table")] == ["drop-cascade", "drop-table"]


def test_a_baseline_contains_both(tmp_path: Path) -> None:
    file = str(tmp_path / "baseline.json")
    write(file, judged(tmp_path, "DROP TABLE readers CASCADE;"))
    assert {"drop-cascade", "drop-table"} <= {entry.rule for entry in read(file)}
    remaining, resolved = subtract_baseline(judged(tmp_path, "DROP TABLE readers CASCADE;"), read(file), file)
    assert (remaining.findings, resolved) == ([], [])


def test_a_finding_in_the_baseline_does_not_speak(tmp_path: Path) -> None:
    file = str(tmp_path / "baseline.json")
    write(file, judged(tmp_path, "DROP TABLE readers CASCADE;"))
    without = [entry for entry in read(file) if entry.rule != "drop-table"]
    remaining, _ = subtract_baseline(judged(tmp_path, "DROP TABLE readers CASCADE;"), without, file)
    assert [finding.rule for finding in remaining.findings] == ["drop-table"]
