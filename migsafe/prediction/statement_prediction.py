"""What is predicted of one statement."""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from migsafe.prediction.effects.effect import Effect, combine_effects
from migsafe.schema.catalog import Catalog
from migsafe.schema.refusal import Refusal
from migsafe.sql.operations import Name, Operation
from migsafe.sql.statements import Statement


class StatementPrediction(Struct, frozen=True, kw_only=True):
    """What one statement does.

    `operations` has the effects of each operation, in the order in which they run; `effects` has those of the whole statement, one for each
    relation that existed before it. `refusal` is why PostgreSQL would refuse the statement, None if the history gives no reason.
    `unknown` says why the statement may have more effects, each reason as the end of a sentence; then it is not `understood`.
    """

    statement: Statement
    operations: tuple[tuple[Operation, tuple[Effect, ...]], ...]
    effects: tuple[Effect, ...]
    refusal: Refusal | None = None
    unknown: tuple[str, ...] = ()

    @property
    def understood(self) -> bool:
        """Whether all effects of the statement are known."""
        return not self.unknown


class OuterEffects:
    """The effects of one statement that runs several operations, as another session sees them: not on what the statement itself creates, and
    under the names that relations had before it."""

    def __init__(self, catalog: Catalog) -> None:
        self.effects: list[Effect] = []
        self._catalog = catalog
        self._newest = catalog.last_oid
        self._names: dict[int, Name] = {}

    def add(self, effects: Iterable[Effect]) -> None:
        """Adds the effects of an operation, before it is applied to the catalogue."""
        for effect in effects:
            relation = self._catalog.relation(effect.relation)
            if relation is None:
                self.effects.append(effect)
            elif relation.oid <= self._newest:
                name = self._names.setdefault(relation.oid, effect.relation)
                self.effects.append(effect if name == effect.relation else replace(effect, relation=name))


def combined_prediction(predictions: Sequence[StatementPrediction]) -> StatementPrediction:
    """Returns one prediction for a statement that several paths send: it has the effects that it has on any of them. PostgreSQL refuses it only
    if it does so on all of them; it is understood only if it is on all of them."""
    first = predictions[0]
    if len(predictions) == 1:
        return first
    return replace(
        first,
        effects=combine_effects(effect for prediction in predictions for effect in prediction.effects),
        refusal=first.refusal if all(prediction.refusal is not None for prediction in predictions) else None,
        unknown=tuple(dict.fromkeys(reason for prediction in predictions for reason in prediction.unknown)),
    )
