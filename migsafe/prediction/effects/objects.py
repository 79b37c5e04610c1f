"""The table locks of statements about views, triggers, types and other objects."""

from migsafe import versions
from migsafe.lock import LockMode
from migsafe.prediction.effects.columns import alter_type
from migsafe.prediction.effects.drops import drop_effects
from migsafe.prediction.effects.effect_context import EffectContext, Effects
from migsafe.prediction.effects.known_facts import domain_of
from migsafe.prediction.effects.planning import analysed, analysed_query, analysed_with_views
from migsafe.prediction.effects.queries import query_effects
from migsafe.prediction.effects.registry import EFFECTS
from migsafe.schema.bodies import body_operations
from migsafe.schema.dependents import is_type_named
from migsafe.schema.objects import Composite, Domain, Function, Relation, RelationKind
from migsafe.schema.types import dropped_with_attribute
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Query, TypeName

_EXCLUSIVE = LockMode.ACCESS_EXCLUSIVE
_SHARE_UPDATE = LockMode.SHARE_UPDATE_EXCLUSIVE
_SHARE_ROW = LockMode.SHARE_ROW_EXCLUSIVE
_READ = LockMode.ACCESS_SHARE
_RELATIONS = frozenset(("table", "foreign table", "view", "materialized view"))


@EFFECTS.register(sql.CreateView)
def create_view(context: EffectContext, op: sql.CreateView) -> Effects:
    """CREATE VIEW: its query is analysed, not run; a view that is replaced is locked."""
    yield from analysed_query(context, op.query)
    if op.or_replace and context.catalog.relation(op.view) is not None:
        yield from context.effect_on_name(op.view, _EXCLUSIVE, "view")


@EFFECTS.register(sql.CreateMaterializedView)
def create_materialized_view(context: EffectContext, op: sql.CreateMaterializedView) -> Effects:
    """CREATE MATERIALIZED VIEW."""
    if op.if_not_exists and context.catalog.is_taken(context.catalog.resolve(op.view)):
        return
    yield from _source_query(context, op.query, op.with_data)


@EFFECTS.register(sql.CreateTableAs)
def create_table_as(context: EffectContext, op: sql.CreateTableAs) -> Effects:
    """CREATE TABLE … AS."""
    exists = op.if_not_exists and context.catalog.is_taken(context.catalog.resolve(op.table))
    if op.query is not None:
        yield from _source_query(context, op.query, op.with_data and not exists)


def _source_query(context: EffectContext, source: Query, with_data: bool) -> Effects:
    """The effects of a query that runs or, WITH NO DATA, is only analysed."""
    if with_data:
        yield from query_effects(context, source)
    else:
        yield from analysed_query(context, source)


@EFFECTS.register(sql.CreateSequence, sql.AlterSequence)
def create_sequence(context: EffectContext, op: sql.CreateSequence | sql.AlterSequence) -> Effects:
    """OWNED BY locks the column's table for reading."""
    if op.owned_by is not None and op.owned_by.schema is not None:
        yield from context.effect_on_name(Name(op.owned_by.schema, op.owned_by.catalog), _READ)


@EFFECTS.register(sql.CreateFunction)
def create_function(context: EffectContext, op: sql.CreateFunction) -> Effects:
    """CREATE FUNCTION: a body in SQL is analysed, but not run."""
    if op.language == "sql" and op.code is not None:
        function = Function(oid=0, name=op.function, code=op.code, language=op.language)
        for inner in body_operations(function):
            yield from analysed_with_views(context, inner)


@EFFECTS.register(sql.CreateTrigger)
def create_trigger(context: EffectContext, op: sql.CreateTrigger) -> Effects:
    """CREATE TRIGGER: SHARE ROW EXCLUSIVE, so writes wait; a row trigger of a partitioned table is created on its partitions too."""
    relation = context.catalog.relation(op.table)
    recurses = relation is not None and op.row and relation.kind is RelationKind.PARTITIONED
    if relation is not None:
        yield from context.effects_on(context.with_descendants(relation, only=not recurses), _SHARE_ROW)
    else:
        yield from context.effect_on_name(op.table, _SHARE_ROW)
    if op.references is not None:
        yield from context.effect_on_name(op.references, _READ)


@EFFECTS.register(sql.CreateRule)
def create_rule(context: EffectContext, op: sql.CreateRule) -> Effects:
    """CREATE RULE: its actions are analysed, not run."""
    yield from context.effect_on_name(op.table, _EXCLUSIVE)
    for name in op.reads:
        yield from context.effect_on_name(name, _READ)
    for action in op.actions:
        yield from analysed(context, action)


@EFFECTS.register(sql.CreatePolicy, sql.AlterPolicy)
def policy(context: EffectContext, op: sql.CreatePolicy | sql.AlterPolicy) -> Effects:
    """CREATE POLICY, ALTER POLICY; tables that its expressions read are locked for reading."""
    yield from context.effect_on_name(op.table, _EXCLUSIVE)
    for expression in (op.using, op.check):
        for name in expression.reads if expression is not None else ():
            yield from context.effect_on_name(name, _READ)


@EFFECTS.register(sql.CreateStatistics)
def create_statistics(context: EffectContext, op: sql.CreateStatistics) -> Effects:
    """CREATE STATISTICS."""
    for name in op.tables[:1]:
        yield from context.effect_on_name(name, _SHARE_UPDATE)


@EFFECTS.register(sql.Publication)
def publication(context: EffectContext, op: sql.Publication) -> Effects:
    """CREATE and ALTER PUBLICATION: the tables and their children."""
    for name in op.tables:
        relation = context.catalog.relation(name)
        if relation is None:
            yield from context.effect_on_name(name, _SHARE_UPDATE)
        else:
            # A partitioned table is published as itself.
            alone = name in op.only or relation.kind is RelationKind.PARTITIONED
            yield from context.effects_on(context.with_descendants(relation, only=alone), _SHARE_UPDATE)
    if op.action == "set":
        before = context.catalog.object_named("publication", Name(op.publication))
        for oid in before.dependencies() if before is not None else ():
            yield from context.effect_on_oid(oid, _SHARE_UPDATE)


@EFFECTS.register(sql.Comment)
def comment(context: EffectContext, op: sql.Comment) -> Effects:
    """COMMENT, SECURITY LABEL."""
    if op.kind in _RELATIONS and op.name is not None:
        yield from context.effect_on_name(op.name, _SHARE_UPDATE, op.kind)
    elif op.kind == "column" and op.table is not None:
        yield from context.effect_on_name(op.table, _SHARE_UPDATE)
    elif op.kind in ("constraint", "trigger", "rule", "policy") and op.table is not None and context.catalog.type_named(op.table) is None:
        yield from context.effect_on_name(op.table, _READ)


@EFFECTS.register(sql.Grant)
def grant(context: EffectContext, op: sql.Grant) -> Effects:
    """GRANT, REVOKE: since version 18 they lock the relations with ACCESS SHARE (measured)."""
    if context.pg_version < versions.GRANT_LOCKS:
        return
    if op.kind in ("table", *_RELATIONS):
        for name in op.objects:
            yield from context.effect_on_name(name, _READ)


@EFFECTS.register(sql.AlterDomain)
def alter_domain(context: EffectContext, op: sql.AlterDomain) -> Effects:
    """ALTER DOMAIN: a new constraint is checked against the columns of the domain, which blocks writes to them."""
    domain = domain_of(context, TypeName(name=op.domain.name, schema=op.domain.schema))
    if domain is None:
        return
    checked = (
        (op.action == "set not null" and not domain.not_null)
        or (op.action == "validate constraint" and any(check.name == op.constraint_name and not check.valid for check in domain.checks))
        or (op.action == "add constraint" and op.constraint is not None and not op.constraint.not_valid)
    )
    if checked:
        why = f"every value of the domain {domain.name} is checked"
        for relation in _tables_with_domain(context, domain):
            yield from context.effect_on(relation, LockMode.SHARE, scan=context.has_rows(relation), why=why)


def _tables_with_domain(context: EffectContext, domain: Domain) -> list[Relation]:
    """Returns the tables with a column of a domain, or of a domain over it."""
    names, size = {domain.name}, 0
    while len(names) > size:
        size = len(names)
        names |= {other.name for other in context.catalog.objects_of(Domain) if any(is_type_named(other.type, name) for name in names)}
    return [
        relation
        for relation in context.catalog.relations()
        if relation.kind in (RelationKind.TABLE, RelationKind.MATERIALIZED, RelationKind.FOREIGN)
        and any(is_type_named(column.type, name) for column in relation.columns for name in names)
    ]


@EFFECTS.register(sql.AlterCompositeType)
def alter_composite(context: EffectContext, op: sql.AlterCompositeType) -> Effects:
    """ALTER TYPE … ATTRIBUTE with CASCADE changes the tables made OF the type, and drops the views that use the attribute."""
    composite = context.catalog.type_named(op.type)
    if isinstance(composite, Composite):
        yield from drop_effects(context, dropped_with_attribute(context.catalog, composite, op))
    name = context.catalog.in_first_schema(op.type)
    for table in context.catalog.relations() if op.cascade else ():
        if table.of_type != name:
            continue
        if op.action == "alter" and op.data_type is not None:
            yield from alter_type(
                context, sql.AlterColumnType(op.span, target=sql.Target(kind="table", name=table.name), column=op.attribute, type=op.data_type)
            )
        else:
            yield from context.effect_on(table, _EXCLUSIVE)
