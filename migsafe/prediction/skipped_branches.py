"""Branches of DO blocks that certainly do not run: `IF NOT EXISTS (…) THEN ALTER TABLE … ADD COLUMN`, where the column exists."""

from migsafe.schema.application import apply_operation
from migsafe.schema.catalog import Catalog
from migsafe.sql import operations as sql
from migsafe.sql.operations import Operation

_CREATES = (sql.AddColumn, sql.AddConstraint, sql.CreateIndex, sql.CreateTable, sql.CreateEnum)
_CHANGES = (sql.RenameColumn, sql.DropColumn, sql.DropConstraint)
_DECIDED = ("already exists", "does not exist")


def is_skipped(catalog: Catalog, operation: Operation) -> bool:
    """Whether a branch is one whose condition asks the catalogue, and does not hold: its statement would create what exists, or change what
    does not exist, and nothing catches the error. Such a guard is written for exactly this case."""
    if operation.certain or operation.caught or not isinstance(operation, (*_CREATES, *_CHANGES)):
        return False
    with catalog.trial():
        refusals = apply_operation(catalog, operation)
    return any(refusal.error.endswith(_DECIDED) for refusal in refusals)
