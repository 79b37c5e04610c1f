"""INSERT, UPDATE or DELETE on a system catalogue.

PostgreSQL does not check such a statement: a row that does not fit the others makes tables unreadable, dumps fail and the server crash, and
caches of other sessions keep the old state. Only superusers may do it, so it also fails on most hosted servers. For nearly every change
there is a statement: ALTER TABLE, ALTER TYPE, VALIDATE CONSTRAINT, REINDEX CONCURRENTLY, COMMENT.

Unsafe:
    UPDATE pg_attribute SET atttypmod = 104 WHERE attrelid = 'orders'::regclass AND attname = 'note';

Safe:
    CREATE TABLE labels (id bigint PRIMARY KEY, code varchar(50));
    -- next migration
    ALTER TABLE labels ALTER COLUMN code TYPE varchar(100);

See: https://www.postgresql.org/docs/current/catalogs-overview.html
"""

from msgspec import Struct

from migsafe.linting.facts.repeated import other_places
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.sql.operations import Copy, Delete, Insert, Merge, Name, Update

_CATALOGS = frozenset(
    """pg_aggregate pg_am pg_amop pg_amproc pg_attrdef pg_attribute pg_auth_members pg_authid pg_cast pg_class pg_collation pg_constraint
    pg_conversion pg_database pg_db_role_setting pg_default_acl pg_depend pg_description pg_enum pg_event_trigger pg_extension
    pg_foreign_data_wrapper pg_foreign_server pg_foreign_table pg_index pg_inherits pg_init_privs pg_language pg_largeobject
    pg_largeobject_metadata pg_namespace pg_opclass pg_operator pg_opfamily pg_parameter_acl pg_partitioned_table pg_policy pg_proc
    pg_publication pg_publication_namespace pg_publication_rel pg_range pg_replication_origin pg_rewrite pg_seclabel pg_sequence pg_shdepend
    pg_shdescription pg_shseclabel pg_statistic pg_statistic_ext pg_statistic_ext_data pg_subscription pg_subscription_rel pg_tablespace
    pg_transform pg_trigger pg_ts_config pg_ts_config_map pg_ts_dict pg_ts_parser pg_ts_template pg_type pg_user_mapping""".split()
)
"""The system catalogues of PostgreSQL 14 to 18 (manual, chapter 51). Views such as pg_settings are not among them."""

_INSTEAD = {
    "pg_attribute": "ALTER TABLE … ALTER COLUMN",
    "pg_class": "ALTER TABLE",
    "pg_constraint": "ALTER TABLE … VALIDATE CONSTRAINT, ALTER CONSTRAINT or RENAME CONSTRAINT",
    "pg_database": "ALTER DATABASE",
    "pg_enum": "ALTER TYPE … ADD VALUE or RENAME VALUE; a value cannot be removed, only the type be replaced",
    "pg_index": "REINDEX INDEX CONCURRENTLY, or DROP INDEX CONCURRENTLY",
    "pg_proc": "CREATE OR REPLACE FUNCTION or ALTER FUNCTION",
    "pg_type": "ALTER TYPE or ALTER DOMAIN",
}


class _State(Struct):
    positions: list[int] = []
    """The statements, by their position in the migration."""


@rule(category="data", severity=Severity.ERROR, no_fix="only the author knows what the change of the catalogue is for")
def catalog_written(op: Insert | Update | Delete | Merge | Copy | MigrationEnd, at: Context) -> Finding | None:
    """Record the statements that write rows of a system catalogue, and report them once at the end of the migration."""
    positions = at.state(_State).positions
    if not isinstance(op, MigrationEnd):
        if op.table is not None and _is_catalog(op.table, at) and not (isinstance(op, Copy) and not op.source):
            positions.append(at.position)
        return None
    if not positions:
        return None
    done = at.past[positions[0]]
    table: Name = done.operation.table  # type: ignore[attr-defined]  # the recorded operations have a table
    return at.finding(
        done,
        f"{type(done.operation).__name__.upper()} on the system catalogue {table.name}: PostgreSQL does not check the change, and rows that do "
        f"not fit together make tables unreadable; only a superuser may do it{other_places(at, [at.past[position] for position in positions])}",
        help=f"-- use {_INSTEAD.get(table.name, 'the ALTER statement of the object')}",
    )


def _is_catalog(table: Name, at: Context) -> bool:
    # pg_catalog is searched first, unless search_path names it elsewhere.
    return table.name in _CATALOGS and (table.schema == "pg_catalog" or (table.schema is None and at.catalog.relation(table) is None))
