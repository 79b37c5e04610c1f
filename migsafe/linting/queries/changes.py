"""What a migration changes for the queries of the application.

The queries that an operation may affect are assessed before it, and again at the end of the migration. A query that is worse at the end than at
the beginning was harmed by the operation between the last assessment without the problem and the first one with it. What the migration itself
repairs (a view under the old name, a column that is dropped and added again) does not count.
"""

from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace

from migsafe.linting.facts.ownership import is_column_created_here, is_created_here
from migsafe.linting.finding import Harm, QueryProblem
from migsafe.linting.queries.affected import harmed_words, introduced_words
from migsafe.linting.queries.change import QueryChange
from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.linting.rule import Context
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Relation
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Operation
from migsafe.workload import Query
from migsafe.workload.assessment import Failure, InsertProblem, QueryAssessment, TableAccess

_GENERATED_ALWAYS = "428C9"
"""The SQLSTATE of a value for a column that PostgreSQL generates."""


_ROUTINES = ("function", "routine", "aggregate")


class _Step(NamedTuple):
    """An operation that may affect a query: `retypes` if it may change the types of operands, for which `refused` is what PostgreSQL does not
    have before it."""

    position: int
    before: QueryAssessment
    retypes: bool
    refused: Failure | None


class QueryChanges:
    """The queries that a migration may change, with their assessments so far."""

    def __init__(self, queries: ProjectQueries) -> None:
        self.queries = queries
        self._steps: dict[str, list[_Step]] = {}

    def note_before(self, op: Operation, at: Context) -> None:
        """Assesses the queries that an operation may affect, on the database before it."""
        words = list(dict.fromkeys(harmed_words(op, at.catalog)))
        if words and _is_own(op, at):
            words = []
        affected = {query.fingerprint: query for each in words for query in self.queries.mentioning(each)}
        if self.queries.workload.compared:
            for each in introduced_words(op, at.catalog):
                mentioning = self.queries.mentioning(each)
                affected.update((query.fingerprint, query) for query in mentioning if self.queries.is_new(query) or _creates_table(op))
        for fingerprint, query in affected.items():
            retypes = _retypes(op)
            refused = self.queries.refused_types(query, at.catalog) if retypes else None
            step = _Step(at.position, self.queries.assess(query, at.catalog), retypes, refused)
            self._steps.setdefault(fingerprint, []).append(step)

    def at_end(self, at: Context) -> list[QueryChange]:
        """Returns what the migration changes, at its end."""
        return [change for fingerprint, steps in self._steps.items() for change in self._changes(fingerprint, steps, at.catalog)]

    def _changes(self, fingerprint: str, steps: list[_Step], catalog: Catalog) -> list[QueryChange]:
        query = self.queries.all[fingerprint]
        first = steps[0].before
        after = _with_moved_relation(first, self.queries.assess(query, catalog), catalog)
        states = [*(_with_moved_relation(first, step.before, catalog) for step in steps[1:]), after]
        created = first.unknown_types - after.unknown_types
        if created and after.failure is None and first.failure is None and self.queries.is_new(query):
            name = min(created)
            first = replace(first, failure=Failure(code="42704", message=f'type "{name}" does not exist', name=name))
            states = [replace(each, failure=first.failure) if each.failure is None and name in each.unknown_types else each for each in states]
        retyped = self._retyped(query, steps, after, catalog)
        after = replace(after, failure=retyped[1]) if retyped is not None else after
        changes: list[QueryChange] = []

        def add(harm: Harm, position: int, before: QueryAssessment, **found: object) -> None:
            access, insert = found.get("access"), found.get("insert")
            table = access.name if isinstance(access, TableAccess) else insert.table if isinstance(insert, InsertProblem) else None
            column = insert.column if isinstance(insert, InsertProblem) else ""
            problem = QueryProblem(fingerprint, harm, table, column, retyped is not None)
            is_lasting = harm is Harm.NEEDS or (self.queries.is_running(query) and harm is not Harm.LACKS_INDEX)
            common = {"query": query, "named": self.queries.named(query), "harm": harm, "position": position, "before": before, "after": after}
            changes.append(QueryChange(**common, **found, problem=None if is_lasting else problem))  # type: ignore[arg-type]

        if retyped is not None:
            add(Harm.BREAKS, retyped[0].position, first)
            return changes
        if after.failure is not None:
            if first.failure is None and first.is_resolved:
                number = _last_before([state.failure is not None for state in states])
                generated = next((each for each in after.insert_problems if each.kind == "generated"), None)
                if after.failure.code == _GENERATED_ALWAYS and generated is not None:
                    add(Harm.INSERT_FAILS, steps[number].position, first, insert=generated)
                else:
                    add(Harm.BREAKS, steps[number].position, first)
            return changes
        if first.failure is not None:
            if self.queries.is_new(query) and after.is_resolved:
                number = _last_before([state.failure is None for state in states])
                add(Harm.NEEDS, steps[number].position, first)
            elif self.queries.is_running(query) and after.is_resolved:
                number = _last_before([state.failure is None for state in states])
                for access in after.accesses:
                    if access.candidates:
                        add(Harm.LACKS_INDEX, steps[number].position, first, access=access)
            return changes
        for access, former in _paired_accesses(first, after):
            if access.candidates and former is not None and not former.candidates and former.index is not None:
                number = _last_before([_lacks_index(state, access) for state in states])
                add(Harm.LOSES_INDEX, steps[number].position, first, access=access, former_index=former.index)
        for insert in after.insert_problems:
            if not any(_is_same(insert, other) for other in first.insert_problems):
                number = _last_before([any(_is_same(insert, other) for other in state.insert_problems) for state in states])
                add(Harm.INSERT_FAILS, steps[number].position, first, insert=insert)
        return changes

    def _retyped(self, query: Query, steps: list[_Step], after: QueryAssessment, catalog: Catalog) -> tuple[_Step, Failure] | None:
        """Returns the operation that changed the types of operands so that PostgreSQL has no operator or function for them, with what it
        lacks."""
        retyping = [step for step in steps if step.retypes]
        first = steps[0].before
        if not retyping or retyping[0].refused is not None or not first.is_resolved or (first.failure or after.failure) is not None:
            return None
        failure = self.queries.refused_types(query, catalog)
        return ([step for step in retyping if step.refused is None][-1], failure) if failure is not None else None


def _paired_accesses(first: QueryAssessment, after: QueryAssessment) -> Iterator[tuple[TableAccess, TableAccess | None]]:
    """Yields the accesses of a query, each with what it was before: a query may read a table under one alias in several places."""
    former: dict[tuple[Name, str], list[TableAccess]] = {}
    for each in first.accesses:
        former.setdefault((each.name, each.alias), []).append(each)
    for access in after.accesses:
        same = former.get((access.name, access.alias))
        yield access, same.pop(0) if same else None


def _with_moved_relation(first: QueryAssessment, later: QueryAssessment, catalog: Catalog) -> QueryAssessment:
    """Returns the later assessment of a query, with the failure that a relation is gone which has moved to another schema since the first one.
    By itself, a relation of that name elsewhere makes it uncertain what the query means."""
    if later.failure is not None or not later.uncertain or not first.is_resolved:
        return later
    for used in first.relations:
        relation = catalog.get(used.oid)
        if isinstance(relation, Relation) and relation.name.schema != used.name.schema and not catalog.is_taken(used.name):
            return replace(later, failure=Failure(code="42P01", message=f'relation "{used.name.name}" does not exist', name=used.name.name))
    return later


def has_problem(problem: QueryProblem, assessment: QueryAssessment) -> bool:
    """Whether a query still has a problem, or has a worse one."""
    if assessment.failure is not None or not assessment.is_resolved:
        return True
    if problem.harm in (Harm.LOSES_INDEX, Harm.LACKS_INDEX):
        return any(access.candidates and access.name == problem.table for access in assessment.accesses)
    if problem.harm is Harm.INSERT_FAILS:
        return any(each.table == problem.table and each.column == problem.column for each in assessment.insert_problems)
    return False


def _last_before(has_problem_after: list[bool]) -> int:
    """Returns the number of the last operation after which something is so that was not so before it. It is so after the last one."""
    number = len(has_problem_after) - 1
    while number > 0 and has_problem_after[number - 1]:
        number -= 1
    return number


def _retypes(op: Operation) -> bool:
    """Whether the operands of queries may have other types after an operation: those of a column, also of another one under its name, or of
    a function's parameters."""
    match op:
        case sql.AlterColumnType() | sql.DropColumn() | sql.RenameColumn() | sql.CreateFunction():
            return True
        case sql.Drop(kind=kind):
            return kind in _ROUTINES
    return False


def _creates_table(op: Operation) -> bool:
    return isinstance(op, sql.CreateTable | sql.CreateTableAs)


def _lacks_index(state: QueryAssessment, access: TableAccess) -> bool:
    # While the table is missing, the index is, too.
    return state.failure is not None or any(each.candidates and each.name == access.name for each in state.accesses)


def _is_same(problem: InsertProblem, other: InsertProblem) -> bool:
    return (problem.kind, problem.table, problem.column) == (other.kind, other.table, other.column)


def _is_own(op: Operation, at: Context) -> bool:
    """Whether an operation is about an object that the migration itself created, which no query used before."""
    match op:
        case sql.DropColumn(target=target, column=column) | sql.RenameColumn(target=target, column=column):
            return is_column_created_here(at, target.name, column)
        case sql.AlterColumnType(target=target, column=column):
            return is_column_created_here(at, target.name, column)
        case sql.AlterRelation(target=target):
            return is_created_here(at, target.name)
        case sql.Drop(kind=kind, names=names) if kind in ("table", "view", "materialized view", "foreign table"):
            return all(is_created_here(at, name) for name in names)
        case sql.Rename(kind="table" | "view", name=name):
            return is_created_here(at, name)
    return False
