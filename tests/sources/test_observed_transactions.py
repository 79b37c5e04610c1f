"""Files that run outside the transaction of their runner, as earlier ones of the project show."""

import pytest

from migsafe.sources import SourceSettings, Transaction, find_migrations

from .conftest import Write

ORDERS = "CREATE TABLE orders (id bigint PRIMARY KEY);\n"
OUTSIDE = "SELECT 1;\nCREATE INDEX CONCURRENTLY {} ON orders (id);\n"
ALONE = "CREATE INDEX CONCURRENTLY {} ON orders (id);\n"


def prisma(*texts: str) -> dict[str, str]:
    return {f"{number}_a/migration.sql": text.format(f"orders_{number}_idx") for number, text in enumerate(texts, 1)}


def drizzle(*texts: str) -> dict[str, str]:
    entries = ", ".join(f'{{"tag": "{number}_a", "when": {number}}}' for number in range(1, len(texts) + 1))
    files = {f"{number}_a.sql": text.format(f"orders_{number}_idx") for number, text in enumerate(texts, 1)}
    return {**files, "meta/_journal.json": f'{{"entries": [{entries}]}}'}


def golang_migrate(*texts: str) -> dict[str, str]:
    return {f"{number}_a.up.sql": text.format(f"orders_{number}_idx") for number, text in enumerate(texts, 1)}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (prisma(ORDERS, OUTSIDE, OUTSIDE, OUTSIDE, ORDERS), ["query", "query", "query", "none", "query"]),
        (golang_migrate(ORDERS, OUTSIDE, OUTSIDE, "VACUUM;\n" + ORDERS), ["query", "query", "query", "none"]),
        (drizzle(ORDERS, ALONE, ALONE, OUTSIDE), ["file", "file", "file", "none"]),
        # One earlier file may have been corrected by hand.
        (prisma(ORDERS, OUTSIDE, OUTSIDE), ["query", "query", "query"]),
        # A single statement, and one after the runner's transaction, are accepted: they show nothing.
        (prisma(ORDERS, ALONE, ALONE, OUTSIDE), ["query", "query", "query", "query"]),
        (drizzle(ORDERS, "COMMIT;" + ALONE, "COMMIT;" + ALONE, ALONE), ["file", "file", "file", "file"]),
        # A comment is no statement.
        (prisma(ORDERS, "-- " + ALONE + ORDERS, "-- " + ALONE + ORDERS, OUTSIDE), ["query", "query", "query", "query"]),
    ],
)
def test_earlier_files_show_how_a_file_runs(shop: Write, files: dict[str, str], expected: list[str]) -> None:
    plan = find_migrations([shop(files)])
    assert [migration.up.transaction.value for migration in plan.migrations] == expected


def test_files_of_one_release_show_nothing(shop: Write) -> None:
    folder = shop(golang_migrate(ORDERS, OUTSIDE, OUTSIDE, OUTSIDE))
    plan = find_migrations([f"{folder}/{number}_a.up.sql" for number in (2, 3, 4)])
    assert [migration.up.transaction.value for migration in plan.migrations] == ["query", "query", "query"]
    (last,) = find_migrations([f"{folder}/4_a.up.sql"]).migrations
    assert last.up.transaction.value == "none"
    assert last.transaction_assumed


def test_the_configuration_takes_precedence(shop: Write) -> None:
    folder = shop(golang_migrate(ORDERS, OUTSIDE, OUTSIDE, OUTSIDE))
    plan = find_migrations([folder], SourceSettings(transaction=Transaction.FILE))
    assert {migration.up.transaction.value for migration in plan.migrations} == {"file"}
