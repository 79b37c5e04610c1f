"""Constraints whose names a naming convention decides: it may be newer than they are, or not be known.

Alembic gives a constraint without a name the one of the convention in env.py. A project that introduced the convention later has older
constraints with PostgreSQL's names, and a script that renames or drops those is right.
"""

from migsafe.patterns import lazy_pattern
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Constraint, Relation
from migsafe.sources.migration import UnsureNames
from migsafe.sql.operations import ConstraintKind

_DEFAULT = lazy_pattern(r"_(?P<kind>pkey|fkey|key|check|excl)\d*")
_KINDS = {
    "pk": ConstraintKind.PRIMARY_KEY,
    "fk": ConstraintKind.FOREIGN_KEY,
    "uq": ConstraintKind.UNIQUE,
    "key": ConstraintKind.UNIQUE,
    "ck": ConstraintKind.CHECK,
    "check": ConstraintKind.CHECK,
    "excl": ConstraintKind.EXCLUDE,
}
_CONVENTIONAL = lazy_pattern(r"(?P<kind>pk|fk|uq|ck)_")


def may_be_named(catalog: Catalog, table: Relation, name: str) -> bool:
    """Whether a constraint that no migration has named so may have this name."""
    match catalog.origin.unsure_names:
        case UnsureNames.ALL:
            return True
        case UnsureNames.DEFAULT:
            return _default_kind(table, name) is not None
    return False


def named_constraint(catalog: Catalog, table: Relation, name: str) -> Constraint | None:
    """Returns the constraint of a table by its name; if the name is not certain, the only one of the kind and the columns that it tells."""
    constraint = catalog.constraint(table.oid, name)
    if constraint is not None or not may_be_named(catalog, table, name):
        return constraint
    kind = _default_kind(table, name) or _kind_of_convention(name)
    candidates = [each for each in catalog.constraints(table.oid) if each.kind is kind and _tells(table, each, name)]
    return candidates[0] if len(candidates) == 1 else None


def _default_kind(table: Relation, name: str) -> ConstraintKind | None:
    """Returns the kind of constraint to which PostgreSQL gives a name; None if it gives it to none."""
    if not name.startswith(f"{table.name.name}_"):
        return None
    ending = _DEFAULT.fullmatch(name, name.rfind("_"))
    return _kind(ending["kind"]) if ending is not None else None


def _kind_of_convention(name: str) -> ConstraintKind | None:
    beginning = _CONVENTIONAL.match(name)
    return _kind(beginning["kind"]) if beginning is not None else None


def _kind(text: str) -> ConstraintKind:
    return _KINDS.get(text) or _KINDS[text[:2]]


def _tells(table: Relation, constraint: Constraint, name: str) -> bool:
    """Whether a name contains the columns of a constraint; that of a primary key need not."""
    if constraint.kind is ConstraintKind.PRIMARY_KEY:
        return True
    columns = [table.column_numbered(number) for number in constraint.columns]
    return bool(columns) and all(column is not None and column.name in name for column in columns)
