"""What the catalogue lets PostgreSQL, and migsafe, know without reading a row."""

from migsafe.effects.scene import Scene
from migsafe.schema.objects import Column, Constraint, Domain, Relation
from migsafe.sql.operations import Bound, ConstraintKind, Name, TypeName


def proved_not_null(scene: Scene, relation: Relation, column: str) -> bool:
    """Whether a column is NOT NULL already, or a valid CHECK implies it."""
    found = relation.column(column)
    if found is None:
        return False
    return bool(found.not_null) or check_implies_not_null(scene, relation, found)


def valid_checks(scene: Scene, relation: Relation) -> list[Constraint]:
    """A table's CHECKs that all its rows are known to fulfil."""
    return [one for one in scene.catalog.constraints(relation.oid) if one.kind is ConstraintKind.CHECK and one.valid and one.enforced]


def check_implies_not_null(scene: Scene, relation: Relation, column: Column) -> bool:
    """Whether a valid CHECK implies that a column is not null."""
    for one in valid_checks(scene, relation):
        name = dict(one.check.uses).get(column.number) if one.check is not None else None
        if one.check is not None and name is not None:
            from migsafe.effects.proofs import proves_not_null  # noqa: PLC0415

            if proves_not_null(one.check.expression, name):
                return True
    return False


def domain_of(scene: Scene, type_name: TypeName | None) -> Domain | None:
    """The domain that a type is."""
    found = scene.catalog.type_of(type_name) if type_name is not None else None
    return found if isinstance(found, Domain) else None


def is_constrained(scene: Scene, type_name: TypeName | None) -> bool:
    """Whether a type is a domain with a constraint of its own, or over one that has."""
    seen: set[Name] = set()
    domain = domain_of(scene, type_name)
    while domain is not None and domain.name not in seen:
        if domain.constrained:
            return True
        seen.add(domain.name)
        domain = domain_of(scene, domain.type)
    return False


def bound_is_proved(scene: Scene, parent: Relation, child: Relation, bound: Bound) -> bool:
    """Whether a table's valid CHECKs, and its NOT NULLs, prove that its rows belong in the partition that it becomes."""
    return False


def default_is_proved(scene: Scene, parent: Relation, default: Relation, bound: Bound) -> bool:
    """Whether the default partition's valid CHECKs prove that no row in it belongs in a new partition."""
    return False
