"""Which migrations run before the deployment, and the phase of each."""

import pytest

from migsafe.assessment.premortem import Phase
from migsafe.assessment.rollout_order import MeasuredLimits, rollout_order

E, B, V, C = Phase.EXPAND, Phase.BACKFILL, Phase.VALIDATE, Phase.CONTRACT


@pytest.mark.parametrize(
    ("own", "measured", "phases", "early"),
    [
        pytest.param([{E}, {B}, {V}, {C}], MeasuredLimits(kept=3), [E, B, V, C], (), id="one of each"),
        pytest.param([{E}, {C}], MeasuredLimits(), [E, C], (), id="the running release is not known"),
        pytest.param([{C}], MeasuredLimits(needed=1, kept=0), [E], (0,), id="the new release needs a rename"),
        pytest.param([{C}, {E}], MeasuredLimits(kept=2), [E, E], (0,), id="an unused table goes before something is added"),
        pytest.param([{C}, {E}], MeasuredLimits(kept=0), [C, C], (), id="the dropped column is used, the added one is not yet"),
        pytest.param([{C}, {E}], MeasuredLimits(needed=2, kept=0), [E, E], (0,), id="the dropped column and the added one are used"),
        pytest.param([{E}, {B}, {V}, {C}, {E}], MeasuredLimits(kept=2), [E, B, V, C, C], (), id="something is added for the release after"),
        pytest.param([{E}, {E}], MeasuredLimits(kept=0), [E, E], (), id="an expanding migration is not put off when it breaks a query"),
        pytest.param([{E, B}, {B}], MeasuredLimits(kept=2), [E, B], (), id="a new column with its values"),
        pytest.param([{E, C}], MeasuredLimits(kept=0), [C], (), id="mixed, and not needed"),
        pytest.param([{E, C}], MeasuredLimits(needed=1, kept=0), [E], (0,), id="mixed, and needed"),
        pytest.param([{E}, set(), {C}, set()], MeasuredLimits(kept=4), [E, B, C, C], (), id="phases never go back"),
        pytest.param([], MeasuredLimits(), [], (), id="no migrations"),
    ],
)
def test_the_phase_of_each_migration(own: list[set[Phase]], measured: MeasuredLimits, phases: list[Phase], early: tuple[int, ...]) -> None:
    order = rollout_order(own, measured)
    assert (list(order.phases), order.early) == (phases, early)
    assert order.before == phases.count(E)
