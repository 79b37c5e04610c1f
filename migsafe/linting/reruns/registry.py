"""The table of what each operation does to objects, as far as it decides whether it can run a second time."""

from collections.abc import Callable, Iterator
from typing import Any

from migsafe.linting.reruns.touch import Touch
from migsafe.schema.catalog import Catalog
from migsafe.sql.operation_table import OperationTable

Touches = Iterator[Touch]

OBJECT_USES = OperationTable[Callable[[Any, Catalog], Touches]]("object uses")
