"""What a migration means for the queries of the application: which read what it locks, which wait, and which fail."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from migsafe.assessment.blocking import find_blocked_relations
from migsafe.assessment.operation_facts import OperationFacts
from migsafe.linting.facts.wording import join_queries
from migsafe.linting.finding import Finding, NamedQuery
from migsafe.sql.operations import Name

FAILING = ("query-breaks", "insert-breaks")
SLOWER = "query-loses-index"
NEEDING = "query-needs-migration"
_READS = "reads"


class QueryEffects(Struct, frozen=True):
    """The queries that a migration affects: those that use a relation that it locks, those that wait for one of its locks, those that fail
    until the running release is replaced, those that lose the index that serves them, and the new ones that run only after it. `lines` says
    so in sentences."""

    using: tuple[NamedQuery, ...] = ()
    waiting: tuple[NamedQuery, ...] = ()
    failing: tuple[NamedQuery, ...] = ()
    slower: tuple[NamedQuery, ...] = ()
    needing: tuple[NamedQuery, ...] = ()
    lines: tuple[str, ...] = ()


def find_query_effects(all_facts: Sequence[OperationFacts], findings: Sequence[Finding], lines: Mapping[int, int]) -> QueryEffects:
    """Returns the queries that a migration affects. `lines` are those of its statements."""
    using: dict[Name, dict[NamedQuery, bool]] = {}
    for facts in all_facts:
        for relation, queries in facts.queries.items():
            using.setdefault(relation, {}).update((query, True) for query in queries.writing)
            for query in queries.reading:
                using[relation].setdefault(query, False)
    texts = [_uses(relation, queries) for relation, queries in using.items() if queries]
    waiting: dict[NamedQuery, None] = {}
    for blocked in find_blocked_relations(all_facts):
        waits = [query for query, writes in using.get(blocked.relation, {}).items() if writes or _READS in blocked.effect.blocks]
        waiting.update(dict.fromkeys(waits))
        if waits:
            verb = "waits" if len(waits) == 1 else "wait"
            line = lines.get(blocked.statement, 1)
            texts.append(
                f"{len(waits)} of them {verb} while line {line} holds {blocked.effect.lock} on {blocked.relation}: {join_queries(waits)}"
            )
    failing = _of_rules(findings, FAILING)
    if failing:
        texts.append(f"{_count(failing)} fail{_s(failing)} until the running release is replaced: {join_queries(failing)}")
    slower = _of_rules(findings, (SLOWER,))
    if slower:
        their = "the index that serves it" if len(slower) == 1 else "the indexes that serve them"
        texts.append(f"{_count(slower)} lose{_s(slower)} {their}: {join_queries(slower)}")
    needing = _of_rules(findings, (NEEDING,))
    if needing:
        texts.append(f"{_count(needing)} of the new release run{_s(needing)} only after this migration: {join_queries(needing)}")
    everything = tuple(dict.fromkeys(query for queries in using.values() for query in queries))
    return QueryEffects(everything, tuple(waiting), failing, slower, needing, tuple(texts))


def _uses(relation: Name, queries: Mapping[NamedQuery, bool]) -> str:
    writing = [query for query, writes in queries.items() if writes]
    reading = [query for query, writes in queries.items() if not writes]
    parts = []
    if reading:
        parts.append(f"{_count(reading)} read{_s(reading)} {relation}: {join_queries(reading)}")
    if writing:
        parts.append(f"{_count(writing)} write{_s(writing)} {relation if not reading else 'it'}: {join_queries(writing)}")
    return "; ".join(parts)


def _of_rules(findings: Sequence[Finding], rules: Sequence[str]) -> tuple[NamedQuery, ...]:
    return tuple(dict.fromkeys(query for finding in findings if finding.rule in rules for query in finding.queries))


def _count(queries: Sequence[NamedQuery]) -> str:
    return "1 query" if len(queries) == 1 else f"{len(queries)} queries"


def _s(queries: Sequence[NamedQuery]) -> str:
    return "s" if len(queries) == 1 else ""
