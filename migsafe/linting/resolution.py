"""Findings that a later migration of the run resolves."""

from collections.abc import Iterable

from msgspec.structs import replace

from migsafe.linting.finding import Finding, KnownObject
from migsafe.schema.catalog import Catalog


def resolve_findings(findings: Iterable[Finding], catalog: Catalog) -> list[Finding]:
    """Returns the findings; those about an object that the database no longer has are marked as resolved. `catalog` is the database after the
    last of the migrations that the findings are about."""
    return [_resolved(finding, catalog) if finding.while_exist else finding for finding in findings]


def _resolved(finding: Finding, catalog: Catalog) -> Finding:
    return replace(finding, while_exist=(), resolved=any(_is_gone(each, catalog) for each in finding.while_exist))


def _is_gone(known: KnownObject, catalog: Catalog) -> bool:
    return catalog.get(known.oid) is None if known.oid is not None else not catalog.is_taken(known.name)


def without_numbers(findings: Iterable[Finding]) -> list[Finding]:
    """Returns findings on one path through a script, whose objects may have other numbers in the end."""
    return [replace(finding, while_exist=tuple(KnownObject(None, each.name) for each in finding.while_exist)) for finding in findings]
