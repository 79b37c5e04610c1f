"""Trigger functions that still name a column after its RENAME or DROP."""

import pytest

from migsafe.linting.rulebook import shipped_rules
from tests.support.linted import judge_sql

BODY = "BEGIN PERFORM pg_notify('link', OLD.owner::text); RETURN NEW; END"
TABLES = f"""
CREATE TABLE links (id bigint PRIMARY KEY, owner bigint, kind text);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ {BODY} $$;
CREATE TRIGGER links_touch AFTER UPDATE OR DELETE ON links FOR EACH ROW EXECUTE FUNCTION touch();
-- next migration
"""
RENAME, DROP = "ALTER TABLE links RENAME COLUMN owner TO company;", "ALTER TABLE links DROP COLUMN owner;"
REPAIR = "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;"
NO_TRIGGER = "DROP TRIGGER links_touch ON links;"
WRITE = "UPDATE links SET kind = 'x' WHERE id = 7;"


def message(sql: str, tables: str = TABLES) -> str:
    rules = [rule for rule in shipped_rules() if rule.name in ("rename-column", "drop-column")]
    (finding,) = judge_sql(tables + sql, rules).findings
    return finding.message


@pytest.mark.parametrize("change", [RENAME, DROP])
@pytest.mark.parametrize("after", ["", f"COMMIT; {REPAIR}", f"COMMIT; {NO_TRIGGER}"])
def test_every_write_fails(change: str, after: str) -> None:
    text = message(f"BEGIN; {change} {after}")
    assert "the trigger links_touch still runs touch(), which names the column: every UPDATE and DELETE of a row fails from then on" in text


def test_every_write_fails_between_two_transactions() -> None:
    assert "fails from then on" in message(f"{DROP}\n{NO_TRIGGER}")


@pytest.mark.parametrize("change", [RENAME, DROP])
def test_a_write_before_the_repair_fails(change: str) -> None:
    text = message(f"BEGIN;\n{change}\n{WRITE}\n{REPAIR}\nCOMMIT;")
    assert "which names the column: the UPDATE in line 3 fails if it changes a row" in text


@pytest.mark.parametrize("change", [RENAME, DROP])
@pytest.mark.parametrize("repair", [REPAIR, NO_TRIGGER, "ALTER TABLE links DISABLE TRIGGER links_touch;"])
def test_a_repair_in_the_transaction(change: str, repair: str) -> None:
    assert "trigger" not in message(f"BEGIN; {change} {repair} {WRITE} COMMIT;")


@pytest.mark.parametrize(
    "body",
    [
        "BEGIN RETURN NEW; END",
        "BEGIN -- OLD.owner\n RETURN NEW; END",
        "BEGIN NEW.owner_name := 'x'; RETURN NEW; END",
        "BEGIN IF TG_TABLE_NAME = 'other' THEN PERFORM OLD.owner; END IF; RETURN NEW; END",
    ],
)
def test_functions_that_do_not_need_the_column(body: str) -> None:
    assert "trigger" not in message(RENAME, TABLES.replace(BODY, body))


@pytest.mark.parametrize("repair", [REPAIR, NO_TRIGGER])
def test_a_repair_before_the_change(repair: str) -> None:
    assert "trigger" not in message(f"{repair} {DROP}")


def test_names_in_double_quotes() -> None:
    quoted = TABLES.replace("owner bigint", '"Owner" bigint').replace("OLD.owner", 'old."Owner"')
    assert "still runs touch()" in message('ALTER TABLE links DROP COLUMN "Owner";', quoted)
    assert "trigger" not in message('ALTER TABLE links DROP COLUMN "Owner";', quoted.replace('old."Owner"', "old.owner"))
