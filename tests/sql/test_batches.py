"""Changes of all rows, cut out of their statements to be made in batches."""

import pytest

from migsafe.sql.batches import Change, unfiltered


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("UPDATE t SET a = 1", Change("UPDATE t SET a = 1", "", changes_more=False)),
        ("UPDATE t SET a = 1 WHERE true RETURNING a;", Change("UPDATE t SET a = 1", "", changes_more=False)),
        ("UPDATE t SET a = (SELECT 1 WHERE b)", Change("UPDATE t SET a = (SELECT 1 WHERE b)", "", changes_more=False)),
        ("UPDATE t SET a = $q$ where $q$ -- where\n", Change("UPDATE t SET a = $q$ where $q$", "", changes_more=False)),
        ("UPDATE t SET a = 'x\n  y'", Change("UPDATE t SET a = 'x\n  y'", "", changes_more=False)),
        ("UPDATE ONLY s.t SET a = b.c\n  FROM b", Change("UPDATE ONLY s.t SET a = b.c\n            FROM b", "t", changes_more=False)),
        ('UPDATE t AS "T 2" SET a = 1 FROM b', Change('UPDATE t AS "T 2" SET a = 1 FROM b', '"T 2"', changes_more=False)),
        ("UPDATE t SET a = extract(epoch FROM b)", Change("UPDATE t SET a = extract(epoch FROM b)", "", changes_more=False)),
        ("DELETE FROM t AS u USING b", Change("DELETE FROM t AS u USING b", "u", changes_more=False)),
        (
            "WITH x AS (INSERT INTO b VALUES (1) RETURNING c) UPDATE t SET a = 1",
            Change("WITH x AS (INSERT INTO b VALUES (1) RETURNING c) UPDATE t SET a = 1", "", changes_more=True),
        ),
    ],
)
def test_a_change_loses_its_filter_and_nothing_else(written: str, expected: Change) -> None:
    assert unfiltered(written) == expected
