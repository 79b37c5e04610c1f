"""Markdown, parsed by a CommonMark parser: no script can change the structure of the comment."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec.structs import replace

from migsafe.errors import UnreadableError
from migsafe.linting.finding import Severity
from migsafe.linting.rule import Context, Finding, rule
from migsafe.linting.verdict import Verdict
from migsafe.reports import reporter
from migsafe.reports.markdown import LONGEST
from migsafe.reports.markup import code, escaped, fenced
from migsafe.sql.operations import Drop
from migsafe.terminal.display import Display
from tests.support.samples import judge_with_few_rules

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
NO_WIDTH = "\u200b"
TEXTS = st.text(st.sampled_from("`|<>&*_[]()#+-.!~\\$@ab1 \t\n:=") | st.characters(exclude_categories=("Cs",)))


def report(verdict: Verdict) -> str:
    return reporter("markdown")(verdict, Display())


def says(message: str, help: str = "", severity: Severity = Severity.WARNING) -> Any:
    @rule(category="data", severity=severity)
    def says(op: Drop, at: Context) -> Finding:
        """Says something."""
        return at.finding(op, message, help=help)

    return says


def words(token: Token) -> str:
    """Returns the text of inline content, which must contain only text and code."""
    children = token.children or []
    assert {child.type for child in children} <= {"text", "code_inline", "text_special"}, token.content
    return "".join(child.content for child in children)


def test_a_comment() -> None:
    assert report(judge_with_few_rules("SELECT 1;\nCREATE INDEX i ON orders (qty);\n", path="db/0001_x.sql")) == (
        "### migsafe\n"
        "\n"
        "1 error in 1 file, 2 statements.\n"
        "\n"
        "#### `db/0001_x.sql`\n"
        "\n"
        "🔴 **error** `index-not-concurrent`, line 2\n"
        "\n"
        "CREATE INDEX takes SHARE on public.orders until it is built: every INSERT, UPDATE and DELETE waits\n"
        "\n"
        "```sql\n"
        "CREATE INDEX i ON orders (qty);\n"
        "```\n"
        "\n"
        "<details><summary>Safe</summary>\n"
        "\n"
        "```sql\n"
        "CREATE INDEX CONCURRENTLY i ON orders (qty);\n"
        "```\n"
        "\n"
        "</details>\n"
    )


def test_code_of_a_script_is_marked_as_python() -> None:
    verdict = judge_with_few_rules("CREATE INDEX i ON orders (qty);", path="versions/1.py")
    assert report(verdict).count("```python\n") == 2
    verdict.findings = [replace(verdict.findings[0], migration="")]  # at a query of the application: the safe way is SQL
    assert "Safe</summary>\n\n```sql\n" in report(verdict)


def test_a_clean_run() -> None:
    assert report(judge_with_few_rules("SELECT 1;")) == "### migsafe\n\nNothing found in 1 file, 1 statement.\n"


def test_findings_are_grouped_by_file() -> None:
    assert report(judge_with_few_rules("DROP TABLE a;\nDROP TABLE b;")).count("#### ") == 1


@given(TEXTS)
def test_prose_has_no_markup(text: str) -> None:
    tokens = PARSER.parse(f"before\n\n{escaped(text)}\n\nafter")
    inline = [token for token in tokens if token.type == "inline"]
    assert [token.type for token in tokens if token.type != "inline"] == ["paragraph_open", "paragraph_close"] * len(inline)
    assert (inline[0].content, inline[-1].content) == ("before", "after")
    for token in inline:
        words(token)


@pytest.mark.parametrize("text", ["public.orders_2 takes *, a|b", "<b> & </b>", "# 1. a", "1. a", "- a", "\\*", "a ~~b~~ $c$ `", "x`y|z`w"])
def test_prose_is_displayed_unchanged(text: str) -> None:
    [inline] = [token for token in PARSER.parse(escaped(text)) if token.type == "inline"]
    assert words(inline).replace(NO_WIDTH, "") == text.replace("`y|z`", "y|z")


def test_mentions_and_issue_numbers_are_not_links() -> None:
    assert escaped("ask @all about #12") == f"ask @{NO_WIDTH}all about #{NO_WIDTH}12"


@given(st.text(st.sampled_from("` ab|<") | st.characters(categories=("L",)), min_size=1))
def test_a_code_span_contains_the_whole_text(text: str) -> None:
    [inline] = [token for token in PARSER.parse(f"a {code(text)} b") if token.type == "inline"]
    if text.strip():
        assert [child.content for child in inline.children or [] if child.type == "code_inline"] == [text]


@given(TEXTS)
def test_code_cannot_end_its_block(text: str) -> None:
    tokens = PARSER.parse(f"{fenced(text)}\n\nafter")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]


def test_malicious_names_do_not_break_the_structure() -> None:
    sql = 'DROP TABLE "```", "</details>", "<script>", "a|b", "@all";'
    tokens = PARSER.parse(report(judge_with_few_rules(sql, path="`<b>|`\n# x.sql")))
    kinds = [token.type for token in tokens if token.type.endswith("_open") or token.type in ("fence", "html_block")]
    finding = ["paragraph_open", "paragraph_open", "fence", "html_block", "fence", "html_block"]
    assert kinds == ["heading_open", "paragraph_open", "heading_open", *finding]


def test_a_comment_fits_github_s_limit() -> None:
    rules = [says("`*" * 5_000, "x" * 10_000)]
    text = report(judge_with_few_rules("\n".join(f"DROP TABLE t{number};" for number in range(300)), rules=rules))
    assert 50_000 < len(text) <= LONGEST
    assert text.rstrip().splitlines()[-1].endswith("more findings left out: a comment has no room for more.*")
    PARSER.parse(text)


def test_the_most_severe_of_too_many_findings_are_shown() -> None:
    @rule(category="design", severity=Severity.ERROR)
    def worst(op: Drop, at: Context) -> Finding | None:
        """Says something."""
        return at.finding(op, "worst") if at.statement.index == 300 else None

    rules = [says("x" * 1_000), worst]
    text = report(judge_with_few_rules("\n".join(f"DROP TABLE t{number};" for number in range(300)), rules=rules))
    assert "🔴 **error** `worst`, line 300" in text
    assert len(text) <= LONGEST


def test_files_that_could_not_be_judged_are_reported() -> None:
    verdict = judge_with_few_rules("SELECT 1;")
    verdict.problems += [UnreadableError(f"{number}.sql: cannot be read") for number in range(12)]
    assert "**Not everything could be judged:**\n\n- 0.sql: cannot be read\n" in report(verdict)
    assert "- and 2 more\n" in report(verdict)


@pytest.mark.parametrize("path", ["-", "\udcff.sql"])
def test_any_path(path: str) -> None:
    assert report(judge_with_few_rules("DROP TABLE a", path=path)).encode()


@pytest.mark.parametrize("text", ["lock_timeout", "_a_ b", "x _y_", "a__b__", "__init__", "é_ü_", "orders._x_", "a_.b_c", "1_000 * 2_000 *"])
def test_escaped_prose_is_displayed_unchanged(text: str) -> None:
    assert MarkdownIt().render(escaped(text)) == f"<p>{text}</p>\n"


def test_names_can_be_read_in_the_source() -> None:
    assert escaped("lock_timeout of order_items") == "lock_timeout of order_items"
