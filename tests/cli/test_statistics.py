"""`migsafe lint --statistics`: the findings of each rule, counted."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import Run


def test_rules_are_counted(migsafe: Callable[..., Run], write: Callable[..., Path]) -> None:
    write("m/1.sql", "SET lock_timeout = '2s';\nDROP TABLE a;\nDROP TABLE b;\n")
    write("m/2.sql", "SET lock_timeout = '2s';\nDROP TABLE c;\nCREATE INDEX ON d (e);\n")
    run = migsafe("lint", "m", "--statistics", "--select", "drop-table,index-not-concurrent")
    assert run.code == 1
    assert run.out == (
        "3  error    drop-table            2 files\n"
        "1  error    index-not-concurrent  1 file   1 unsafe fix\n"
        "4  in all                         2 files\n"
        "\n"
        "4 errors in 2 files, 6 statements.\n"
    )
    run = migsafe("lint", "m", "--statistics", "--select", "drop-table,index-not-concurrent", "--format", "json", "--fail-on", "never")
    document = json.loads(run.out)
    assert run.code == 0
    assert document["total"] == {"count": 4, "files": 2}
    assert document["summary"]["errors"] == 4
    drops, index = document["statistics"]
    assert drops == {
        "rule": "drop-table",
        "category": "compatibility",
        "severity": "error",
        "count": 3,
        "files": 2,
        "safe_fixes": 0,
        "unsafe_fixes": 0,
    }
    assert (index["rule"], index["count"], index["unsafe_fixes"]) == ("index-not-concurrent", 1, 1)


def test_without_findings_the_counts_say_so(migsafe: Callable[..., Run], write: Callable[..., Path]) -> None:
    write("1.sql", "SELECT 1;")
    assert migsafe("lint", "1.sql", "--statistics").out == "Nothing found in 1 file, 1 statement.\n"


def test_other_formats_have_no_statistics(migsafe: Callable[..., Run]) -> None:
    run = migsafe("lint", "x.sql", "--statistics", "--format", "sarif")
    assert (run.code, run.err) == (2, "migsafe: --statistics cannot be written as sarif\n  Use --format text or --format json.\n")
