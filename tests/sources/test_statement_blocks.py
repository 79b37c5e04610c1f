"""Blocks of statements that goose and sql-migrate send as one query."""

import pytest

from migsafe.sources import Transaction, find_migrations

from .conftest import Write

BLOCK = "-- +{0} StatementBegin\nSET statement_timeout = 0;\nCREATE INDEX CONCURRENTLY a ON t (a);\n-- +{0} StatementEnd\n"
FUNCTION = "-- +{0} StatementBegin\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';\n-- +{0} StatementEnd\n"
AROUND = "-- first\nDROP INDEX b;\nDROP INDEX c;\n"
UP = {"goose": "-- +goose NO TRANSACTION\n-- +goose Up\n", "migrate": "-- +migrate Up notransaction\n"}


def queries(shop: Write, text: str) -> tuple[Transaction, list[list[str]]]:
    """Returns how a file is sent: its transaction, and the last lines with SQL of each query."""
    (migration,) = find_migrations([shop({"1_a.sql": text})]).migrations
    chunks = [migration.up.script.text[chunk.start : chunk.end] for chunk in migration.up.chunks]
    lines = [[line for line in chunk.splitlines() if line and not line.startswith("--")] for chunk in chunks]
    return migration.up.transaction, lines


@pytest.mark.parametrize("word", ["goose", "migrate"])
def test_a_block_outside_a_transaction_is_one_query(shop: Write, word: str) -> None:
    block = ["SET statement_timeout = 0;", "CREATE INDEX CONCURRENTLY a ON t (a);"]
    found = queries(shop, UP[word] + AROUND + BLOCK.format(word) + "SELECT 1;\n")
    assert found == (Transaction.QUERY, [["DROP INDEX b;"], ["DROP INDEX c;"], block, ["SELECT 1;"]])


@pytest.mark.parametrize("word", ["goose", "migrate"])
def test_other_blocks_change_nothing(shop: Write, word: str) -> None:
    assert queries(shop, UP[word] + AROUND + FUNCTION.format(word))[0] is Transaction.NONE
    in_transaction = f"-- +{word} Up\n{AROUND}{BLOCK.format(word)}"
    assert queries(shop, in_transaction)[0] is Transaction.FILE
