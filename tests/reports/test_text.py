import pytest

from migsafe.errors import ConfigError
from migsafe.reports import reporter
from migsafe.terminal.display import Display
from tests.support.linted import judge_sql

TERMINAL = Display(width=60)


def report(sql: str, display: Display = Display()) -> str:  # noqa: B008  # it cannot change
    return reporter("text")(judge_sql(sql), display)


def marked(sql: str, display: Display = Display()) -> list[str]:  # noqa: B008
    """Returns the lines of the script and the marks below them."""
    return [line[7:] for line in report(sql, display).splitlines() if line[5:6] == "|"]


def test_a_finding() -> None:
    assert report("CREATE INDEX i ON orders (qty);\n") == (
        "0001_change.sql:1:1 error index-not-concurrent\n"
        "   1 | CREATE INDEX i ON orders (qty);\n"
        "     | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "  CREATE INDEX takes SHARE on public.orders until it is built: every INSERT, UPDATE and DELETE waits\n"
        "  Safe:\n"
        "    CREATE INDEX CONCURRENTLY i ON orders (qty);\n"
        "\n"
        "1 error in 1 file, 1 statement.\n"
    )


def test_a_clean_run_is_one_line() -> None:
    assert report("SELECT 1;") == "Nothing found in 1 file, 1 statement.\n"


def test_colour_only_if_requested() -> None:
    assert "\x1b" not in report("DROP TABLE a")
    assert "\x1b[1;31merror\x1b[0m" in report("DROP TABLE a", Display(colour=True))


def test_prose_is_wrapped_on_a_terminal_and_sql_is_not() -> None:
    lines = report(f"CREATE INDEX i ON orders ({'qty, ' * 20}qty)", TERMINAL).splitlines()
    assert all(len(line) <= 60 for line in lines if "CONCURRENTLY" not in line)
    assert sum("qty, qty" in line and "CONCURRENTLY" in line for line in lines) == 1


def test_sql_to_copy_stays_on_one_line() -> None:
    text = reporter("text")(judge_sql("CREATE INDEX i ON orders (qty)", runner="goose"), TERMINAL)
    assert "`-- +goose NO TRANSACTION`" in text


@pytest.mark.parametrize(
    ("sql", "source", "marks"),
    [
        ("SELECT 1; DROP TABLE a; SELECT 2;", "SELECT 1; DROP TABLE a; SELECT 2;", "          ^^^^^^^^^^^^"),
        ("SELECT 1;\tDROP TABLE a;", "SELECT 1;    DROP TABLE a;", "             ^^^^^^^^^^^^"),
        ("SELECT '数量'; DROP TABLE 注文;", "SELECT '数量'; DROP TABLE 注文;", "               ^^^^^^^^^^^^^^^"),
        ("SELECT 'e\u0301'; DROP TABLE a;", "SELECT 'e\u0301'; DROP TABLE a;", "            ^^^^^^^^^^^^"),
        ("SELECT '\x1b[31m'; DROP TABLE a;", "SELECT '␛[31m'; DROP TABLE a;", "                ^^^^^^^^^^^^"),
        ("DROP TABLE a;\r\nSELECT 1;", "DROP TABLE a;", "^^^^^^^^^^^^"),
    ],
)
def test_marks_are_below_the_marked_text(sql: str, source: str, marks: str) -> None:
    assert marked(sql) == [source, marks]


def test_a_long_line_is_cut_around_the_marked_part() -> None:
    source, marks = marked("SELECT 1; " * 30 + "DROP TABLE a; " + "SELECT 2; " * 30, TERMINAL)
    assert len(source) <= 60 - 7
    assert source.startswith("…")
    assert source.endswith("…")
    assert source[marks.index("^") : marks.rindex("^") + 1] == "DROP TABLE a"


def test_a_long_marked_part_shows_its_beginning() -> None:
    source, marks = marked("SELECT 1; " * 30 + f"DROP TABLE {'a, ' * 50} b;", TERMINAL)
    assert source[marks.index("^") :].startswith("DROP TABLE a, a, a")
    assert len(marks) <= 60 - 7


def test_only_the_first_of_many_lines_are_shown() -> None:
    lines = marked("DROP TABLE\n    a,\n    b,\n    c,\n    d;\nSELECT 1;")
    assert lines == ["DROP TABLE", "^^^^^^^^^^", "    a,", "    ^^", "    b,", "    ^^", "… 2 more lines"]


def test_an_unknown_format_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean json"):
        reporter("jsn")
