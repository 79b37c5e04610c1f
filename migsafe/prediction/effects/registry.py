"""The table of the functions that predict the effects of each operation; every module of this package registers its own here."""

from collections.abc import Callable
from typing import Any

from migsafe.prediction.effects.effect_context import EffectContext, Effects
from migsafe.sql.operation_table import OperationTable

EFFECTS = OperationTable[Callable[[EffectContext, Any], Effects]]("effects")
