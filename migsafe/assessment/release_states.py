"""The queries of both releases that fail on each schema between the migrations of a replay."""

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from migsafe.assessment.rollout_order import MeasuredLimits
from migsafe.linting.finding import NamedQuery
from migsafe.replaying.queries.results import QueryFailure, QueryResults


class StateFailure(Struct, frozen=True):
    """A query that fails on a schema, and why."""

    query: NamedQuery
    failure: QueryFailure


Failing = Mapping[str, StateFailure]
"""The failing queries of a release, by fingerprint."""


class ReleaseStates(Struct, frozen=True, kw_only=True):
    """The failing queries of each release on the schema before the first migration and after each one, as far as the replay came.

    For the running release, queries that already fail before the first migration do not count.
    """

    running: tuple[Failing, ...] = ()
    new: tuple[Failing, ...] = ()

    def new_at(self, number: int) -> Failing | None:
        """Returns the failing queries of the new release after a number of migrations; None if that schema was not reached."""
        return self.new[number] if number < len(self.new) else None

    def running_at(self, number: int) -> Failing | None:
        """Returns the failing queries of the running release after a number of migrations; None if that schema was not reached."""
        return self.running[number] if number < len(self.running) else None


def release_states(results: Sequence[QueryResults | None], current: Collection[str]) -> ReleaseStates:
    """Returns the failing queries between migrations, up to the first without results. `current` are the fingerprints of the queries of the new
    release."""
    running: list[dict[str, StateFailure]] = []
    new: list[dict[str, StateFailure]] = []
    for result in results:
        if result is None:
            break
        if not new:
            running.append({})
            new.append(_failing_before(result))
        repaired = {working.query.fingerprint for working in result.working}
        broken = {each.query.fingerprint: StateFailure(each.query, each.failure) for each in (*result.broken_writes, *result.broken)}
        still = {fingerprint: failing for fingerprint, failing in running[-1].items() if fingerprint not in repaired}
        running.append({**still, **broken})
        not_yet = {each.query.fingerprint: StateFailure(each.query, each.failure) for each in result.failing}
        new.append({**{fingerprint: failing for fingerprint, failing in running[-1].items() if fingerprint in current}, **not_yet})
    return ReleaseStates(running=tuple(running), new=tuple(new))


def _failing_before(result: QueryResults) -> dict[str, StateFailure]:
    """Returns the queries of the new release that fail before a migration."""
    failing = {each.query.fingerprint: StateFailure(each.query, each.before) for each in result.working}
    return {**failing, **{each.query.fingerprint: StateFailure(each.query, each.failure) for each in result.failing}}


def measured_limits(states: ReleaseStates, *, compared: bool) -> MeasuredLimits:
    """Returns what the queries say about the order. `compared` says whether the queries of the running release are known."""
    needed = 0
    for number in range(1, len(states.new)):
        if states.new[0].keys() & (states.new[number - 1].keys() - states.new[number].keys()):
            needed = number
    kept = next((number for number, failing in enumerate(states.running[1:]) if failing), len(states.running) - 1)
    return MeasuredLimits(needed=needed, kept=max(kept, 0) if compared else None)
