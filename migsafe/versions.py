"""PostgreSQL's major releases: the ones that migsafe supports, and the changes between them that its behaviour depends on.

Each change is named once, by the first release that has it: `catalog.pg_version >= versions.PARTITIONS_INHERIT_IDENTITY`. The sources are the
release notes and, where they say nothing, measurements on servers (tests/prediction/effects/cases).
"""

OLDEST, NEWEST, DEFAULT = 14, 19, 17
"""The oldest and the newest supported release, and the one that is assumed where the configuration names none."""

SUPPORTED_TEXT = f"{OLDEST}-{NEWEST}"
"""The supported releases, for option help."""

# 15
GENERATED_COLUMNS_BLOCK_DROPS = 15
"""A generated column is a dependent of the columns in its expression; before, DROP COLUMN dropped it silently with them."""
UNLOGGED_SEQUENCES = 15
"""A sequence can be unlogged; the sequences of an unlogged table are."""
ROOT_FOREIGN_KEY_TRIGGERS = 15
"""A partitioned table that a foreign key references has the foreign key's triggers itself, not only its partitions. So ALTER and DROP of the
foreign key lock it as they lock an ordinary table, and ATTACH PARTITION locks the tables that reference the parent (measured)."""
ROW_TRIGGER_RENAME_RECURSES = 15
"""Renaming a row trigger of a partitioned table renames, and locks, the triggers of its partitions."""
CHAR_HAS_INTERNAL_CATEGORY = 15
"""The type "char" left the string category, so it lost the automatic casts by way of text."""
PATH_TO_POINT_CAST_REMOVED = 15
"""The cast from path to point is gone."""
STATISTICS_IN_SHARED_MEMORY = 15
"""Counters are kept in shared memory; before, a collector process received them with a delay."""
CREATE_DATABASE_STRATEGY = 15
"""CREATE DATABASE has STRATEGY; wal_log is the default, and file_copy is faster for large templates."""

ACTION_NAMED_IN_ERRORS = 15
"""ALTER TABLE on a relation of the wrong kind fails with `ALTER action … cannot be performed on relation …`."""

CLUSTER_OF_PARTITIONED = 15
"""CLUSTER accepts partitioned tables."""
PUBLICATION_LIMITS_NAMED = 15
"""A publication that refuses a relation says what kind of relation it is."""
FUNCTION_RESULTS_HAVE_COLUMNS = 15
"""A query that reads a column of a function's result depends on the attribute of the composite type (measured)."""

# 16
PARTITIONED_PARAMETERS_NAMED = 16
"""The error of a storage parameter of a partitioned table says that it has none (build_reloptions in reloptions.c)."""
CREATEROLE_IS_LIMITED = 16
"""A role with CREATEROLE can only manage roles over which it has ADMIN OPTION; before, it could grant itself the right to run programs."""
DATE_TRUNC_IN_ZONE_IS_IMMUTABLE = 16
"""date_trunc() with a time zone as its third argument is immutable (release notes of 16)."""
GENERIC_PLAN = 16
"""EXPLAIN has GENERIC_PLAN, which plans a query with parameters without values for them."""

INPUT_IS_VALID = 16
"""pg_input_is_valid() tells whether a text is a value of a type, without an error."""

# 17
TRANSACTION_TIMEOUT = 17
"""transaction_timeout, which ends the session of a transaction that takes longer."""
PARTITIONS_INHERIT_IDENTITY = 17
"""The partitions of a table inherit its identity columns; other child tables never do."""
SUBSCRIPTION_FAILOVER = 17
"""ALTER SUBSCRIPTION … SET (failover), which is refused in a transaction block."""

EXCLUSION_OF_PARTITIONED = 17
"""A partitioned table accepts an exclusion constraint that compares the partition key with =."""

# 18
PARTITIONED_ALWAYS_LOGGED = 18
"""SET LOGGED and SET UNLOGGED of a partitioned table are refused."""
NOT_NULL_CONSTRAINTS = 18
"""NOT NULL is a constraint in pg_constraint, with a name; it can be added as NOT VALID and validated later."""
NOT_ENFORCED = 18
"""Constraints can be NOT ENFORCED, and ALTER CONSTRAINT changes it for foreign keys."""
NOT_VALID_FOREIGN_KEY_OF_PARTITIONED = 18
"""A partitioned table accepts a NOT VALID foreign key."""
VIRTUAL_GENERATED_COLUMNS = 18
"""A generated column can be VIRTUAL, and is unless the statement says STORED."""
CHILDREN_LOCKED_WITHOUT_CONSTRAINT = 18
"""ADD CONSTRAINT locks the children of an inheritance tree although the constraint (CHECK … NO INHERIT, a foreign key) is not for them
(measured)."""
PARTITION_INDEX_LOCKS_EXCLUSIVELY = 18
"""ADD UNIQUE, PRIMARY KEY and EXCLUDE on a partitioned table take ACCESS EXCLUSIVE on the partitions, too; before, SHARE (measured)."""
VACUUM_RECURSES_TO_CHILDREN = 18
"""VACUUM and ANALYZE process the children of an inheritance tree unless the statement says ONLY."""
GRANT_LOCKS = 18
"""GRANT and REVOKE lock the relations, with ACCESS SHARE (measured)."""
SUBSCRIPTION_TWO_PHASE = 18
"""ALTER SUBSCRIPTION … SET (two_phase), which is refused in a transaction block when it turns two_phase off."""
INTEGER_TO_BYTEA_CASTS = 18
"""Casts between integers and bytea."""

# 19, measured on its second beta
CHECK_ENFORCEABILITY = 19
"""ALTER CONSTRAINT … [NOT] ENFORCED accepts CHECK constraints; before, only foreign keys."""
UUID_TO_BYTEA_CASTS = 19
"""Casts between uuid and bytea."""
DETACH_ADDS_NO_CHECK = 19
"""DETACH PARTITION CONCURRENTLY leaves no CHECK with the bounds on the detached table; before, it does."""
CLUSTER_LOCKS_PARTITIONED_INDEX = 19
"""CLUSTER and REPACK of a partitioned table by an index take ACCESS EXCLUSIVE on the index, too; before, ACCESS SHARE."""
REWORDED_ERRORS = 19
"""The errors of keys that lack the partition key, of REFRESH CONCURRENTLY WITH NO DATA, and of what a function cannot run have other words."""
ESCAPE_STRING_WARNING_REMOVED = 19
"""SET escape_string_warning is an error."""
REPACK = 19
"""REPACK, which does with CONCURRENTLY what VACUUM FULL and CLUSTER do under ACCESS EXCLUSIVE."""
INET_OPS_BY_DEFAULT = 19
"""inet_ops is the default operator class of inet and cidr for gist; before, it must be named (release notes of 19, not measured)."""
