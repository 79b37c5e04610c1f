"""Filters that select every row."""

import pytest

from migsafe.expressions import is_always_true
from migsafe.sql.operations import Delete, Expression
from migsafe.sql.statements import read


def where(condition: str) -> Expression:
    (statement,) = read(f"DELETE FROM t WHERE {condition}")
    operation = statement.operations[0]
    assert isinstance(operation, Delete)
    assert operation.where is not None
    return operation.where


@pytest.mark.parametrize(
    "condition",
    [
        *("true", "1 = 1", "NOT false", "(1 < 2) AND 'a' = 'a'", "1 <> 2", "2 >= 2", "false OR 1 = 1"),
        *("id IS NOT NULL", "id = id", 'id >= "id"', "empty IS NULL", "NOT empty IS NOT NULL"),
    ],
)
def test_a_condition_is_true_of_every_row(condition: str) -> None:
    assert is_always_true(where(condition), {"id"}.__contains__, {"empty"}.__contains__)


@pytest.mark.parametrize(
    "condition",
    [
        *("false", "1 = 2", "NOT true", "1", "1 = '1'", "'a' < 'b'", "NULL IS NULL", "now() IS NOT NULL", "EXISTS (SELECT 1)"),
        *("name IS NOT NULL", "name = name", "id = 1", "id <> id", "id IS NULL", "id IS NOT NULL AND name = 'x'", "empty = empty"),
        *("id IS NULL OR name IS NULL", "empty IS NOT NULL"),
    ],
)
def test_a_condition_may_be_false_of_a_row(condition: str) -> None:
    assert not is_always_true(where(condition), {"id"}.__contains__, {"empty"}.__contains__)
