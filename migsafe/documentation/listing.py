"""Rules as JSON."""

from collections.abc import Sequence

import msgspec

from migsafe.documentation.fix import fix_kind, fix_reason
from migsafe.library.project import ListedRule

VERSION = 1


def document(rules: Sequence[ListedRule]) -> str:
    """Returns everything about the rules, as one JSON object."""
    entries = [
        {
            "name": listed.rule.name,
            "category": listed.rule.category,
            "severity": listed.rule.severity.word,
            "on": listed.on,
            "fix": fix_kind(listed.rule),
            "fix_reason": fix_reason(listed.rule),
            "summary": listed.rule.summary,
            "documentation": listed.rule.documentation,
        }
        for listed in rules
    ]
    return msgspec.json.format(msgspec.json.encode({"version": VERSION, "rules": entries})).decode() + "\n"
