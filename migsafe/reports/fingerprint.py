"""What makes a finding the same one as in an earlier run, although lines have moved."""

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256

from migsafe.linting.finding import Finding
from migsafe.reports.paths import from_root

VERSION = 1
"""Changes when the same finding gets another fingerprint."""


def fingerprints(findings: Iterable[Finding]) -> Iterator[str]:
    """A fingerprint for each finding, in the order given; no two are the same.

    It rests on the rule, the file, and the SQL without its spacing; of findings that agree in all this, on which of them it is. Neither
    lines nor the wording of messages are part of it.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    for finding in findings:
        key = (finding.rule, from_root(finding.script.path), subject(finding))
        yield sha256("\0".join((*key, str(seen[key]))).encode()).hexdigest()[:32]
        seen[key] += 1


def subject(finding: Finding) -> str:
    """The SQL that a finding is about, whatever its spacing."""
    return " ".join(finding.script.text[finding.span.start : finding.span.end].split())
