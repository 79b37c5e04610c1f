"""GitHub's workflow commands, read back as its runner reads them (actions/runner, ActionCommand)."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from migsafe.linting.finding import Severity
from migsafe.linting.rule import Context, Finding, rule
from migsafe.reports import reporter
from migsafe.sql.operations import Drop
from migsafe.terminal.display import Display
from tests.support.samples import judge_with_few_rules

COMMAND = re.compile(r"::(?P<name>[^ :]+)(?: (?P<properties>.*?))?::(?P<data>.*)")


class Command(NamedTuple):
    name: str
    properties: dict[str, str]
    message: str


def unescaped(text: str, *, in_property: bool = False) -> str:
    text = text.replace("%0D", "\r").replace("%0A", "\n")
    if in_property:
        text = text.replace("%3A", ":").replace("%2C", ",")
    return text.replace("%25", "%")


def read(line: str) -> Command:
    match = COMMAND.fullmatch(line)
    assert match is not None, line
    pairs = [pair.partition("=") for pair in match["properties"].split(",")]
    return Command(match["name"], {key: unescaped(value, in_property=True) for key, _, value in pairs}, unescaped(match["data"]))


def lines(sql: str, **more: Any) -> list[str]:
    return reporter("github")(judge_with_few_rules(sql, **more), Display()).removesuffix("\n").split("\n")


def commands(sql: str, **more: Any) -> list[Command]:
    return [read(line) for line in lines(sql, **more)[:-1]]


def test_a_finding() -> None:
    assert lines("CREATE INDEX i ON orders (qty);\n", path="db/0001_x.sql") == [
        "::error file=db/0001_x.sql,line=1,endLine=1,col=1,endColumn=30,title=index-not-concurrent (error)"
        "::CREATE INDEX takes SHARE on public.orders until it is built: every INSERT, UPDATE and DELETE waits"
        "%0ASafe:%0ACREATE INDEX CONCURRENTLY i ON orders (qty);",
        "1 error in 1 file, 1 statement.",
    ]


def test_several_lines_have_no_columns() -> None:
    [command] = commands("DROP TABLE\n    a;")
    assert command.properties == {"file": "0001_change.sql", "line": "1", "endLine": "2", "title": "drop-table (error)"}


def test_a_file_name_with_special_characters() -> None:
    [command] = commands("DROP TABLE a", path="50% a,b::c\r\n.sql")
    assert command.properties["file"] == "50% a,b::c\r\n.sql"


@pytest.mark.parametrize("message", ["100% :: a, b", "two\r\nlines", "%0A", "::set-output name=x::y"])
def test_a_message_is_unchanged_after_unescaping(message: str) -> None:
    @rule(category="design", severity=Severity.INFO)
    def says(op: Drop, at: Context) -> Finding:
        """Says something."""
        return at.finding(op, message)

    [command] = commands("DROP TABLE a", rules=[says])
    assert (command.name, command.message) == ("notice", message)


def test_standard_input_has_no_file_name() -> None:
    [command] = commands("DROP TABLE a", path="-")
    assert command.properties == {"title": "drop-table (error)"}


def test_a_path_that_is_not_unicode_does_not_stop_it() -> None:
    [command] = commands("DROP TABLE a", path="\udcff.sql")
    assert command.properties["file"] == "\ufffd.sql"


def test_paths_are_relative_to_the_root_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").touch()  # a worktree's is a file
    (tmp_path / "shop").mkdir()
    monkeypatch.chdir(tmp_path / "shop")
    [command] = commands("DROP TABLE a", path="x.sql")
    assert command.properties["file"] == "shop/x.sql"


def test_a_file_that_could_not_be_judged_is_an_error() -> None:
    @rule(category="design", severity=Severity.WARNING)
    def fails(op: Drop, at: Context) -> None:
        """Fails."""
        raise ValueError("why")

    [command] = commands("DROP TABLE a", rules=[fails])
    assert (command.name, command.properties) == ("error", {"title": "migsafe"})
    assert "the rule fails failed at 0001_change.sql:1:1: ValueError: why" in command.message
