"""Facts about rows that PostgreSQL, and migsafe, can derive from the catalogue without reading the rows."""

from collections.abc import Callable, Sequence
from itertools import permutations

from migsafe import expressions
from migsafe.prediction.effects.effect_context import EffectContext
from migsafe.prediction.effects.type_changes import is_utc
from migsafe.schema.constraints import not_null_constraint
from migsafe.schema.formulas import identifiers
from migsafe.schema.objects import Column, Composite, Constraint, Domain, Relation
from migsafe.sql.operations import Bound, ConstraintKind, Expression, IndexElement, Name, PartitionKey, TypeName

_WIDEST_GUESS = 2
"""The most partition key columns that are assumed for an unknown table."""


def proved_not_null(context: EffectContext, relation: Relation, column: str) -> bool:
    """Whether a column is already NOT NULL, or a valid CHECK implies it."""
    known_column = relation.column(column)
    if known_column is None:
        # Of a partly known table the CHECK may be known, but not the column.
        return not relation.complete and any(
            check.check is not None and expressions.proves_not_null(check.check.expression, column) for check in valid_checks(context, relation)
        )
    constraint = not_null_constraint(context.catalog, relation.oid, known_column.number)
    if known_column.not_null and (constraint is None or constraint.valid):
        return True
    return check_implies_not_null(context, relation, known_column)


def valid_checks(context: EffectContext, relation: Relation) -> list[Constraint]:
    """Returns the CHECKs of a table that all its rows are known to satisfy."""
    return [
        constraint
        for constraint in context.catalog.constraints(relation.oid)
        if constraint.kind is ConstraintKind.CHECK and constraint.valid and constraint.enforced
    ]


def check_implies_not_null(context: EffectContext, relation: Relation, column: Column) -> bool:
    """Whether a valid CHECK implies that a column is not null."""
    is_composite = column.type is not None and isinstance(context.catalog.type_of(column.type), Composite)
    for constraint in valid_checks(context, relation):
        # A CHECK of a partly known table may be older than what is known about the column.
        unbound = None if relation.complete else column.name
        name = dict(constraint.check.column_uses).get(column.number, unbound) if constraint.check is not None else None
        if constraint.check is not None and name is not None:
            if expressions.proves_not_null(constraint.check.expression, name, composite=is_composite):
                return True
    return False


def domain_of(context: EffectContext, type_name: TypeName | None) -> Domain | None:
    """Returns the domain with the name of a type; None for another type."""
    type_object = context.catalog.type_of(type_name) if type_name is not None else None
    return type_object if isinstance(type_object, Domain) else None


def is_constrained(context: EffectContext, type_name: TypeName | None) -> bool:
    """Whether a type is a domain with a constraint, or a domain over one."""
    seen: set[Name] = set()
    # The domain of the elements of an array does not matter.
    domain = domain_of(context, type_name) if type_name is not None and not type_name.dimensions else None
    while domain is not None and domain.name not in seen:
        if domain.constrained:
            return True
        seen.add(domain.name)
        domain = domain_of(context, domain.type)
    return False


def bound_is_proved(context: EffectContext, parent: Relation, child: Relation, bound: Bound) -> bool:
    """Whether a table's valid CHECKs and NOT NULLs prove that its rows fit the partition bound, and the bounds of the parent if that is
    itself a partition."""
    level: Relation | None = parent
    below = child
    while level is not None:
        siblings = [sibling.bound for sibling in context.catalog.children(level.oid) if sibling.bound is not None and sibling.oid != below.oid]
        if level.partition_key is None:
            if level.complete or not some_key_is_proved(context, child, bound):
                return False
        elif not _is_proved(context, child, level.partition_key, bound, siblings):
            return False
        parent_of_level = context.catalog.get(level.parents[0]) if level.bound is not None and level.parents else None
        bound = level.bound or bound
        below = level
        level = parent_of_level if isinstance(parent_of_level, Relation) else None
    return True


def some_key_is_proved(context: EffectContext, child: Relation, bound: Bound) -> bool:
    """Whether valid CHECKs prove the partition bound for some columns of the table, because the partition key of its parent is unknown."""
    strategy, width = {"in": ("list", 1), "range": ("range", len(bound.start))}.get(bound.kind, ("", 0))
    names = {name: None for expression in _known_conditions(context, child) for name in identifiers(expression.sql)}
    if not strategy or width > _WIDEST_GUESS:
        return False
    keys = (PartitionKey(strategy, tuple(IndexElement(column=column) for column in columns)) for columns in permutations(names, width))
    return any(_is_proved(context, child, key, bound) for key in keys)


def _is_proved(context: EffectContext, child: Relation, key: PartitionKey, bound: Bound, siblings: Sequence[Bound] = ()) -> bool:
    return expressions.proves_bound(
        _known_conditions(context, child),
        lambda name: _is_not_null(child, name),
        key,
        bound,
        types=types_of(context, child),
        siblings=siblings,
        utc=_utc(context),
    )


def default_is_proved(context: EffectContext, parent: Relation, default: Relation, bound: Bound) -> bool:
    """Whether the default partition's valid CHECKs prove that no row in it belongs in a new partition."""
    return parent.partition_key is not None and expressions.proves_default_excludes(
        _known_conditions(context, default),
        lambda name: _is_not_null(default, name),
        parent.partition_key,
        bound,
        types=types_of(context, default),
        utc=_utc(context),
    )


def types_of(context: EffectContext, relation: Relation) -> Callable[[str], TypeName | None]:
    """Returns the types of a relation's columns by name; for a domain, its base type."""

    def type_of(name: str) -> TypeName | None:
        column = relation.column(name)
        column_type = column.type if column is not None else None
        domain = domain_of(context, column_type)
        return domain.type if domain is not None else column_type

    return type_of


def _known_conditions(context: EffectContext, relation: Relation) -> list[Expression]:
    """Returns the expressions of a table's valid CHECKs, without those that still use the old name of a renamed column."""
    return [
        constraint.check.expression
        for constraint in valid_checks(context, relation)
        if constraint.check is not None
        and all(
            (column := relation.column_numbered(number)) is not None and column.name == name for number, name in constraint.check.column_uses
        )
    ]


def _is_not_null(relation: Relation, name: str) -> bool:
    column = relation.column(name)
    return column is not None and bool(column.not_null)


def _utc(context: EffectContext) -> bool:
    return context.timezone is not None and is_utc(context.timezone)
