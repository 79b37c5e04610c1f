"""The effects of constraints: which rows are checked when a constraint is added, validated, changed or dropped."""

from collections.abc import Iterable

from migsafe import versions
from migsafe.lock import LockMode
from migsafe.prediction.effects.drops import drop_effects
from migsafe.prediction.effects.effect_context import EffectContext, Effects
from migsafe.prediction.effects.known_facts import proved_not_null
from migsafe.prediction.effects.registry import EFFECTS
from migsafe.schema.altered_constraints import constraint_drop_result
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name

_EXCLUSIVE = LockMode.ACCESS_EXCLUSIVE
_SHARE_ROW = LockMode.SHARE_ROW_EXCLUSIVE


@EFFECTS.register(sql.AddConstraint)
def add_constraint(context: EffectContext, op: sql.AddConstraint) -> Effects:
    """ADD CONSTRAINT."""
    constraint = op.constraint
    name, kind = op.target.name, op.target.kind
    relation = context.catalog.relation(name)
    match constraint.kind:
        case ConstraintKind.FOREIGN_KEY:
            yield from _foreign_key(context, name, relation, constraint, checked=constraint.enforced and not constraint.not_valid)
        case ConstraintKind.CHECK:
            checked = constraint.enforced and not constraint.not_valid
            why = "every row is checked against the new CHECK" if checked else ""
            if relation is None:
                yield from context.effect_on_name(name, _EXCLUSIVE, kind, scan=checked, why=why)
            # From this version on the children are locked even if the CHECK does not apply to them.
            only = op.target.only or (constraint.no_inherit and context.pg_version < versions.CHILDREN_LOCKED_WITHOUT_CONSTRAINT)
            for table in context.with_descendants(relation, only=only) if relation is not None else ():
                scan = checked and context.has_rows(table) and not (constraint.no_inherit and table is not relation)
                yield from context.effect_on(table, _EXCLUSIVE, scan=scan, why=why if scan else "")
        case ConstraintKind.NOT_NULL:
            yield from not_null(
                context, name, constraint.columns, only=op.target.only, checked=not constraint.not_valid, alone=constraint.no_inherit
            )
        case _:
            yield from _constraint_with_index(context, name, relation, constraint, only=op.target.only)


def _constraint_with_index(context: EffectContext, name: Name, relation: Relation | None, constraint: sql.Constraint, *, only: bool) -> Effects:
    if constraint.index is not None:
        yield from context.effect_on_name(name, _EXCLUSIVE)
        index = context.catalog.index(Name(constraint.index.name, relation.name.schema)) if relation is not None else None
        if constraint.kind is ConstraintKind.PRIMARY_KEY:
            numbers = [key.column for key in index.keys if key.column is not None] if index is not None else []
            columns = [column.name for column in relation.columns if column.number in numbers] if relation is not None else []
            if index is None or relation is None:
                yield from context.effect_on_name(name, _EXCLUSIVE, scan=True, why="the index's columns may contain nulls")
            else:
                yield from not_null(context, name, columns)
        return
    why = f"a unique index is built for the {constraint.kind.value} constraint"
    if constraint.kind is ConstraintKind.EXCLUDE:
        why = "an index is built for the exclusion constraint, and every row is looked up in it"
    if relation is None:
        yield from context.effect_on_name(name, _EXCLUSIVE, scan=True, why=why)
        return
    yield from context.effect_on(relation, _EXCLUSIVE, scan=context.has_rows(relation), why=why if context.has_rows(relation) else "")
    # With ONLY the indexes of the partitions are attached later.
    for partition in context.catalog.descendants(relation.oid) if relation.kind is RelationKind.PARTITIONED and not only else ():
        has_rows = context.has_rows(partition)
        yield from context.effect_on(
            partition,
            _EXCLUSIVE if context.pg_version >= versions.PARTITION_INDEX_LOCKS_EXCLUSIVELY else LockMode.SHARE,
            scan=has_rows,
            why=why if has_rows else "",
        )
    if constraint.kind is ConstraintKind.PRIMARY_KEY:
        yield from not_null(context, name, constraint.columns, only=only)


def not_null(
    context: EffectContext, name: Name, columns: Iterable[str], *, only: bool = False, checked: bool = True, alone: bool = False
) -> Effects:
    """The effects of making columns NOT NULL: every row is read, unless the columns are proved to have no nulls. `alone`: the tables below are
    locked, but their columns do not change."""
    relation = context.catalog.relation(name)
    columns = tuple(columns)
    why = "every row is checked for nulls"
    if relation is None:
        yield from context.effect_on_name(name, _EXCLUSIVE, scan=checked, why=why if checked else "")
        return
    for table in context.with_descendants(relation, only=only):
        scan = checked and context.has_rows(table) and not (alone and table is not relation)
        scan = scan and not all(proved_not_null(context, table, column) for column in columns)
        yield from context.effect_on(table, _EXCLUSIVE, scan=scan, why=why if scan else "")


@EFFECTS.register(sql.SetNotNull)
def set_not_null(context: EffectContext, op: sql.SetNotNull) -> Effects:
    """SET NOT NULL."""
    yield from not_null(context, op.target.name, (op.column,), only=op.target.only)


def _foreign_key(context: EffectContext, name: Name, relation: Relation | None, foreign_key: sql.Constraint, *, checked: bool) -> Effects:
    assert foreign_key.references is not None
    why = "every row is looked up in the referenced table" if checked else ""
    if relation is None:
        yield from context.effect_on_name(name, _SHARE_ROW, scan=checked, why=why)
    # From this version on the children of an inheritance tree are locked although the foreign key does not apply to them.
    only = relation is not None and relation.kind is not RelationKind.PARTITIONED
    is_looked_up, is_reused = checked and relation is None, False
    for table in (
        context.with_descendants(relation, only=only and context.pg_version < versions.CHILDREN_LOCKED_WITHOUT_CONSTRAINT)
        if relation is not None
        else ()
    ):
        scan = checked and context.has_rows(table) and not (only and table is not relation)
        if scan and table is not relation and _has_foreign_key(context, table, foreign_key):
            # The partition's own valid foreign key is reused without a check; dropping its triggers locks the referenced table.
            scan, is_reused = False, True
        yield from context.effect_on(table, _SHARE_ROW, scan=scan, why=why if scan else "")
        is_looked_up = is_looked_up or scan
    # If the table has no rows, there is nothing to look up.
    lock = _EXCLUSIVE if is_reused else _SHARE_ROW
    yield from referenced_table(
        context, foreign_key.references.table, checked=is_looked_up and not context.catalog.is_empty(relation), lock=lock
    )


def _has_foreign_key(context: EffectContext, relation: Relation, foreign_key: sql.Constraint) -> bool:
    """Whether a table has a valid foreign key with the same columns and the same referenced table."""
    assert foreign_key.references is not None
    referenced = context.catalog.relation(foreign_key.references.table)
    for constraint in context.catalog.constraints(relation.oid):
        columns = [column.name for number in constraint.columns if (column := relation.column_numbered(number)) is not None]
        if constraint.kind is not ConstraintKind.FOREIGN_KEY or not constraint.valid or columns != list(foreign_key.columns):
            continue
        if referenced is None or constraint.references != referenced.oid:
            if referenced is None and constraint.references is None:
                return True
            continue
        referenced_columns = [
            column.name for number in constraint.referenced_columns if (column := referenced.column_numbered(number)) is not None
        ]
        if referenced_columns == list(foreign_key.references.columns or referenced_columns):
            return True
    return False


def referenced_table(context: EffectContext, name: Name, *, checked: bool, lock: LockMode = _SHARE_ROW) -> Effects:
    """The effects of a new foreign key on the referenced table and its partitions."""
    why = "the rows of the referencing table are looked up in it" if checked else ""
    referenced = context.catalog.relation(name)
    if referenced is None:
        yield from context.effect_on_name(name, lock, scan=checked, why=why)
        return
    for table in context.with_descendants(referenced) if referenced.kind is RelationKind.PARTITIONED else [referenced]:
        scan = checked and context.has_rows(table)
        # The query that validates the foreign key names only the partitioned table; its partitions are only read.
        weaker = lock is LockMode.ROW_SHARE and table is not referenced
        yield from context.effect_on(table, LockMode.ACCESS_SHARE if weaker else lock, scan=scan, why=why if scan else "")


@EFFECTS.register(sql.ValidateConstraint)
def validate(context: EffectContext, op: sql.ValidateConstraint) -> Effects:
    """VALIDATE CONSTRAINT: reads the rows without blocking reads and writes."""
    relation = context.catalog.relation(op.target.name)
    lock = LockMode.SHARE_UPDATE_EXCLUSIVE
    why = f"every row is checked against {op.constraint}"
    constraint = context.catalog.constraint(relation.oid, op.constraint) if relation is not None else None
    if relation is None or constraint is None:
        unknown = relation is None or not relation.complete
        yield from context.effect_on_name(op.target.name, lock, scan=unknown, why=why if unknown else "")
        return
    if constraint.valid:
        yield from context.effect_on(relation, lock)
        return
    is_foreign = constraint.kind is ConstraintKind.FOREIGN_KEY
    below = (
        []
        if constraint.no_inherit or (is_foreign and relation.kind is not RelationKind.PARTITIONED)
        else context.catalog.descendants(relation.oid)
    )
    for table in (relation, *below):
        table_constraint = context.catalog.constraint(table.oid, op.constraint)
        scan = context.has_rows(table) and (table_constraint is None or not table_constraint.valid)
        yield from context.effect_on(table, lock, scan=scan, why=why if scan else "")
    if is_foreign and constraint.references is not None:
        referenced = context.catalog.get(constraint.references)
        if isinstance(referenced, Relation):
            yield from referenced_table(context, referenced.name, checked=True, lock=LockMode.ROW_SHARE)


@EFFECTS.register(sql.DropConstraint)
def drop_constraint(context: EffectContext, op: sql.DropConstraint) -> Effects:
    """DROP CONSTRAINT: a foreign key's triggers on the referenced table are dropped too, which locks that table."""
    yield from context.effect_on_name(op.target.name, _EXCLUSIVE, op.target.kind)
    relation = context.catalog.relation(op.target.name)
    if relation is None:
        return
    constraint = context.catalog.constraint(relation.oid, op.constraint)
    if constraint is None:
        return
    if constraint.kind in (ConstraintKind.CHECK, ConstraintKind.NOT_NULL):
        # With ONLY the children keep the constraint as their own.
        below = context.catalog.children(relation.oid) if op.target.only else context.catalog.descendants(relation.oid)
        yield from context.effects_on(below, _EXCLUSIVE)
    yield from context.effect_on_oid(constraint.references, _EXCLUSIVE)
    yield from drop_effects(context, constraint_drop_result(context.catalog, constraint, cascade=op.cascade, only=op.target.only).parts)


@EFFECTS.register(sql.AlterConstraint)
def alter_constraint(context: EffectContext, op: sql.AlterConstraint) -> Effects:
    """ALTER CONSTRAINT."""
    relation = context.catalog.relation(op.target.name)
    constraint = context.catalog.constraint(relation.oid, op.constraint) if relation is not None else None
    if constraint is None or relation is None:
        # ENFORCED checks the rows unless the constraint is enforced already, which is unknown.
        scan = op.enforced is True and (relation is None or context.has_rows(relation))
        why = f"every row is checked against {op.constraint}" if scan else ""
        yield from context.effect_on_name(op.target.name, _EXCLUSIVE, op.target.kind, scan=scan, why=why)
        return
    yield from context.effect_on_name(op.target.name, _EXCLUSIVE, op.target.kind)
    if constraint.kind is ConstraintKind.FOREIGN_KEY and relation.kind is RelationKind.PARTITIONED:
        yield from context.effects_on(context.catalog.descendants(relation.oid), _EXCLUSIVE)
    if op.enforced is False and constraint.enforced:
        # The triggers on the referenced table are dropped.
        yield from context.effect_on_oid(constraint.references, _EXCLUSIVE)
    if op.inherited_by_children is not None:
        why = f"every row is checked against {op.constraint}" if op.inherited_by_children else ""
        for table in context.catalog.descendants(relation.oid):
            scan = op.inherited_by_children and context.has_rows(table)
            yield from context.effect_on(table, _EXCLUSIVE, scan=scan, why=why if scan else "")
    if op.enforced and not constraint.enforced:
        why = f"every row is checked against {op.constraint}"
        has_parts = relation.kind is RelationKind.PARTITIONED or (constraint.kind is ConstraintKind.CHECK and not constraint.no_inherit)
        for table in (relation, *(context.catalog.descendants(relation.oid) if has_parts else ())):
            if context.has_rows(table):
                yield from context.effect_on(table, _EXCLUSIVE, scan=True, why=why)
        yield from context.effect_on_oid(constraint.references, _SHARE_ROW, scan=True)
