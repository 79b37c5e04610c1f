"""Two releases and two schemas: what the running release meets on the new schema, and what the new release lacks on the old one."""

from migsafe.linting.facts.ownership import is_column_created_here, is_created_here
from migsafe.linting.rule import Context
from migsafe.schema.objects import RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Operation
from migsafe.sql.operations.values import quoted

_OBJECTS: dict[type[Operation], tuple[str, str]] = {
    sql.CreateView: ("view", "view"),
    sql.CreateMaterializedView: ("materialized view", "view"),
    sql.CreateSequence: ("sequence", "sequence"),
    sql.CreateEnum: ("type", "type"),
    sql.CreateDomain: ("type", "domain"),
    sql.CreateCompositeType: ("type", "type"),
}


def new_object(op: Operation, at: Context) -> str:
    """Returns what the new release may use that does not exist before the operation: `column public.orders.note`. Empty if nothing."""
    match op:
        case sql.CreateTable(table=name) | sql.CreateTableAs(table=name):
            temporary = op.persistence is sql.Persistence.TEMPORARY
            return "" if temporary or (isinstance(op, sql.CreateTable) and op.partition_of) else f"table {at.catalog.in_first_schema(name)}"
        case sql.AddColumn(target=target, column=column):
            return "" if is_created_here(at, target.name) else f"column {at.resolve(target.name)}.{quoted(column.name)}"
        case sql.RenameColumn(target=target, new_name=new):
            return "" if is_created_here(at, target.name) else f"column {at.resolve(target.name)}.{quoted(new)}"
        case sql.Rename(kind=kind, name=name, new_name=new) if op.table is None and not (kind == "table" and is_created_here(at, name)):
            return "" if kind == "index" else f"{kind} {quoted(new)}"
        case sql.CreateFunction(kind=kind, function=name):
            return "" if at.catalog.functions(name) else f"{kind} {name}"
        case sql.AddEnumValue(type=name, value=value):
            return f"value '{value}' of {name}"
        case sql.CreateIndex(unique=True, table=table, elements=elements):
            keys = ", ".join(element.column or "…" for element in elements)
            return "" if is_created_here(at, table) else f"unique index for ON CONFLICT ({keys}) on {at.resolve(table)}"
        case sql.AddConstraint(target=target, constraint=constraint) if constraint.kind in (ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY):
            if is_created_here(at, target.name) or constraint.index is not None:
                return ""
            return f"unique index for ON CONFLICT ({', '.join(constraint.columns)}) on {at.resolve(target.name)}"
        case sql.DropNotNull(target=target, column=name) if not is_column_created_here(at, target.name, name):
            return f"nullable column {at.resolve(target.name)}.{quoted(name)}"
        case sql.AlterColumnType(target=target, column=name, type=kind) if not is_column_created_here(at, target.name, name):
            return f"type {kind} of {at.resolve(target.name)}.{quoted(name)}"
    attribute = _OBJECTS.get(type(op))
    if attribute is None:
        return ""
    kind, field = attribute
    name = getattr(op, field)
    relation = at.catalog.relation(name) if kind == "view" else None
    return "" if relation is not None and relation.kind is RelationKind.VIEW else f"{kind} {name}"


def new_restriction(op: Operation, at: Context) -> str:
    """Returns what the schema refuses after the operation and accepted before, as the end of a sentence. Empty if nothing."""
    match op:
        case sql.SetNotNull(target=target, column=name) if not is_column_created_here(at, target.name, name):
            return f"INSERT and UPDATE that leave NULL in {at.resolve(target.name)}.{quoted(name)}"
        case sql.SetNotNull(target=target, column=name) if not is_created_here(at, target.name):
            table = at.catalog.relation(target.name)
            column = table.column(name) if table is not None else None
            if column is None or column.default is None:
                return f"every INSERT of the running release into {at.resolve(target.name)}, which does not set {quoted(name)}"
        case sql.AddConstraint(target=target, constraint=constraint) if constraint.enforced and constraint.index is None:
            if is_created_here(at, target.name) or (
                constraint.columns and all(is_column_created_here(at, target.name, column_name) for column_name in constraint.columns)
            ):
                return ""
            return _describe_refused_rows(str(at.resolve(target.name)), constraint)
        case sql.CreateIndex(unique=True, table=table, elements=elements):
            columns = [element.column for element in elements if element.column is not None]
            if is_created_here(at, table) or (columns and all(is_column_created_here(at, table, column_name) for column_name in columns)):
                return ""
            return f"a second row with the same {', '.join(columns) or 'key'} in {at.resolve(table)}"
    return ""


def _describe_refused_rows(table: str, constraint: sql.Constraint) -> str:
    columns = ", ".join(map(quoted, constraint.columns))
    match constraint.kind:
        case ConstraintKind.CHECK if constraint.check is not None:
            return f"rows of {table} that violate `{' '.join(constraint.check.sql.split())}`"
        case ConstraintKind.FOREIGN_KEY if constraint.references is not None:
            return f"rows of {table} whose {columns} references no row of {constraint.references.table}, and a DELETE there of a referenced row"
        case ConstraintKind.UNIQUE | ConstraintKind.PRIMARY_KEY:
            return f"a second row with the same {columns} in {table}"
        case ConstraintKind.NOT_NULL:
            return f"INSERT and UPDATE that leave NULL in {table}.{columns}"
    return f"rows of {table} that conflict under the constraint"


def changed_result(op: Operation, at: Context) -> str:
    """Returns the columns whose result type changes for prepared statements: `* from public.orders`. Empty if none.

    PostgreSQL refuses such a statement until the client prepares it again.
    """
    match op:
        case sql.AddColumn(target=target) | sql.DropColumn(target=target) | sql.RenameColumn(target=target):
            return "" if is_created_here(at, target.name) else f"* from {at.resolve(target.name)}"
        case sql.AlterColumnType(target=target, column=name) if not is_column_created_here(at, target.name, name):
            return f"{at.resolve(target.name)}.{quoted(name)}"
    return ""
