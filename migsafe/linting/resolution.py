"""Findings that a later migration of the run resolves."""

from collections.abc import Iterable

from msgspec.structs import replace

from migsafe.linting.finding import Finding, KnownObject
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Constraint, Relation
from migsafe.schema.redundancy import is_served


def resolve_findings(findings: Iterable[Finding], catalog: Catalog) -> list[Finding]:
    """Returns the findings; those about an object that the database no longer has, about a foreign key that has an index now, or about columns
    that were analyzed, are marked as resolved. `catalog` is the database after the last of the migrations that the findings are about."""
    return [
        _resolved(finding, catalog) if finding.while_exist or finding.while_unserved or finding.while_unanalyzed else finding
        for finding in findings
    ]


def _resolved(finding: Finding, catalog: Catalog) -> Finding:
    is_gone = any(_is_gone(each, catalog) for each in finding.while_exist)
    has_index = finding.while_unserved is not None and _is_served(finding.while_unserved, catalog)
    columns = finding.while_unanalyzed
    is_analyzed = bool(columns) and not any(_has_column(*each, catalog) and catalog.statistics.lacks(each) for each in columns)
    return replace(finding, while_exist=(), while_unserved=None, while_unanalyzed=(), resolved=is_gone or has_index or is_analyzed)


def _has_column(table: int, number: int, catalog: Catalog) -> bool:
    relation = catalog.get(table)
    return isinstance(relation, Relation) and relation.column_numbered(number) is not None


def _is_gone(known: KnownObject, catalog: Catalog) -> bool:
    return catalog.get(known.oid) is None if known.oid is not None else not catalog.is_taken(known.name)


def _is_served(foreign_key: int, catalog: Catalog) -> bool:
    """Whether a foreign key does not exist, or has an index."""
    constraint = catalog.get(foreign_key)
    return not isinstance(constraint, Constraint) or is_served(catalog, constraint)


def without_numbers(findings: Iterable[Finding]) -> list[Finding]:
    """Returns findings on one path through a script, whose objects may have other numbers in the end."""
    # A foreign key or a column without its number is not looked up.
    return [
        replace(
            finding, while_unserved=None, while_unanalyzed=(), while_exist=tuple(KnownObject(None, each.name) for each in finding.while_exist)
        )
        for finding in findings
    ]
