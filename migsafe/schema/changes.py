"""The table of how each operation changes the simulated database: every module of this package registers its functions here."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from migsafe.sql.operation_table import OperationTable

if TYPE_CHECKING:
    from migsafe.schema.catalog import Catalog

SCHEMA_CHANGES: "OperationTable[Callable[[Catalog, Any], None]]" = OperationTable("schema changes")
