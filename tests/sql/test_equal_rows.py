"""Rows of one form, of which an INSERT needs only the first ones: what is read is the same as with all of them."""

import pytest
from msgspec.structs import replace

from migsafe.sql import equal_rows, split
from migsafe.sql.operations import Insert, Operation
from migsafe.sql.statements import read

ROWS = "(1, 'it''s (a); note', now()),\n(-2.5, NULL, lower('x')),\n" * 30


def operations(sql: str) -> list[Operation]:
    found = [operation for statement in read(sql) for operation in statement.operations]
    return [replace(each, calls=tuple(dict.fromkeys(each.calls))) if isinstance(each, Insert) else each for each in found]


@pytest.mark.parametrize(
    "end",
    [
        "(3, 'c', now())",
        "(3, 'c')",
        "(3, DEFAULT, now()) ON CONFLICT (id) DO NOTHING RETURNING id",
        "(0x1F, 'c', now()), (4, 'd', now())",
        "(3, $$c$$, next_id()), (4, E'\\n', now()), (5, 'e', (SELECT max(at) FROM orders))",
        "(3, 'c' now()), (4, 'd', now())",
        "(3, 'c', now()",
    ],
)
def test_the_operations_are_those_of_all_rows(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sql = f"SELECT 1; INSERT INTO items (id, note, at) VALUES {ROWS}{end};\nSELECT 2"
    whole = operations(sql)
    monkeypatch.setattr(split, "_MANY_TOKENS", 50)
    monkeypatch.setattr(equal_rows, "_KEPT", 5)
    assert max(len(raw.words) for raw in split.split(sql) if isinstance(raw, split.RawStatement)) < 300
    assert operations(sql) == whole
