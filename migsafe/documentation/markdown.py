"""Rules as Markdown: a page for each rule, and an index."""

from collections.abc import Sequence
from itertools import groupby

from migsafe.documentation.fix import fix_counts, fix_kind, fix_reason, fix_sentence
from migsafe.documentation.page import Example, Prose, page
from migsafe.linting.rule import Rule

BEGIN, END = "<!-- rules: python -m migsafe.documentation -->\n", "<!-- end of rules -->"
"""The marks before and after the overview in a README."""

CATEGORIES = {
    "locking": "Reads or writes are blocked for a time that grows with the table, or for longer than necessary.",
    "timeouts": "While a lock request waits, later queries wait behind it.",
    "transactions": "A statement that PostgreSQL refuses in a transaction, or a transaction that does not begin or end as intended.",
    "failures": "PostgreSQL refuses the statement, and the deployment stops there.",
    "idempotency": "A migration that fails half-way must be able to run again.",
    "indexes": "Missing and superfluous indexes.",
    "compatibility": "The running release breaks, because it meets the new schema before it is replaced.",
    "queries": "A query of the application fails or becomes slow: it breaks, loses its index, or never had one.",
    "data": "Irreversible data loss.",
    "design": "Easy to get right now, expensive to change later.",
    "history": "The migration files: their order, SQL that is unreadable or unknown, and suppressions.",
}
"""The shipped categories in the order of the index, each with the common hazard of its rules."""


def in_order(rules: Sequence[Rule]) -> list[tuple[str, list[Rule]]]:
    """Returns the rules by category, in the order of the index; a project's own categories come last."""
    order = {category: index for index, category in enumerate(CATEGORIES)}
    ordered = sorted(rules, key=lambda rule: (order.get(rule.category, len(order)), rule.category, rule.name))
    return [(category, list(group)) for category, group in groupby(ordered, key=lambda rule: rule.category)]


def files(rules: Sequence[Rule]) -> dict[str, str]:
    """Returns the texts of the pages and the index, by their paths below `docs/rules`."""
    return {"README.md": index(rules), **{f"{rule.category}/{rule.name}.md": explanation(rule) for rule in rules}}


def index(rules: Sequence[Rule]) -> str:
    """Returns all rules, category by category, each with a link to its page."""
    lines = [
        "# Rules",
        "",
        "Generated from the rules' files by `python -m migsafe.documentation`. `migsafe explain RULE` shows the same in a terminal.",
    ]
    for category, rules_of_category in in_order(rules):
        lines += ["", f"## {category}", ""]
        if category in CATEGORIES:
            lines += [CATEGORIES[category], ""]
        lines += ["| rule | severity | fix | |", "|---|---|---|---|"]
        lines += [
            f"| [{rule.name}]({category}/{rule.name}.md) | {severity(rule)} | {fix_kind(rule)} | {_cell(rule.summary)} |"
            for rule in rules_of_category
        ]
    return "\n".join(lines) + "\n"


def overview(rules: Sequence[Rule], folder: str) -> str:
    """Returns a table of the categories with their numbers of rules and links into the index, which is in `folder`."""
    lines = ["| category | rules | |", "|---|---:|---|"]
    lines += [
        f"| [{category}]({folder}/README.md#{category}) | {len(rules_of_category)} | {CATEGORIES.get(category, '')} |"
        for category, rules_of_category in in_order(rules)
    ]
    return "\n".join(lines) + "\n"


def between_marks(text: str, generated: str) -> str:
    """Returns a text with what is generated between its two marks; the text itself if it has none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n{generated}\n{end}{after}" if end else text


def with_overview(readme: str, rules: Sequence[Rule], folder: str) -> str:
    """Returns a README with the current overview between its two marks."""
    return between_marks(readme, overview(rules, folder))


def fix_table(rules: Sequence[Rule]) -> str:
    """Returns which fix each rule has, and the reason, for a page in `docs`."""
    lines = [f"Of {len(rules)} rules, {fix_counts(rules)}.", "", "| rule | fix | reason |", "|---|---|---|"]
    for category, rules_of_category in in_order(rules):
        lines += [
            f"| [{rule.name}](rules/{category}/{rule.name}.md) | {fix_kind(rule)} | {_cell(fix_reason(rule))} |" for rule in rules_of_category
        ]
    return "\n".join(lines) + "\n"


def severity(rule: Rule) -> str:
    """Returns the severity of a rule, and whether it is off by default."""
    return f"{rule.severity.word}, off" if rule.off else rule.severity.word


def explanation(rule: Rule) -> str:
    """Returns a rule's page."""
    text = page(rule.documentation)
    lines = [f"# {rule.name}", "", f"{rule.category} · {severity(rule)}", "", f"**{text.summary}**"]
    was_item = False
    for block in text.blocks:
        match block:
            case Prose(text=paragraph, item=item):
                lines += [f"- {paragraph}"] if item and was_item else ["", f"- {paragraph}" if item else paragraph]
                was_item = item
            case Example(heading=heading, code=code):
                lines += ["", *([f"{heading}:", ""] if heading else []), f"```{block.language}", code, "```"]
                was_item = False
    lines += ["", f"[Fix](../../fixes.md): {fix_sentence(rule)}"]
    if text.see:
        lines += ["", "See:", "", *(f"- <{address}>" for address in text.see)]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
