"""The syntax, options and settings that PostgreSQL got after release 14, each with its first release.

The grammar reports each use of one (`Cursor.uses`). The sources are the release notes and the manual; `tests/sql/features.sql` has every entry
as a case that runs on servers: they accept it from its release on, and refuse it before. Those of 19 ran on its second beta.
"""

from msgspec import Struct

from migsafe.sql.keywords import RECENT_COLUMN_NAME


class Feature(Struct, frozen=True):
    """What a release of PostgreSQL added.

    `text` names it as the subject of a sentence, `release` is the first major release that accepts it. `instead` is what works before that
    release, a clause or SQL as a comment without `--`; empty if nothing does. Releases below `refused_from` accept the text with another
    meaning. `function` is its name if it has the form of a call, which a user's function can answer as well. `is_syntax`: the grammar of
    earlier releases refuses it, so that a PL/pgSQL body with it is refused even if the statement never runs.
    `is_removed`: the other way round, releases from `release` on refuse it.
    """

    text: str
    release: int
    instead: str = ""
    refused_from: int = 0
    function: str = ""
    is_syntax: bool = True
    is_removed: bool = False


NAMES_BEFORE_KEY_WORDS = {
    word: Feature(f"{word} as the name of a function, an argument or a type", release, "write it in double quotes", is_removed=True)
    for word, release in RECENT_COLUMN_NAME.items()
}
"""Words that have become key words, by word."""

# 15

MERGE = Feature("MERGE", 15, "use INSERT … ON CONFLICT, or UPDATE and INSERT in one transaction")
NULLS_NOT_DISTINCT = Feature(
    "NULLS [NOT] DISTINCT", 15, "add a unique index on the columns that are NOT NULL, with WHERE column IS NULL, beside the ordinary one"
)
SET_NULL_COLUMNS = Feature("a list of columns after ON DELETE SET NULL or SET DEFAULT", 15, "use a trigger")
UNLOGGED_SEQUENCE = Feature("an unlogged sequence", 15, "leave out UNLOGGED", is_syntax=False)
SET_ACCESS_METHOD = Feature("SET ACCESS METHOD", 15, "create a new table with USING and copy the rows")
PUBLICATION_FILTER = Feature("a row filter of a publication", 15)
PUBLICATION_COLUMNS = Feature("a column list of a publication", 15)
PUBLICATION_SCHEMAS = Feature("TABLES IN SCHEMA", 15, "name the tables")
PARAMETER_PRIVILEGES = Feature("GRANT … ON PARAMETER", 15)
SUBSCRIPTION_SKIP = Feature("ALTER SUBSCRIPTION … SKIP", 15)
REFRESH_COLLATION_VERSION = Feature("ALTER DATABASE … REFRESH COLLATION VERSION", 15)
HEADER_OF_TEXT = Feature("HEADER of COPY in text format", 15, "use FORMAT csv", is_syntax=False)
NEGATIVE_SCALE = Feature(
    "a negative scale of numeric, or one above its precision", 15, "use numeric without precision and scale", is_syntax=False
)

# 16

SUBQUERY_WITHOUT_ALIAS = Feature("a subquery in FROM without an alias", 16, "add an alias")
NUMBER_FORMATS = Feature("a number in hexadecimal, octal or binary form or with underscores", 16, "write it in decimal form", refused_from=15)
IS_JSON = Feature("IS JSON", 16, "test the cast to json in a function that catches the error")
SYSTEM_USER = Feature("SYSTEM_USER", 16, "use SESSION_USER", is_syntax=False)
STATISTICS_WITHOUT_NAME = Feature("CREATE STATISTICS without a name", 16, "name the statistics")
COLUMN_STORAGE = Feature("STORAGE in the definition of a column", 16, "use ALTER TABLE … ALTER COLUMN … SET STORAGE afterwards")
STORAGE_DEFAULT = Feature("SET STORAGE DEFAULT", 16, "name the storage: PLAIN, EXTERNAL, EXTENDED or MAIN")
MEMBERSHIP_OPTIONS = Feature("GRANT role … WITH INHERIT, SET or ADMIN and a value", 16, "use WITH ADMIN OPTION, and NOINHERIT of the member")
REVOKE_MEMBERSHIP_OPTIONS = Feature("REVOKE INHERIT | SET OPTION FOR", 16)
REINDEX_WITHOUT_NAME = Feature("REINDEX DATABASE or SYSTEM without a name", 16, "name the database")
XML_INDENT = Feature("[NO] INDENT of XMLSERIALIZE", 16, "leave out INDENT")

# 17

MERGE_BY_SOURCE = Feature("WHEN NOT MATCHED BY", 17, "use a DELETE or UPDATE with NOT EXISTS for the rows that the source does not have")
MERGE_RETURNING = Feature("MERGE … RETURNING", 17, "read the rows with a query afterwards")
SET_EXPRESSION = Feature("ALTER COLUMN … SET EXPRESSION", 17, "drop the generated column and add it again")
STATISTICS_DEFAULT = Feature("SET STATISTICS DEFAULT", 17, "use SET STATISTICS -1")
ACCESS_METHOD_DEFAULT = Feature("SET ACCESS METHOD DEFAULT", 17, "name the access method: heap")
PARTITIONED_ACCESS_METHOD = Feature("USING on a partitioned table", 17, "use it on the partitions", is_syntax=False)
MAINTAIN = Feature("the privilege MAINTAIN", 17, is_syntax=False)
PARTITIONED_EXCLUSION = Feature("an exclusion constraint of a partitioned table", 17, "add it to each partition", is_syntax=False)
AT_LOCAL = Feature("AT LOCAL", 17, "use AT TIME ZONE current_setting('TimeZone')")
JSON_TABLE = Feature("JSON_TABLE", 17, "use jsonb_to_recordset or jsonb_path_query")
MERGE_ACTION = Feature("MERGE_ACTION()", 17, function="merge_action", is_syntax=False)
LOGIN_EVENT_TRIGGER = Feature("an event trigger ON login", 17, is_syntax=False)
OPERATOR_ATTRIBUTES = Feature("ALTER OPERATOR … SET (COMMUTATOR, NEGATOR, HASHES, MERGES)", 17, is_syntax=False)
FORCE_NULL_ALL = Feature("FORCE_NULL or FORCE_NOT_NULL with *", 17, "name the columns", is_syntax=False)

# 18

VIRTUAL_COLUMN = Feature("a generated column without STORED", 18, "write STORED: it is computed when the row is written")
NOT_ENFORCED = Feature("[NOT] ENFORCED", 18, "add the constraint as NOT VALID: it checks new rows only")
NOT_NULL_CONSTRAINT = Feature(
    "NOT NULL as a constraint of the table",
    18,
    "use ALTER COLUMN … SET NOT NULL after a CHECK (column IS NOT NULL) NOT VALID that is validated",
)
NOT_NULL_OF_DOMAIN = Feature("NOT NULL as a constraint that is added to a domain", 17, "use ALTER DOMAIN … SET NOT NULL")
NOT_NULL_NO_INHERIT = Feature("NOT NULL NO INHERIT", 18)
ALTER_CONSTRAINT_INHERIT = Feature("ALTER CONSTRAINT … [NO] INHERIT", 18)
WITHOUT_OVERLAPS = Feature("WITHOUT OVERLAPS", 18, "use EXCLUDE USING gist with the extension btree_gist")
PERIOD = Feature("PERIOD in a foreign key", 18, "use a trigger")
RETURNING_OLD_NEW = Feature("OLD and NEW in RETURNING", 18, "read the old rows in WITH … AS (SELECT … FOR UPDATE) before", is_syntax=False)
VACUUM_ONLY = Feature("VACUUM or ANALYZE with ONLY", 18, "leave out ONLY: these releases never process the children of an inheritance tree")
FOREIGN_TABLE_LIKE = Feature("CREATE FOREIGN TABLE … (LIKE …)", 18, "write the columns", is_syntax=False)
DEFAULT_LARGE_OBJECT_PRIVILEGES = Feature("ALTER DEFAULT PRIVILEGES … ON LARGE OBJECTS", 18)

# 19

REPACK = Feature("REPACK", 19, "use VACUUM FULL, CLUSTER, or the extension pg_repack")
WAIT_FOR = Feature("WAIT FOR", 19)
MERGE_PARTITIONS = Feature("ALTER TABLE … MERGE PARTITIONS", 19, "create the new partition as a table, copy the rows, then detach and attach")
SPLIT_PARTITION = Feature("ALTER TABLE … SPLIT PARTITION", 19, "create the new partitions as tables, copy the rows, then detach and attach")
PORTION_OF = Feature("FOR PORTION OF", 19, "change the ranges with an UPDATE, and insert the remaining parts")
PROPERTY_GRAPH = Feature("a property graph", 19, "use views and joins")
CONFLICT_SELECT = Feature("ON CONFLICT … DO SELECT", 19, "use DO UPDATE SET column = EXCLUDED.column … RETURNING")
NULL_TREATMENT = Feature("IGNORE NULLS or RESPECT NULLS of a window function", 19)
CHECKPOINT_OPTIONS = Feature("CHECKPOINT with options", 19, "leave out the options")
PUBLICATION_SEQUENCES = Feature("ALL SEQUENCES in a publication", 19)
PUBLICATION_EXCEPT = Feature("EXCEPT in a publication", 19, "name the tables that are published")
SUBSCRIPTION_SERVER = Feature("CREATE SUBSCRIPTION … SERVER", 19, "use CONNECTION")
ALTER_SUBSCRIPTION_SERVER = Feature("ALTER SUBSCRIPTION … SERVER", 19, "use CONNECTION")
WRAPPER_CONNECTION = Feature("CONNECTION of a foreign-data wrapper", 19, "leave it out: subscriptions need CONNECTION instead of SERVER then")
SCHEMA_ELEMENTS = Feature("this kind of object inside CREATE SCHEMA", 19, "create it in a statement of its own, after CREATE SCHEMA")
REFRESH_SEQUENCES = Feature("ALTER SUBSCRIPTION … REFRESH SEQUENCES", 19)
COPY_HEADER_LINES = Feature("a number of header lines in COPY", 19, "use HEADER, which skips one line", is_syntax=False)

JSON_OBJECT_KEYS = Feature("JSON_OBJECT with keys and values", 16, "use json_build_object")
JSON_FUNCTIONS = {
    word: Feature(f"{word.upper()}", release, advice, function=word, is_syntax=False)
    for word, release, advice in (
        ("json_array", 16, "use json_build_array"),
        ("json_objectagg", 16, "use json_object_agg"),
        ("json_arrayagg", 16, "use json_agg"),
        ("json_scalar", 17, "use to_json"),
        ("json_serialize", 17, "use a cast to text"),
        ("json_exists", 17, "use jsonb_path_exists"),
        ("json_query", 17, "use jsonb_path_query_array"),
        ("json_value", 17, "use jsonb_path_query_first and a cast"),
    )
}
"""The functions of SQL/JSON, by their key words."""

_OPTIONS = {
    "COPY": {"default": 16, "on_error": 17, "log_verbosity": 17, "reject_limit": 18, "force_array": 19},
    "VACUUM": {"process_main": 16, "skip_database_stats": 16, "only_database_stats": 16, "buffer_usage_limit": 16},
    "ANALYZE": {"buffer_usage_limit": 16},
    "EXPLAIN": {"generic_plan": 16, "memory": 17, "serialize": 17, "io": 19},
    "CREATE DATABASE": {
        "strategy": 15,
        "oid": 15,
        "locale_provider": 15,
        "icu_locale": 15,
        "collation_version": 15,
        "icu_rules": 16,
        "builtin_locale": 17,
    },
    "CREATE COLLATION": {"rules": 16},
    "a publication": {"publish_generated_columns": 18},
    "a subscription": {
        "two_phase": 15,
        "disable_on_error": 15,
        "origin": 16,
        "password_required": 16,
        "run_as_owner": 16,
        "failover": 17,
        "retain_dead_tuples": 19,
        "max_retention_duration": 19,
    },
    "a view": {"security_invoker": 15},
    "a table": {"autovacuum_vacuum_max_threshold": 18, "vacuum_max_eager_freeze_failure_rate": 18},
}
_OPTION_VALUES = {
    ("COPY", "header", "match"): 15,
    ("COPY", "log_verbosity", "silent"): 18,
    ("COPY", "on_error", "set_null"): 19,
    ("COPY", "format", "json"): 19,
    ("a subscription", "streaming", "parallel"): 16,
    ("CREATE COLLATION", "provider", "builtin"): 17,
    ("CREATE DATABASE", "locale_provider", "builtin"): 17,
    ("CREATE DATABASE", "strategy", "wal_log"): 15,
}
_OPTION_ADVICE = {
    "security_invoker": "before 15 a view always reads its tables with the rights of its owner; leave the option out only if that is intended",
    "on_error": "load into a table of text columns first, and convert in SQL",
    "buffer_usage_limit": "leave the option out",
}


def option_feature(kind: str, option: str, value: str | None) -> Feature | None:
    """Return the feature of an option of a statement or object: None if release 14 has it, or no release is known to have it."""
    option = option.lower().removeprefix("toast.")
    found = _OPTION_VALUES.get((kind, option, (value or "").lower().strip("'\"")))
    if found is not None:
        return Feature(f"the value {(value or '').lower()} of the option {option} of {kind}", found, is_syntax=False)
    release = _OPTIONS[kind].get(option)
    return None if release is None else Feature(f"the option {option} of {kind}", release, _OPTION_ADVICE.get(option, ""), is_syntax=False)


PREDEFINED_ROLES = {
    "pg_checkpoint": 15,
    "pg_use_reserved_connections": 16,
    "pg_create_subscription": 16,
    "pg_maintain": 17,
    "pg_signal_autovacuum_worker": 18,
}
"""The roles that PostgreSQL itself creates, of releases after 14."""


def role_feature(role: str) -> Feature | None:
    """Return the feature of a predefined role that is named; None for any other role."""
    release = PREDEFINED_ROLES.get(role)
    return None if release is None else Feature(f"the predefined role {role}", release, is_syntax=False)


_FUNCTIONS = {
    15: "has_parameter_privilege regexp_count regexp_instr regexp_like regexp_substr",
    16: "any_value array_sample array_shuffle date_add date_subtract erf erfc random_normal",
    17: "jsonb_populate_record_valid to_bin to_oct to_regtypemod unicode_assigned uuid_extract_timestamp uuid_extract_version xmltext",
    18: "array_reverse array_sort casefold crc32 crc32c gamma lgamma uuidv4 uuidv7",
    19: "error_on_null tid_block tid_offset to_regdatabase",
}
RANDOM_BETWEEN = Feature("random(min, max)", 17, "use floor(random() * (max - min + 1)) + min", function="random", is_syntax=False)
_FUNCTION_RELEASES = {name: release for release, names in _FUNCTIONS.items() for name in names.split()}
_FUNCTION_ADVICE = {
    "any_value": "use min or max",
    "regexp_like": "use the operator ~",
    "regexp_substr": "use substring(text from pattern)",
    "uuidv4": "use gen_random_uuid()",
    "uuidv7": "create a function of that name in SQL, or use gen_random_uuid()",
}


def function_feature(name: str) -> Feature | None:
    """Return the feature of a call without a schema: None if no release after 14 added a function of that name for applications."""
    release = _FUNCTION_RELEASES.get(name)
    return (
        None if release is None else Feature(f"the function {name}()", release, _FUNCTION_ADVICE.get(name, ""), function=name, is_syntax=False)
    )


_SETTINGS = {
    15: """archive_library log_startup_progress_interval recovery_prefetch recursive_worktable_factor stats_fetch_consistency
        wal_decode_buffer_size""",
    16: """createrole_self_grant debug_io_direct debug_parallel_query enable_presorted_aggregate gss_accept_delegation icu_validation_level
        max_parallel_apply_workers_per_subscription reserved_connections scram_iterations send_abort_for_crash send_abort_for_kill
        vacuum_buffer_usage_limit""",
    17: """allow_alter_system commit_timestamp_buffers enable_group_by_reordering event_triggers io_combine_limit max_notify_queue_pages
        multixact_member_buffers multixact_offset_buffers notify_buffers serializable_buffers subtransaction_buffers summarize_wal
        sync_replication_slots synchronized_standby_slots trace_connection_negotiation transaction_buffers transaction_timeout
        wal_summary_keep_time""",
    18: """autovacuum_vacuum_max_threshold autovacuum_worker_slots enable_distinct_reordering enable_self_join_elimination
        extension_control_path file_copy_method idle_replication_slot_timeout io_max_combine_limit io_max_concurrency io_method
        max_active_replication_origins md5_password_warnings oauth_validator_libraries ssl_groups ssl_tls13_ciphers track_cost_delay_timing
        vacuum_max_eager_freeze_failure_rate vacuum_truncate""",
    19: """autovacuum_max_parallel_workers enable_eager_aggregate log_autoanalyze_min_duration max_repack_replication_slots
        password_expiration_warning_threshold wal_sender_shutdown_timeout""",
}
_SETTING_RELEASES = {name: release for release, names in _SETTINGS.items() for name in names.split()}
_SETTING_ADVICE = {"transaction_timeout": "use statement_timeout and idle_in_transaction_session_timeout"}


def setting_feature(name: str) -> Feature | None:
    """Return the feature of a setting: None if release 14 has it, or no release is known to have it."""
    release = _SETTING_RELEASES.get(name)
    return (
        None
        if release is None
        else Feature(f"the setting {name}", release, _SETTING_ADVICE.get(name, "leave the setting out"), is_syntax=False)
    )
