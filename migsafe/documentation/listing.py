"""Rules for programs."""

from collections.abc import Sequence

import msgspec

from migsafe.documentation.listed import Listed

VERSION = 1


def document(rules: Sequence[Listed]) -> str:
    """All that is known of the rules, as one JSON object."""
    found = [
        {
            "name": listed.rule.name,
            "category": listed.rule.category,
            "severity": listed.rule.severity.word,
            "on": listed.on,
            "summary": listed.rule.summary,
            "documentation": listed.rule.documentation,
        }
        for listed in rules
    ]
    return msgspec.json.format(msgspec.json.encode({"version": VERSION, "rules": found})).decode() + "\n"
