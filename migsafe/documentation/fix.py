"""What a rule's page says about its fix."""

from collections.abc import Sequence
from typing import Literal

from migsafe.linting.rule import Rule

COMMANDS = {"safe": "`migsafe lint --fix`", "unsafe": "`migsafe lint --fix --unsafe-fixes`"}


def fix_kind(rule: Rule) -> Literal["safe", "unsafe", "none"]:
    """Returns which fix a rule has, in a word."""
    return rule.fix or "none"


def fix_reason(rule: Rule) -> str:
    """Returns why a rule's fix is unsafe, or why it has none; empty for a safe one, and if an own rule gives no reason."""
    return rule.unsafe_because if rule.fix else rule.no_fix


def fix_sentence(rule: Rule) -> str:
    """Returns which fix a rule has, why, and the command that applies it."""
    reason = fix_reason(rule)
    kind = f"{fix_kind(rule)}, because {reason}" if reason else fix_kind(rule)
    command = f" {COMMANDS[rule.fix]} applies it." if rule.fix else ""
    return f"{kind}.{command}"


def fix_counts(rules: Sequence[Rule]) -> str:
    """Returns how many rules have each kind of fix, as the end of a sentence."""
    safe, unsafe = (sum(rule.fix == kind for rule in rules) for kind in ("safe", "unsafe"))
    return f"{safe} have a safe fix, {unsafe} an unsafe one, and {len(rules) - safe - unsafe} none"
