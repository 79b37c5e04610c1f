"""The findings about queries that lack an index."""

from collections.abc import Iterator

from migsafe.linting.facts.wording import join_queries
from migsafe.linting.finding import Finding, Severity
from migsafe.replaying.queries.index_results import BuiltIndex, IndexEstimate, IndexResults, MissingIndex
from migsafe.replaying.queries.plan_findings import format_cost
from migsafe.terminal.quantities import format_duration, format_range, format_size

MISSING_INDEX = "replay-query-without-index"


def index_findings(results: IndexResults) -> Iterator[Finding]:
    """Yields a finding for each index that makes queries cheap, at the first of them."""
    for missing in results.missing:
        queries = tuple(each.query for each in missing.queries)
        yield Finding(
            rule=MISSING_INDEX,
            category="replay",
            severity=Severity.WARNING,
            message=_message(missing),
            help=missing.help,
            script=missing.script,
            span=missing.span,
            migration="",
            statement=1,
            relations=tuple(str(table) for table in missing.by_table()),
            queries=queries,
        )


def _message(missing: MissingIndex) -> str:
    most = max(missing.queries, key=lambda each: each.cost_before / max(each.cost_after, 0.01))
    queries = [each.query for each in missing.queries]
    first = f"the query {queries[0].name}" if queries[0].name else "this query"
    subject = f"{first} reads" if len(queries) == 1 else f"{first} and {len(queries) - 1} more read"
    indexes = " and ".join(str(index.candidate) for index in missing.indexes)
    reads_all = any(missing.table in each.reads_all for each in missing.queries)
    table = f"{missing.table} ({missing.indexes[0].rows:,} rows)"
    what = f"all of {table}" if reads_all else f"much more of {table} than needed"
    others = f" (the others: {join_queries(queries[1:])})" if len(queries) > 1 else ""
    return (
        f"{subject} {what} each time{others}. With an index on {indexes}, which was built, "
        f"PostgreSQL uses it, and the estimated cost falls from {format_cost(most.cost_before)} to {format_cost(most.cost_after)}, "
        f"the rows read from {most.rows_before:,} to {most.rows_after:,}. {_sizes(missing)}"
    )


def _sizes(missing: MissingIndex) -> str:
    sizes = [_size(index, estimate) for index, estimate in zip(missing.indexes, missing.estimates, strict=True)]
    return "; ".join(sizes)


def _size(index: BuiltIndex, estimate: IndexEstimate | None) -> str:
    here = f"The index has {format_size(index.size)} and was built in {format_duration(index.build_ms)}"
    if estimate is None:
        return here
    low, high = format_size(estimate.low_size), format_size(estimate.high_size)
    size = low if low == high else f"{low} to {high}"
    time = format_range(estimate.low_ms, estimate.high_ms)
    return f"{here}; with production's {estimate.rows:,} rows {size}, built in {time} on this machine (estimates)"
