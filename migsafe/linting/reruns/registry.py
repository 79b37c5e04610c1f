"""The table of the functions that return which objects an operation creates, drops or needs."""

from collections.abc import Callable, Iterator
from typing import Any

from migsafe.linting.reruns.object_use import ObjectUse
from migsafe.schema.catalog import Catalog
from migsafe.sql.operation_table import OperationTable

ObjectUses = Iterator[ObjectUse]

OBJECT_USES = OperationTable[Callable[[Any, Catalog], ObjectUses]]("object uses")
