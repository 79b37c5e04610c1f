"""What statements do to the rows that the history has inserted: `schema.inserted_rows` keeps those that certainly are still as they were."""

from migsafe.prediction.refusals.known_rows import copied_rows
from migsafe.schema.catalog import Catalog
from migsafe.schema.columns import default_value
from migsafe.schema.inserted_rows import UNKNOWN, Batch, Change, plain_constant
from migsafe.schema.objects import Attached, Relation, RelationKind
from migsafe.schema.volatility import volatility_of
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Operation, Persistence
from migsafe.sql.plain_writes import read_plain_update
from migsafe.text import MARK_START

_LONGEST = 20_000
_TABLES = (RelationKind.TABLE, RelationKind.PARTITIONED)
KEEPS_ROWS = ("no action", "restrict")
"""The actions of a foreign key that change no referencing row."""
ROW_CHANGES = frozenset(
    (
        *(sql.Insert, sql.Update, sql.Delete, sql.Truncate, sql.Merge, sql.Copy, sql.Select, sql.Call, sql.OpaqueCode),
        *(sql.AddColumn, sql.AlterColumnType, sql.RenameEnumValue, sql.SetVariable),
        *(sql.AttachPartition, sql.DetachPartition, sql.Inherit, sql.NoInherit),
    )
)
"""The operations that may change rows, or what a name means for them."""


def note_rows(catalog: Catalog, op: Operation, text: str) -> None:
    """Records what an operation of `ROW_CHANGES` has done to the rows. `text` is the statement if it certainly runs and is the operation
    itself, else empty."""
    match op:
        case sql.Insert():
            _note_insert(catalog, op, text)
        case sql.Update() | sql.Delete():
            _note_change(catalog, op, text)
        case sql.AddColumn() | sql.AlterColumnType():
            _note_column(catalog, op)
        case sql.Truncate(cascade=False):
            for table in op.tables:
                relation = catalog.relation(table.name)
                if relation is None or _has_parts(catalog, relation):
                    _forget(catalog)
                else:
                    catalog.inserted_rows.forget_table(relation.oid)
        case sql.Copy():
            relation = catalog.relation(op.table) if op.source and op.table is not None else None
            if relation is not None and not has_effects(catalog, relation):
                catalog.inserted_rows.add(relation.oid, UNKNOWN)
            elif op.source or op.query is not None:
                _forget(catalog)
        case sql.SetVariable():
            if op.variable == "session_replication_role":
                catalog.inserted_rows.stop_checks(catalog.migration)
        case sql.Select():
            if any(volatility_of(call, catalog.pg_version) is None for call in op.query.calls):
                _forget(catalog)
        case _:
            _forget(catalog)


def _forget(catalog: Catalog) -> None:
    catalog.inserted_rows.forget(catalog.new_oid())


def _note_insert(catalog: Catalog, op: sql.Insert, text: str) -> None:
    table = catalog.relation(op.table)
    if table is None or table.kind not in _TABLES or has_effects(catalog, table) or _calls_code(catalog, op.calls) or _writes_more(text):
        _forget(catalog)
        return
    rows = catalog.inserted_rows
    if op.on_conflict == "update":
        rows.change_values(table.oid)
    is_known = table.complete and table.kind is RelationKind.TABLE and table.created_in > 0 and not table.may_be_older
    is_plain = op.on_conflict is None and op.overriding != "user" and not op.names_parts
    if text and op.source == "query" and is_known and is_plain:
        _note_copies(catalog, op, table, text)
        return
    if not text or op.source != "values" or not is_known or table.persistence is Persistence.TEMPORARY:
        rows.add(table.oid, UNKNOWN)
        return
    is_readable = is_plain and MARK_START not in text and len(text) < _LONGEST
    rows.add(
        table.oid,
        Batch(
            text=text if is_readable else "",
            names=op.columns,
            columns=table.columns if is_readable else (),
            exists=True,
            migration=catalog.migration,
        ),
    )


def _note_copies(catalog: Catalog, op: sql.Insert, table: Relation, text: str) -> None:
    """Records the rows that an INSERT … SELECT certainly inserts, and that there may be others."""
    copies = copied_rows(catalog, op, text)
    if copies:
        values = ", ".join(f"({', '.join(row)})" for row in copies)
        batch = Batch(text=f"VALUES {values}", names=op.columns, columns=table.columns, exists=True, migration=catalog.migration)
        catalog.inserted_rows.add(table.oid, batch)
    catalog.inserted_rows.add(table.oid, UNKNOWN)


def _note_change(catalog: Catalog, op: sql.Update | sql.Delete, text: str) -> None:
    table = catalog.relation(op.table)
    if (
        table is None
        or table.kind is not RelationKind.TABLE
        or has_effects(catalog, table)
        or _has_parts(catalog, table)
        or _calls_code(catalog, op.calls)
        or _writes_more(text)
    ):
        _forget(catalog)
        return
    is_update = isinstance(op, sql.Update)
    if any((key.on_update if is_update else key.on_delete) not in KEEPS_ROWS for key in catalog.foreign_keys_to(table.oid)):
        _forget(catalog)
    elif isinstance(op, sql.Update):
        _note_update(catalog, table, op, text)
    else:
        catalog.inserted_rows.forget_table(table.oid)


def _note_update(catalog: Catalog, table: Relation, op: sql.Update, text: str) -> None:
    """Records an UPDATE: the constants that it assigns, if it has the plainest form, or else which columns have changed."""
    rows, columns = catalog.inserted_rows, [table.column(name) for name in op.columns]
    numbers = [column.number for column in columns if column is not None]
    if len(numbers) < len(columns):
        rows.change_values(table.oid)
        return
    is_readable = bool(text) and MARK_START not in text and len(text) < _LONGEST and bool(rows.batches(table.oid))
    update = read_plain_update(text) if is_readable else None
    condition = update.condition if update is not None else None
    where = table.column(condition.column) if condition is not None else None
    if update is None or (condition is not None and where is None) or len(update.values) != len(numbers):
        rows.change_columns(table.oid, frozenset(numbers))
        return
    values = tuple(zip(numbers, (plain_constant(value) for _, value in update.values), strict=True))
    if condition is None or where is None:
        rows.assign(table.oid, values)
    else:
        rows.change_some(table.oid, Change(where.number, condition.value, values))


def _note_column(catalog: Catalog, op: sql.AddColumn | sql.AlterColumnType) -> None:
    table = catalog.relation(op.target.name)
    if table is None or not catalog.inserted_rows.batches(table.oid):
        return
    column = table.column(op.column.name if isinstance(op, sql.AddColumn) else op.column)
    if column is None:
        catalog.inserted_rows.change_values(table.oid)
    elif isinstance(op, sql.AlterColumnType):
        catalog.inserted_rows.change_columns(table.oid, frozenset((column.number,)))
    else:
        catalog.inserted_rows.add_column(table.oid, column.number, "" if op.if_not_exists else default_value(catalog, column))


def has_effects(catalog: Catalog, table: Relation) -> bool:
    """Whether a trigger or a rule may do something else when rows are written."""
    tables = (table, *catalog.descendants(table.oid))
    return any(catalog.triggers(each.oid) or bool(catalog.dependents(each.oid, Attached)) for each in tables)


def _has_parts(catalog: Catalog, table: Relation) -> bool:
    """Whether rows of the table can be reached by the name of another one."""
    return bool(table.parents) or bool(catalog.children(table.oid))


def _calls_code(catalog: Catalog, calls: tuple[Name, ...]) -> bool:
    """Whether a statement calls functions of the history, which may change rows."""
    return any(catalog.functions(call) for call in calls)


def _writes_more(text: str) -> bool:
    """Whether a statement may contain others that write."""
    return text[:4].lower() == "with"
