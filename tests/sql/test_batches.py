"""Changes of all rows without their filters, for changes in batches."""

import pytest

from migsafe.sql.batches import Change, without_filter


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("UPDATE t SET a = 1", Change("UPDATE t SET a = 1", "", with_clause_writes=False)),
        ("UPDATE t SET a = 1 WHERE true RETURNING a;", Change("UPDATE t SET a = 1", "", with_clause_writes=False, where="true")),
        ("UPDATE t SET a = (SELECT 1 WHERE b)", Change("UPDATE t SET a = (SELECT 1 WHERE b)", "", with_clause_writes=False)),
        ("UPDATE t SET a = $q$ where $q$ -- where\n", Change("UPDATE t SET a = $q$ where $q$", "", with_clause_writes=False)),
        ("UPDATE t SET a = 'x\n  y'", Change("UPDATE t SET a = 'x\n  y'", "", with_clause_writes=False)),
        ("UPDATE ONLY s.t SET a = b.c\n  FROM b", Change("UPDATE ONLY s.t SET a = b.c\n            FROM b", "t", with_clause_writes=False)),
        ('UPDATE t AS "T 2" SET a = 1 FROM b', Change('UPDATE t AS "T 2" SET a = 1 FROM b', '"T 2"', with_clause_writes=False)),
        ("UPDATE t SET a = extract(epoch FROM b)", Change("UPDATE t SET a = extract(epoch FROM b)", "", with_clause_writes=False)),
        ("DELETE FROM t AS u USING b", Change("DELETE FROM t AS u USING b", "u", with_clause_writes=False)),
        (
            "WITH x AS (INSERT INTO b VALUES (1) RETURNING c) UPDATE t SET a = 1",
            Change("WITH x AS (INSERT INTO b VALUES (1) RETURNING c) UPDATE t SET a = 1", "", with_clause_writes=True),
        ),
    ],
)
def test_a_change_loses_its_filter_and_nothing_else(change: str, expected: Change) -> None:
    assert without_filter(change) == expected
