"""What constraints cost: which rows are checked when one is added, validated, changed or dropped."""

from collections.abc import Iterable

from migsafe.lock import LockMode
from migsafe.prediction.effects.drops import fallen
from migsafe.prediction.effects.known_facts import proved_not_null
from migsafe.prediction.effects.scene import Effects, Scene
from migsafe.schema.altered_constraints import constraint_fall
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name

_EXCLUSIVE = LockMode.ACCESS_EXCLUSIVE
_SHARE_ROW = LockMode.SHARE_ROW_EXCLUSIVE


def add_constraint(scene: Scene, op: sql.AddConstraint) -> Effects:
    """ADD CONSTRAINT."""
    given = op.constraint
    name, kind = op.target.name, op.target.kind
    relation = scene.catalog.relation(name)
    match given.kind:
        case ConstraintKind.FOREIGN_KEY:
            yield from _foreign_key(scene, name, relation, given, checked=given.enforced and not given.not_valid)
        case ConstraintKind.CHECK:
            checked = given.enforced and not given.not_valid
            why = "every row is checked against the new CHECK" if checked else ""
            if relation is None:
                yield from scene.on(name, _EXCLUSIVE, kind, scan=checked, why=why)
            # Since 18 the children are locked even where the CHECK is not for them.
            only = op.target.only or (given.no_inherit and scene.pg_version < 18)
            for one in scene.tree(relation, only=only) if relation is not None else ():
                scan = checked and scene.has_rows(one) and not (given.no_inherit and one is not relation)
                yield from scene.of(one, _EXCLUSIVE, scan=scan, why=why if scan else "")
        case ConstraintKind.NOT_NULL:
            yield from not_null(scene, name, given.columns, only=op.target.only, checked=not given.not_valid, alone=given.no_inherit)
        case _:
            yield from _behind_index(scene, name, relation, given, only=op.target.only)


def _behind_index(scene: Scene, name: Name, relation: Relation | None, given: sql.Constraint, *, only: bool) -> Effects:
    if given.index is not None:
        yield from scene.on(name, _EXCLUSIVE)
        index = scene.catalog.index(Name(given.index.name, relation.name.schema)) if relation is not None else None
        if given.kind is ConstraintKind.PRIMARY_KEY:
            numbers = [key.column for key in index.keys if key.column is not None] if index is not None else []
            columns = [column.name for column in relation.columns if column.number in numbers] if relation is not None else []
            if index is None or relation is None:
                yield from scene.on(name, _EXCLUSIVE, scan=True, why="the index's columns may be null as far as is known")
            else:
                yield from not_null(scene, name, columns)
        return
    why = f"a unique index is built for the {given.kind.value} constraint"
    if given.kind is ConstraintKind.EXCLUDE:
        why = "an index is built for the exclusion constraint, and every row is looked up in it"
    if relation is None:
        yield from scene.on(name, _EXCLUSIVE, scan=True, why=why)
        return
    yield from scene.of(relation, _EXCLUSIVE, scan=scene.has_rows(relation), why=why if scene.has_rows(relation) else "")
    # With ONLY the partitions' indexes are to be attached later.
    for one in scene.catalog.descendants(relation.oid) if relation.kind is RelationKind.PARTITIONED and not only else ():
        has_rows = scene.has_rows(one)
        yield from scene.of(one, _EXCLUSIVE if scene.pg_version >= 18 else LockMode.SHARE, scan=has_rows, why=why if has_rows else "")
    if given.kind is ConstraintKind.PRIMARY_KEY:
        yield from not_null(scene, name, given.columns, only=only)


def not_null(scene: Scene, name: Name, columns: Iterable[str], *, only: bool = False, checked: bool = True, alone: bool = False) -> Effects:
    """What it takes to make columns NOT NULL: every row is read, unless that is known already. `alone`: the tables below are locked, but not
    concerned."""
    relation = scene.catalog.relation(name)
    columns = tuple(columns)
    why = "every row is checked for nulls"
    if relation is None:
        yield from scene.on(name, _EXCLUSIVE, scan=checked, why=why if checked else "")
        return
    for one in scene.tree(relation, only=only):
        scan = checked and scene.has_rows(one) and not (alone and one is not relation)
        scan = scan and not all(proved_not_null(scene, one, column) for column in columns)
        yield from scene.of(one, _EXCLUSIVE, scan=scan, why=why if scan else "")


def set_not_null(scene: Scene, op: sql.SetNotNull) -> Effects:
    """SET NOT NULL."""
    yield from not_null(scene, op.target.name, (op.column,), only=op.target.only)


def _foreign_key(scene: Scene, name: Name, relation: Relation | None, given: sql.Constraint, *, checked: bool) -> Effects:
    assert given.references is not None
    why = "every row is looked up in the referenced table" if checked else ""
    if relation is None:
        yield from scene.on(name, _SHARE_ROW, scan=checked, why=why)
    # Since 18 the children of an inheritance tree are locked too, though the foreign key is not for them.
    only = relation is not None and relation.kind is not RelationKind.PARTITIONED
    looked_up, taken_over = checked and relation is None, False
    for one in scene.tree(relation, only=only and scene.pg_version < 18) if relation is not None else ():
        scan = checked and scene.has_rows(one) and not (only and one is not relation)
        if scan and one is not relation and _has_foreign_key(scene, one, given):
            # A partition's own is taken over with its proof; that its triggers go locks the referenced table.
            scan, taken_over = False, True
        yield from scene.of(one, _SHARE_ROW, scan=scan, why=why if scan else "")
        looked_up = looked_up or scan
    # A table without rows has nothing to look up.
    lock = _EXCLUSIVE if taken_over else _SHARE_ROW
    yield from referenced_table(scene, given.references.table, checked=looked_up and not scene.catalog.is_new(relation), lock=lock)


def _has_foreign_key(scene: Scene, relation: Relation, given: sql.Constraint) -> bool:
    """Whether a table has a valid foreign key of its own that says the same."""
    assert given.references is not None
    referenced = scene.catalog.relation(given.references.table)
    for one in scene.catalog.constraints(relation.oid):
        here = [column.name for number in one.columns if (column := relation.numbered(number)) is not None]
        if one.kind is not ConstraintKind.FOREIGN_KEY or not one.valid or here != list(given.columns):
            continue
        if referenced is None or one.references != referenced.oid:
            if referenced is None and one.references is None:
                return True
            continue
        there = [column.name for number in one.referenced_columns if (column := referenced.numbered(number)) is not None]
        if there == list(given.references.columns or there):
            return True
    return False


def referenced_table(scene: Scene, name: Name, *, checked: bool, lock: LockMode = _SHARE_ROW) -> Effects:
    """What a new foreign key does to the table that it refers to, and to that one's partitions."""
    why = "the rows of the referencing table are looked up in it" if checked else ""
    referenced = scene.catalog.relation(name)
    if referenced is None:
        yield from scene.on(name, lock, scan=checked, why=why)
        return
    for one in scene.tree(referenced) if referenced.kind is RelationKind.PARTITIONED else [referenced]:
        scan = checked and scene.has_rows(one)
        # The query that validates names the partitioned table alone; its partitions are only read.
        weaker = lock is LockMode.ROW_SHARE and one is not referenced
        yield from scene.of(one, LockMode.ACCESS_SHARE if weaker else lock, scan=scan, why=why if scan else "")


def validate(scene: Scene, op: sql.ValidateConstraint) -> Effects:
    """VALIDATE CONSTRAINT: the rows are read while reads and writes go on."""
    relation = scene.catalog.relation(op.target.name)
    lock = LockMode.SHARE_UPDATE_EXCLUSIVE
    why = f"every row is checked against {op.constraint}"
    found = scene.catalog.constraint(relation.oid, op.constraint) if relation is not None else None
    if relation is None or found is None:
        unknown = relation is None or not relation.complete
        yield from scene.on(op.target.name, lock, scan=unknown, why=why if unknown else "")
        return
    if found.valid:
        yield from scene.of(relation, lock)
        return
    is_foreign = found.kind is ConstraintKind.FOREIGN_KEY
    below = (
        [] if found.no_inherit or (is_foreign and relation.kind is not RelationKind.PARTITIONED) else scene.catalog.descendants(relation.oid)
    )
    for one in (relation, *below):
        theirs = scene.catalog.constraint(one.oid, op.constraint)
        scan = scene.has_rows(one) and (theirs is None or not theirs.valid)
        yield from scene.of(one, lock, scan=scan, why=why if scan else "")
    if is_foreign and found.references is not None:
        referenced = scene.catalog.get(found.references)
        if isinstance(referenced, Relation):
            yield from referenced_table(scene, referenced.name, checked=True, lock=LockMode.ROW_SHARE)


def drop_constraint(scene: Scene, op: sql.DropConstraint) -> Effects:
    """DROP CONSTRAINT: for a foreign key the referenced table too, whose triggers go."""
    yield from scene.on(op.target.name, _EXCLUSIVE, op.target.kind)
    relation = scene.catalog.relation(op.target.name)
    if relation is None:
        return
    found = scene.catalog.constraint(relation.oid, op.constraint)
    if found is None:
        return
    if found.kind in (ConstraintKind.CHECK, ConstraintKind.NOT_NULL):
        # With ONLY the children keep it, as one of their own.
        below = scene.catalog.children(relation.oid) if op.target.only else scene.catalog.descendants(relation.oid)
        yield from scene.all_of(below, _EXCLUSIVE)
    yield from scene.on_oid(found.references, _EXCLUSIVE)
    yield from fallen(scene, constraint_fall(scene.catalog, found, cascade=op.cascade, only=op.target.only).parts)


def alter_constraint(scene: Scene, op: sql.AlterConstraint) -> Effects:
    """ALTER CONSTRAINT."""
    yield from scene.on(op.target.name, _EXCLUSIVE, op.target.kind)
    relation = scene.catalog.relation(op.target.name)
    found = scene.catalog.constraint(relation.oid, op.constraint) if relation is not None else None
    if found is None or relation is None:
        return
    if found.kind is ConstraintKind.FOREIGN_KEY and relation.kind is RelationKind.PARTITIONED:
        yield from scene.all_of(scene.catalog.descendants(relation.oid), _EXCLUSIVE)
    if op.enforced is False and found.enforced:
        # The triggers on the referenced table go.
        yield from scene.on_oid(found.references, _EXCLUSIVE)
    if op.inherit is not None:
        why = f"every row is checked against {op.constraint}" if op.inherit else ""
        for one in scene.catalog.descendants(relation.oid):
            scan = op.inherit and scene.has_rows(one)
            yield from scene.of(one, _EXCLUSIVE, scan=scan, why=why if scan else "")
    if op.enforced and not found.enforced:
        yield from scene.of(relation, _EXCLUSIVE, scan=True, why=f"every row is checked against {op.constraint}")
        yield from scene.on_oid(found.references, _SHARE_ROW, scan=True)


def new_foreign_keys(scene: Scene, given: Iterable[sql.Constraint], itself: Name) -> Effects:
    """What the foreign keys of a new table lock: the tables that they refer to."""
    for one in given:
        if one.references is not None and scene.catalog.resolve(one.references.table) != itself:
            yield from referenced_table(scene, one.references.table, checked=False)
