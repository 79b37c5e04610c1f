"""The gate of `migsafe premortem`: what the budgets of the configuration forbid, and what is in doubt."""

from pathlib import Path

import pytest

from migsafe.cli import main
from tests.assessment.conftest import Tell

INDEX = "SET lock_timeout = '1s';\nCREATE INDEX orders_qty_idx ON orders (qty);"


@pytest.fixture
def budgets(tmp_path: Path, tell: Tell) -> Path:
    """The configuration beside the migrations, to be written."""
    return tmp_path / "migsafe.toml"


def test_nothing_is_forbidden_without_budgets(tell: Tell) -> None:
    document = tell("DROP TABLE orders;", orders=12_000_000)
    assert (document["budgets"], document["forbidden"], document["doubtful"]) == ([], [], [])


def test_a_wait_that_nothing_ends_is_forbidden(tell: Tell, budgets: Path) -> None:
    budgets.write_text('[slo]\nblocked = "2s"\n')
    [said] = tell("ALTER TABLE orders ADD COLUMN a text;", code=1)["forbidden"]
    assert said.startswith("0002_change.sql:1: queries of public.orders wait as long as the longest transaction before them")
    assert tell("SET lock_timeout = '1s';\nALTER TABLE orders ADD COLUMN a text;")["forbidden"] == []
    assert "up to 5 s until lock_timeout" in tell("SET lock_timeout = '5s';\nALTER TABLE orders ADD COLUMN a text;", code=1)["forbidden"][0]


def test_the_runners_lock_timeout_counts(tell: Tell, budgets: Path) -> None:
    budgets.write_text('lock-timeout = "1s"\n[slo]\nblocked = "2s"\n')
    assert tell("ALTER TABLE orders ADD COLUMN a text;")["forbidden"] == []


def test_each_wait_of_a_transaction_adds_up(tell: Tell, budgets: Path) -> None:
    budgets.write_text('lock-timeout = "900ms"\n[slo]\nblocked = "1s"\n')
    both = "ALTER TABLE orders ADD COLUMN a text;\nALTER TABLE customers ADD COLUMN a text;"
    assert tell(both)["forbidden"] == []
    [said] = tell(f"BEGIN;\n{both}\nCOMMIT;", code=1)["forbidden"]
    assert said.startswith("0002_change.sql:2: queries of public.orders wait up to 1.8 s")


@pytest.mark.parametrize(
    ("rows", "code", "which"),
    [(1_000_000_000, 1, "forbidden"), (12_000_000, 0, "doubtful"), (10_000, 0, None)],
    ids=["too long at best", "too long at worst", "short at worst"],
)
def test_how_long_a_lock_is_held(tell: Tell, budgets: Path, rows: int, code: int, which: str | None) -> None:
    budgets.write_text('[slo]\nhold = "1min"\n')
    document = tell(INDEX, code=code, orders=rows)
    assert [each for each in ("forbidden", "doubtful") if document[each]] == ([which] if which else [])


def test_what_nobody_has_counted_is_in_doubt(tell: Tell, budgets: Path) -> None:
    budgets.write_text('[slo]\nblocked = "5s"\nhold = "1s"\n')
    document = tell(INDEX)
    assert document["forbidden"] == []
    assert all("the row count of public.orders is not known" in said for said in document["doubtful"])
    assert len(document["doubtful"]) == 2


@pytest.mark.parametrize(
    ("sql", "forbidden"),
    [
        ("DROP TABLE orders CASCADE;", ["12,000,000 rows of public.orders are lost"]),
        ("TRUNCATE customers;", ["at least 1 row of public.customers is lost"]),
        ("DELETE FROM orders WHERE id < 9;", ["at least 1 row of public.orders is lost"]),
        ("DELETE FROM orders;", ["12,000,000 rows of public.orders are lost"]),
        ("CREATE TABLE news (id int); DROP TABLE news;", []),
        ("DROP VIEW open_orders;", []),
        ("ALTER TABLE orders DROP COLUMN note;", []),
    ],
)
def test_rows_that_are_lost(tell: Tell, budgets: Path, sql: str, forbidden: list[str]) -> None:
    budgets.write_text("[slo]\nrows-lost = 0\n")
    found = tell(sql, code=1 if forbidden else 0, orders=12_000_000)["forbidden"]
    assert [said.removeprefix("0002_change.sql: ").partition(";")[0] for said in found] == forbidden


def test_as_many_rows_as_may_be_lost(tell: Tell, budgets: Path) -> None:
    budgets.write_text("[slo]\nrows-lost = 1000\n")
    assert tell("TRUNCATE orders;", orders=1000)["forbidden"] == []
    assert tell("TRUNCATE orders;", orders=1001, code=1)["forbidden"] != []
    assert tell("DELETE FROM orders WHERE id < 9;", orders=5000)["doubtful"] != []
    assert tell("DELETE FROM orders WHERE id < 9;", orders=999)["doubtful"] == []


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('blocked = "soon"', "slo.blocked: invalid duration: soon"),
        ("rows-lost = -1", "slo.rows-lost: "),
        ('holds = "1s"', "slo.holds: unknown key"),
    ],
)
def test_budgets_that_are_none(tell: Tell, budgets: Path, capsys: pytest.CaptureFixture[str], written: str, said: str) -> None:
    budgets.write_text(f"[slo]\n{written}\n")
    assert main(["premortem", "0001_shop.sql"]) == 2
    assert said in capsys.readouterr().err


def test_the_gate_stands_at_the_top(tell: Tell, budgets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    budgets.write_text('[slo]\nblocked = "2s"\n')
    tell("ALTER TABLE orders ADD COLUMN a text;", code=1)
    main(["premortem", "0002_change.sql"])
    assert capsys.readouterr().out.split("\n\n")[2].startswith("**The gate is closed:**")
    main(["premortem", "0001_shop.sql"])
    assert "**The gate is open**: no budget is exceeded (no query may wait for longer than 2 s)." in capsys.readouterr().out
