"""Whether the result of fixes can be accepted: what the verdict after them says that the one before did not."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from migsafe.fixes.edits import LaterStep
from migsafe.linting.finding import Finding
from migsafe.linting.verdict import Verdict
from migsafe.session import sent_statements
from migsafe.sources import Migration
from migsafe.sql.operations import Delete, Insert, Merge, Update
from migsafe.sql.statements import Statement, read

_MOVING = ("long-work-under-lock", "many-tables-locked")
_STUCK = "not-rerunnable"
"""Rules whose fixes commit what precedes a statement, and the rule about statements that then fail in a second run."""
HANGING = "runner-blocks-concurrent"
"""The rule about statements that never end."""


def wrong_result(before: Verdict, after: Verdict, applied: Sequence[Finding], fixed: Collection[tuple[str, ...]]) -> str:
    """Returns why the result of edits cannot be accepted, as the end of a sentence; empty if it can.

    `applied` are the findings whose fixes the edits apply, `fixed` the hazards whose fixes were applied before.
    """
    refusing = {rule.name for rule in after.rules if rule.refuses} | {"syntax-error", "unparsed-statement"}
    failing = [finding for finding in after.findings if finding.rule in refusing]
    if len(failing) > sum(finding.rule in refusing for finding in before.findings):
        return f"PostgreSQL would refuse the result: {failing[0].message}"
    if len(after.problems) > len(before.problems):
        return f"the result could not be judged: {after.problems[-1].message}"
    # Statements may have moved to other files.
    was, now = Counter(map(hazard, before.findings)), Counter(map(hazard, after.findings))
    if any(now[hazard(finding)] >= was[hazard(finding)] and _statements(after, finding) >= _statements(before, finding) for finding in applied):
        return "its finding would remain"
    stuck = next((each for each in after.findings if each.rule == _STUCK and not each.is_fixable and not was[hazard(each)]), None)
    if stuck is not None and any(finding.rule in _MOVING for finding in applied):
        return _with_another(stuck)
    hanging = next((each for each in after.findings if each.rule == HANGING and not was[hazard(each)]), None)
    if hanging is not None:
        return f"first {hanging.help.removeprefix('-- ')}: {hanging.message}"
    worst = max(finding.severity for finding in applied)
    # A fix may leave the rest of a hazard, with fewer tables or statements, to the next round.
    rules = {finding.rule for finding in applied}
    others = (finding for finding in after.findings if finding.severity >= worst and finding.rule not in rules)
    new = [finding for finding in others if not was[hazard(finding)] and not _is_part(finding, before)]
    # The next round applies a safe fix; once, so that two rules do not undo each other's.
    new = [finding for finding in new if not _is_fixed_next(finding, fixed)]
    if new and _weight(after) >= _weight(before):
        return _with_another(new[0])
    return more_findings(before, after, applied, fixed)


def lost_change(before: Mapping[tuple[str, str], Migration], after: Mapping[tuple[str, str], Migration], later: Sequence[LaterStep]) -> str:
    """Returns that migrations and the later steps change rows less often after edits than before, as the end of a sentence; empty if not.

    The schema says nothing about that: without an INSERT it is the same. The keys of the migrations are their files and identifiers.
    """

    def edited(some: Mapping[tuple[str, str], Migration], others: Mapping[tuple[str, str], Migration]) -> Iterable[Statement]:
        for key, migration in some.items():
            if key not in others or others[key].up.script.text != migration.up.script.text:
                yield from (sent.statement for sent in sent_statements(migration.up))

    now = _changes_of_rows(edited(after, before)) + _changes_of_rows(statement for step in later for statement in read(step.sql))
    lost = _changes_of_rows(edited(before, after)) - now
    return next((f"the result would lack the {command} of {table}" for command, table in lost), "")


def _changes_of_rows(statements: Iterable[Statement]) -> Counter[tuple[str, str]]:
    """Returns how often rows are changed, by the command and the table; a fix may write the name of its schema, too."""
    return Counter(
        (type(operation).__name__.upper(), operation.table.name)
        for statement in statements
        for operation in statement.operations
        if isinstance(operation, Insert | Update | Delete | Merge)
    )


def more_findings(before: Verdict, after: Verdict, applied: Sequence[Finding], fixed: Collection[tuple[str, ...]] | None = None) -> str:
    """Returns that there are more findings after fixes than before them, at the severity of one of the fixed findings or above; empty if not.

    New findings that the next round fixes, because their hazard is not among those `fixed` so far, do not count; after the last round,
    `fixed` is None. Then more findings are accepted if fewer have a greater severity: the steps that replace an error are more
    migrations, and each may have an info.
    """
    if fixed is None and _by_severity(after) < _by_severity(before):
        return ""
    least = min(finding.severity for finding in applied)
    worse = [finding for finding in after.findings if finding.severity >= least]
    number = sum(finding.severity >= least for finding in before.findings)
    unknown = Counter(map(hazard, worse)) - Counter(map(hazard, before.findings))
    new = [finding for finding in worse if unknown[hazard(finding)]]
    left = [finding for finding in new if fixed is None or not _is_fixed_next(finding, fixed)]
    added = len(worse) - (len(new) - len(left)) - number
    if added <= 0 or not left:
        return ""
    return f"the result would have more findings, such as {left[0].rule}: {left[0].message}"


def hazard(finding: Finding) -> tuple[str, ...]:
    """Returns what identifies a hazard wherever it is; messages name lines."""
    return finding.rule, re.sub(r"\d+", "0", finding.message), finding.subject


def _statements(verdict: Verdict, finding: Finding) -> int:
    """Returns the number of statements that have the hazard of a finding: one finding may be about several."""
    return sum(1 + each.others for each in verdict.findings if hazard(each) == hazard(finding))


def _with_another(finding: Finding) -> str:
    return f"the result would have another finding, {finding.rule}: {finding.message}"


def _is_fixed_next(finding: Finding, fixed: Collection[tuple[str, ...]]) -> bool:
    return finding.is_fixable and finding.fix_is_safe and hazard(finding) not in fixed


def _is_part(finding: Finding, before: Verdict) -> bool:
    """Whether a finding is a part of one that a rule reported once for the whole migration, which is divided now: on some of its relations, or
    in a new file."""
    relations, is_new = set(finding.relations), finding.script.path not in before.paths
    return any(other.rule == finding.rule and (is_new if not relations else relations <= set(other.relations)) for other in before.findings)


def _by_severity(verdict: Verdict) -> tuple[int, int, int]:
    return (*_weight(verdict), verdict.summary.infos)


def _weight(verdict: Verdict) -> tuple[int, int]:
    return verdict.summary.errors, verdict.summary.warnings
