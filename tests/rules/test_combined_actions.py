"""What a rule reports about one action of ALTER TABLE, it reports in a statement with other actions too, in any order."""

from itertools import permutations

import pytest

from migsafe.linting.rulebook import shipped_rules
from tests.support.linted import NEXT_MIGRATION, judge_sql

HISTORY = """
CREATE TABLE people (id bigint PRIMARY KEY);
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TABLE bills (
    id integer PRIMARY KEY, due date, amount integer NOT NULL DEFAULT 0, person_id bigint, code varchar(20), note text,
    CONSTRAINT amount_known CHECK (amount IS NOT NULL)
);
CREATE UNIQUE INDEX bills_code_idx ON bills (code);
CREATE TABLE parents (id integer);
-- next migration
ALTER TABLE bills ADD CONSTRAINT due_known CHECK (due IS NOT NULL) NOT VALID;
ALTER TABLE bills ADD CONSTRAINT person_key FOREIGN KEY (person_id) REFERENCES people NOT VALID;
-- next migration
"""
ACTIONS = [
    *("ADD COLUMN token uuid DEFAULT gen_random_uuid()", "ADD COLUMN number bigserial", "ADD COLUMN size positive"),
    *("ADD COLUMN other bigint CHECK (other > 0)", "ADD COLUMN other bigint UNIQUE", "ADD COLUMN payer bigint DEFAULT 1 REFERENCES people"),
    *("ADD COLUMN needed text NOT NULL", "ADD CONSTRAINT positive CHECK (amount > 0)", "ADD FOREIGN KEY (person_id) REFERENCES people (id)"),
    *("ADD UNIQUE (note)", "ADD EXCLUDE (note WITH =)", "ADD CONSTRAINT due_unique UNIQUE (due)", "ALTER COLUMN due SET NOT NULL"),
    *("ALTER COLUMN amount TYPE bigint", "ALTER COLUMN note TYPE varchar(10)", "ALTER COLUMN amount DROP DEFAULT"),
    *("ALTER COLUMN amount DROP NOT NULL", "DROP COLUMN note", "DROP CONSTRAINT person_key", "DROP CONSTRAINT bills_pkey"),
    *("DISABLE TRIGGER ALL", "DISABLE TRIGGER USER", "SET UNLOGGED", "SET TABLESPACE pg_default", "REPLICA IDENTITY FULL"),
]
NEUTRAL = [
    *("ADD COLUMN plain integer", "ALTER COLUMN code SET DEFAULT 'x'", "SET (fillfactor = 70)", "DROP CONSTRAINT IF EXISTS absent"),
    "ALTER COLUMN code SET STATISTICS 200",
]
BESIDE_OTHERS = frozenset(("combine-alter-tables", "lock-timeout-missing", "not-rerunnable"))
"""Rules about the statement as a whole."""
RULES = [rule for rule in shipped_rules() if rule.name not in BESIDE_OTHERS]


def reported(sql: str) -> set[str]:
    """Returns the rules that report the last migration."""
    last = NEXT_MIGRATION.split(sql)[-1]
    return {finding.rule for finding in judge_sql(sql, RULES).findings if finding.script.text == last}


@pytest.mark.parametrize("history", [HISTORY, ""], ids=["known", "unknown"])
@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_is_reported_beside_others(action: str, history: str) -> None:
    alone = reported(f"{history}ALTER TABLE bills {action};")
    if history:
        assert alone
    for other in NEUTRAL:
        for pair in permutations((action, other)):
            missing = alone - reported(f"{history}ALTER TABLE bills {', '.join(pair)};")
            assert missing == set(), pair


@pytest.mark.parametrize("constraint", ["due_known", "person_key"])
@pytest.mark.parametrize("other", ["ADD COLUMN plain integer", "ALTER COLUMN due SET NOT NULL", "ALTER COLUMN code DROP DEFAULT"])
@pytest.mark.parametrize("history", [HISTORY, ""], ids=["known", "unknown"])
def test_a_validation_beside_a_stronger_lock(constraint: str, other: str, history: str) -> None:
    validation = f"VALIDATE CONSTRAINT {constraint}"
    for pair in permutations((validation, other)):
        findings = judge_sql(f"{history}ALTER TABLE bills {', '.join(pair)};", RULES).findings
        rules = {finding.rule for finding in findings}
        assert "validate-holds-lock" in rules
        assert ("set-not-null-scans" in rules) == (other == "ALTER COLUMN due SET NOT NULL")


def test_a_validation_beside_weak_locks() -> None:
    for pair in permutations(("VALIDATE CONSTRAINT due_known", "ALTER COLUMN code SET STATISTICS 200")):
        sql = f"{HISTORY}ALTER TABLE bills {', '.join(pair)};"
        assert "validate-holds-lock" not in {finding.rule for finding in judge_sql(sql, RULES).findings}
