"""Statements that fail here: the script continues after them."""

import pytest

from tests.rendering.conftest import Render, called, sent

pytestmark = pytest.mark.process


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("x = 1 / 0\nop.execute('SELECT 2')", ["SELECT 2;"]),
        ("if 1 / 0:\n    op.execute('SELECT 2')\nelse:\n    op.execute('SELECT 3')", ["? SELECT 2;", "? SELECT 3;"]),
        ("for x in (1, 1 / 0):\n    op.execute('SELECT 2')", ["? SELECT 2;"]),
        ("with 1 / 0:\n    op.execute('SELECT 2')", ["SELECT 2;"]),
        ("for x in (1, 2):\n    if x == 1:\n        x / 0\n    op.execute(f'SELECT {x}')", ["SELECT 1;", "SELECT 2;"]),
        ("def helper():\n    op.execute('SELECT 1')\n    return 1 / 0\nx = helper()\nop.execute('SELECT 2')", ["SELECT 1;", "SELECT 2;"]),
        ("while 1 / 0:\n    op.execute('SELECT 2')", ["? SELECT 2;"]),
        ("match 1 / 0:\n    case 1:\n        pass\nop.execute('SELECT 2')", ["SELECT 2;"]),
    ],
)
def test_a_script_continues_after_a_statement_that_fails(render: Render, body: str, expected: list[str]) -> None:
    half = render(f"op.execute('SELECT 0')\n{body}\nop.execute('SELECT 9')")
    known = [sql for sql in sent(half) if "[" not in sql]
    assert known == ["SELECT 0;", *expected, "SELECT 9;"]
    [failed] = [sql for sql in sent(half) if "[" in sql]
    assert "it fails here with ZeroDivisionError: division by zero] " in failed


def test_what_a_failed_statement_assigns_is_unknown(render: Render) -> None:
    half = render("name = [].pop()\nop.execute(f'DROP TABLE {name}')")
    assert sent(half) == [
        "[it fails here with IndexError: pop from empty list] [].pop()",
        '[it names something unknown: [].pop() fails here with IndexError: pop from empty list] DROP TABLE "⟨[].pop()⟩";',
    ]
    assert called(half)[0] == "[].pop()"


def test_a_failure_while_a_script_is_loaded_makes_its_names_unknown(render: Render) -> None:
    half = render("op.execute('SELECT 1')\nop.drop_column(TABLE, 'a')", before="TABLE = {}['x']\n\n\nclass Thing(5):\n    pass\n")
    assert sent(half)[0] == "SELECT 1;"
    assert sent(half)[1].startswith("[it names something unknown: TABLE = {}[x] fails here with KeyError")


def test_an_exception_that_the_script_handles_is_no_failure(render: Render) -> None:
    half = render("try:\n    1 / 0\nexcept ArithmeticError:\n    op.execute('SELECT 1')\nfinally:\n    op.execute('SELECT 2')")
    assert sent(half) == ["SELECT 1;", "SELECT 2;"]


@pytest.mark.parametrize("ending", ["raise RuntimeError('no')", "exit(1)", "quit()", "import sys; sys.exit('no')", "assert not rows"])
def test_a_script_that_gives_up_is_assumed_not_to(render: Render, ending: str) -> None:
    half = render(
        f"""
        rows = op.get_bind().execute(sa.text("SELECT id FROM a WHERE x IS NULL")).fetchall()
        if rows:
            {ending}
        op.alter_column("a", "x", nullable=False)
        """
    )
    assert sent(half) == ["SELECT id FROM a WHERE x IS NULL;", "ALTER TABLE a ALTER COLUMN x SET NOT NULL;"]


def test_savepoints_in_a_loop_over_rows(render: Render) -> None:
    half = render(
        """
        conn = op.get_bind()
        for number, row in enumerate(conn.execute(sa.text("SELECT id, label FROM jars")).fetchall()):
            with conn.begin_nested():
                if row.label is None and number > 3:
                    continue
                conn.execute(sa.text("UPDATE jars SET label = 'x' WHERE id = :id"), {"id": row.id})
        with conn.begin_nested():
            conn.execute(sa.text("UPDATE jars SET label = 'y'"))
        with contextlib.suppress(Exception):
            with conn.begin_nested() as nested:
                op.execute("DROP TABLE old")
                nested.rollback()
        op.add_column("jars", sa.Column("lid", sa.Text()))
        """,
        before="import contextlib\n",
    )
    statements = [sql.removeprefix("? ").rstrip(";") for sql in sent(half)]
    assert not [sql for sql in statements if "[" in sql]
    assert statements[-1] == "ALTER TABLE jars ADD COLUMN lid TEXT"
    assert "UPDATE jars SET label = 'y'" in statements
    assert "DROP TABLE old" in statements


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("""op.execute("INSERT INTO notes VALUES ('{\\"days\\":28}')")""", "InvalidRequestError: A value is required for bind parameter '28'"),
        ("op.execute(sa.text('UPDATE orders SET note = :note'))", "InvalidRequestError: A value is required for bind parameter 'note'"),
        ("op.execute('DELETE FROM orders WHERE id = ANY(:ids::int[])')", 'ProgrammingError: syntax error at or near ":"'),
        (
            "op.get_bind().execute(sa.text('UPDATE orders SET note = :note::text'), {'note': 'x'})",
            'ProgrammingError: syntax error at or near ":"',
        ),
    ],
)
def test_a_parameter_that_has_no_value(render: Render, call: str, reason: str) -> None:
    (failed,) = sent(render(call))
    assert f"[it fails here with {reason}" in failed


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("op.execute(sa.text('DELETE FROM orders WHERE note = :note').bindparams(note='x'))", "DELETE FROM orders WHERE note = 'x';"),
        ("op.get_bind().execute(sa.text('SELECT CAST(:a AS text)'), {'a': 'x'})", "SELECT CAST('x' AS text);"),
        ("op.execute(\"UPDATE orders SET note = 'a\\\\:b'\")", "UPDATE orders SET note = 'a:b';"),
        ("op.execute(\"UPDATE orders SET note = ':a::text', at = '10:30'::time\")", "UPDATE orders SET note = ':a::text', at = '10:30'::time;"),
    ],
)
def test_parameters_and_colons_that_are_right(render: Render, call: str, expected: str) -> None:
    assert sent(render(call)) == [expected]
