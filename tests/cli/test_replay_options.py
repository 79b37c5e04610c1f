"""The options that `migsafe replay` and `migsafe rehearse` have in common."""

from pathlib import Path

from migsafe.cli.replay_options import usual_options
from migsafe.configuration import Configuration
from migsafe.schema.statistics import ColumnStatistics
from migsafe.sql.operations import Name


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
