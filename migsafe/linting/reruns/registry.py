"""The table of what each operation does to objects, as far as it decides whether it can run a second time."""

from collections.abc import Callable, Iterator
from typing import Any

from migsafe.linting.reruns.object_use import ObjectUse
from migsafe.schema.catalog import Catalog
from migsafe.sql.operation_table import OperationTable

ObjectUses = Iterator[ObjectUse]

OBJECT_USES = OperationTable[Callable[[Any, Catalog], ObjectUses]]("object uses")
