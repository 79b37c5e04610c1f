"""The limits of indexes, and of constraints that have one."""

from collections.abc import Iterable, Iterator

from migsafe import versions
from migsafe.prediction.refusals.definitions import added_constraints, complete_table, is_built_in, type_text
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.casts import RANGES
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.constraints import constraint_of_index
from migsafe.schema.extensions import PLAIN_TYPES
from migsafe.schema.objects import Index, Key, Relation, RelationKind
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import Constraint, ConstraintKind, Name, PartitionKey, TypeName

_WORDS = {ConstraintKind.PRIMARY_KEY: "PRIMARY KEY", ConstraintKind.UNIQUE: "UNIQUE"}
_NAMES = {**_WORDS, ConstraintKind.EXCLUDE: "EXCLUDE"}


@refuses(sql.Cluster)
def cluster_using(catalog: Catalog, op: sql.Cluster) -> Refusal | None:
    """CLUSTER … USING names an index of the table."""
    table = complete_table(catalog, op.table) if op.table is not None and op.index is not None else None
    if table is None or table.created_in <= 0 or any(index.name.name == op.index for index in catalog.indexes(table.oid)):
        return None
    return Refusal(error=f'index "{op.index}" for table "{table.name.name}" does not exist')


@refuses(sql.CreateIndex)
def create_index(catalog: Catalog, op: sql.CreateIndex) -> Refusal | None:
    """An index belongs to a table or a materialized view; a unique one of a partitioned table contains the partition key."""
    relation = catalog.relation(op.table)
    if relation is None:
        return None
    name = relation.name.name
    if relation.kind in (RelationKind.VIEW, RelationKind.SEQUENCE):
        is_named = catalog.pg_version >= versions.ACTION_NAMED_IN_ERRORS
        return Refusal(
            error=f'cannot create index on relation "{name}"' if is_named else f'"{name}" is not a table or materialized view',
            detail=f"it is a {relation.kind.value}",
        )
    if not op.unique or relation.kind is not RelationKind.PARTITIONED or relation.partition_key is None:
        return None
    columns = [element.column for element in op.elements if element.column is not None]
    return _refuse_key(catalog, relation.partition_key, columns, ConstraintKind.UNIQUE, name)


WITHOUT_ORDER = frozenset(("json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle"))
"""The built-in types that have no operator class for btree."""


_WITHOUT_DOCUMENTS = WITHOUT_ORDER | {"tsquery"}
_WITHOUT_CLASS: dict[str, frozenset[str]] = {
    "btree": WITHOUT_ORDER,
    "hash": WITHOUT_ORDER | {"money", "bit", "bit varying", "tsvector", "tsquery"},
    "gin": _WITHOUT_DOCUMENTS | RANGES,
    "gist": frozenset(("json", "jsonb", "xml", "line", "lseg", "path")),
    "spgist": PLAIN_TYPES - {"text", "character varying"}
    | frozenset(("json", "jsonb", "xml", "line", "lseg", "path", "circle", "tsvector", "tsquery")),
    "brin": WITHOUT_ORDER - {"box"} | {"boolean", "money", "jsonb", "tsvector", "tsquery"},
}
"""The built-in types that have no default operator class for a method, in PostgreSQL 14 to 18, and get none from its own extensions."""


@refuses(sql.CreateIndex, sql.AddConstraint, sql.CreateTable)
def index_column(catalog: Catalog, op: sql.CreateIndex | sql.AddConstraint | sql.CreateTable) -> Refusal | None:
    """The type of a key has an operator class for the method of the index (GetIndexOpClass in indexcmds.c)."""
    if isinstance(op, sql.CreateTable):
        types = {column.name: column.type for column in op.columns}
    else:
        table = complete_table(catalog, op.table if isinstance(op, sql.CreateIndex) else op.target.name)
        types = {column.name: column.type for column in table.columns} if table is not None else {}
    for method, names in _indexed_columns(op) if types else ():
        for name in names:
            data_type = types.get(name)
            if data_type is None or not is_built_in(data_type) or not _has_no_class(method, data_type):
                continue
            return Refusal(
                error=f'data type {type_text(catalog, data_type)} has no default operator class for access method "{method}"',
                help=_other_index(name, method, data_type),
            )
    return None


def _indexed_columns(op: sql.CreateIndex | sql.AddConstraint | sql.CreateTable) -> Iterator[tuple[str, list[str]]]:
    """Returns the method of each index that an operation builds, and its columns without an operator class of their own."""
    if isinstance(op, sql.CreateIndex):
        yield op.method or "btree", [element.column for element in op.elements if element.column is not None and element.opclass is None]
        return
    for constraint in added_constraints(op):
        if constraint.kind is ConstraintKind.EXCLUDE:
            elements = constraint.elements
            yield constraint.method or "btree", [each.column for each in elements if each.column is not None and each.opclass is None]
        elif constraint.kind in _WORDS and constraint.index is None and not isinstance(op, sql.CreateTable):
            yield "btree", list(constraint.columns)


def _has_no_class(method: str, data_type: TypeName) -> bool:
    if data_type.dimensions:
        return method in ("spgist", "brin") or (method == "gist" and data_type.name != "integer")
    return data_type.name in _WITHOUT_CLASS.get(method, ())


def _other_index(column: str, method: str, data_type: TypeName) -> str:
    if data_type.dimensions or (data_type.name in ("jsonb", "tsvector") and method != "gin"):
        return f"-- use gin for {Name(column)}"
    if data_type.name == "json":
        return f"-- index a field: (({Name(column)} ->> 'field')); or make the column jsonb, and use gin"
    if data_type.name in ("point", "box", "polygon", "circle") or (data_type.name in RANGES and method == "gin"):
        return f"-- use gist for {Name(column)}" if method != "gist" else ""
    return f"-- use btree for {Name(column)}" if data_type.name not in WITHOUT_ORDER and method != "btree" else ""


@refuses(sql.AddConstraint, sql.AddColumn, sql.CreateTable)
def add_key(catalog: Catalog, op: sql.AddConstraint | sql.AddColumn | sql.CreateTable) -> Refusal | None:
    """A primary key or a UNIQUE constraint of a partitioned table contains the partition key."""
    if isinstance(op, sql.CreateTable):
        table, partition_key, name = None, op.partition_by, op.table.name
    else:
        table = catalog.relation(op.target.name)
        partition_key, name = (table.partition_key, table.name.name) if table is not None else (None, "")
    for definition in added_constraints(op):
        if definition.kind is ConstraintKind.EXCLUDE and partition_key is not None:
            refusal = _refuse_exclusion(catalog, partition_key, definition, name)
            if refusal is not None:
                return refusal
        if definition.kind not in _WORDS:
            continue
        if definition.index is not None and table is not None:
            refusal = _refuse_index(catalog, table, definition)
            if refusal is not None:
                return refusal
        elif partition_key is not None and definition.index is None:
            columns = definition.columns or [element.column for element in definition.elements if element.column is not None]
            refusal = _refuse_key(catalog, partition_key, columns, definition.kind, name)
            if refusal is not None:
                return refusal
    return None


def _refuse_key(catalog: Catalog, partition_key: PartitionKey, columns: Iterable[str], kind: ConstraintKind, table: str) -> Refusal | None:
    if any(element.expression is not None for element in partition_key.elements):
        return Refusal(
            error=f"unsupported {_NAMES[kind]} constraint with partition key definition",
            detail=f"{_NAMES[kind]} constraints cannot be used when partition keys include expressions",
            help="-- add the constraint to each partition: it is then enforced only inside each partition",
        )
    names = list(columns)
    missing = [element.column for element in partition_key.elements if element.column not in names]
    if not missing or not names:
        return None
    what = _NAMES[kind] if catalog.pg_version >= versions.REWORDED_ERRORS else "unique"
    full_key = ", ".join(str(Name(name)) for name in (*names, *(column for column in missing if column is not None)))
    return Refusal(
        error=f"{what} constraint on partitioned table must include all partitioning columns",
        detail=f'{_NAMES[kind]} constraint on table "{table}" lacks column "{missing[0]}" which is part of the partition key',
        help=f"-- include the partition key: {_NAMES[kind]} ({full_key}); or add the constraint to each partition, where it is enforced "
        "only inside that partition",
    )


def _refuse_exclusion(catalog: Catalog, partition_key: PartitionKey, definition: Constraint, table: str) -> Refusal | None:
    """Returns why an exclusion constraint cannot be that of a partitioned table (DefineIndex in indexcmds.c)."""
    if catalog.pg_version < versions.EXCLUSION_OF_PARTITIONED:
        return Refusal(
            error="exclusion constraints are not supported on partitioned tables",
            help="-- add the constraint to each partition: it is then enforced only inside each partition",
        )
    refusal = _refuse_key(catalog, partition_key, [element.column for element in definition.elements if element.column], definition.kind, table)
    if refusal is not None:
        return refusal
    keys = {element.column for element in partition_key.elements}
    for element in definition.elements:
        if element.column in keys and element.operator != "=":
            return Refusal(
                error=f'cannot match partition key to index on column "{element.column}" using non-equal operator "{element.operator}"',
                help=f"-- compare {element.column} WITH =",
            )
    return None


def _refuse_index(catalog: Catalog, table: Relation, definition: Constraint) -> Refusal | None:
    """Returns why an index cannot become a constraint with USING INDEX (transformIndexConstraint in parse_utilcmd.c)."""
    assert definition.index is not None
    if table.kind is RelationKind.PARTITIONED:
        return Refusal(
            error="ALTER TABLE / ADD CONSTRAINT USING INDEX is not supported on partitioned tables",
            help=f"ALTER TABLE {table.name} ADD {_WORDS[definition.kind]} (…);",
        )
    index = catalog.index(Name(definition.index.name, table.name.schema))
    if index is None or not certainly_exists(catalog, index):
        return None
    name = index.name.name
    if constraint_of_index(catalog, index) is not None:
        return Refusal(error=f'index "{name}" is already associated with a constraint')
    owner = catalog.get(index.table)
    if owner is not None and index.table != table.oid:
        return Refusal(error=f'index "{name}" does not belong to table "{table.name.name}"', detail=f"it belongs to {owner.name}")
    reason = _limit(index, table)
    if reason is None:
        return None
    columns = ", ".join(str(Name(column.name)) for key in index.keys if (column := table.column_numbered(key.column or 0)) is not None)
    error, detail, help = reason
    build = f"CREATE UNIQUE INDEX CONCURRENTLY {Name(name)}_all ON {table.name} ({columns});\nALTER TABLE {table.name} ADD CONSTRAINT "
    build += f"{Name(definition.name or name)} {_WORDS[definition.kind]} USING INDEX {Name(name)}_all;"
    return Refusal(error=error, detail=detail, help=help or (build if columns else ""))


def _limit(index: Index, table: Relation) -> tuple[str, str, str] | None:
    name, cannot = index.name.name, "a primary key or unique constraint cannot use such an index"
    if not index.unique:
        return f'"{name}" is not a unique index', cannot, ""
    if any(key.formula is not None for key in index.keys):
        return f'index "{name}" contains expressions', cannot, "-- keep the unique index: it enforces the same without a constraint"
    if index.predicate is not None:
        return f'"{name}" is a partial index', cannot, "-- keep the unique index: it enforces the same without a constraint"
    for number, key in enumerate(index.keys, 1):
        if key.descending or key.nulls_first or _sorts_otherwise(key, table):
            return f'index "{name}" column number {number} does not have default sorting behavior', cannot, ""
    return None


def _sorts_otherwise(key: Key, table: Relation) -> bool:
    """Whether a key certainly has another operator class or collation than the one that its column gives it."""
    column = table.column_numbered(key.column or 0)
    if column is None or column.type is None or not is_built_in(column.type):
        return False
    if key.opclass is not None and key.opclass.name.endswith("_pattern_ops"):
        return True
    own = column.collation.name if column.collation is not None else "default"
    return key.collation is not None and key.collation.name != own


@refuses(sql.Cluster)
def cluster(catalog: Catalog, op: sql.Cluster) -> Refusal | None:
    """CLUSTER without an index takes the one that clustered the table before (cluster in cluster.c)."""
    table = complete_table(catalog, op.table) if isinstance(op.table, Name) and op.index is None else None
    if table is None or table.kind is not RelationKind.TABLE:
        return None
    if table.clustered_on is not None and catalog.get(table.clustered_on) is not None:
        return None
    return Refusal(error=f'there is no previously clustered index for table "{table.name.name}"', help=f"CLUSTER {table.name} USING …;")
