"""Partition bounds as SQL, and as the condition that is true of their rows."""

import pytest

from migsafe.sql.bounds import bound_clause, bound_condition
from migsafe.sql.operations import AttachPartition, Bound
from migsafe.sql.statements import read


def bound(clause: str) -> Bound:
    (statement,) = read(f"ALTER TABLE t ATTACH PARTITION p {clause}")
    operation = statement.operations[0]
    assert isinstance(operation, AttachPartition)
    assert operation.bound is not None
    return operation.bound


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("FOR VALUES FROM (1) TO (2)", "a IS NOT NULL AND a >= 1 AND a < 2"),
        ("FOR VALUES FROM (MINVALUE) TO (2)", "a IS NOT NULL AND a < 2"),
        ("FOR VALUES FROM (MINVALUE) TO (MAXVALUE)", "a IS NOT NULL"),
        ("FOR VALUES FROM (1, 5) TO (1, 9)", "a IS NOT NULL AND b IS NOT NULL AND a = 1 AND b >= 5 AND b < 9"),
        (
            "FOR VALUES FROM (1, 5) TO (2, MAXVALUE)",
            "a IS NOT NULL AND b IS NOT NULL AND (a > 1 OR a = 1 AND b >= 5) AND a <= 2",
        ),
        ("FOR VALUES IN ('x', 'y')", "a IS NOT NULL AND a IN ('x', 'y')"),
        ("FOR VALUES IN ('x', NULL)", "a IS NULL OR a IN ('x')"),
        ("FOR VALUES IN (NULL)", "a IS NULL"),
        ("FOR VALUES WITH (MODULUS 4, REMAINDER 1)", None),
        ("DEFAULT", None),
    ],
)
def test_a_bound_becomes_a_condition_of_its_rows(clause: str, expected: str | None) -> None:
    parsed = bound(clause)
    assert bound_condition(["a", "b"][: max(len(parsed.end), 1)], parsed) == expected
    assert bound_clause(parsed) == clause
