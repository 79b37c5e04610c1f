"""The facts that a pre-mortem needs about each operation, collected while the migration is judged."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from migsafe.assessment.durations import Duration
from migsafe.assessment.releases import changed_result, new_object, new_restriction
from migsafe.assessment.rollback import LostRows, Rollback, lost_rows, rollback_of
from migsafe.assessment.violating_rows import runnable_before, violating_rows
from migsafe.linting.facts.transaction_block import is_in_called_function
from migsafe.linting.finding import Finding, NamedQuery, Severity
from migsafe.linting.reruns.object_use import Action, Path
from migsafe.linting.reruns.operation_uses import object_uses
from migsafe.linting.rule import Context, Rule
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.schema.objects import Relation, RelationKind
from migsafe.schema.statistics import row_count
from migsafe.schema.unknown_calls import unknown_call
from migsafe.schema.violating_rows import ViolatingRows, on_one_line
from migsafe.sql.operations import Delete, Name, OpaqueCode, Operation, Unparsed, Update
from migsafe.text import Span

_UNSUPPRESSED_PREFIX = "premortem: "


class RelatedObjects(Struct, frozen=True):
    """The tables that reference a relation, the tables that it references, and the views that read it."""

    referring: tuple[Name, ...] = ()
    referred: tuple[Name, ...] = ()
    views: tuple[Name, ...] = ()


class RelationQueries(Struct, frozen=True):
    """The application's queries that use a relation: those that only read it, and those that write it."""

    reading: tuple[NamedQuery, ...] = ()
    writing: tuple[NamedQuery, ...] = ()


class OperationFacts(Struct, frozen=True, kw_only=True):
    """An operation of a judged migration.

    `effects` are those on relations that other sessions can use, `held` the blocking locks that its transaction held before. Timeouts are in
    milliseconds, 0 if there is none, None if the server decides. `rows` and `related` are by relation. `violating_rows` are rows that make it
    fail, `rollback` undoes it, `lost_rows` are the rows that it removes; `new_object`, `new_restriction` and `changed_result` are what the
    releases meet. `measured_duration` is the estimate for the statement on production's rows that is based on a replay. `has_small_relations`
    says whether all its relations are known to be small, `is_in_called_function` whether it is in a function that the migration calls, and
    `is_unknown_code` that it may lock any relation, because only a running database knows what it does. `count_query` is SQL that counts the
    rows that it changes. `queries` are those of the running release, by relation. `drops` and `creates` are objects, as paths.
    """

    operation: Operation
    statement: int
    effects: tuple[Effect, ...]
    held: Mapping[Name, LockMode]
    transaction: int | None
    lock_timeout: int | None
    statement_timeout: int | None
    rows: Mapping[Name, int]
    related: Mapping[Name, RelatedObjects]
    violating_rows: ViolatingRows | None = None
    rollback: Rollback | None = None
    lost_rows: tuple[LostRows, ...] = ()
    new_object: str = ""
    new_restriction: str = ""
    changed_result: str = ""
    measured_duration: Duration | None = None
    has_small_relations: bool = False
    is_in_called_function: bool = False
    is_unknown_code: bool = False
    count_query: str = ""
    queries: Mapping[Name, RelationQueries] = {}
    drops: tuple[Path, ...] = ()
    creates: tuple[Path, ...] = ()

    @property
    def blocking_effects(self) -> list[Effect]:
        """Returns the effects that block reads or writes."""
        return [effect for effect in self.effects if effect.blocks]


def _is_unknown_code(op: Operation, at: Context) -> bool:
    match op:
        case OpaqueCode(confined=confined):
            return not confined
        case Unparsed():
            return True
    return unknown_call(at.catalog, op) is not None


def fact_collector(facts_by_migration: dict[tuple[str, str], list[OperationFacts]]) -> Rule:
    """Returns a rule that reports nothing and collects the facts of every operation, by path and migration."""

    def collect(op: Operation, at: Context) -> None:
        effects = tuple(effect for effect in at.effects if not effect.new and effect.relation.schema != "pg_temp")
        timeout = at.session.settings.lock_timeout_ms
        names = [effect.relation for effect in effects]
        uses = object_uses(op, "", at.catalog)
        facts_by_migration.setdefault((at.migration.up.file.path, at.migration.id), []).append(
            OperationFacts(
                operation=op,
                statement=at.statement.index,
                effects=effects,
                held={name: lock for name, lock in at.held.items() if isinstance(name, Name) and lock.blocks},
                transaction=at.session.transaction,
                lock_timeout=timeout if timeout is not None else at.limits.lock_timeout,
                statement_timeout=at.session.settings.statement_timeout_ms,
                rows={name: rows for name in names if (rows := row_count(at.limits.rows, name)) is not None},
                related={name: _related_objects(at, name) for name in names},
                violating_rows=violating_rows(op, at),
                rollback=rollback_of(op, at),
                lost_rows=lost_rows(op, at),
                new_object=new_object(op, at),
                new_restriction=new_restriction(op, at),
                changed_result=changed_result(op, at),
                is_in_called_function=is_in_called_function(at, op),
                is_unknown_code=_is_unknown_code(op, at),
                count_query=_row_count_query(op, at),
                queries={name: _queries(at, name) for name in names} if at.queries is not None else {},
                drops=tuple(use.path for use in uses if use.action is Action.DROPS),
                creates=tuple(use.path for use in uses if use.action is Action.CREATES),
                has_small_relations=bool(names)
                and all((row_count(at.limits.rows, name) or at.limits.small_table) < at.limits.small_table for name in names),
            )
        )

    return Rule(name="premortem", category="premortem", severity=Severity.INFO, documentation="", operations=(Operation,), check=collect)


def merge_path_facts(facts: Sequence[OperationFacts]) -> tuple[OperationFacts, ...]:
    """Returns the facts of the operations on all paths through a program, in the order of the statements. Of an operation on several paths,
    those with the most effects count."""
    by_operation: dict[tuple[int, Span, type[Operation]], OperationFacts] = {}
    for each in facts:
        key = each.statement, each.operation.span, type(each.operation)
        before = by_operation.get(key)
        if before is None or len(each.effects) > len(before.effects):
            by_operation[key] = each
    return tuple(sorted(by_operation.values(), key=_statement_number))


def _statement_number(facts: OperationFacts) -> int:
    return facts.statement


def unsuppressed(rule: Rule) -> Rule:
    """Returns the rule under another name, so that the project's suppressions do not apply to it: suppressed hazards still happen."""
    return replace(rule, name=_UNSUPPRESSED_PREFIX + rule.name, off=False)


def unsuppressed_findings(findings: "tuple[Finding, ...]") -> tuple[Finding, ...]:
    """Returns the findings of the unsuppressed rules, under the rules' usual names."""
    return tuple(
        replace(finding, rule=finding.rule.removeprefix(_UNSUPPRESSED_PREFIX))
        for finding in findings
        if finding.rule.startswith(_UNSUPPRESSED_PREFIX)
    )


def project_findings(findings: "tuple[Finding, ...]") -> tuple[Finding, ...]:
    """Returns the findings of the rules that the project has selected."""
    return tuple(finding for finding in findings if not finding.rule.startswith(_UNSUPPRESSED_PREFIX))


def _queries(at: Context, name: Name) -> RelationQueries:
    """Returns the queries that use a relation while the migration runs: those of the running release."""
    assert at.queries is not None
    reading: dict[NamedQuery, None] = {}
    writing: dict[NamedQuery, None] = {}
    for query, used in at.queries.accesses(at.catalog, name):
        if not at.queries.is_new(query):
            (writing if used.is_written else reading)[at.queries.named(query)] = None
    return RelationQueries(tuple(reading), tuple(writing))


def _row_count_query(op: Operation, at: Context) -> str:
    """Returns SQL that counts the rows that a statement changes; empty if its condition needs a variable, an alias or WITH."""
    if not isinstance(op, Update | Delete) or op.where is None or op.reads or at.statement.operations != (op,):
        return ""
    if "." in op.where.sql or op.where.reads or "select" in op.where.sql.lower():
        return ""
    return runnable_before(f"SELECT count(*) FROM {at.resolve(op.table)} WHERE {on_one_line(op.where.sql)};", at)


def _related_objects(at: Context, name: Name) -> RelatedObjects:
    catalog = at.catalog
    relation = catalog.relation(name)
    if relation is None:
        return RelatedObjects()
    referring = {
        _relation_name(catalog.get(constraint.table))
        for constraint in catalog.foreign_keys_to(relation.oid)
        if constraint.table != relation.oid
    }
    referred = {
        _relation_name(catalog.get(constraint.references))
        for constraint in catalog.constraints(relation.oid)
        if constraint.references not in (None, relation.oid)
    }
    views = {
        view.name
        for view in catalog.dependents(relation.oid, Relation)
        if view.kind in (RelationKind.VIEW, RelationKind.MATERIALIZED) and relation.oid in view.reads
    }
    return RelatedObjects(_sorted(referring), _sorted(referred), _sorted(views))


def _relation_name(catalog_object: object) -> Name | None:
    return catalog_object.name if isinstance(catalog_object, Relation) else None


def _sorted(names: "set[Name] | set[Name | None]") -> tuple[Name, ...]:
    return tuple(sorted((name for name in names if name is not None), key=str))
