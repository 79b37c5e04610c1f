"""Queries in PostgreSQL's logs."""

import csv
import json
from pathlib import Path

import pytest

from migsafe.errors import MigsafeError
from migsafe.workload.logs import read_log

MESSAGES = [
    ("LOG", "duration: 0.5 ms  parse <unnamed>: select *\n\tfrom orders where id = $1", ""),
    ("LOG", "duration: 0.5 ms  bind <unnamed>: select *\n\tfrom orders where id = $1", "parameters: $1 = 'secret'"),
    ("LOG", "duration: 2.0 ms  execute <unnamed>: select *\n\tfrom orders where id = $1", "parameters: $1 = 'secret'"),
    ("LOG", "execute fetch from S_1/C_2: select *\n\tfrom orders where id = $1", "parameters: $1 = 'secret'"),
    ("LOG", "duration: 4.0 ms  statement: SELECT * FROM orders WHERE id = 1234567", ""),
    ("LOG", "statement: insert into orders values (1, 'secret\nnote, \"x\"'), (2, $$secret$$)", ""),
    ("LOG", "statement: begin; update orders set note = 'it''s secret'; commit", ""),
    ("LOG", "statement: alter role x password 'secret'", ""),
    ("LOG", "duration: 1.0 ms", ""),
    ("LOG", "statement: select 'secret", ""),
    ("ERROR", "relation \"x\" does not exist", ""),
    ("LOG", "checkpoint starting: time", ""),
]  # fmt: skip


def _stderr() -> str:
    lines = []
    for severity, message, detail in MESSAGES:
        lines.append(f"2026-01-01 00:00:00 UTC [7]: user=a,db=b {severity}:  " + message.replace("\n", "\n\t"))
        if detail:
            lines.append(f"2026-01-01 00:00:00 UTC [7]: user=a,db=b DETAIL:  {detail}")
        if severity == "ERROR":
            lines.append("2026-01-01 00:00:00 UTC [7]: user=a,db=b STATEMENT:  select * from x where note = 'secret'")
    return "\n".join(lines) + "\n"


def _csv(path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        for severity, message, detail in MESSAGES:
            row = ["2026-01-01 00:00:00.000 UTC", "a", "b", "7", "[local]", *[""] * 6, severity, "00000", message, detail]
            writer.writerow(row + [""] * (26 - len(row)))


def _json() -> str:
    lines = [
        json.dumps({"timestamp": "x", "error_severity": severity, "message": message, "detail": detail})
        for severity, message, detail in MESSAGES
    ]
    return "\n".join((*lines, '{"timestamp":"cut off'))


@pytest.mark.parametrize("format", ["stderr", "csvlog", "jsonlog"])
def test_each_format_gives_the_same_queries(tmp_path: Path, format: str) -> None:
    file = tmp_path / "postgresql.log"
    if format == "csvlog":
        _csv(file)
    else:
        file.write_text(_stderr() if format == "stderr" else _json())
    log = read_log(str(file))
    assert {query.text: (query.calls, query.mean_ms) for query in log.queries} == {
        "SELECT * FROM orders WHERE id = $1": (2, 3.0),
        "INSERT INTO orders VALUES ($1, $2)": (1, None),
        "UPDATE orders SET note = $1": (1, None),
    }
    assert log.left_out == 1  # it ends inside a string
    assert "secret" not in repr(log)


@pytest.mark.parametrize(
    ("content", "problem"),
    [("", "the file is empty"), ("2026-01-01 UTC LOG:  ready\n", "contains no statements"), ("\x00\x01" * 9, "contains no statements")],
)
def test_a_log_without_statements_is_an_error(tmp_path: Path, content: str, problem: str) -> None:
    file = tmp_path / "postgresql.log"
    file.write_text(content)
    with pytest.raises(MigsafeError, match=problem):
        read_log(str(file))


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("migsafe.workload.logs.MOST_QUERIES", 2)
    monkeypatch.setattr("migsafe.workload.logs._LONGEST", 200)
    file = tmp_path / "postgresql.log"
    lines = [f"x LOG:  statement: select * from t{n}" for n in range(4)]
    lines.append(f"x LOG:  statement: select * from t0 where a = '{'y' * 1000}'")
    lines.append("x LOG:  statement: select * from t0\n" + "\t, t0\n" * 100 + "x LOG:  statement: select * from t1")
    file.write_text("\n".join(lines) + "\n")
    log = read_log(str(file))
    assert [(query.text, query.calls) for query in log.queries] == [("SELECT * FROM t0", 1), ("SELECT * FROM t1", 2)]
    assert log.left_out == 4
