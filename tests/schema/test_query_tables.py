"""The columns of tables that CREATE TABLE AS creates. `histories/tables_from_queries.sql` compares their types with a server's."""

from pathlib import Path

import pytest

from migsafe.prediction.predictor import Predictor
from migsafe.schema.objects import Relation
from migsafe.sources import Transaction
from migsafe.sql.operations import Name
from migsafe.sql.statements import read

HISTORY = Path(__file__).parent / "histories" / "tables_from_queries.sql"


def _table(sql: str, name: str) -> Relation:
    """The table of this name after the statements."""
    predictor = Predictor(17)
    predictor.begin(Transaction.STATEMENT)
    for statement in read(sql):
        predictor.predict_statement(statement, with_effects=False)
    table = predictor.catalog.relation(Name(name))
    assert table is not None
    return table


def test_every_type_of_the_history_is_known() -> None:
    sql = HISTORY.read_text(encoding="utf-8")
    predictor = Predictor(17)
    predictor.begin(Transaction.STATEMENT)
    for statement in read(sql):
        predictor.predict_statement(statement, with_effects=False)
    tables = [relation for relation in predictor.catalog.relations() if relation.from_query]
    assert len(tables) == 27
    assert [(table.name.name, column.name) for table in tables for column in table.columns if column.type is None] == []
    assert [table.name.name for table in tables if not table.complete] == []


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM unknown_table",
        "SELECT a.*, b.* FROM items a JOIN unknown_table b ON true",
        "SELECT now() FROM items",
        "SELECT * FROM items a JOIN items b USING (id)",
        "SELECT * FROM generate_series(1, 2)",
    ],
)
def test_names_that_are_unknown_leave_the_table_incomplete(query: str) -> None:
    table = _table(f"CREATE TABLE items (id integer, name text); CREATE TABLE made AS {query};", "made")
    assert (table.complete, table.columns) == (False, ())


@pytest.mark.parametrize(
    "expression",
    ["own_function(id)", "lower(span)", "b.id", "max(mood)", "CURRENT_TIMESTAMP(3)", "array_agg(mood)", "span + 1", "nullif(id, weight)"],
)
def test_types_that_are_unknown(expression: str) -> None:
    items = "CREATE TABLE items (id integer, name varchar(5), weight bigint, span int4range, mood mood);"
    table = _table(f"{items} CREATE TABLE made AS SELECT {expression} AS value FROM items;", "made")
    assert table.complete
    assert [(column.name, column.type) for column in table.columns] == [("value", None)]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("SELECT * FROM items", ["id", "Name", "user"]),
        ('select ID, "Name" from public.items where id in (1, 2) order by id;', ["id", "Name"]),
        ('SELECT "user" FROM items', ["user"]),
        ("SELECT user FROM items", None),  # the function
        ("SELECT id FROM items WHERE id > 1 UNION SELECT 1.5", None),
        ("SELECT id FROM items i", None),
        ("SELECT * FROM unknown", None),
    ],
)
def test_a_query_of_plain_columns_needs_no_tree(monkeypatch: pytest.MonkeyPatch, query: str, names: list[str] | None) -> None:
    parsed: list[str] = []
    monkeypatch.setattr("migsafe.expressions.query_columns", lambda query, tables: parsed.append(query.sql))
    table = _table(f'CREATE TABLE items (id integer, "Name" varchar(5), "user" text); CREATE TABLE made AS {query};', "made")
    assert bool(parsed) == (names is None)
    assert [column.name for column in table.columns] == (names or [])
    assert all(column.type is not None for column in table.columns)


def test_columns_of_unknown_tables_have_names_only() -> None:
    table = _table('CREATE TABLE made AS SELECT id, "Name" FROM unknown WHERE id > 5', "made")
    assert [(column.name, column.type) for column in table.columns] == [("id", None), ("Name", None)]
