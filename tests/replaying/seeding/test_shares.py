"""The number of rows for each table, in proportion to production."""

from migsafe.replaying.seeding import in_proportion
from migsafe.sql.operations import Name


def test_shares_are_proportional_to_production() -> None:
    rows = in_proportion({"public.orders": 50_000_000, "public.states": 12, "public.empty": 0}, most=100_000, other=7000)
    assert [rows(Name(name, "public")) for name in ("orders", "states", "empty", "unknown")] == [100_000, 1, 0, 7000]
    rows = in_proportion({"public.orders": 500}, most=100_000, other=7000)
    assert rows(Name("orders", "public")) == 500
