"""Hazards of a migration if it is deployed together with the one before it, and their runner applies both in one transaction."""

from collections.abc import Collection, Iterable, Iterator

from msgspec.structs import replace

from migsafe.linting.facts.deferred_checks import has_pending_rows
from migsafe.linting.finding import Finding, Severity
from migsafe.linting.rule import EarlierMigration
from migsafe.schema.catalog import Catalog
from migsafe.sql.operations import AddEnumValue

_CAUSE = "one transaction for several migrations"


def affects_next(judged: EarlierMigration, catalog: Catalog) -> bool:
    """Whether a migration ends in a transaction that makes a difference to what runs later in it: it holds a lock that blocks others, has
    added an enum value, or has changed rows that are checked at the end of the transaction. `catalog` is the database that it leaves."""
    if judged.transaction is None:
        return False
    inside = [done for done in judged.past if done.transaction == judged.transaction]
    if any(isinstance(done.operation, AddEnumValue) or any(effect.blocks and not effect.new for effect in done.effects) for done in inside):
        return True
    return has_pending_rows(inside, judged.transaction, catalog)


def findings_together(together: Iterable[Finding], alone: Collection[Finding], before: EarlierMigration) -> Iterator[Finding]:
    """Yields the findings that a migration has only together with the one before it.

    `alone` are its findings by itself: whatever resolves one of a rule there resolves the others of this rule. All have one cause in a run, the
    setting of the runner, so a report shows the first of them.
    """
    rules = {finding.rule for finding in alone}
    for finding in together:
        if finding.rule not in rules:
            # The migration before is probably deployed already.
            severity = finding.severity if before.judged else Severity(max(finding.severity - 1, Severity.INFO))
            message = f"{finding.message}; this is so if one run applies migration {before.migration.id} and this one"
            yield replace(finding, severity=severity, message=message, cause=_CAUSE)
