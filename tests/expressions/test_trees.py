"""sqlglot's trees of expressions, queries and types."""

import subprocess
import sys

import pytest
from sqlglot import exp

from migsafe.expressions import parse_expression, parse_query, parse_type
from migsafe.sql.operations import AddColumn, CreateIndex, Select
from migsafe.sql.statements import read


def test_an_expression_gets_its_tree() -> None:
    (statement,) = read("CREATE INDEX i ON orders (qty) WHERE qty > 5 AND note IS NOT NULL")
    index = statement.operations[0]
    assert isinstance(index, CreateIndex)
    assert index.where is not None
    assert isinstance(parse_expression(index.where), exp.And)


def test_a_query_gets_its_tree() -> None:
    (statement,) = read("SELECT o.id FROM orders o JOIN items USING (id)")
    select = statement.operations[0]
    assert isinstance(select, Select)
    tree = parse_query(select.query)
    assert tree is not None
    assert {table.name for table in tree.find_all(exp.Table)} == {"orders", "items"} == {name.name for name in select.query.reads}


@pytest.mark.parametrize("written", ["int", "varchar(20)[]", "timestamp(3) with time zone", "numeric(10, 2)", "shop.mood"])
def test_a_type_gets_its_tree(written: str) -> None:
    (statement,) = read(f"ALTER TABLE orders ADD COLUMN a {written}")
    column = statement.operations[0]
    assert isinstance(column, AddColumn)
    assert column.column.type is not None
    assert isinstance(parse_type(column.column.type), exp.DataType)


@pytest.mark.process
def test_reading_statements_does_not_import_sqlglot() -> None:
    code = "import sys; from migsafe.sql.statements import read; list(read('SELECT 1')); sys.exit('sqlglot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
