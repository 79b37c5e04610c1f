"""The Markdown of a pre-mortem: on a terminal, and read back."""

import sys

import pytest
from markdown_it import MarkdownIt

from migsafe.assessment.premortem import Premortem
from migsafe.cli import main
from migsafe.reports.premortem.markdown import report
from migsafe.terminal.display import Display
from tests.assessment.conftest import Tell

LONG = "0042_orders.sql:3: queries of public.orders wait (up to 2 s for the lock, then for the work) 12 s to 4 min - by estimate + 3 more"


@pytest.mark.parametrize("width", [40, 80])
def test_a_terminal_has_short_lines_that_mean_the_same(width: int) -> None:
    told = Premortem(assessments=(), pg_version=17, with_rows=True, forbidden=(LONG, LONG.upper()), doubtful=(f"- {LONG}",))
    short = report(told, Display(width=width))
    # SQL to copy stays as it is.
    assert [line for line in short.splitlines() if len(line) > width and "`" not in line and not line.startswith("#")] == []
    rendered = [" ".join(MarkdownIt().render(text).split()) for text in (short, report(told, Display()))]
    assert rendered[0] == rendered[1]


def test_sql_to_copy_is_not_broken(tell: Tell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["migsafe.cli.premortem"], "display_for", lambda output: Display(width=50))
    sql = "ALTER TABLE orders ADD CONSTRAINT customer FOREIGN KEY (customer_id) REFERENCES customers;"
    [check] = [way["check"] for way in tell(sql)["migrations"][0]["ways"] if way["check"]]
    main(["premortem", "0002_change.sql"])
    out = capsys.readouterr().out
    assert f"  {check}\n" in out
    assert "- `public.orders`: SHARE ROW EXCLUSIVE, blocks" in out
    assert "| relation |" not in out
