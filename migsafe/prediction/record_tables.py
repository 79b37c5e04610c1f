"""What exists before the first migration runs, and migrations can use: the table in which the runner records them, and the objects of a
platform."""

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
    _apply(catalog, half.record_table)


def add_platform(catalog: Catalog, half: Half) -> None:
    """Adds the objects of the platform to a complete catalogue that has no schema of the platform, if a migration names one."""
    if not half.platform or not catalog.complete:
        return
    names = half.platform_names()
    if any(name in half.script.text for name in names) and not any(catalog.has_schema(name) for name in names):
        _apply(catalog, half.platform)


def _apply(catalog: Catalog, text: str) -> None:
    migration, catalog.migration = catalog.migration, _BEFORE_HISTORY
    try:
        for statement in read(text):
            for operation in statement.operations:
                apply_operation(catalog, operation)
    finally:
        catalog.migration = migration


def _creates(name: str, text: str) -> bool:
    return re.search(rf"\bcreate\s+table\b[^;(]*\b{re.escape(name)}\b", text, re.IGNORECASE) is not None
