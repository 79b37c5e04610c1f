"""The order in which migrations and the new release are rolled out: which migrations run before the deployment, and the phase of each."""

from collections.abc import Collection, Sequence

from msgspec import Struct

from migsafe.assessment.premortem import Phase


class MeasuredLimits(Struct, frozen=True, kw_only=True):
    """What the queries of both releases say about the order. `needed` is the number of migrations without which a query of the new release
    fails, `kept` the number of migrations, from the first on, after which all queries of the running release still work; None if no migration
    is known to break one."""

    needed: int = 0
    kept: int | None = None


class RolloutOrder(Struct, frozen=True, kw_only=True):
    """The order of a rollout. `before` is the number of migrations that run before the deployment, `phases` is the phase of each migration, and
    `early` are the indexes of those before the deployment that contain operations of later phases."""

    before: int
    phases: tuple[Phase, ...]
    early: tuple[int, ...] = ()


def rollout_order(own: Sequence[Collection[Phase]], measured: MeasuredLimits) -> RolloutOrder:
    """Returns the order of migrations that run in their order; `own` are the phases of each migration's operations.

    A migration that expands runs before the deployment, and so do those before it, whatever they contain, because the order is fixed. But if
    one of them validates or contracts, breaks a query of the running release, and is not needed by the new one, the deployment comes before
    it. A migration that the new release needs always runs before the deployment.
    """
    before, kept = _last_expanding(own), measured.kept
    if kept is not None and kept < before and measured.needed <= kept and any(phase > Phase.BACKFILL for phase in own[kept]):
        before = _last_expanding(own[:kept])
    before = max(before, measured.needed)
    phases = [Phase.EXPAND] * before
    latest = Phase.BACKFILL
    for each in own[before:]:
        latest = max(latest, *each) if each else latest
        phases.append(latest)
    early = tuple(number for number, each in enumerate(own[:before]) if any(phase > Phase.BACKFILL for phase in each))
    return RolloutOrder(before=before, phases=tuple(phases), early=early)


def _last_expanding(own: Sequence[Collection[Phase]]) -> int:
    """Returns the number of migrations up to the last one that expands and does not contract."""
    return max((number for number, phases in enumerate(own, 1) if Phase.EXPAND in phases and Phase.CONTRACT not in phases), default=0)
