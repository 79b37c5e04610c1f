"""The objects that are dropped with another (manual, 5.15, Dependency Tracking; PostgreSQL's pg_depend)."""

from collections.abc import Callable, Container, Iterable, Iterator
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from migsafe import versions
from migsafe.schema.aggregates import Aggregate
from migsafe.schema.catalog import Catalog
from migsafe.schema.column_uses import ColumnUses, column_uses
from migsafe.schema.event_triggers import EventTrigger
from migsafe.schema.extensions import BTREE_EXTENSIONS, EXTENSION_FUNCTIONS, EXTENSION_OPERATOR_CLASSES, EXTENSION_TYPES, PLAIN_TYPES
from migsafe.schema.objects import (
    Attached,
    Composite,
    Constraint,
    Domain,
    EnumType,
    Extension,
    Formula,
    Function,
    Index,
    Key,
    Object,
    Publication,
    PublishedColumns,
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
    because they depend on one of the parts and the statement has no CASCADE; `own` are the parts that do not need CASCADE."""

    parts: tuple[Part, ...]
    held_by: tuple[Part, ...] = ()
    own: tuple[Part, ...] = ()


def find_dropped_parts(catalog: Catalog, dropped: Iterable[Part], *, cascade: bool = False, possible: bool = False) -> DropResult:
    """Returns the objects that are dropped with some objects. Objects that need CASCADE are included without it too, because the statement of
    the history succeeded; `possible`: also those of which it is not certain that they depend on them."""
    waiting = list(dict.fromkeys(dropped))
    parts: dict[Part, None] = dict.fromkeys(waiting)
    normal: dict[Part, None] = {}
    # Automatic dependents come first: an object that is dropped automatically does not prevent the drop, even if it also depends on a
    # dropped object in another way.
    while waiting:
        part = waiting.pop(0)
        for dependent, automatic in dependents(catalog, part, possible=possible):
            if _is_in(dependent, parts):
                continue
            if automatic:
                parts[dependent] = None
                waiting.append(dependent)
                normal.pop(dependent, None)
            else:
                normal[dependent] = None
        if not waiting and normal:
            held_by = () if cascade else tuple(part for part in normal if not _is_in(part, parts))
            if held_by:
                result = find_dropped_parts(catalog, (*parts, *held_by), cascade=True, possible=possible)
                return DropResult(result.parts, held_by, tuple(parts))
            waiting.extend(part for part in normal if part not in parts)
            parts.update(dict.fromkeys(normal))
            normal.clear()
    return DropResult(tuple(parts), own=tuple(parts))


def _is_in(part: Part, parts: Container[Part]) -> bool:
    """Whether a part is dropped: itself, the column whose default it is, or its whole relation."""
    return part in parts or Part(part.oid) in parts or Part(part.oid, part.column) in parts


def dependents(catalog: Catalog, part: Part, *, possible: bool = False) -> Iterator[tuple[Part, bool]]:
    """Returns the direct dependents of an object, each with whether it is dropped automatically, or only by CASCADE. `possible`: also the views
    and policies of which it is not certain that they use it."""
    dropped = catalog.get(part.oid)
    match dropped:
        case Relation() if part.default:
            return
        case Relation() if part.column:
            yield from _of_column(catalog, dropped, part.column, possible=possible)
        case Relation():
            yield from _of_relation(catalog, dropped)
        case Constraint():
            if dropped.index is not None and dropped.kind is not ConstraintKind.FOREIGN_KEY:
                yield Part(dropped.index), True
            for child in catalog.dependents(dropped.oid, Constraint):
                yield Part(child.oid), child.parent == dropped.oid
        case Index():
            for constraint in catalog.dependents(dropped.oid, Constraint):
                yield Part(constraint.oid), constraint.kind is not ConstraintKind.FOREIGN_KEY
            for partition_index in catalog.dependents(dropped.oid, Index):
                yield Part(partition_index.oid), True
        case Trigger():
            for copy in catalog.dependents(dropped.oid, Trigger):
                yield Part(copy.oid), True
        case Publication():
            for published in catalog.dependents(dropped.oid, PublishedColumns):
                yield Part(published.oid), True
        case Function():
            yield from _of_function(catalog, dropped)
        case EnumType() | Domain() | Composite():
            yield from _of_type(catalog, dropped)
        case Extension():
            yield from users_of_extension(catalog, dropped.name.name)


def _of_relation(catalog: Catalog, relation: Relation) -> Iterator[tuple[Part, bool]]:
    if relation.oid in catalog.row_types:
        yield from _columns_of_type(catalog, relation.name, apart=relation.oid)
    yield from _functions_over(catalog, relation.name)
    # A foreign key to a partitioned table depends on every partition.
    ancestor = catalog.get(relation.parents[0]) if relation.bound is not None and relation.parents else None
    while isinstance(ancestor, Relation):
        for constraint in catalog.foreign_keys_to(ancestor.oid):
            yield Part(constraint.oid), False
        ancestor = catalog.get(ancestor.parents[0]) if ancestor.bound is not None and ancestor.parents else None
    for dependent in catalog.dependents(relation.oid, Object):
        match dependent:
            case Index() | Attached():
                yield Part(dependent.oid), not isinstance(dependent, Attached) or dependent.table == relation.oid
            case Constraint():
                yield Part(dependent.oid), dependent.table == relation.oid
            case Trigger():
                yield Part(dependent.oid), dependent.table == relation.oid
            case PublishedColumns():
                yield Part(dependent.oid), True
            case Function():
                yield Part(dependent.oid), False
            case Relation() if relation.oid in dependent.parents:
                yield Part(dependent.oid), dependent.bound is not None
            case Relation() if relation.oid in dependent.reads:
                yield Part(dependent.oid), False
            case Relation() if dependent.owner is not None and dependent.owner[0] == relation.oid:
                yield Part(dependent.oid), True
            case Relation():
                for column in dependent.columns:
                    if column.default is not None and relation.oid in column.default.sequences:
                        yield Part(dependent.oid, column.number, default=True), False


def _of_column(catalog: Catalog, relation: Relation, number: int, *, possible: bool) -> Iterator[tuple[Part, bool]]:
    for dependent in catalog.dependents(relation.oid, Object):
        match dependent:
            case Index() if number in dependent.columns:
                yield Part(dependent.oid), True
            case Constraint() if dependent.table == relation.oid and number in dependent.columns:
                yield Part(dependent.oid), True
            case Constraint() if dependent.references == relation.oid and number in dependent.referenced_columns:
                yield Part(dependent.oid), False
            case Trigger() | Attached() if dependent.table == relation.oid and number in dependent.columns:
                yield Part(dependent.oid), isinstance(dependent, Attached) and dependent.kind == "statistics"
            case PublishedColumns() if number in dependent.columns:
                yield Part(dependent.oid), False
            case Relation() | Attached() | Function() if dependent.read_relations and uses_column(
                catalog, dependent, (relation.oid, number), possible
            ):
                yield Part(dependent.oid), False
            case Relation() if dependent.owner == (relation.oid, number):
                yield Part(dependent.oid), True
    for column in relation.columns:
        if column.generated and column.default is not None and number in column.default.columns:
            # Up to 14, a generated column is dropped with the columns that it is computed from.
            yield Part(relation.oid, column.number), catalog.pg_version < versions.GENERATED_COLUMNS_BLOCK_DROPS


def uses_column(catalog: Catalog, user: Relation | Attached | Function, column: tuple[int, int], possible: bool = False) -> bool:
    """Whether a view, a policy, a rule or a function with a resolved body uses a column, or only may use it."""
    uses = column_uses(catalog, user) if user.read_relations else ColumnUses()
    return column in uses.certain or (possible and column in uses.possible)


def _of_function(catalog: Catalog, function: Function) -> Iterator[tuple[Part, bool]]:
    for kind in (Trigger, EventTrigger, Aggregate):
        for user in catalog.dependents(function.oid, kind):
            yield Part(user.oid), False
    if len(catalog.functions(function.name)) > 1 or "trigger" in function.returns:
        return  # it is unknown which overload an expression calls; an expression cannot call a trigger function
    yield from _callers(catalog, lambda calls: _calls(catalog, calls, function))


def _callers(catalog: Catalog, is_called: Callable[[Iterable[Name]], bool]) -> Iterator[tuple[Part, bool]]:
    """Returns the views, defaults, policies, CHECKs and indexes whose calls meet a condition, each with whether it is dropped automatically."""
    for relation in catalog.relations():
        if relation.query is not None and relation.query.calls and is_called(relation.query.calls):
            yield Part(relation.oid), False
        for column in relation.columns:
            if column.default is not None and column.default.expression.calls and is_called(column.default.expression.calls):
                automatic = bool(column.generated) and catalog.pg_version < versions.GENERATED_COLUMNS_BLOCK_DROPS
                yield Part(relation.oid, column.number, default=not column.generated), automatic
    for attached in catalog.objects_of(Attached):
        if attached.kind == "policy" and attached.calls and is_called(attached.calls):
            yield Part(attached.oid), False
    for constraint in catalog.objects_of(Constraint):
        if constraint.check is not None and (calls := constraint.check.expression.calls) and is_called(calls):
            yield Part(constraint.oid), False
    for index in catalog.objects_of(Index):
        formulas = [formula for formula in (*[key.formula for key in index.keys], index.predicate) if formula is not None]
        if any(formula.expression.calls and is_called(formula.expression.calls) for formula in formulas):
            yield Part(index.oid), False


def users_of_extension(catalog: Catalog, name: str) -> Iterator[tuple[Part, bool]]:
    """Returns the objects that certainly use a type, a function or an operator class of an extension, as `dependents` does."""
    types, classes = EXTENSION_TYPES.get(name, ()), EXTENSION_OPERATOR_CLASSES.get(name, ())
    for relation in catalog.relations() if types else ():
        for column in relation.columns:
            if column.type is not None and column.type.name in types and catalog.type_of(column.type) is None:
                yield Part(relation.oid, column.number), False
    if types:
        yield from _types_over(catalog, types)
    functions = {function for function in EXTENSION_FUNCTIONS.get(name, ()) if not catalog.has_function_named(function)}
    if functions:
        yield from _callers(catalog, lambda calls: any(call.name in functions for call in calls))
    method = BTREE_EXTENSIONS.get(name)
    for index in catalog.objects_of(Index) if classes or method is not None else ():
        if any((key.opclass is not None and key.opclass.name in classes) or _is_plain_key(catalog, index, key, method) for key in index.keys):
            yield Part(_constraint_of(catalog, index) or index.oid), False


def _types_over(catalog: Catalog, types: Container[str]) -> Iterator[tuple[Part, bool]]:
    """Returns the domains, composite types and routines that have one of the types of an extension."""

    def is_own(data_type: TypeName | None) -> bool:
        return data_type is not None and data_type.name in types and catalog.type_of(data_type) is None

    for domain in catalog.objects_of(Domain):
        if is_own(domain.type):
            yield Part(domain.oid), False
    for composite in catalog.objects_of(Composite):
        if any(is_own(attribute) for _, attribute in composite.attributes):
            yield Part(composite.oid), False
    for function in catalog.objects_of(Function):
        names = (*(argument.removesuffix("[]") for argument in function.arguments), function.returns)
        if any(is_own(TypeName(name=name)) for name in names):
            yield Part(function.oid), False


def _constraint_of(catalog: Catalog, index: Index) -> int | None:
    """Returns the constraint that an index belongs to: PostgreSQL names it as what depends on an operator class."""
    return next((each.oid for each in catalog.dependents(index.oid, Constraint) if each.kind is not ConstraintKind.FOREIGN_KEY), None)


def _is_plain_key(catalog: Catalog, index: Index, key: Key, method: str | None) -> bool:
    table = catalog.get(index.table)
    column = table.column_numbered(key.column) if isinstance(table, Relation) and key.column is not None else None
    if method is None or index.method != method or key.opclass is not None or column is None or column.type is None:
        return False
    return column.type.schema is None and not column.type.dimensions and column.type.name in PLAIN_TYPES


def _calls(catalog: Catalog, calls: Iterable[Name], function: Function) -> bool:
    return any(
        call.name == function.name.name
        and (call.schema or function.name.schema) == function.name.schema
        and function in catalog.functions(call)
        for call in calls
    )


def _of_type(catalog: Catalog, user_type: EnumType | Domain | Composite) -> Iterator[tuple[Part, bool]]:
    for relation in catalog.relations():
        if relation.of_type == user_type.name:
            yield Part(relation.oid), False
    yield from _columns_of_type(catalog, user_type.name)
    yield from _defaults_of_type(catalog, user_type.name)
    for domain in catalog.objects_of(Domain):
        if is_type_named(domain.type, user_type.name):
            yield Part(domain.oid), False
    yield from _functions_over(catalog, user_type.name)
    for composite in catalog.objects_of(Composite):
        if any(is_type_named(attribute, user_type.name) for _, attribute in composite.attributes):
            yield Part(composite.oid), False


def _columns_of_type(catalog: Catalog, name: Name, apart: int | None = None) -> Iterator[tuple[Part, bool]]:
    """Returns the columns of a type, `apart` from those of one relation. A table's name is also that of the type of its rows."""
    for relation in catalog.relations():
        for column in relation.columns if relation.oid != apart else ():
            if is_type_named(column.type, name):
                yield Part(relation.oid, column.number), False


def _defaults_of_type(catalog: Catalog, name: Name) -> Iterator[tuple[Part, bool]]:
    """Returns the defaults that are constants of a type, in columns of another type."""
    for relation in catalog.relations():
        for column in relation.columns:
            if column.default is not None and not column.generated and "::" in column.default.expression.sql:
                written = column.default.expression.sql.rsplit("::", 1)[1].strip()
                if written in (str(name), str(Name(name.name))) and not is_type_named(column.type, name):
                    yield Part(relation.oid, column.number, default=True), False


def _functions_over(catalog: Catalog, name: Name) -> Iterator[tuple[Part, bool]]:
    """Returns the routines that have an argument or a result of a type, or of an array of it. The types of their variables do not count."""
    for function in catalog.objects_of(Function):
        if any(is_type_named(each, name) for each in function.types):
            yield Part(function.oid), False


def is_type_named(column_type: TypeName | None, name: Name) -> bool:
    """Whether a type, or the element type of an array, has this qualified name."""
    return column_type is not None and (column_type.name, column_type.schema) == (name.name, name.schema)


def drop_parts(catalog: Catalog, parts: Iterable[Part]) -> None:
    """Drops the parts."""
    for part in reversed(tuple(parts)):
        dropped = catalog.get(part.oid)
        if dropped is None:
            continue
        catalog.called_by_dropped.update(call.name for call in _calls_of(dropped, part))
        if not part.column:
            _remove_from_publications(catalog, dropped)
            catalog.drop(part.oid)
        elif isinstance(dropped, Relation):
            if part.default:
                remaining = tuple(replace(column, default=None) if column.number == part.column else column for column in dropped.columns)
            else:
                remaining = tuple(column for column in dropped.columns if column.number != part.column)
            catalog.change(dropped, columns=remaining)


def _calls_of(dropped: Object, part: Part) -> Iterator[Name]:
    """Returns the functions that a dropped part calls."""
    match dropped:
        case Relation():
            yield from dropped.query.calls if dropped.query is not None and not part.column else ()
            for column in dropped.columns:
                if column.default is not None and part.column in (0, column.number):
                    yield from column.default.expression.calls
        case Constraint(check=Formula(expression=expression)):
            yield from expression.calls
        case Index():
            for formula in (*(key.formula for key in dropped.keys), dropped.predicate):
                yield from formula.expression.calls if formula is not None else ()


def forget_parts(catalog: Catalog, parts: Iterable[Part]) -> None:
    """Removes objects that a statement may have dropped: it is unknown then whether they exist."""
    certain, catalog.certain = catalog.certain, False
    drop_parts(catalog, parts)
    catalog.certain = certain


def _remove_from_publications(catalog: Catalog, dropped: Object) -> None:
    if isinstance(dropped, Relation) and dropped.kind in (RelationKind.TABLE, RelationKind.PARTITIONED):
        for publication in catalog.dependents(dropped.oid, Publication):
            catalog.change(publication, tables=tuple(oid for oid in publication.tables if oid != dropped.oid))
