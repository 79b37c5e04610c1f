"""The objects that are dropped with another (manual, 5.15, Dependency Tracking; PostgreSQL's pg_depend)."""

from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from migsafe import versions
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import (
    Attached,
    Composite,
    Constraint,
    Domain,
    EnumType,
    Function,
    Index,
    Object,
    Publication,
    Relation,
    RelationKind,
    Trigger,
)
from migsafe.sql.operations import ConstraintKind, Name, TypeName


class Part(NamedTuple):
    """An object, or a relation's column, or only that column's default."""

    oid: int
    column: int = 0
    default: bool = False


class DropResult(Struct):
    """The result of a DROP. `parts` are the named objects and all that are dropped with them; `held_by` are those that prevent the drop,
    because they depend on one of the parts and the statement has no CASCADE."""

    parts: tuple[Part, ...]
    held_by: tuple[Part, ...] = ()


def find_dropped_parts(catalog: Catalog, dropped: Iterable[Part], *, cascade: bool = False) -> DropResult:
    """Returns what is dropped with some objects. Objects that need CASCADE are dropped without it too, because the history has run."""
    waiting = list(dict.fromkeys(dropped))
    found: dict[Part, None] = dict.fromkeys(waiting)
    normal: dict[Part, None] = {}
    # What goes by itself first: an object that also rests on one of these in another way does not hold the drop up.
    while waiting:
        part = waiting.pop(0)
        for other, automatic in dependents(catalog, part):
            if _is_in(other, found):
                continue
            if automatic:
                found[other] = None
                waiting.append(other)
                normal.pop(other, None)
            else:
                normal[other] = None
        if not waiting and normal:
            held_by = () if cascade else tuple(one for one in normal if not _is_in(one, found))
            if held_by:
                rest = find_dropped_parts(catalog, (*found, *held_by), cascade=True)
                return DropResult(rest.parts, held_by)
            waiting.extend(one for one in normal if one not in found)
            found.update(dict.fromkeys(normal))
            normal.clear()
    return DropResult(tuple(found))


def _is_in(part: Part, found: Container[Part]) -> bool:
    """Whether a part is dropped: itself, the column whose default it is, or its whole relation."""
    return part in found or Part(part.oid) in found or Part(part.oid, part.column) in found


def dependents(catalog: Catalog, part: Part) -> Iterator[tuple[Part, bool]]:
    """Returns the direct dependents of an object, each with whether it is dropped automatically, or only by CASCADE."""
    one = catalog.get(part.oid)
    match one:
        case Relation() if part.default:
            return
        case Relation() if part.column:
            yield from _of_column(catalog, one, part.column)
        case Relation():
            yield from _of_relation(catalog, one)
        case Constraint():
            if one.index is not None and one.kind is not ConstraintKind.FOREIGN_KEY:
                yield Part(one.index), True
            for child in catalog.dependents(one.oid, Constraint):
                yield Part(child.oid), child.parent == one.oid
        case Index():
            for other in catalog.dependents(one.oid, Constraint):
                yield Part(other.oid), other.kind is not ConstraintKind.FOREIGN_KEY
            for piece in catalog.dependents(one.oid, Index):
                yield Part(piece.oid), True
        case Trigger():
            for copy in catalog.dependents(one.oid, Trigger):
                yield Part(copy.oid), True
        case Function():
            yield from _of_function(catalog, one)
        case EnumType() | Domain() | Composite():
            yield from _of_type(catalog, one)


def _of_relation(catalog: Catalog, relation: Relation) -> Iterator[tuple[Part, bool]]:
    # A foreign key to a partitioned table rests on every partition.
    above = catalog.get(relation.parents[0]) if relation.bound is not None and relation.parents else None
    while isinstance(above, Relation):
        for constraint in catalog.foreign_keys_to(above.oid):
            yield Part(constraint.oid), False
        above = catalog.get(above.parents[0]) if above.bound is not None and above.parents else None
    for one in catalog.dependents(relation.oid, Object):
        match one:
            case Index() | Attached():
                yield Part(one.oid), not isinstance(one, Attached) or one.table == relation.oid
            case Constraint():
                yield Part(one.oid), one.table == relation.oid
            case Trigger():
                yield Part(one.oid), one.table == relation.oid
            case Relation() if relation.oid in one.parents:
                yield Part(one.oid), one.bound is not None
            case Relation() if relation.oid in one.reads:
                yield Part(one.oid), False
            case Relation() if one.owner is not None and one.owner[0] == relation.oid:
                yield Part(one.oid), True
            case Relation():
                for column in one.columns:
                    if column.default is not None and relation.oid in column.default.sequences:
                        yield Part(one.oid, column.number, default=True), False


def _of_column(catalog: Catalog, relation: Relation, number: int) -> Iterator[tuple[Part, bool]]:
    for one in catalog.dependents(relation.oid, Object):
        match one:
            case Index() if number in one.columns:
                yield Part(one.oid), True
            case Constraint() if one.table == relation.oid and number in one.columns:
                yield Part(one.oid), True
            case Constraint() if one.references == relation.oid and number in one.referenced_columns:
                yield Part(one.oid), False
            case Trigger() | Attached() if one.table == relation.oid and number in one.columns:
                yield Part(one.oid), isinstance(one, Attached) and one.kind == "statistics"
            case Relation() if (relation.oid, number) in one.column_uses:
                yield Part(one.oid), False
            case Relation() if one.owner == (relation.oid, number):
                yield Part(one.oid), True
    for column in relation.columns:
        if column.generated and column.default is not None and number in column.default.columns:
            # Up to 14 a generated column goes with what it is computed from.
            yield Part(relation.oid, column.number), catalog.pg_version < versions.GENERATED_COLUMNS_BLOCK_DROPS


def _of_function(catalog: Catalog, function: Function) -> Iterator[tuple[Part, bool]]:
    for trigger in catalog.dependents(function.oid, Trigger):
        yield Part(trigger.oid), False
    if len(catalog.functions(function.name)) > 1 or "trigger" in function.returns:
        return  # which of the overloads an expression calls is not known; a trigger function can be called by none
    for relation in catalog.relations():
        if relation.query is not None and _calls(catalog, relation.query.calls, function):
            yield Part(relation.oid), False
        for column in relation.columns:
            if column.default is not None and _calls(catalog, column.default.expression.calls, function):
                yield Part(relation.oid, column.number, default=not column.generated), False
    for constraint in catalog.objects_of(Constraint):
        if constraint.check is not None and _calls(catalog, constraint.check.expression.calls, function):
            yield Part(constraint.oid), False
    for index in catalog.objects_of(Index):
        formulas = (*(key.formula for key in index.keys), index.predicate)
        if any(one is not None and _calls(catalog, one.expression.calls, function) for one in formulas):
            yield Part(index.oid), False


def _calls(catalog: Catalog, calls: Iterable[Name], function: Function) -> bool:
    return any(
        call.name == function.name.name
        and (call.schema or function.name.schema) == function.name.schema
        and function in catalog.functions(call)
        for call in calls
    )


def _of_type(catalog: Catalog, one: EnumType | Domain | Composite) -> Iterator[tuple[Part, bool]]:
    for relation in catalog.relations():
        if relation.of_type == one.name:
            yield Part(relation.oid), False
        for column in relation.columns:
            if is_type_named(column.type, one.name):
                yield Part(relation.oid, column.number), False
    for domain in catalog.objects_of(Domain):
        if is_type_named(domain.type, one.name):
            yield Part(domain.oid), False
    for composite in catalog.objects_of(Composite):
        if any(is_type_named(attribute, one.name) for _, attribute in composite.attributes):
            yield Part(composite.oid), False


def is_type_named(column_type: TypeName | None, name: Name) -> bool:
    """Whether a type, or the element type of an array, has this qualified name."""
    return column_type is not None and (column_type.name, column_type.schema) == (name.name, name.schema)


def drop_parts(catalog: Catalog, parts: Iterable[Part]) -> None:
    """Drops the parts."""
    for part in reversed(tuple(parts)):
        one = catalog.get(part.oid)
        if one is None:
            continue
        if not part.column:
            _remove_from_publications(catalog, one)
            catalog.drop(part.oid)
        elif isinstance(one, Relation):
            if part.default:
                kept = tuple(replace(column, default=None) if column.number == part.column else column for column in one.columns)
            else:
                kept = tuple(column for column in one.columns if column.number != part.column)
            catalog.change(one, columns=kept)


def _remove_from_publications(catalog: Catalog, one: Object) -> None:
    if isinstance(one, Relation) and one.kind in (RelationKind.TABLE, RelationKind.PARTITIONED):
        for publication in catalog.dependents(one.oid, Publication):
            catalog.change(publication, tables=tuple(oid for oid in publication.tables if oid != one.oid))


def object_description(catalog: Catalog, part: Part) -> str:
    """Returns an object's name as in PostgreSQL's messages: `view public.v`, `column a of table public.t`."""
    one = catalog.get(part.oid)
    match one:
        case Relation() if part.column:
            column = one.column_numbered(part.column)
            name = f"column {column.name if column else '?'} of {one.kind.value} {one.name}"
            return f"default value for {name}" if part.default else name
        case Relation():
            return f"{one.kind.value} {one.name}"
        case Constraint() | Trigger():
            table = catalog.get(one.table)
            return f"{type(one).__name__.lower()} {one.name.name} on {table.name if table else '?'}"
        case Function():
            return f"{one.kind} {one.name}({', '.join(one.arguments)})"
        case None:
            return "a dropped object"
    return f"{type(one).__name__.lower().removesuffix('type')} {one.name}"
