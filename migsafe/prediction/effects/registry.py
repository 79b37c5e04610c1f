"""The table of what each operation does to relations: every module of this package registers its functions here."""

from collections.abc import Callable
from typing import Any

from migsafe.prediction.effects.effect_context import EffectContext, Effects
from migsafe.sql.operation_table import OperationTable

EFFECTS = OperationTable[Callable[[EffectContext, Any], Effects]]("effects")
