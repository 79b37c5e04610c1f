"""Fingerprints: they identify a finding in several runs, although its line may change."""

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256

from migsafe.linting.finding import Finding
from migsafe.reports.paths import from_root

VERSION = 1
"""Changes when the same finding gets a different fingerprint."""


def fingerprints(findings: Iterable[Finding]) -> Iterator[str]:
    """Yields a fingerprint for each finding, in the given order; no two are equal.

    It is made of the rule, the file, the SQL without its spacing, and a number among the findings that are equal in these. Lines and the
    wording of messages are not part of it.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    for finding in findings:
        key = (finding.rule, from_root(finding.script.path), subject(finding))
        yield sha256("\0".join((*key, str(seen[key]))).encode()).hexdigest()[:32]
        seen[key] += 1


def subject(finding: Finding) -> str:
    """Returns the SQL of a finding with normalized spacing."""
    return " ".join(finding.script.text[finding.span.start : finding.span.end].split())
