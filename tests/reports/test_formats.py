"""Tests for all formats of reports."""

import subprocess
import sys

import pytest

from migsafe.reports import FORMATS, Display, reporter
from tests.support.samples import judge_with_few_rules


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("path", ["-", "a b.sql", "\udcff.sql", "a\x1b[31m\n.sql"])
@pytest.mark.parametrize("sql", ["", "DROP TABLE a;", '\ufeffDROP TABLE é;\r\nDROP TABLE "\x01\u202e\U0001f600";'])
def test_any_script_is_reported_as_text(format: str, path: str, sql: str) -> None:
    text = reporter(format)(judge_with_few_rules(sql, path=path), Display())
    # Only the lines of `gcc` are none without findings.
    assert text.encode(errors="surrogateescape").endswith(b"\n") or (format == "gcc" and not sql)


@pytest.mark.parametrize("format", FORMATS)
def test_a_report_is_the_same_each_time(format: str) -> None:
    assert reporter(format)(judge_with_few_rules("DROP TABLE a"), Display()) == reporter(format)(
        judge_with_few_rules("DROP TABLE a"), Display()
    )


@pytest.mark.process
def test_modules_of_other_formats_are_not_imported() -> None:
    code = "import sys, migsafe.cli; print([name for name in sys.modules if name.startswith(('xml', 'migsafe.reports.', 'jsonschema'))])"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not [name for name in ("xml", "sarif", "junit", "markdown", "jsonschema") if name in modules]
