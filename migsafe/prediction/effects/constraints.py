"""What constraints cost: which rows are checked when one is added, validated, changed or dropped."""

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
    given = op.constraint
    name, kind = op.target.name, op.target.kind
    relation = context.catalog.relation(name)
    match given.kind:
        case ConstraintKind.FOREIGN_KEY:
            yield from _foreign_key(context, name, relation, given, checked=given.enforced and not given.not_valid)
        case ConstraintKind.CHECK:
            checked = given.enforced and not given.not_valid
            why = "every row is checked against the new CHECK" if checked else ""
            if relation is None:
                yield from context.effect_on_name(name, _EXCLUSIVE, kind, scan=checked, why=why)
            # Since 18 the children are locked even where the CHECK is not for them.
            only = op.target.only or (given.no_inherit and context.pg_version < versions.CHILDREN_LOCKED_WITHOUT_CONSTRAINT)
            for one in context.with_descendants(relation, only=only) if relation is not None else ():
                scan = checked and context.has_rows(one) and not (given.no_inherit and one is not relation)
                yield from context.effect_on(one, _EXCLUSIVE, scan=scan, why=why if scan else "")
        case ConstraintKind.NOT_NULL:
            yield from not_null(context, name, given.columns, only=op.target.only, checked=not given.not_valid, alone=given.no_inherit)
        case _:
            yield from _behind_index(context, name, relation, given, only=op.target.only)


def _behind_index(context: EffectContext, name: Name, relation: Relation | None, given: sql.Constraint, *, only: bool) -> Effects:
    if given.index is not None:
        yield from context.effect_on_name(name, _EXCLUSIVE)
        index = context.catalog.index(Name(given.index.name, relation.name.schema)) if relation is not None else None
        if given.kind is ConstraintKind.PRIMARY_KEY:
            numbers = [key.column for key in index.keys if key.column is not None] if index is not None else []
            columns = [column.name for column in relation.columns if column.number in numbers] if relation is not None else []
            if index is None or relation is None:
                yield from context.effect_on_name(name, _EXCLUSIVE, scan=True, why="the index's columns may contain nulls")
            else:
                yield from not_null(context, name, columns)
        return
    why = f"a unique index is built for the {given.kind.value} constraint"
    if given.kind is ConstraintKind.EXCLUDE:
        why = "an index is built for the exclusion constraint, and every row is looked up in it"
    if relation is None:
        yield from context.effect_on_name(name, _EXCLUSIVE, scan=True, why=why)
        return
    yield from context.effect_on(relation, _EXCLUSIVE, scan=context.has_rows(relation), why=why if context.has_rows(relation) else "")
    # With ONLY the partitions' indexes are to be attached later.
    for one in context.catalog.descendants(relation.oid) if relation.kind is RelationKind.PARTITIONED and not only else ():
        has_rows = context.has_rows(one)
        yield from context.effect_on(
            one,
            _EXCLUSIVE if context.pg_version >= versions.PARTITION_INDEX_LOCKS_EXCLUSIVELY else LockMode.SHARE,
            scan=has_rows,
            why=why if has_rows else "",
        )
    if given.kind is ConstraintKind.PRIMARY_KEY:
        yield from not_null(context, name, given.columns, only=only)


def not_null(
    context: EffectContext, name: Name, columns: Iterable[str], *, only: bool = False, checked: bool = True, alone: bool = False
) -> Effects:
    """What it takes to make columns NOT NULL: every row is read, unless that is known already. `alone`: the tables below are locked, but not
    concerned."""
    relation = context.catalog.relation(name)
    columns = tuple(columns)
    why = "every row is checked for nulls"
    if relation is None:
        yield from context.effect_on_name(name, _EXCLUSIVE, scan=checked, why=why if checked else "")
        return
    for one in context.with_descendants(relation, only=only):
        scan = checked and context.has_rows(one) and not (alone and one is not relation)
        scan = scan and not all(proved_not_null(context, one, column) for column in columns)
        yield from context.effect_on(one, _EXCLUSIVE, scan=scan, why=why if scan else "")


@EFFECTS.register(sql.SetNotNull)
def set_not_null(context: EffectContext, op: sql.SetNotNull) -> Effects:
    """SET NOT NULL."""
    yield from not_null(context, op.target.name, (op.column,), only=op.target.only)


def _foreign_key(context: EffectContext, name: Name, relation: Relation | None, given: sql.Constraint, *, checked: bool) -> Effects:
    assert given.references is not None
    why = "every row is looked up in the referenced table" if checked else ""
    if relation is None:
        yield from context.effect_on_name(name, _SHARE_ROW, scan=checked, why=why)
    # Since 18 the children of an inheritance tree are locked too, though the foreign key is not for them.
    only = relation is not None and relation.kind is not RelationKind.PARTITIONED
    looked_up, taken_over = checked and relation is None, False
    for one in (
        context.with_descendants(relation, only=only and context.pg_version < versions.CHILDREN_LOCKED_WITHOUT_CONSTRAINT)
        if relation is not None
        else ()
    ):
        scan = checked and context.has_rows(one) and not (only and one is not relation)
        if scan and one is not relation and _has_foreign_key(context, one, given):
            # A partition's own is taken over with its proof; that its triggers go locks the referenced table.
            scan, taken_over = False, True
        yield from context.effect_on(one, _SHARE_ROW, scan=scan, why=why if scan else "")
        looked_up = looked_up or scan
    # A table without rows has nothing to look up.
    lock = _EXCLUSIVE if taken_over else _SHARE_ROW
    yield from referenced_table(context, given.references.table, checked=looked_up and not context.catalog.is_new(relation), lock=lock)


def _has_foreign_key(context: EffectContext, relation: Relation, given: sql.Constraint) -> bool:
    """Whether a table has a valid foreign key of its own that says the same."""
    assert given.references is not None
    referenced = context.catalog.relation(given.references.table)
    for one in context.catalog.constraints(relation.oid):
        here = [column.name for number in one.columns if (column := relation.column_numbered(number)) is not None]
        if one.kind is not ConstraintKind.FOREIGN_KEY or not one.valid or here != list(given.columns):
            continue
        if referenced is None or one.references != referenced.oid:
            if referenced is None and one.references is None:
                return True
            continue
        there = [column.name for number in one.referenced_columns if (column := referenced.column_numbered(number)) is not None]
        if there == list(given.references.columns or there):
            return True
    return False


def referenced_table(context: EffectContext, name: Name, *, checked: bool, lock: LockMode = _SHARE_ROW) -> Effects:
    """What a new foreign key does to the table that it refers to, and to that one's partitions."""
    why = "the rows of the referencing table are looked up in it" if checked else ""
    referenced = context.catalog.relation(name)
    if referenced is None:
        yield from context.effect_on_name(name, lock, scan=checked, why=why)
        return
    for one in context.with_descendants(referenced) if referenced.kind is RelationKind.PARTITIONED else [referenced]:
        scan = checked and context.has_rows(one)
        # The query that validates names the partitioned table alone; its partitions are only read.
        weaker = lock is LockMode.ROW_SHARE and one is not referenced
        yield from context.effect_on(one, LockMode.ACCESS_SHARE if weaker else lock, scan=scan, why=why if scan else "")


@EFFECTS.register(sql.ValidateConstraint)
def validate(context: EffectContext, op: sql.ValidateConstraint) -> Effects:
    """VALIDATE CONSTRAINT: the rows are read while reads and writes go on."""
    relation = context.catalog.relation(op.target.name)
    lock = LockMode.SHARE_UPDATE_EXCLUSIVE
    why = f"every row is checked against {op.constraint}"
    found = context.catalog.constraint(relation.oid, op.constraint) if relation is not None else None
    if relation is None or found is None:
        unknown = relation is None or not relation.complete
        yield from context.effect_on_name(op.target.name, lock, scan=unknown, why=why if unknown else "")
        return
    if found.valid:
        yield from context.effect_on(relation, lock)
        return
    is_foreign = found.kind is ConstraintKind.FOREIGN_KEY
    below = (
        [] if found.no_inherit or (is_foreign and relation.kind is not RelationKind.PARTITIONED) else context.catalog.descendants(relation.oid)
    )
    for one in (relation, *below):
        theirs = context.catalog.constraint(one.oid, op.constraint)
        scan = context.has_rows(one) and (theirs is None or not theirs.valid)
        yield from context.effect_on(one, lock, scan=scan, why=why if scan else "")
    if is_foreign and found.references is not None:
        referenced = context.catalog.get(found.references)
        if isinstance(referenced, Relation):
            yield from referenced_table(context, referenced.name, checked=True, lock=LockMode.ROW_SHARE)


@EFFECTS.register(sql.DropConstraint)
def drop_constraint(context: EffectContext, op: sql.DropConstraint) -> Effects:
    """DROP CONSTRAINT: for a foreign key the referenced table too, whose triggers go."""
    yield from context.effect_on_name(op.target.name, _EXCLUSIVE, op.target.kind)
    relation = context.catalog.relation(op.target.name)
    if relation is None:
        return
    found = context.catalog.constraint(relation.oid, op.constraint)
    if found is None:
        return
    if found.kind in (ConstraintKind.CHECK, ConstraintKind.NOT_NULL):
        # With ONLY the children keep it, as one of their own.
        below = context.catalog.children(relation.oid) if op.target.only else context.catalog.descendants(relation.oid)
        yield from context.effects_on(below, _EXCLUSIVE)
    yield from context.effect_on_oid(found.references, _EXCLUSIVE)
    yield from drop_effects(context, constraint_drop_result(context.catalog, found, cascade=op.cascade, only=op.target.only).parts)


@EFFECTS.register(sql.AlterConstraint)
def alter_constraint(context: EffectContext, op: sql.AlterConstraint) -> Effects:
    """ALTER CONSTRAINT."""
    yield from context.effect_on_name(op.target.name, _EXCLUSIVE, op.target.kind)
    relation = context.catalog.relation(op.target.name)
    found = context.catalog.constraint(relation.oid, op.constraint) if relation is not None else None
    if found is None or relation is None:
        return
    if found.kind is ConstraintKind.FOREIGN_KEY and relation.kind is RelationKind.PARTITIONED:
        yield from context.effects_on(context.catalog.descendants(relation.oid), _EXCLUSIVE)
    if op.enforced is False and found.enforced:
        # The triggers on the referenced table go.
        yield from context.effect_on_oid(found.references, _EXCLUSIVE)
    if op.inherited_by_children is not None:
        why = f"every row is checked against {op.constraint}" if op.inherited_by_children else ""
        for one in context.catalog.descendants(relation.oid):
            scan = op.inherited_by_children and context.has_rows(one)
            yield from context.effect_on(one, _EXCLUSIVE, scan=scan, why=why if scan else "")
    if op.enforced and not found.enforced:
        yield from context.effect_on(relation, _EXCLUSIVE, scan=True, why=f"every row is checked against {op.constraint}")
        yield from context.effect_on_oid(found.references, _SHARE_ROW, scan=True)
