"""The table in which the runner records migrations: it exists before the first migration runs, and migrations can use it."""

import re

from migsafe.schema.application import apply_operation
from migsafe.schema.catalog import Catalog
from migsafe.sources import Half
from migsafe.sql.operations import Name
from migsafe.sql.statements import read

_BEFORE_HISTORY = 0
"""The number of no migration: the first one has number 1."""


def add_record_table(catalog: Catalog, half: Half) -> None:
    """Adds the runner's table of records to the catalogue if a migration names it, does not create it, and the catalogue lacks it. It is older
    than each migration."""
    name = half.record_table_name
    text = half.script.text
    if not name or name not in text or catalog.relation(Name(name)) is not None or _creates(name, text):
        return
    migration, catalog.migration = catalog.migration, _BEFORE_HISTORY
    try:
        for statement in read(half.record_table):
            for operation in statement.operations:
                apply_operation(catalog, operation)
    finally:
        catalog.migration = migration


def _creates(name: str, text: str) -> bool:
    return re.search(rf"\bcreate\s+table\b[^;(]*\b{re.escape(name)}\b", text, re.IGNORECASE) is not None
