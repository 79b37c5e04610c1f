"""The lines of `--format gcc`, as editors parse them."""

import re

from migsafe.reports import reporter
from migsafe.terminal.display import Display
from tests.support.samples import judge_with_few_rules

# Vim's 'errorformat' %f:%l:%c:\ %t%*[^:]:\ %m, and the pattern of VS Code's problem matcher $gcc
LINE = re.compile(r"(.*?):(\d+):(\d*):?\s+(?:fatal\s+)?(warning|error|note):\s+(.*)")


def lines(sql: str, path: str = "db/1.sql") -> list[str]:
    return reporter("gcc")(judge_with_few_rules(sql, path=path), Display()).splitlines()


def test_each_finding_is_a_line() -> None:
    [drop, index] = lines("SELECT 1;\n  DROP TABLE\n a;\nCREATE INDEX ON b (c);")
    match = LINE.fullmatch(drop)
    assert match is not None
    assert match.groups()[:4] == ("db/1.sql", "2", "3", "error")
    assert match[5].startswith("drop-table: DROP TABLE takes ACCESS EXCLUSIVE on public.a")
    assert index.startswith("db/1.sql:4:1: error: index-not-concurrent: CREATE INDEX takes SHARE on public.b")


def test_no_findings_are_no_lines() -> None:
    assert reporter("gcc")(judge_with_few_rules("SELECT 1;"), Display()) == ""


def test_standard_input_has_the_name_that_compilers_give_it() -> None:
    assert lines("DROP TABLE a;", "-")[0].startswith("<stdin>:1:1: error: drop-table: ")


def test_control_characters_do_not_break_lines() -> None:
    assert len(lines('DROP TABLE "a\nb\x1b";', "d\n.sql")) == 1
