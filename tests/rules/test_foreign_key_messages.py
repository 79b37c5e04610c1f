"""What the message of a foreign key without an index says about the indexes that there are."""

import pytest

from migsafe.linting.finding import Finding
from migsafe.linting.rule import Severity
from migsafe.linting.rulebook import shipped_rules
from tests.support.linted import judge_sql

TABLES = """
CREATE TABLE readers (id bigint PRIMARY KEY);
CREATE TABLE loans (id bigint PRIMARY KEY, reader bigint REFERENCES readers, due date, returned boolean);
"""


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ("", "begins with reader, which references public.readers: every DELETE"),
        ("CREATE INDEX loans_due ON loans (due, reader);", "of its key, scans public.loans to find"),
        ("CREATE INDEX loans_due ON loans (due, reader);", "begins with reader, which references public.readers: every DELETE"),
        ("CREATE INDEX loans_open ON loans (reader, due) WHERE NOT returned;", "public.readers, apart from loans_open, which is partial: "),
        ("CREATE INDEX loans_range ON loans USING brin (reader);", "public.readers, apart from loans_range, which is BRIN: every"),
    ],
)
def test_an_index_that_does_not_serve_the_foreign_key_is_named(index: str, said: str) -> None:
    rules = [rule for rule in shipped_rules() if rule.name == "foreign-key-without-index"]
    (found,) = judge_sql(TABLES + index, rules).findings
    assert said in found.message


STAYS = """
CREATE TABLE rooms (house bigint, number bigint, PRIMARY KEY (house, number));
CREATE TABLE stays (guest bigint PRIMARY KEY, house bigint, number bigint);
ALTER TABLE stays ADD CONSTRAINT of_room FOREIGN KEY (house, number) REFERENCES rooms;
CREATE INDEX stays_house ON stays (house, guest);
"""


def stays(sql: str) -> Finding:
    """The last finding about a foreign key without an index."""
    rules = [rule for rule in shipped_rules() if rule.name == "foreign-key-without-index"]
    return judge_sql(f"{STAYS}-- next migration\n{sql}", rules).findings[-1]


def test_an_index_that_begins_with_a_part_of_the_columns_narrows_the_search() -> None:
    found = stays("ALTER TABLE stays ADD CONSTRAINT other FOREIGN KEY (house, number) REFERENCES rooms ON DELETE CASCADE;")
    assert "every UPDATE of its key, reads all rows of public.stays with the same house (by stays_house) to find" in found.message
    assert found.severity is Severity.WARNING


def test_a_foreign_key_that_is_replaced_had_no_index_before() -> None:
    replaced = (
        "ALTER TABLE stays DROP CONSTRAINT of_room, ADD CONSTRAINT of_room FOREIGN KEY (house, number) REFERENCES rooms ON DELETE CASCADE;"
    )
    assert stays(replaced).severity is Severity.INFO
    without_index = "DROP INDEX stays_both; "
    indexed = f"CREATE INDEX stays_both ON stays (house, number);\n-- next migration\n{replaced}{without_index}"
    assert stays(indexed).severity is Severity.WARNING
