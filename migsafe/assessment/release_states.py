"""The queries of both releases that fail on each schema between the migrations of a replay."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import takewhile

from msgspec import Struct

from migsafe.assessment.rollout_order import MeasuredLimits
from migsafe.linting.finding import NamedQuery
from migsafe.replaying.queries.results import QueryFailure, QueryResults, UntriedQuery


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
    reached = list(takewhile(lambda result: result is not None, results))
    known = [result for result in reached if result is not None]
    running = list(_running_states(known))
    both = ({**shared, **own} for shared, own in zip(running, _new_states(known), strict=True))
    new = tuple({fingerprint: failing for fingerprint, failing in state.items() if fingerprint in current} for state in both)
    return ReleaseStates(running=tuple(running), new=new)


def _running_states(results: Sequence[QueryResults]) -> Iterator[Failing]:
    """Yields the queries of the running release that fail on each schema and work on the first."""
    failing: dict[str, StateFailure] = {}
    if results:
        yield failing
    for result in results:
        repaired = {working.query.fingerprint for working in result.working}
        writes = {each.query.fingerprint: StateFailure(each.query, each.failure) for each in result.broken_writes}
        broken = {**writes, **{each.query.fingerprint: StateFailure(each.query, each.failure) for each in result.broken}}
        failing = {**{fingerprint: each for fingerprint, each in failing.items() if fingerprint not in repaired}, **broken}
        yield failing


def _new_states(results: Sequence[QueryResults]) -> list[Failing]:
    """Returns the queries that only the new release sends and that fail on each schema. The last one is known, because migrations that share a
    transaction have no schemas between them; each migration tells what it changes."""
    if not results:
        return []
    failing = {each.query.fingerprint: StateFailure(each.query, each.failure) for each in results[-1].failing}
    failing |= {each.query.fingerprint: StateFailure(each.query, each.failure) for each in results[-1].broken_new}
    states: list[Failing] = [failing]
    for result in reversed(results):
        broken = {each.query.fingerprint for each in result.broken_new}
        repaired = {each.query.fingerprint: StateFailure(each.query, each.before) for each in result.working}
        failing = {**{fingerprint: each for fingerprint, each in failing.items() if fingerprint not in broken}, **repaired}
        states.append(failing)
    return states[::-1]


def measured_limits(states: ReleaseStates, *, compared: bool) -> MeasuredLimits:
    """Returns what the queries say about the order. `compared` says whether the queries of the running release are known."""
    needed = 0
    for number in range(1, len(states.new)):
        if states.new[0].keys() & (states.new[number - 1].keys() - states.new[number].keys()):
            needed = number
    kept = next((number for number, failing in enumerate(states.running[1:]) if failing), None)
    return MeasuredLimits(needed=needed, kept=kept if compared else None)


def untried_queries(results: Sequence[QueryResults | None]) -> dict[str, UntriedQuery]:
    """Returns the queries of which nothing is known after the last migration, by fingerprint. One that a migration of the release breaks fails
    before and after the next ones, but it was tried."""
    known = [result for result in results if result is not None]
    broken = {each.query.fingerprint for result in known for each in (*result.broken, *result.broken_new)}
    unprepared = {each.query.fingerprint: each for each in (known[-1].untried if known else ()) if not each.is_write}
    writes = {each.query.fingerprint: each for result in known for each in result.untried if each.is_write}
    return {name: each for name, each in {**writes, **unprepared}.items() if name not in broken}
