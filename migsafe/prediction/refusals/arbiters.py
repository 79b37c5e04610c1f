"""The indexes by which ON CONFLICT finds a row that exists already (ExecCheckIndexConstraints in src/backend/executor/execIndexing.c)."""

import re
from collections.abc import Sequence

from migsafe.patterns import lazy_pattern
from migsafe.prediction.refusals.definitions import complete_table
from migsafe.prediction.row_changes import has_effects
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.objects import Constraint, Relation
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.lexer import fold
from migsafe.sql.operations import ConstraintKind

_CLAUSE = lazy_pattern(
    r"\s*on\s+conflict\s*(?:\((?P<columns>[\w\s,\"]+)\)|on\s+constraint\s+(?P<name>\w+|\"[^\"]+\"))?\s*(?:do\b|where\b)", re.IGNORECASE
)
_KINDS = (ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY, ConstraintKind.EXCLUDE)


def refuse_deferrable_arbiter(catalog: Catalog, op: sql.Insert, clause: str) -> Refusal | None:
    """Returns why an INSERT of rows with ON CONFLICT is refused: a constraint of its target, or without a target any one of the table, is
    deferrable. `clause` is the text after the rows."""
    table, target = complete_table(catalog, op.table), _CLAUSE.match(clause)
    if table is None or target is None or has_effects(catalog, table):
        return None
    columns = [_folded(each.strip()) for each in target["columns"].split(",")] if target["columns"] else []
    name = _folded(target["name"]) if target["name"] else ""
    for constraint in catalog.constraints(table.oid):
        if constraint.kind not in _KINDS or not constraint.deferrable or not certainly_exists(catalog, constraint):
            continue
        if (name and constraint.name.name != name) or (columns and not _is_over(table, constraint, columns)):
            continue
        return Refusal(
            error="ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters",
            detail=f"{constraint.name.name} is deferrable",
            help=f"-- drop {constraint.name.name} and add it without DEFERRABLE; or name another one: ON CONFLICT ON CONSTRAINT …",
        )
    return None


def _folded(word: str) -> str:
    return word.strip('"') if word.startswith('"') else fold(word)


def _is_over(table: Relation, constraint: Constraint, columns: Sequence[str]) -> bool:
    """Whether a unique constraint is over these columns. An exclusion constraint cannot be inferred from columns."""
    own = {column.name for number in constraint.columns if (column := table.column_numbered(number)) is not None}
    return constraint.kind is not ConstraintKind.EXCLUDE and own == set(columns)
