"""The functions and procedures of extensions that change relations or lock them: neither their code nor the locks that they take are in the
migrations.

The manuals are named with each extension. Functions that only read, change one row of the extension's own configuration, or create relations of
their own are left out.
"""

from collections.abc import Mapping
from functools import cache

from msgspec import Struct

from migsafe.schema.extensions import EXTENSION_FUNCTIONS
from migsafe.sql.operations import Name


class ExtensionFunction(Struct, frozen=True):
    """A function or procedure of the extension `name`. `work` says what it does: a sentence without its subject. `manual` describes it."""

    name: str
    work: str
    manual: str


class _Extension(Struct, frozen=True):
    """An extension: its manual, and what its functions do. A name that projects also give to functions of their own has the schema in which the
    extension is installed."""

    name: str
    manual: str
    functions: Mapping[str, str]


_CREATES_PARTITIONS = "creates partitions, and holds ACCESS EXCLUSIVE on their parent while it runs"
_DROPS_PARTITIONS = "detaches or drops partitions, which locks them and their parent"
_MOVES_ROWS = "moves rows between tables"
_CHANGES_CONSTRAINTS = "adds or drops constraints of the partitions"
_COMPRESSES = "writes the rows of whole chunks into other tables, and locks the chunks"
_DROPS_CHUNKS = "drops chunks with their rows, under ACCESS EXCLUSIVE"
_MOVES_SHARDS = "copies rows to other nodes, and stops writes for all of the time or at its end"
_DISTRIBUTES = "creates the shards of the table and copies its rows to other nodes, while writes wait"
_SENDS_SQL = "runs the SQL in its arguments on other nodes"
_ALTERS_COLUMN = "runs ALTER TABLE under ACCESS EXCLUSIVE"
_MASKS_ROWS = "overwrites values of all rows"
_CREATES_TRIGGERS = "creates or drops triggers of the table"

_EXTENSIONS = (
    _Extension(
        "pg_partman",
        "https://github.com/pgpartman/pg_partman/blob/development/doc/pg_partman.md",
        {
            **dict.fromkeys(("create_parent", "create_sub_parent", "create_sub_partition", "partman.create_partition"), _CREATES_PARTITIONS),
            **dict.fromkeys(("create_partition_time", "create_partition_id", "partition_gap_fill"), _CREATES_PARTITIONS),
            **dict.fromkeys(("run_maintenance", "run_maintenance_proc"), "creates, detaches and drops partitions, which locks their parents"),
            **dict.fromkeys(("drop_partition_time", "drop_partition_id"), _DROPS_PARTITIONS),
            **dict.fromkeys(("partition_data_time", "partition_data_id", "partition_data_proc"), f"creates partitions and {_MOVES_ROWS}"),
            **dict.fromkeys(("partman.undo_partition", "undo_partition_proc"), f"{_MOVES_ROWS} and drops partitions"),
            **dict.fromkeys(("partman.apply_constraints", "partman.drop_constraints", "reapply_constraints_proc"), _CHANGES_CONSTRAINTS),
            "partman.reapply_privileges": "changes owners and privileges of the partitions",
        },
    ),
    _Extension(
        "TimescaleDB",
        "https://www.tigerdata.com/docs/reference/timescaledb",
        {
            **dict.fromkeys(
                ("create_hypertable", "create_distributed_hypertable"),
                "changes the table into a hypertable under ACCESS EXCLUSIVE, and with migrate_data moves all rows under that lock",
            ),
            "add_dimension": "changes how the hypertable is partitioned",
            **dict.fromkeys(("compress_chunk", "recompress_chunk", "convert_to_columnstore"), _COMPRESSES),
            **dict.fromkeys(("decompress_chunk", "convert_to_rowstore"), _COMPRESSES),
            **dict.fromkeys(("add_compression_policy", "add_columnstore_policy"), f"starts a background job that {_COMPRESSES}"),
            "drop_chunks": _DROPS_CHUNKS,
            "add_retention_policy": f"starts a background job that {_DROPS_CHUNKS}",
            "reorder_chunk": "writes the rows of a chunk in another order, and replaces it under ACCESS EXCLUSIVE",
            "add_reorder_policy": "starts a background job that writes the rows of chunks in another order, and replaces them",
            **dict.fromkeys(("move_chunk", "merge_chunks", "split_chunk"), "writes chunks again, and locks them"),
            "cagg_migrate": "replaces a continuous aggregate",
            "refresh_continuous_aggregate": "computes the rows of a continuous aggregate again",
        },
    ),
    _Extension(
        "Citus",
        "https://docs.citusdata.com/en/stable/develop/api_udf.html",
        {
            **dict.fromkeys(("create_distributed_table", "create_reference_table", "citus_schema_distribute"), _DISTRIBUTES),
            **dict.fromkeys(("master_create_distributed_table", "master_create_worker_shards"), _DISTRIBUTES),
            "create_distributed_table_concurrently": "copies the rows of the table to other nodes; writes wait at its end",
            **dict.fromkeys(
                ("undistribute_table", "citus_schema_undistribute"), "moves the rows back from other nodes, and replaces the table"
            ),
            **dict.fromkeys(("alter_distributed_table", "alter_table_set_access_method"), "replaces the table by a copy"),
            "citus_add_local_table_to_metadata": "replaces the table by a shard on the coordinator",
            "truncate_local_data_after_distributing_table": "truncates the local rows of the table, and of those that reference it",
            **dict.fromkeys(("citus_move_shard_placement", "citus_copy_shard_placement", "citus_schema_move"), _MOVES_SHARDS),
            **dict.fromkeys(("rebalance_table_shards", "citus_rebalance_start", "citus_drain_node", "replicate_table_shards"), _MOVES_SHARDS),
            "isolate_tenant_to_new_shard": _MOVES_SHARDS,
            "create_time_partitions": "creates partitions, which locks their parent",
            "drop_old_time_partitions": _DROPS_PARTITIONS,
            "alter_old_partitions_set_access_method": "replaces partitions by copies",
            **dict.fromkeys(("run_command_on_workers", "run_command_on_shards", "run_command_on_placements"), _SENDS_SQL),
            **dict.fromkeys(("run_command_on_all_nodes", "run_command_on_coordinator", "run_command_on_colocated_placements"), _SENDS_SQL),
        },
    ),
    _Extension(
        "PostGIS",
        "https://postgis.net/docs/reference.html#Management_Functions",
        {
            **dict.fromkeys(("addgeometrycolumn", "dropgeometrycolumn"), _ALTERS_COLUMN),
            **dict.fromkeys(("updategeometrysrid", "populate_geometry_columns"), f"{_ALTERS_COLUMN}, which rewrites or scans the table"),
            "dropgeometrytable": "drops the table",
            **dict.fromkeys(("addrasterconstraints", "addoverviewconstraints"), f"{_ALTERS_COLUMN}, which scans the table"),
            **dict.fromkeys(("droprasterconstraints", "addtopogeometrycolumn", "droptopogeometrycolumn"), _ALTERS_COLUMN),
            "droptopology": "drops a schema with its tables",
        },
    ),
    _Extension(
        "pg_pathman",
        "https://github.com/postgrespro/pg_pathman#readme",
        {
            **dict.fromkeys(
                ("create_range_partitions", "create_hash_partitions"), f"creates partitions and {_MOVES_ROWS}, and locks the table meanwhile"
            ),
            **dict.fromkeys(("split_range_partition", "merge_range_partitions", "partition_table_concurrently"), _MOVES_ROWS),
            **dict.fromkeys(("append_range_partition", "prepend_range_partition", "add_range_partition"), "creates a partition"),
            **dict.fromkeys(
                ("attach_range_partition", "replace_hash_partition", "detach_range_partition"), "changes the partitions of a table"
            ),
            "drop_range_partition": _DROPS_PARTITIONS,
        },
    ),
    _Extension(
        "periods",
        "https://github.com/xocolatl/periods#readme",
        {
            **dict.fromkeys(("periods.add_period", "periods.add_system_time_period"), "adds columns, constraints and triggers to the table"),
            **dict.fromkeys(("periods.add_unique_key", "periods.add_foreign_key"), "adds constraints and triggers, whose indexes it builds"),
            "periods.add_system_versioning": "creates a history table and triggers",
        },
    ),
    _Extension(
        "pglogical",
        "https://github.com/2ndQuadrant/pglogical/blob/REL2_x_STABLE/docs/README.md",
        {"pglogical.replicate_ddl_command": "runs the SQL in its arguments, here and on the subscribers"},
    ),
    _Extension(
        "pg_squeeze",
        "https://github.com/cybertec-postgresql/pg_squeeze#readme",
        {"squeeze.squeeze_table": "rewrites the table, and replaces it under ACCESS EXCLUSIVE"},
    ),
    _Extension(
        "pg_ivm",
        "https://github.com/sraoss/pg_ivm#readme",
        {
            "create_immv": "runs a query, and creates triggers on the tables that it reads",
            "refresh_immv": "computes all rows of the view again",
        },
    ),
    _Extension(
        "supa_audit",
        "https://github.com/supabase/supa_audit#readme",
        dict.fromkeys(("audit.enable_tracking", "audit.enable_selective_tracking", "audit.disable_tracking"), _CREATES_TRIGGERS),
    ),
    _Extension(
        "PostgreSQL Anonymizer",
        "https://postgresql-anonymizer.readthedocs.io/en/stable/static_masking/",
        dict.fromkeys(("anon.anonymize_database", "anon.anonymize_table", "anon.anonymize_column", "anon.shuffle_column"), _MASKS_ROWS),
    ),
    _Extension(
        "dblink",
        "https://www.postgresql.org/docs/current/contrib-dblink-exec.html",
        {"dblink_exec": "runs the SQL in its arguments on another connection, outside this transaction"},
    ),
)


_NAMES = {"PostgreSQL Anonymizer": "anon"}
"""The extensions whose title is not their name."""


def extension_function(name: Name) -> ExtensionFunction | None:
    """Returns the function of an extension that a call names; None for any other function."""
    functions = _functions()
    return functions.get(f"{name.schema}.{name.name}") or functions.get(name.name)


def extension_with_function(function: str) -> str | None:
    """Returns the extension, as CREATE EXTENSION names it, that has a function of this name without a schema; None if none is known."""
    found = next((extension for extension, functions in EXTENSION_FUNCTIONS.items() if function in functions), None)
    known = extension_function(Name(function)) if found is None else None
    return _NAMES.get(known.name, known.name.lower()) if known is not None else found


@cache
def _functions() -> dict[str, ExtensionFunction]:
    return {
        function: ExtensionFunction(extension.name, work, extension.manual)
        for extension in _EXTENSIONS
        for function, work in extension.functions.items()
    }
