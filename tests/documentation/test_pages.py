"""The documentation that is generated from a rule's docstring."""

from pathlib import Path

from migsafe.documentation.markdown import between_marks, explanation, files, fix_table, index, with_overview
from migsafe.documentation.page import Example, Page, Prose, page
from migsafe.documentation.terminal import explained, table
from migsafe.library.project import ListedRule
from migsafe.linting.finding import Severity
from migsafe.linting.rule import Rule
from migsafe.linting.rulebook import shipped_rules
from migsafe.terminal.display import Display

DOCS = Path(__file__).parents[2] / "docs" / "rules"

DOCUMENTATION = """Tables keep their names.

The first paragraph
goes on. Two reasons:
- one that
  is long
- another

Unsafe, by night:
    ALTER TABLE a
        RENAME TO b;

    SELECT 1;
Safe:
    SELECT 2;

See: https://one.example https://two.example
See: https://three.example
"""
RULE = Rule("names-stay", "ours", Severity.WARNING, DOCUMENTATION, (), lambda op, at: None, off=True)


def test_the_pages_are_those_of_the_rules() -> None:
    written = {path.relative_to(DOCS).as_posix(): path.read_text() for path in DOCS.rglob("*.md")}
    made = files(shipped_rules())
    stale = sorted(name for name in {*written, *made} if written.get(name) != made.get(name))
    assert not stale, "docs/rules is stale: run `python -m migsafe.documentation`"


def test_the_readme_s_overview_is_that_of_the_rules() -> None:
    readme = (DOCS.parents[1] / "README.md").read_text()
    assert readme == with_overview(readme, shipped_rules(), "docs/rules"), "the README is stale: run `python -m migsafe.documentation`"
    assert "| [locking](docs/rules/README.md#locking) |" in readme


def test_the_table_of_fixes_is_that_of_the_rules() -> None:
    text = (DOCS.parent / "fixes.md").read_text()
    assert text == between_marks(text, fix_table(shipped_rules())), "docs/fixes.md is stale: run `python -m migsafe.documentation`"
    assert "| [char-type](rules/design/char-type.md) | none | another type changes the final schema |\n" in text


def test_every_piece_of_a_docstring_is_found() -> None:
    assert page(DOCUMENTATION) == Page(
        "Tables keep their names.",
        (
            Prose("The first paragraph goes on. Two reasons:"),
            Prose("one that is long", item=True),
            Prose("another", item=True),
            Example("Unsafe, by night", "ALTER TABLE a\n    RENAME TO b;\n\nSELECT 1;"),
            Example("Safe", "SELECT 2;"),
        ),
        ("https://one.example", "https://two.example", "https://three.example"),
    )


def test_every_example_of_a_shipped_rule_is_parsed() -> None:
    for rule in shipped_rules():
        examples = [block for block in page(rule.documentation).blocks if isinstance(block, Example)]
        assert {True, False} <= {example.safe for example in examples}, rule.name
        assert "".join(rule.documentation.split()).count("Unsafe") == sum(example.heading.startswith("Unsafe") for example in examples), (
            rule.name
        )


def test_a_page_is_markdown() -> None:
    text = explanation(RULE)
    assert text.startswith("# names-stay\n\nours · warning, off\n\n**Tables keep their names.**\n\nThe first paragraph goes on.")
    assert "\n\n- one that is long\n- another\n\nUnsafe, by night:\n\n```sql\nALTER TABLE a\n" in text
    assert text.endswith("See:\n\n- <https://one.example>\n- <https://two.example>\n- <https://three.example>\n")


def test_the_index_has_own_categories_last() -> None:
    assert index([RULE, *shipped_rules()]).endswith(
        "## ours\n\n| rule | severity | fix | |\n|---|---|---|---|\n" + index([RULE]).splitlines()[-1] + "\n"
    )


def test_an_explanation_keeps_its_code_as_it_is_and_wraps_its_prose() -> None:
    text = explained(ListedRule(RULE, on=False), Display(width=40))
    assert text.splitlines()[0] == "names-stay · ours · warning · off"
    assert "Unsafe, by night:\n    ALTER TABLE a\n        RENAME TO b;\n\n    SELECT 1;\n" in text
    assert "The first paragraph goes on. Two\nreasons:\n\n- one that is long\n- another\n" in text


def test_a_table_fits_its_terminal() -> None:
    lines = table([ListedRule(rule, on=True) for rule in shipped_rules()], Display(width=100)).splitlines()
    assert max(map(len, lines)) <= 100
    assert table([], Display()) == "There are no rules.\n"
    assert "\x1b[2mnames-stay  ours  warning  off              Tables keep their names.\x1b[0m" in table(
        [ListedRule(RULE, on=False)], Display(colour=True)
    )
