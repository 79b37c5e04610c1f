"""Statements that are nested more deeply than PostgreSQL or migsafe reads."""

import pytest

from migsafe.sql.operations import Broken, Operation, Select, Unparsed
from migsafe.sql.statements import read


def operation(depth: int) -> Operation:
    return next(read(f"SELECT {'(' * depth}1{')' * depth};")).operations[0]


def test_a_depth_that_postgresql_refuses_is_an_error_at_the_parenthesis() -> None:
    broken = operation(10_500)
    assert isinstance(broken, Broken)
    assert (broken.span.start, broken.found) == (len("SELECT ") + 9_999, '"("')
    assert "memory exhausted" in broken.expected


@pytest.mark.parametrize("depth", [100, 8_000])
def test_other_depths_are_no_error(depth: int) -> None:
    assert isinstance(operation(depth), Select | Unparsed)
