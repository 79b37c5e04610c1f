"""Queries of the new release whose index is created only after the deployment."""

from collections.abc import Collection, Iterable, Iterator

from migsafe.assessment.rehearsal import PhaseFailure
from migsafe.replaying.queries.plan_findings import format_cost
from migsafe.replaying.queries.plan_results import PlanResults

INDEX_LATE = "rehearse-index-too-late"
"""The rule of a failure that only a rehearsal finds: a query of the new release is without its index until a migration after the deployment."""
_HELP = "-- create the index, or one on the same columns without UNIQUE, in a migration that runs before the deployment"


def late_indexes(after: Iterable[tuple[str, PlanResults]], new: Collection[str]) -> Iterator[PhaseFailure]:
    """Yields the queries that an index of a migration after the deployment serves. `after` are the paths of these migrations with the plans
    around each, `new` the fingerprints of the queries that only the new release sends."""
    for path, plans in after:
        for gain in plans.gains:
            query = gain.query
            if query.fingerprint in new:
                table = f"{gain.relation} ({gain.rows:,} rows)"
                yield PhaseFailure(
                    rule=INDEX_LATE,
                    message=f"from its deployment until {path} has run, the new release's query {query} reads all of {table} each time: the "
                    f"estimated cost is {format_cost(gain.cost_before)} without the index {', '.join(gain.indexes)}, and "
                    f"{format_cost(gain.cost_after)} with it",
                    path=query.path,
                    line=query.line,
                    queries=(query,),
                    help=_HELP,
                )
