"""CREATE EXTENSION IF NOT EXISTS after a statement that needs the extension."""

import pytest

from migsafe.linting.judge import judge
from migsafe.linting.rulebook import Rulebook, choose_rules, shipped_rules
from migsafe.prediction.history import SelectedMigration
from migsafe.prediction.predictor import Predictor
from tests.support.linted import judge_sql, migration

RULES = Rulebook(choose_rules(shipped_rules(), ["statement-fails"]))
PEOPLE = "CREATE TABLE people (id bigint PRIMARY KEY, email citext);"
EXTENSION = "CREATE EXTENSION IF NOT EXISTS citext;"


def messages(sql: str, *, from_first_migration: bool) -> list[str]:
    """The messages about a migration."""
    predictor = Predictor(16)
    predictor.begin_history(from_first_migration=from_first_migration)
    verdict = judge([SelectedMigration(migration(sql, "1.sql"), predictor)], RULES, pg_version=16)
    return [finding.message for finding in verdict.findings]


def test_a_history_from_its_first_migration_has_not_made_the_extension() -> None:
    (message,) = messages(PEOPLE + EXTENSION, from_first_migration=True)
    assert 'type "citext" does not exist' in message
    assert messages(EXTENSION + PEOPLE, from_first_migration=True) == []


def test_an_unknown_migration_may_have_made_the_extension() -> None:
    assert messages(PEOPLE + EXTENSION, from_first_migration=False) == []


def test_a_table_that_exists_needs_no_type() -> None:
    older = "CREATE TABLE IF NOT EXISTS people (id bigint PRIMARY KEY, email citext);"
    assert messages(older + "CREATE EXTENSION citext;", from_first_migration=False) == []
    assert messages(older + "CREATE EXTENSION citext;", from_first_migration=True) != []


@pytest.mark.process
def test_an_alembic_script_creates_the_extension_too_late() -> None:
    script = """
        # 1a_people.py
        import sqlalchemy as sa
        from alembic import op
        from sqlalchemy.dialects import postgresql

        revision = "1a"
        down_revision = None

        def upgrade():
            op.create_table("people", sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("email", postgresql.CITEXT()))
            op.execute("CREATE EXTENSION citext")
    """
    findings = judge_sql(script.strip("\n"), choose_rules(shipped_rules(), ["statement-fails"])).findings
    assert ['type "citext" does not exist' in finding.message for finding in findings] == [True]
