"""A dump's INSERTs: rules need to remember the first ones only."""

from migsafe.linting.earlier import PastOperation, repeats_insert
from migsafe.sql.operations import Operation
from migsafe.sql.statements import read


def past(sql: str) -> list[PastOperation]:
    return [PastOperation(statement, statement.operations[0], (), 1, {}) for statement in read(sql)]


def operation(sql: str) -> Operation:
    return next(read(sql)).operations[0]


def test_one_more_insert_of_a_thousand_is_not_remembered() -> None:
    before = past("INSERT INTO items (id) VALUES (1);" * 1000)
    assert repeats_insert(before, operation("INSERT INTO items (id) VALUES (2)"), 1)
    assert not repeats_insert(before[1:], operation("INSERT INTO items (id) VALUES (2)"), 1)


def test_another_statement_is_remembered() -> None:
    before = past("INSERT INTO items (id) VALUES (1);" * 1000)
    assert not repeats_insert(before, operation("INSERT INTO orders (id) VALUES (2)"), 1)
    assert not repeats_insert(before, operation("INSERT INTO items (name) VALUES ('a')"), 1)
    assert not repeats_insert(before, operation("DELETE FROM items"), 1)
    assert not repeats_insert(before, operation("INSERT INTO items (id) VALUES (2)"), 2)
