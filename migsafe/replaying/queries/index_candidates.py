"""The indexes that may make a query cheap, for a server to try.

The plan with the index decides, so more is tried than `migsafe lint` would report: ranges with two ends, ORDER BY … LIMIT of a plan,
each column of a join. On tables with generated rows, an index is not tried if only the generated values would decide whether it helps: on
columns that are only tested for NULL, or only compared with constants.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import Struct

from migsafe.patterns import lazy_pattern
from migsafe.replaying.queries.plan_trees import Plan, needs_all_rows, relation_of
from migsafe.replaying.queries.planner_state import PlannerState
from migsafe.schema.objects import SYSTEM_COLUMNS
from migsafe.sql.operations import Name, quoted
from migsafe.workload.assessment import CandidateIndex, QueryAssessment, TableAccess

_MOST_KEYS = 3
_MOST = 8
"""How many indexes are tried for one query."""
_EQUALITIES = ("=", "in", "any")
_FROM_CONSTANTS = ("is", "is null")
_LOWER, _UPPER = (">", ">="), ("<", "<=")
_SORT_KEY = lazy_pattern(r"""(?:(?:"((?:[^"]|"")+)"|(\w+))\.)?(?:"((?:[^"]|"")+)"|(\w+))( DESC)?(?: NULLS (FIRST|LAST))?""")


class Candidate(Struct, frozen=True):
    """An index to build on a table: its method, its keys as SQL, and the predicate of a partial index as SQL; empty if it has all rows."""

    table: Name
    method: str
    keys: tuple[str, ...]
    predicate: str = ""

    def __str__(self) -> str:
        """What follows ON in CREATE INDEX."""
        using = f" USING {self.method}" if self.method != "btree" else ""
        where = f" WHERE {self.predicate}" if self.predicate else ""
        return f"{self.table}{using} ({', '.join(self.keys)}){where}"

    @property
    def index(self) -> CandidateIndex:
        """The index without its table."""
        return CandidateIndex(method=self.method, keys=self.keys, predicate=self.predicate)


def proposed(access: TableAccess) -> Iterator[Candidate]:
    """Yields the indexes that an access lacks, with its table."""
    for each in access.candidates:
        yield Candidate(access.name, each.method, each.keys, each.predicate)


def candidates_for(
    assessment: QueryAssessment, plan: Plan, state: PlannerState, has_real_rows: Callable[[Name], bool] = lambda name: False
) -> tuple[Candidate, ...]:
    """Returns the indexes that may make a query cheap, on the tables that its plan reads completely, or sorts for a LIMIT; the most likely
    first. `has_real_rows` says whether the rows of a table are not generated."""
    whole = {state.root(read.relation) for read in plan.full_reads}
    found: dict[Candidate, None] = {}
    for access in assessment.accesses:
        if access.name in whole:
            buildable = (own for own, each in zip(proposed(access), access.candidates, strict=True) if not each.mutable)
            found.update(dict.fromkeys(buildable))
    orders = list(_orders(plan, state))
    for access in assessment.accesses:
        own = [keys for table, keys in orders if table == access.name]
        if access.name in whole:
            keys_of_access = (*_ordered(access, own), *_of_access(access, is_real=has_real_rows(access.name)))
        else:
            keys_of_access = tuple(_ordered(access, own))
        found.update((Candidate(access.name, "btree", keys), None) for keys in keys_of_access)
    for table, keys in orders:
        found[Candidate(table, "btree", keys)] = None
    wanted = (each for each in found if not SYSTEM_COLUMNS.intersection(each.keys))
    return tuple(each for each in wanted if each.predicate or not state.has_index(each.table, each.keys))[:_MOST]


def _ordered(access: TableAccess, orders: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Yields the keys of indexes that find the rows of one table in the order of which a LIMIT needs only the first ones: the columns before
    those of the order must have one value each."""
    single = [each for each in access.filters if each.operator in ("=", *_FROM_CONSTANTS) and each.compared_with != "column"]
    single.sort(key=lambda each: each.operator in _FROM_CONSTANTS or each.compared_with == "constant")
    for keys in orders:
        conditions = tuple(subject for subject in _subjects(each.subject for each in single) if subject not in keys)
        if conditions:
            yield (*conditions[:_MOST_KEYS], *keys)


def _of_access(access: TableAccess, *, is_real: bool) -> Iterator[tuple[str, ...]]:
    """Yields the keys of indexes for the conditions on one table."""
    filters = access.filters
    equal = _subjects(each.subject for each in filters if each.operator in _EQUALITIES and each.compared_with != "constant")
    fixed = _subjects(
        each.subject
        for each in filters
        if each.operator in _FROM_CONSTANTS or (each.operator in _EQUALITIES and each.compared_with == "constant")
    )
    lower = {each.subject for each in filters if each.operator in _LOWER and each.compared_with != "constant"}
    upper = {each.subject for each in filters if each.operator in _UPPER and each.compared_with != "constant"}
    ranges = [subject for subject in _subjects(each.subject for each in filters) if subject in lower & upper]
    if is_real:
        equal, fixed = (*equal, *(subject for subject in fixed if subject not in equal)), ()
    yield from ((subject,) for subject in equal)
    if len(equal) > 1:
        yield equal[:_MOST_KEYS]
    for subject in ranges:
        if equal:
            yield (*equal[: _MOST_KEYS - 1], subject)
        yield (subject,)


def _subjects(subjects: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(subjects))


def _orders(plan: Plan, state: PlannerState) -> Iterator[tuple[Name, tuple[str, ...]]]:
    """Yields the keys of each index that would give the order of which a LIMIT needs only the first rows, with its table."""
    tables = {node["Alias"]: state.root(relation_of(node)) for node in plan.nodes() if "Alias" in node and "Relation Name" in node}
    for node in plan.nodes():
        sort = _sort_below(node) if node["Node Type"] == "Limit" else None
        if sort is None:
            continue
        table: Name | None = None
        keys: list[str] = []
        directions: set[bool] = set()
        for text in sort["Sort Key"]:
            match = _SORT_KEY.fullmatch(text)
            owner = _owner(match, tables) if match is not None else None
            if match is None or owner is None or (table is not None and owner != table):
                break
            table = owner
            directions.add(match[5] is not None)
            keys.append(text)
        if table is not None and keys:
            is_backward = directions == {True}
            yield table, tuple(_key(_SORT_KEY.fullmatch(text), is_backward=is_backward) for text in keys[:_MOST_KEYS])


def _sort_below(node: dict[str, Any]) -> dict[str, Any] | None:
    """Returns the sort whose first rows a LIMIT needs; None if it is not a sort that it ends early."""
    while len(node.get("Plans", ())) == 1:
        [node] = node["Plans"]
        if node["Node Type"] == "Sort":
            return node
        if needs_all_rows(node):
            return None
    return None


def _owner(match: "re.Match[str]", tables: dict[str, Name]) -> Name | None:
    alias = match[1].replace('""', '"') if match[1] is not None else match[2]
    if alias is None:
        return next(iter(tables.values())) if len(tables) == 1 else None
    return tables.get(alias)


def _key(match: "re.Match[str] | None", *, is_backward: bool) -> str:
    """Returns a key of an index. PostgreSQL reads an index in ascending order backward for a descending one."""
    assert match is not None
    column = quoted(match[3].replace('""', '"') if match[3] is not None else match[4])
    descending = match[5] is not None
    nulls_first = match[6] == "FIRST" if match[6] is not None else descending
    if is_backward:
        descending, nulls_first = False, not nulls_first
    text = f"{column} DESC" if descending else column
    return text if nulls_first == descending else f"{text} NULLS {'FIRST' if nulls_first else 'LAST'}"
