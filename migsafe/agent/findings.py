"""Findings in results."""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from migsafe.agent.sizes import short_prose
from migsafe.linting.finding import Finding


class FindingResult(Struct, frozen=True, kw_only=True):
    """A hazard. `help` is the safe way: SQL to use instead. `blocks` is what waits while `lock` is held. `more` counts equal findings in the
    file that this one stands for. `fix` is `safe` or `unsafe` if the tool `fix` may change it."""

    rule: str
    severity: str
    path: str
    line: int
    column: int
    message: str
    help: str = ""
    relations: tuple[str, ...] = ()
    lock: str | None = None
    blocks: tuple[str, ...] = ()
    more: int = 0
    fix: Literal["safe", "unsafe"] | None = None


def finding_result(finding: Finding) -> FindingResult:
    """Returns a finding as results show it."""
    position = finding.script.position(finding.span.start)
    return FindingResult(
        rule=finding.rule,
        severity=finding.severity.word,
        path=finding.script.path,
        line=position.line,
        column=position.column,
        message=short_prose(finding.message),
        help=short_prose(finding.help),
        relations=finding.relations,
        lock=str(finding.lock) if finding.lock is not None else None,
        blocks=finding.lock.blocks if finding.lock is not None else (),
        more=finding.more,
        fix=("safe" if finding.fix_is_safe else "unsafe") if finding.fix else None,
    )


def worst_first(findings: list[Finding]) -> list[Finding]:
    """Returns findings by severity, and by place within one."""
    return sorted(findings, key=lambda finding: -finding.severity)


def finding_lines(finding: FindingResult) -> Iterator[str]:
    """Yields the lines about a finding: place and message, then the safe way."""
    more = f" (and {finding.more} equal ones in this file)" if finding.more else ""
    fix = f" [{finding.fix} fix]" if finding.fix is not None else ""
    yield f"{finding.path}:{finding.line}:{finding.column}: {finding.severity} {finding.rule}{fix}: {finding.message}{more}"
    yield from (f"    {line}" for line in finding.help.splitlines())


def counted(number: int, noun: str) -> str:
    """Returns a number with its noun: `1 error`, `2 errors`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
