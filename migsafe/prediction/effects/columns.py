"""The effects of changes of columns: which rewrite the table, which scan it."""

import re

from migsafe import versions
from migsafe.lock import LockMode
from migsafe.prediction.effects.column_types import Domain as DomainOf
from migsafe.prediction.effects.column_types import UserType
from migsafe.prediction.effects.constraints import referenced_table
from migsafe.prediction.effects.drops import drop_effects
from migsafe.prediction.effects.effect_context import EffectContext, Effects
from migsafe.prediction.effects.known_facts import domain_of, is_constrained
from migsafe.prediction.effects.registry import EFFECTS
from migsafe.prediction.effects.type_changes import TypeChange, change_of_type
from migsafe.schema.alterations import column_drop_result
from migsafe.schema.bodies import body_operations
from migsafe.schema.columns import generated_kind, is_serial, stored_type
from migsafe.schema.formulas import has_keyword
from migsafe.schema.objects import Column, Composite, Domain, EnumType, Function, Index, Relation, RelationKind
from migsafe.schema.volatility import is_volatile
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Expression, IndexElement, Name, Select, TypeName

_EXCLUSIVE = LockMode.ACCESS_EXCLUSIVE


@EFFECTS.register(sql.AddColumn)
def add_column(context: EffectContext, op: sql.AddColumn) -> Effects:
    """ADD COLUMN: only a default that each row must compute for itself rewrites the table (manual, ALTER TABLE, Notes)."""
    relation = context.catalog.relation(op.target.name)
    column = op.column
    if relation is not None and op.if_not_exists and relation.column(column.name) is not None:
        yield from context.effect_on(relation, _EXCLUSIVE)
        return
    rewrite = why_rewritten(context, column)
    scan = rewrite or _why_scanned(context, column)
    if relation is None:
        yield from context.effect_on_name(op.target.name, _EXCLUSIVE, op.target.kind, rewrite=bool(rewrite), scan=bool(scan), why=scan)
    builds_index = not rewrite and any(
        constraint.kind in (ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY) for constraint in column.constraints
    )
    for table in _tables_with_new_column(context, relation, column.name) if relation is not None else ():
        # The children of an inheritance tree get no index.
        is_scanned = bool(scan) and context.has_rows(table) and not (builds_index and table is not relation and table.bound is None)
        yield from context.effect_on(
            table, _EXCLUSIVE, **_rewritten(context, table, bool(rewrite)), scan=is_scanned, why=scan if is_scanned else ""
        )
    for constraint in column.constraints:
        if constraint.references is not None:
            # If the column is null in every row, there is no value to look up.
            yield from referenced_table(context, constraint.references.table, checked=constraint.enforced and has_value(context, column))


def _tables_with_new_column(context: EffectContext, relation: Relation, name: str) -> list[Relation]:
    """Returns the relation and its descendants that get a new column. A child that already has a column of that name merges it with the
    parent's; its own children are not changed."""
    relations = [relation]
    for child in context.catalog.children(relation.oid):
        relations += [child] if child.column(name) is not None else _tables_with_new_column(context, child, name)
    return list({table.oid: table for table in relations}.values())


def _rewritten(context: EffectContext, relation: Relation, rewrite: bool) -> dict[str, object]:
    """Returns the arguments of an effect for a rewrite: the relation's indexes are rebuilt with it, under their own locks."""
    if not rewrite or not context.has_rows(relation):
        return {}
    return {"rewrite": True, "index_lock": _EXCLUSIVE if context.catalog.indexes(relation.oid) else None}


def why_rewritten(context: EffectContext, column: sql.Column) -> str:
    """Returns why ADD COLUMN rewrites the table, as the end of a sentence; empty if it does not."""
    if column.generated is not None:
        kind = generated_kind(context.catalog, column)
        return f"{column.name} is computed for every row" if kind == "stored" else ""
    if is_serial(column.type) or column.identity is not None:
        return f"every row gets a number from the sequence of {column.name}"
    if is_constrained(context, column.type):
        return f"every row is checked against the domain {column.type}"
    domain = domain_of(context, column.type)
    default = column.default or (domain.default if domain is not None else None)
    return why_volatile(context, default) if default is not None else ""


def why_volatile(context: EffectContext, expression: Expression) -> str:
    """Returns which function call gives each row its own value, as the end of a sentence; empty if no call does."""
    call = is_volatile(expression, lambda name: _volatility(context, name) or _of_cast(context, name, expression), context.pg_version)
    if call is None:
        return ""
    if call.known:
        return f"{call.function}() is volatile, so each row gets its own value"
    return f"{call.function}() may be volatile: its volatility is unknown"


def _of_cast(context: EffectContext, name: Name, expression: Expression) -> str | None:
    """Returns the volatility of `type('value')`, which is a cast if no function has the name (func_get_detail in PostgreSQL's
    src/backend/parser/parse_func.c); None for anything else. Only a function can have no arguments."""
    is_type = isinstance(context.catalog.type_of(TypeName(name=name.name, schema=name.schema)), EnumType | Domain)
    return "stable" if is_type and not re.search(rf'\b{re.escape(name.name)}"?\s*\(\s*\)', expression.sql, re.IGNORECASE) else None


def _volatility(context: EffectContext, name: Name) -> str | None:
    """Returns the volatility of a function of the history; of a function that PostgreSQL inlines, the volatility of its body."""
    volatilities = [
        _body_volatility(context, function) if function.inlined else function.volatility for function in context.catalog.functions(name)
    ]
    worst = ("volatile", "stable", "immutable")
    return min(volatilities, key=worst.index, default=None)


def _body_volatility(context: EffectContext, function: Function) -> str:
    """Returns the volatility of the body of a function, if it is a single SELECT of one expression without a FROM (inline_function() in
    PostgreSQL's src/backend/optimizer/util/clauses.c)."""
    operations = body_operations(function)
    if function.volatility != "volatile" or len(operations) != 1 or not isinstance(operations[0], Select):
        return function.volatility
    query = operations[0].query
    if query.reads or query.row_locks is not None or function.name in query.calls or has_keyword(query.sql, "from"):
        return function.volatility
    body = Expression(sql=query.sql, span=query.span, calls=query.calls)
    volatile = is_volatile(body, lambda name: None if name.name == function.name.name else _volatility(context, name), context.pg_version)
    return "volatile" if volatile is not None else "stable"


def has_value(context: EffectContext, column: sql.Column) -> bool:
    """Whether a column has a value if an INSERT omits it, and in the existing rows when it is added."""
    domain = domain_of(context, column.type)
    has_default = column.default is not None and column.default.sql.strip().lower() != "null"
    return (
        has_default or column.generated is not None or is_serial(column.type) or column.identity is not None or bool(domain and domain.default)
    )


def _why_scanned(context: EffectContext, column: sql.Column) -> str:
    for constraint in column.constraints:
        if constraint.kind is ConstraintKind.CHECK and constraint.enforced:
            return "every row is checked against the new column's CHECK"
        if constraint.kind in (ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY):
            return f"a unique index is built for the {constraint.kind.value} constraint"
        if constraint.references is not None and constraint.enforced and (column.default is not None or has_value(context, column)):
            return "every row is looked up in the referenced table"
    virtual = column.generated is not None
    if column.not_null and (virtual or not has_value(context, column)):
        return "every row is checked for nulls"
    return ""


@EFFECTS.register(sql.DropColumn)
def drop_column(context: EffectContext, op: sql.DropColumn) -> Effects:
    """DROP COLUMN: the objects that depend on the column are dropped too."""
    yield from context.effect_on_name(op.target.name, _EXCLUSIVE, op.target.kind)
    relation = context.catalog.relation(op.target.name)
    column = relation.column(op.column) if relation is not None else None
    if relation is None or column is None:
        return
    # With ONLY the children keep the column as their own.
    below = context.catalog.children(relation.oid) if op.target.only else context.catalog.descendants(relation.oid)
    yield from context.effects_on(below, _EXCLUSIVE)
    parts = column_drop_result(context.catalog, relation, column, cascade=op.cascade, only=op.target.only).parts
    yield from drop_effects(context, (part for part in parts if not part.column))
    for part in parts:
        if part.column:
            yield from context.effect_on_oid(part.oid, _EXCLUSIVE)


@EFFECTS.register(sql.AlterColumnType)
def alter_type(context: EffectContext, op: sql.AlterColumnType) -> Effects:
    """ALTER COLUMN … TYPE."""
    relation = context.catalog.relation(op.target.name)
    if relation is None:
        change = type_change(context, op, None)
        yield from context.effect_on_name(
            op.target.name, _EXCLUSIVE, op.target.kind, rewrite=change.rewrite, scan=change.rewrite, why=change.why
        )
        return
    for table in context.with_descendants(relation, only=op.target.only):
        column = table.column(op.column)
        change = type_change(context, op, column)
        yield from _changed_type(context, table, column, change)


def type_change(context: EffectContext, op: sql.AlterColumnType, column: Column | None) -> TypeChange:
    """Returns what the change of type does to a column, None if the column is unknown."""
    return change_of_type(
        column.type if column is not None else None,
        op.type if is_serial(op.type) else stored_type(context.catalog, op.type) or op.type,
        column=op.column,
        user_types=lambda name: _user_type(context, name),
        pg_version=context.pg_version,
        using=op.using,
        timezone=context.timezone,
        old_collation=column.collation if column is not None else None,
        new_collation=op.collation,
    )


def _user_type(context: EffectContext, name: TypeName) -> DomainOf | UserType | None:
    match context.catalog.type_of(name):
        case Domain() as domain:
            return DomainOf(domain.type, domain.constrained, domain.collation)
        case EnumType():
            return UserType.ENUM
        case Composite():
            return UserType.COMPOSITE
    return None


def _changed_type(context: EffectContext, relation: Relation, column: Column | None, change: TypeChange) -> Effects:
    has_rows = context.has_rows(relation)
    rebuilt: list[str] = []
    scan = change.rewrite
    why = change.why if change.rewrite else ""
    number = column.number if column is not None else -1
    for index in context.catalog.indexes(relation.oid):
        # An index that is attached to a partitioned index is never reused.
        if number in index.columns and not change.rewrite and (index.parent is not None or _is_rebuilt(index, number, change, column)):
            rebuilt.append(index.name.name)
            why = why or f"the index {index.name.name} is rebuilt: {_why_rebuilt(index, number, change)}"
    for constraint in context.catalog.constraints(relation.oid):
        if number in constraint.columns and constraint.valid and constraint.enforced and constraint.kind is ConstraintKind.CHECK:
            scan, why = True, why or f"every row is checked against {constraint.name.name} again"
    yield from context.effect_on(
        relation,
        _EXCLUSIVE,
        rewrite=change.rewrite and has_rows,
        scan=(scan or bool(rebuilt)) and has_rows,
        rebuilt=tuple(rebuilt) if has_rows else (),
        index_lock=_EXCLUSIVE
        if any(number in table_index.columns or (change.rewrite and has_rows) for table_index in context.catalog.indexes(relation.oid))
        else None,
        why=why if has_rows else "",
    )
    for constraint in context.catalog.constraints(relation.oid):
        if constraint.kind is ConstraintKind.FOREIGN_KEY and number in constraint.columns:
            yield from _other_table(context, relation, constraint.references, scanned=change.rechecks_foreign_keys and constraint.valid)
    for constraint in context.catalog.foreign_keys_to(relation.oid):
        if number in constraint.referenced_columns:
            yield from _other_table(context, relation, constraint.table, scanned=change.rechecks_referencing and constraint.valid, refers=True)


def _other_table(context: EffectContext, relation: Relation, other_oid: int | None, *, scanned: bool, refers: bool = False) -> Effects:
    """The effects on the other table of a foreign key that is dropped and created again: the referencing table if `refers`, otherwise the
    referenced one. If the foreign key is checked again, both tables are read."""
    why = "the foreign key is checked again" if scanned else ""
    other_table = context.catalog.get(other_oid) if other_oid is not None else None
    for table in (
        *(
            context.with_descendants(other_table, only=other_table.kind is not RelationKind.PARTITIONED)
            if isinstance(other_table, Relation)
            else ()
        ),
        relation,
    ):
        scan = scanned and context.has_rows(table)
        has_weaker_lock = (
            table.kind is RelationKind.PARTITIONED
            and table is other_table
            and context.pg_version < versions.ROOT_FOREIGN_KEY_TRIGGERS
            and not refers
        )
        yield from context.effect_on(table, LockMode.SHARE_ROW_EXCLUSIVE if has_weaker_lock else _EXCLUSIVE, scan=scan, why=why if scan else "")


def _why_rebuilt(index: Index, number: int, change: TypeChange) -> str:
    formulas = [index.predicate, *(key.formula for key in index.keys)]
    if any(formula is not None and number in formula.columns for formula in formulas):
        return "it has an expression or a WHERE that reads the column"
    if change.collation_changes:
        return "the new collation has a different order"
    return "the new type has a different operator class" if change.opclass_changes else "PostgreSQL never reuses the index of a partition"


def _is_rebuilt(index: Index, number: int, change: TypeChange, column: Column | None) -> bool:
    if index.predicate is not None and number in index.predicate.columns:
        return True
    for key in index.keys:
        if key.formula is not None and number in key.formula.columns:
            return True
        if key.column == number:
            element = IndexElement(column="", collation=key.collation, opclass=key.opclass)
            if change.rebuilds(element, column.collation if column is not None else None):
                return True
    return False


@EFFECTS.register(sql.SetExpression)
def set_expression(context: EffectContext, op: sql.SetExpression) -> Effects:
    """SET EXPRESSION: a stored column is recomputed for every row."""
    relation = context.catalog.relation(op.target.name)
    why = f"{op.column} is recomputed for every row"
    if relation is None:
        yield from context.effect_on_name(op.target.name, _EXCLUSIVE, op.target.kind, rewrite=True, scan=True, why=why)
        return
    for table in context.with_descendants(relation, only=op.target.only):
        column = table.column(op.column)
        stored = context.has_rows(table) and (column is None or column.generated != "virtual")
        yield from context.effect_on(table, _EXCLUSIVE, **_rewritten(context, table, stored), scan=stored, why=why if stored else "")


@EFFECTS.register(sql.RenameColumn)
def rename_column(context: EffectContext, op: sql.RenameColumn) -> Effects:
    """RENAME COLUMN, and a composite type's attribute."""
    if op.target.kind in ("type", "domain"):
        if op.cascade:
            name = context.catalog.in_first_schema(op.target.name)
            yield from context.effects_on([table for table in context.catalog.relations() if table.of_type == name], _EXCLUSIVE)
        return
    relation = context.catalog.relation(op.target.name)
    if relation is None:
        yield from context.effect_on_name(op.target.name, _EXCLUSIVE, op.target.kind)
        return
    yield from context.effects_on(context.with_descendants(relation, only=op.target.only), _EXCLUSIVE)
