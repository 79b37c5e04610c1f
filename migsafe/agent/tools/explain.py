"""The tool `explain`."""

from typing import Annotated

from msgspec import Meta, Struct

from migsafe.agent.tool import Answer, Progress, Tool
from migsafe.agent.workspace import Workspace
from migsafe.documentation.markdown import explanation
from migsafe.errors import ConfigError
from migsafe.library.project import list_rules
from migsafe.linting.rulebook import find_rule

_MOST_RULES = 5


class ExplainArguments(Struct, frozen=True, kw_only=True):
    """The arguments of `explain`."""

    rules: Annotated[list[str], Meta(description=f"The names of rules, at most {_MOST_RULES}, as findings have them.")]


class RuleResult(Struct, frozen=True, kw_only=True):
    """A rule: what it finds, why that is harmful, and the safe way, as Markdown. `on` if the project uses it."""

    name: str
    category: str
    severity: str
    on: bool
    page: str


class ExplainResult(Struct, frozen=True, kw_only=True):
    """The rules that were asked for."""

    rules: tuple[RuleResult, ...]


def _explain(arguments: ExplainArguments, workspace: Workspace, progress: Progress) -> Answer:
    if not 1 <= len(arguments.rules) <= _MOST_RULES:
        raise ConfigError(f"explain: {len(arguments.rules)} rules", f"Name 1 to {_MOST_RULES} rules in a call.")
    listed = {each.rule.name: each for each in list_rules(workspace.settings())}
    chosen = [listed[find_rule(name, [each.rule for each in listed.values()]).name] for name in arguments.rules]
    rules = tuple(
        RuleResult(
            name=each.rule.name,
            category=each.rule.category,
            severity=each.rule.severity.word,
            on=each.on,
            page=explanation(each.rule),
        )
        for each in chosen
    )
    return Answer(result=ExplainResult(rules=rules), text="\n".join(rule.page for rule in rules))


EXPLAIN = Tool(
    name="explain",
    title="Explain rules",
    description="Explains rules: what each finds, why it is harmful, the safe way, and examples. Call it before you rewrite a migration.",
    arguments=ExplainArguments,
    result=ExplainResult,
    run=_explain,
)
