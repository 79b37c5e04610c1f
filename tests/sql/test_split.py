"""The division of scripts into statements."""

import sys

import pytest

from migsafe.sql.split import MetaCommand, RawStatement, split
from migsafe.sql.statements import read


def statements(text: str) -> list[str]:
    """Return the text of each statement."""
    return [text[raw.span.start : raw.span.end] for raw in split(text)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 'a;b'",
        "SELECT 'it''s; fine'",
        r"SELECT E'a\';b'",
        "SELECT U&'d\\0061t;' UESCAPE '!'",
        "SELECT B'01;', X'1;'",
        "SELECT N'a;b'",
        "SELECT 'one;'\n  'two;'",
        'SELECT "a;b", "it""s;"',
        'SELECT U&"a;b"',
        "SELECT $$a;b$$",
        "SELECT $tag$a; $$ ; $other$ ; $tag$",
        "SELECT $é$a;b$é$",
        "SELECT 1 -- a;b\n + 2",
        "SELECT /* a; /* nested; */ b; */ 1",
        "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b)",
        "CREATE OR REPLACE RULE r AS ON INSERT TO t DO (DELETE FROM a; DELETE FROM b;)",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
        "CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC DELETE FROM a; END",
        "SELECT a$b$c, d$e$f",
        "SELECT $1, $2",
        "SELECT 1+-2, a->>'x;', b @> '{}', c ?| d",
    ],
)
def test_a_semicolon_inside_a_statement_does_not_end_it(statement: str) -> None:
    assert statements(f"{statement};\nSELECT 1;") == [statement, "SELECT 1"]


@pytest.mark.parametrize("text", ["", ";", " ;; ; ", "-- nothing\n", "/* nothing */;"])
def test_an_empty_text_has_no_statement(text: str) -> None:
    assert statements(text) == []


def test_the_last_statement_needs_no_semicolon() -> None:
    assert statements("SELECT 1;\r\nSELECT 2\r\n-- end") == ["SELECT 1", "SELECT 2"]


def test_a_statement_begins_after_the_comments_before_it() -> None:
    text = "-- why\n/* and how */ SELECT 1 ;"
    assert next(iter(split(text))).span == (text.index("SELECT"), text.index(" ;"))


def test_copy_data_is_not_sql() -> None:
    text = "COPY t FROM stdin;\n1\t'\n;\n\\.x\n\\.\nSELECT 1;"
    copy, select = split(text)
    assert isinstance(copy, RawStatement)
    assert copy.data is not None
    assert text[copy.data.start : copy.data.end] == "1\t'\n;\n\\.x\n"
    assert text[select.span.start : select.span.end] == "SELECT 1"


def test_a_statement_on_the_line_of_copy_comes_before_its_data() -> None:
    assert statements("COPY t FROM stdin; SELECT 1;\n2\n\\.\nSELECT 3;") == ["COPY t FROM stdin", "SELECT 1", "SELECT 3"]


def test_copy_data_without_an_end_lasts_to_the_end_of_the_script() -> None:
    assert statements("COPY t FROM stdin;\n1\n2") == ["COPY t FROM stdin"]


def test_copy_from_a_file_has_no_data() -> None:
    assert statements("COPY t FROM '/stdin';\nSELECT 1;") == ["COPY t FROM '/stdin'", "SELECT 1"]


def test_meta_commands_are_told_from_statements() -> None:
    commands = [raw.command if isinstance(raw, MetaCommand) else raw.words[0] for raw in split("\\set a 1\nSELECT 1 \\g\n\\echo x\nSELECT 2")]
    assert commands == ["set", "select", "g", "echo", "select"]


def test_a_meta_command_inside_a_statement_does_not_end_it() -> None:
    commands = [raw.command if isinstance(raw, MetaCommand) else raw.words[:2] for raw in split("SELECT\n\\echo x\n1;")]
    assert commands == ["echo", ["select", "0"]]


@pytest.mark.parametrize("opening", ["'", '"', "$$", "$tag$", "/*", "E'"])
def test_an_unterminated_token_affects_only_its_statement(opening: str) -> None:
    raws = list(split(f"SELECT 1;\nSELECT {opening}never;\nSELECT 2;"))
    assert [isinstance(raw, RawStatement) and raw.unterminated is not None for raw in raws] == [False, True, False]


@pytest.mark.parametrize("start", ["DO", "DO LANGUAGE plpgsql", "CREATE OR REPLACE FUNCTION f() RETURNS void LANGUAGE plpgsql AS"])
def test_the_statements_of_an_unterminated_body_are_not_read_as_others(start: str) -> None:
    raws = list(split(f"SELECT 1;\n{start} $$\nBEGIN\n    UPDATE a SET b = 1;\n    IF found THEN\n    END IF;\nEND;\n"))
    assert [isinstance(raw, RawStatement) and raw.unterminated is not None for raw in raws] == [False, True]


def test_many_unterminated_tokens_end_the_search() -> None:
    text = "".join(f"SELECT $t{n}$ x;\n" for n in range(3000))
    assert 100 <= len(list(split(text))) < 200


def test_deep_nesting_is_reported_and_does_not_crash() -> None:
    depth = sys.getrecursionlimit() * 2
    statement, after = read("SELECT " + "(" * depth + "1" + ")" * depth + "; SELECT 1;")
    assert type(statement.operations[0]).__name__ in ("Unparsed", "Broken")
    assert type(after.operations[0]).__name__ == "Select"


@pytest.mark.parametrize("piece", ["SELECT 1;", "$$", "'", "(", "\\", "é", "--", "/*", "\x01", "COPY t FROM stdin;\n"])
def test_every_character_belongs_to_no_more_than_one_statement(piece: str) -> None:
    text = f"CREATE TABLE a (b int);\n{piece}\nDROP TABLE a;\n{piece}{piece}"
    end = 0
    for raw in split(text):
        assert raw.span.start >= end
        end = raw.span.end
    assert end <= len(text)
