"""What a definition of a column cannot combine: defaults, identities and generation expressions."""

from collections.abc import Iterable, Iterator

from migsafe.prediction.refusals.definitions import added_constraints, complete_table, is_built_in, known_column
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.columns import generated_kind
from migsafe.schema.formulas import identifiers
from migsafe.schema.objects import Domain
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.features import SET_NULL_COLUMNS
from migsafe.sql.operations import Column, ConstraintKind

_IDENTITY_TYPES = ("smallint", "integer", "bigint")
_STORED = "-- make the column STORED, which rewrites the table; or compute the value in queries, or in a view"
_NOT_AN_INTEGER = "identity column type must be smallint, integer, or bigint"


@refuses(sql.CreateTable, sql.AddColumn)
def define_column(catalog: Catalog, op: sql.CreateTable | sql.AddColumn) -> Refusal | None:
    """A column has one of: a default, an identity, a generation expression (transformColumnDefinition in parse_utilcmd.c)."""
    name = op.table.name if isinstance(op, sql.CreateTable) else op.target.name.name
    for column in _columns(op):
        where = f'specified for column "{column.name}" of table "{name}"'
        if column.identity is not None:
            if column.type is not None and is_built_in(column.type) and column.type.name not in _IDENTITY_TYPES:
                return Refusal(error=_NOT_AN_INTEGER, detail=f"{column.name} is {column.type}")
            if column.default is not None:
                return Refusal(error=f"both default and identity {where}", help="-- leave the default out")
        if column.generated is not None and column.default is not None:
            return Refusal(error=f"both default and generation expression {where}", help="-- leave the default out")
        if column.generated is not None and column.identity is not None:
            return Refusal(error=f"both identity and generation expression {where}")
    return None


def _columns(op: sql.CreateTable | sql.AddColumn) -> Iterable[Column]:
    return op.columns if isinstance(op, sql.CreateTable) else (op.column,)


@refuses(sql.CreateTable, sql.AddColumn)
def use_generated(catalog: Catalog, op: sql.CreateTable | sql.AddColumn) -> Refusal | None:
    """A generation expression uses no other generated column, because it would depend on the order of their computation."""
    defined = [column for column in _columns(op) if column.generated is not None]
    if not defined or op.if_not_exists:
        return None
    generated = set(_generated(catalog, op))
    for column in defined:
        assert column.generated is not None
        other = next((name for name in identifiers(column.generated.expression.sql) if name in generated), None)
        if other is not None:
            return Refusal(
                error=f'cannot use generated column "{other}" in column generation expression',
                detail="a generated column cannot reference another generated column",
                help=f"-- write the expression of {other} instead of its name",
            )
    return None


def _generated(catalog: Catalog, op: sql.CreateTable | sql.AddColumn) -> Iterator[str]:
    yield from (column.name for column in _columns(op) if column.generated is not None)
    table = complete_table(catalog, op.target.name) if isinstance(op, sql.AddColumn) else None
    yield from (column.name for column in table.columns if column.generated is not None) if table is not None else ()


@refuses(sql.CreateTable, sql.AddColumn)
def define_virtual(catalog: Catalog, op: sql.CreateTable | sql.AddColumn) -> Refusal | None:
    """A virtual column is computed by the planner, so that it has no functions and types of users (check_virtual_generated_security in
    heap.c)."""
    for column in _columns(op) if not op.if_not_exists else ():
        if column.generated is None or generated_kind(catalog, column) != "virtual":
            continue
        user_type = catalog.type_of(column.type) if column.type is not None else None
        if user_type is not None and certainly_exists(catalog, user_type):
            is_domain = isinstance(user_type, Domain)
            word = "domain" if is_domain else "user-defined"
            return Refusal(error=f'virtual generated column "{column.name}" cannot have a {word} type', help=_STORED)
        for call in column.generated.expression.calls:
            function = next((each for each in catalog.functions(call) if certainly_exists(catalog, each)), None)
            if function is not None:
                return Refusal(error="generation expression uses user-defined function", detail=f"{function.name}()", help=_STORED)
    return None


@refuses(sql.AlterColumnType)
def alter_identity(catalog: Catalog, op: sql.AlterColumnType) -> Refusal | None:
    """An identity column stays an integer."""
    known = known_column(catalog, op, op.column)
    if known is None or known[1].identity is None or not is_built_in(op.type) or op.type.name in _IDENTITY_TYPES:
        return None
    return Refusal(error=_NOT_AN_INTEGER, help=f"-- first: ALTER TABLE {op.target.name} ALTER COLUMN {op.column} DROP IDENTITY;")


@refuses(sql.AddConstraint, sql.AddColumn, sql.CreateTable)
def reference_from_generated(catalog: Catalog, op: sql.AddConstraint | sql.AddColumn | sql.CreateTable) -> Refusal | None:
    """A foreign key writes nothing into a generated column (ATAddForeignKeyConstraint in tablecmds.c)."""
    table = complete_table(catalog, op.target.name) if not isinstance(op, sql.CreateTable) else None
    generated = {column.name: column.generated for column in table.columns if column.generated is not None} if table is not None else {}
    for column in _columns(op) if not isinstance(op, sql.AddConstraint) else ():
        if column.generated is not None:
            generated[column.name] = "stored" if column.generated.stored is not False else "virtual"
    for constraint in added_constraints(op):
        if constraint.kind is not ConstraintKind.FOREIGN_KEY or constraint.references is None:
            continue
        if any(generated.get(name) == "stored" for name in constraint.columns):
            refusal = _refuse_actions(constraint.references)
            if refusal is not None:
                return refusal
    return None


def _refuse_actions(reference: sql.Reference) -> Refusal | None:
    ending = "action for foreign key constraint containing generated column"
    if reference.on_update.startswith(("set null", "set default", "cascade")):
        return Refusal(error=f"invalid ON UPDATE {ending}")
    if reference.on_delete.startswith(("set null", "set default")):
        return Refusal(error=f"invalid ON DELETE {ending}", help="-- use ON DELETE CASCADE, RESTRICT or NO ACTION")
    return None


@refuses(sql.AddConstraint, sql.AddColumn, sql.CreateTable)
def set_columns(catalog: Catalog, op: sql.AddConstraint | sql.AddColumn | sql.CreateTable) -> Refusal | None:
    """ON DELETE SET NULL and SET DEFAULT name only columns of their foreign key, from 15 on."""
    for constraint in added_constraints(op) if catalog.pg_version >= SET_NULL_COLUMNS.release else ():
        action = constraint.references.on_delete if constraint.references is not None else ""
        if constraint.kind is not ConstraintKind.FOREIGN_KEY or "(" not in action:
            continue
        named = [name.strip().strip('"') for name in action[action.index("(") + 1 : -1].split(",")]
        other = next((name for name in named if name not in constraint.columns), None)
        if other is not None:
            return Refusal(error=f'column "{other}" referenced in ON DELETE SET action must be part of foreign key')
    return None


@refuses(sql.CreateIndex, sql.AddConstraint, sql.DropExpression, sql.CreateStatistics)
def use_virtual(catalog: Catalog, op: sql.CreateIndex | sql.AddConstraint | sql.DropExpression | sql.CreateStatistics) -> Refusal | None:
    """A virtual column has no values in the table, so that no index contains it, and DROP EXPRESSION has none to leave."""
    match op:
        case sql.CreateIndex():
            name, used, error = op.table, [element.column for element in op.elements], "indexes"
        case sql.DropExpression():
            name, used, error = op.target.name, [op.column], ""
        case sql.AddConstraint(constraint=constraint):
            if constraint.kind not in (ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY):
                return None
            word = "unique constraints" if constraint.kind is ConstraintKind.UNIQUE else "primary keys"
            name, used, error = op.target.name, list(constraint.columns), word
        case _:
            if len(op.tables) != 1:
                return None
            name, used, error = op.tables[0], [key.strip().lower() for key in op.keys.split(",")], "statistics creation"
    table = complete_table(catalog, name)
    virtual = next((column for column in table.columns if column.generated == "virtual" and column.name in used), None) if table else None
    if virtual is None:
        return None
    help = f"-- make {virtual.name} STORED, which rewrites the table; or index the expression itself"
    if not error:
        return Refusal(
            error="ALTER TABLE / DROP EXPRESSION is not supported for virtual generated columns",
            help="-- add an ordinary column, fill it in batches, and drop the virtual one",
        )
    verb = "is" if error == "statistics creation" else "are"
    return Refusal(error=f"{error} on virtual generated columns {verb} not supported", help=help)
