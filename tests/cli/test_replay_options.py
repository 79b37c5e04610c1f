"""The options that `migsafe replay` and `migsafe rehearse` have in common."""

from collections.abc import Callable
from pathlib import Path

import pytest

from migsafe.cli.replay_options import usual_options
from migsafe.configuration import Configuration
from migsafe.schema.statistics import ColumnStatistics
from migsafe.sql.operations import Name
from tests.cli.conftest import Run


def test_production_s_statistics_are_those_of_rows_and_columns(tmp_path: Path) -> None:
    stats = tmp_path / "stats.json"
    stats.write_text('{"version": 1, "relations": {"public.orders": 500, "public.items": 1000}, "columns": {"public.orders": {"note": {}}}}')
    options = usual_options(
        Configuration(),
        rows="100",
        max_rows=None,
        stats=str(stats),
        seed_all=False,
        seed_limit="1min",
        schema=None,
        statement_limit="10s",
        run_limit="0",
        without_extension=None,
    )
    assert options.rows is not None
    assert (options.rows(Name("orders", "public")), options.rows(Name("items", "public"))) == (50, 100)
    assert options.production_columns == {"public.orders": {"note": ColumnStatistics()}}
    assert (options.seed_limit, options.statement_limit, options.run_limit) == (60, 10, None)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("replay a.sql --output no/such/folder", "no/such/folder: cannot be written: no such file or directory"),
        ("replay a.sql --report no/such/page.html", "no/such/page.html: cannot be written: no such file or directory"),
        ("replay a.sql --queries q.sql --explain a.sql/plans.json", "a.sql/plans.json: cannot be written: not a directory"),
        ("rehearse a.sql --report folder", "folder: cannot be written: is a directory"),
        ("premortem a.sql --replay --output folder/no/a.txt", "folder/no/a.txt: cannot be written: no such file or directory"),
    ],
)
def test_a_file_that_cannot_be_written_is_an_error_before_the_run(
    migsafe: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, error: str
) -> None:
    monkeypatch.setattr("migsafe.cli.running_host.choose_host", lambda *_: pytest.fail("a server was started"))
    (tmp_path / "a.sql").write_text("SELECT 1;")
    (tmp_path / "q.sql").write_text("SELECT 1;")
    (tmp_path / "folder").mkdir()
    assert migsafe(*arguments.split()) == (2, "", f"migsafe: {error}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".git", "a.sql", "folder", "q.sql"]
