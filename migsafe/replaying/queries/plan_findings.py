"""The findings about queries that are planned worse after a migration."""

from collections.abc import Iterator, Sequence

from migsafe.linting.facts.wording import join_queries
from migsafe.linting.finding import NamedQuery, Severity
from migsafe.replaying.queries.plan_results import PlanRegression, PlanResults
from migsafe.replaying.queries.query_finding import QueryFinding
from migsafe.sql.operations import Name


def plan_findings(results: PlanResults) -> Iterator[QueryFinding]:
    """Yields a finding for the queries that read a table completely for the same reason."""
    groups: dict[tuple[object, ...], list[PlanRegression]] = {}
    for each in results.regressions:
        groups.setdefault((each.statement, each.relation, each.lost, each.unused, each.to_analyze), []).append(each)
    for group in groups.values():
        worst = max(group, key=lambda each: each.cost_after / max(each.cost_before, 0.01))
        queries = [each.query for each in group]
        yield QueryFinding(
            "replay-plan-regressed",
            Severity.WARNING,
            f"{_subject(queries)} all of {worst.relation} ({worst.rows:,} rows) after it: the estimated cost rises from "
            f"{format_cost(worst.cost_before)} to {format_cost(worst.cost_after)}{_cause(worst)}{_names(queries)}",
            worst.statement,
            help=f"ANALYZE {_listed(worst.to_analyze)};" if worst.to_analyze else "",
            relations=(worst.relation,),
            queries=tuple(queries),
        )


def _subject(queries: Sequence[NamedQuery]) -> str:
    return f"the query {queries[0]} reads" if len(queries) == 1 else f"{len(queries)} queries read"


def _names(queries: Sequence[NamedQuery]) -> str:
    return f": {join_queries(queries)}" if len(queries) > 1 else ""


def _cause(regression: PlanRegression) -> str:
    if regression.to_analyze:
        tables = _listed(regression.to_analyze)
        return f"; it is as cheap as before once ANALYZE has collected the statistics of {tables}, which the migration removes"
    if regression.lost:
        return f"; {_indexes(regression.lost)} found its rows and no longer {'exists' if len(regression.lost) == 1 else 'exist'}"
    if regression.unused:
        return f"; {_indexes(regression.unused)} found its rows before and {'is' if len(regression.unused) == 1 else 'are'} not used any more"
    return ""


def _listed(tables: Sequence[Name]) -> str:
    return ", ".join(map(str, tables))


def _indexes(names: Sequence[str]) -> str:
    return f"the index {names[0]}" if len(names) == 1 else f"the indexes {', '.join(names)}"


def format_cost(cost: float) -> str:
    """Returns an estimated cost, in PostgreSQL's units, for people: `8.3`, `2,041`."""
    return f"{cost:,.0f}" if cost >= 100 else f"{cost:.1f}"
