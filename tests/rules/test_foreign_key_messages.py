"""What the message of a foreign key without an index says about the indexes that there are."""

import pytest

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
        ("CREATE INDEX loans_due ON loans (due, reader);", "begins with reader, which references public.readers: every DELETE"),
        ("CREATE INDEX loans_open ON loans (reader, due) WHERE NOT returned;", "public.readers, apart from loans_open, which is partial: "),
        ("CREATE INDEX loans_range ON loans USING brin (reader);", "public.readers, apart from loans_range, which is BRIN: every"),
    ],
)
def test_an_index_that_does_not_serve_the_foreign_key_is_named(index: str, said: str) -> None:
    rules = [rule for rule in shipped_rules() if rule.name == "foreign-key-without-index"]
    (found,) = judge_sql(TABLES + index, rules).findings
    assert said in found.message
