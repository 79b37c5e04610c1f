"""The file of recorded queries."""

from pathlib import Path

import pytest

from migsafe.errors import MigsafeError
from migsafe.workload import CallSite, Query
from migsafe.workload.document import header, line, read_document, write_document
from migsafe.workload.normal_text import normal_text


def _query(text: str, *places: CallSite, parameters: tuple[str | None, ...] = ()) -> Query:
    normal = normal_text(text)
    calls = sum(place.calls for place in places)
    return Query(text=normal.text, fingerprint=normal.fingerprint, parameters=parameters, places=places, calls=calls)


ORDERS = _query("select * from orders where id = $1", CallSite("shop/a.py", 3, "load", 2, 1), parameters=("bigint",))
ITEMS = _query("select * from items where id = $1", CallSite("shop/b.py", 9, "load", 5, 5))


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = str(tmp_path / "queries.jsonl")
    write_document(file, [ORDERS, ITEMS])
    assert read_document(file) == [ITEMS, ORDERS]
    before = Path(file).read_bytes()
    write_document(file, [ITEMS, ORDERS])
    assert Path(file).read_bytes() == before
    assert len(before.splitlines()) == 3


def test_the_lines_of_several_processes_are_added_up(tmp_path: Path) -> None:
    more = _query("select * from orders where id = $1", CallSite("shop/a.py", 3, "load", 4, 2), CallSite("shop/c.py", 1, "", 1, 1))
    file = tmp_path / "queries.jsonl"
    file.write_bytes(header() + line(ORDERS) + line(more) + line(ITEMS) + line(ORDERS)[:20])
    [items, orders] = read_document(str(file), unfinished=True)
    assert items == ITEMS
    assert (orders.calls, orders.per_request, orders.parameters) == (7, 2, ("bigint",))
    assert orders.places == (CallSite("shop/a.py", 3, "load", 6, 2), CallSite("shop/c.py", 1, "", 1, 1))


def test_values_in_a_file_are_masked(tmp_path: Path) -> None:
    file = tmp_path / "queries.jsonl"
    file.write_bytes(header() + line(Query(text="select * from orders where id = 17 and name = 'Ann'", fingerprint="x")))
    [query] = read_document(str(file))
    assert query.text == "SELECT * FROM orders WHERE id = $1 AND name = $2"
    assert query.fingerprint == normal_text(query.text).fingerprint


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (header() + line(ORDERS)[:-9], "line 2: the file is truncated"),
        (header() + line(ORDERS)[:-9] + b"\n", "line 2: is not a query"),
        (header() + line(ORDERS).replace(b"orders", b"\xff"), "line 2: is not a query"),
        (header() + b'{"text":"SELECT 1","fingerprint":"x","calls":-1}\n', "line 2: is not a query: Expected `int` >= 0"),
        (header().replace(b"1", b"9") + line(ORDERS), "has version 9 of the format; this migsafe reads version 1"),
        (header() + b'{"text":"' + b"x" * (1 << 20) + b'","fingerprint":"x"}\n', "line 2: is longer than 1 MB"),
        (b"SELECT 1;\n", "is not a file of queries"),
        (b"", "is not a file of queries"),
        (b"\xff\xfe\0", "is not a file of queries"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    file = tmp_path / "queries.jsonl"
    file.write_bytes(content)
    with pytest.raises(MigsafeError) as error:
        read_document(str(file))
    assert problem in error.value.message


def test_a_file_with_too_many_queries_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("migsafe.workload.document.MOST_QUERIES", 2)
    file = tmp_path / "queries.jsonl"
    file.write_bytes(header() + b"".join(line(_query(f"select * from t{n}")) for n in range(5)))
    with pytest.raises(MigsafeError, match="line 4: has more than 2 different queries"):
        read_document(str(file))
