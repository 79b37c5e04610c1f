"""The places of statements inside the string literals of a script."""

import json
from pathlib import Path
from textwrap import dedent

import pytest

from migsafe.cli import main
from migsafe.session import sent_statements
from migsafe.sources import Half
from tests.rendering.conftest import Render

pytestmark = pytest.mark.process


def places(half: Half) -> list[str]:
    """Returns the text of the file at the place of each statement."""
    return [half.file.text[slice(*half.file_span(sent.statement.span))] for sent in sent_statements(half)]


def starts(half: Half) -> list[tuple[str, int]]:
    """Returns the line at the place of each statement, and its column."""
    positions = [half.file.position(half.file_span(sent.statement.span).start) for sent in sent_statements(half)]
    return [(half.file.line(position.line).strip(), position.column) for position in positions]


@pytest.mark.parametrize(
    "call",
    [
        "op.execute({})",
        "op.execute(sa.text({}))",
        "op.get_bind().execute(sa.text({}))",
        "op.get_bind().exec_driver_sql({})",
        "op.execute({}.strip())",
        "op.execute(dedent({}))",
        "op.execute(sqltext={})",
    ],
)
def test_each_statement_is_at_its_own_line(render: Render, call: str) -> None:
    literal = '"""\n        LOCK TABLE a;\n            -- then\n            DROP TABLE b, c;\n        """'
    half = render(call.format(literal), before="from textwrap import dedent")
    assert places(half) == ["LOCK TABLE a", "DROP TABLE b, c"]
    assert starts(half) == [("LOCK TABLE a;", 13), ("DROP TABLE b, c;", 17)]


def test_a_constant_of_the_module(render: Render) -> None:
    before = 'SQL = """\nLOCK TABLE a;\n  DROP TABLE b\n"""\nMANY = ["DROP TABLE c", f"DROP TABLE {1 + 1}_d"]\nBY_NAME = {"e": "DROP TABLE e"}'
    half = render('op.execute(SQL)\nfor one in MANY:\n    op.execute(one)\nop.execute(BY_NAME["e"])', before=before)
    assert places(half) == ["LOCK TABLE a", "DROP TABLE b", "DROP TABLE c", "DROP TABLE {1 + 1}_d", "DROP TABLE e"]


def test_a_function_of_the_script(render: Render) -> None:
    before = """
    def run(statement):
        again(statement)

    def again(statement):
        op.execute(statement)

    def drop(table):
        return f"LOCK TABLE {table}; DROP TABLE {table}"
    """
    half = render('run("DROP TABLE a")\nop.execute(drop("b"))', before=before)
    assert places(half) == ["DROP TABLE a", "LOCK TABLE {table}", "DROP TABLE {table}"]


def test_values_in_strings(render: Render) -> None:
    half = render(
        """
        for table in ("a", "b"):
            op.execute(f"LOCK TABLE {table}; DROP TABLE {table}")
        op.execute("LOCK TABLE {}; DROP TABLE {t}".format("c", t="d"))
        op.execute("DROP TABLE %s" % "e")
        cascade = " CASCADE; DROP TABLE g"
        op.execute("DROP TABLE f" + cascade)
        op.execute("; ".join(["DROP TABLE h", "DROP TABLE i"]))
        """
    )
    loop = ["LOCK TABLE {table}", "DROP TABLE {table}"]
    assert places(half) == [
        *(*loop, *loop),
        *("LOCK TABLE {}", "DROP TABLE {t}", "DROP TABLE %s"),
        *("DROP TABLE f", "DROP TABLE g", "DROP TABLE h", "DROP TABLE i"),
    ]


def test_parameters_of_a_text(render: Render) -> None:
    half = render(
        """
        op.get_bind().execute(sa.text("UPDATE a SET x = :x, y = '\\\\:z' WHERE z = :x; DELETE FROM b"), {"x": "it's"})
        op.execute(sa.text("UPDATE a SET x = :x; DELETE FROM b").bindparams(x=1))
        op.get_bind().exec_driver_sql("UPDATE a SET x = %(x)s WHERE y LIKE '%%'; DELETE FROM b", {"x": 1})
        """
    )
    assert places(half) == [
        *("UPDATE a SET x = :x, y = '\\\\:z' WHERE z = :x", "DELETE FROM b"),
        *("UPDATE a SET x = :x", "DELETE FROM b"),
        *("UPDATE a SET x = %(x)s WHERE y LIKE '%%'", "DELETE FROM b"),
    ]


def test_escapes_and_implicit_concatenation(render: Render) -> None:
    half = render(
        r"""
        op.execute("LOCK TABLE a;\n\tDROP TABLE \u0062; "  # why
                   'DROP TABLE "it\'s";' r" DROP TABLE c"
                   f'; DROP TABLE {"d"}')
        """
    )
    expected = ["LOCK TABLE a", r"DROP TABLE \u0062", r"""DROP TABLE "it\'s" """.strip(), "DROP TABLE c", """DROP TABLE {"d"}"""]
    assert places(half) == expected


def test_line_ends_of_windows_and_wide_characters(render: Render) -> None:
    half = render(
        """
        op.execute(\"\"\"
            INSERT INTO a VALUES ('żółw 🐢'); DROP TABLE "ü";
            DROP TABLE b;\"\"\")
        """
    )
    assert starts(half)[1] == ("INSERT INTO a VALUES ('żółw 🐢'); DROP TABLE \"ü\";", 42)
    assert places(half)[1:] == ['DROP TABLE "ü"', "DROP TABLE b"]


def test_the_operations_of_a_block(render: Render) -> None:
    half = render('op.execute("""DO $$ BEGIN\n        DROP TABLE a;\n    END $$""")')
    operations = [operation for sent in sent_statements(half) for operation in sent.statement.operations]
    assert half.file.text[slice(*half.file_span(operations[1].span))] == "DROP TABLE a"


def test_an_unknown_value_moves_nothing(render: Render) -> None:
    half = render("""
    kind = op.get_bind().scalar(sa.text("SELECT kind FROM kinds"))
    op.execute(f"ALTER TABLE a ADD b {kind}, ADD c {kind}; DROP TABLE b")
    """)
    assert places(half)[-2:] == ["ALTER TABLE a ADD b {kind}, ADD c {kind}", "DROP TABLE b"]


@pytest.mark.parametrize(
    "body",
    [
        'op.execute("".join(reversed(["DROP TABLE a", ";", "DROP TABLE b"])))',
        'op.execute("drop table a".upper())',
        'op.drop_table("a")',
        'op.execute("DROP TABLE a; DROP TABLE a"[:12])',
    ],
)
def test_a_text_that_is_not_certain_is_at_the_call(render: Render, body: str) -> None:
    assert all(place.startswith("op.") for place in places(render(body)))


SCRIPT = '''\
from alembic import op

revision = "a1"
down_revision = None


def upgrade():
    op.execute("""
        -- migsafe: ignore[drop-table] nobody reads it
        DROP TABLE a;
        DROP TABLE b; -- migsafe: ignore[drop-table] nobody reads it
        DROP TABLE c;
        -- migsafe: ignore[drop-table] not used
        SELECT 1;
    """)
    # migsafe: ignore[drop-table] all of the call
    op.execute("""
        DROP TABLE d;
        DROP TABLE e;
    """)
    op.execute(
        "DROP TABLE f; "  # migsafe: ignore[drop-table] this one
        "DROP TABLE g"
    )
    op.execute("""
        DROP TABLE h""")  # migsafe: ignore[drop-table] at the end of the call


def downgrade():
    op.execute("SELECT 1")
'''


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_suppressions_at_the_statement_and_at_the_call(tmp_path: Path, capsys: pytest.CaptureFixture[str], line_end: str) -> None:
    path = tmp_path / "a1_drop.py"
    path.write_bytes(SCRIPT.replace("\n", line_end).encode())
    main(["lint", "--format", "json", "--select", "drop-table,suppression-unused", str(path)])
    findings = json.loads(capsys.readouterr().out)["findings"]
    lines = dedent(SCRIPT).splitlines()
    reported = [(finding["rule"], lines[finding["start"]["line"] - 1].strip(), finding["start"]["column"]) for finding in findings]
    assert reported == [
        ("drop-table", "DROP TABLE c;", 9),
        ("suppression-unused", "-- migsafe: ignore[drop-table] not used", 9),
        ("drop-table", '"DROP TABLE g"', 10),
    ]


def test_locks_are_at_the_statement(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a1_drop.py"
    path.write_text(SCRIPT)
    main(["locks", "--format", "json", str(path)])
    statements = [statement for migration in json.loads(capsys.readouterr().out)["migrations"] for statement in migration["statements"]]
    assert [statement["start"]["line"] for statement in statements] == [10, 11, 12, 14, 18, 19, 22, 23, 26]
