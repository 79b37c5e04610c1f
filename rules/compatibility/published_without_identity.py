"""A table without a replica identity joins a publication.

From then on every UPDATE and DELETE of the table fails, also in the running release: `cannot update table because it does not have a replica
identity and publishes updates`. INSERT goes on. Give the table a primary key first, or set REPLICA IDENTITY to a unique index or to FULL. A
publication that publishes only inserts is not reported.

The same is true if the row filter of the publication uses other columns than the replica identity, and if its column list leaves out one of
them.

Unsafe:
    -- migsafe: ignore[table-without-primary-key] nothing changes its rows
    CREATE TABLE visitors (page text, seen_at timestamptz);
    -- next migration
    CREATE PUBLICATION analytics FOR TABLE visitors;

Safe:
    -- migsafe: ignore[table-without-primary-key] nothing changes its rows
    CREATE TABLE visitors (page text, seen_at timestamptz);
    -- next migration
    CREATE PUBLICATION analytics FOR TABLE visitors WITH (publish = 'insert');

See: https://www.postgresql.org/docs/current/logical-replication-publication.html#LOGICAL-REPLICATION-PUBLICATION-REPLICA-IDENTITY
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.facts.wording import join_names
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.schema.formulas import identifiers
from migsafe.schema.objects import Relation, RelationKind
from migsafe.schema.privileges import has_replica_identity, identity_columns
from migsafe.sql.operations import Name, Persistence, Publication, PublishedTable

_TABLES = (RelationKind.TABLE, RelationKind.PARTITIONED)
_NO_KEY = "-- migsafe: ignore[replica-identity-changed] the table has no key"


class _State(Struct):
    published: list[tuple[int, tuple[int, ...]]] = []
    """The positions of the statements that publish tables, each with the oids of these."""
    limited: list[tuple[int, int, PublishedTable]] = []
    """The existing tables with a column list or a row filter: the position of the statement, the table's oid."""


@rule(category="compatibility", severity=Severity.WARNING, no_fix="a primary key or a replica identity changes the final schema")
def published_without_identity(op: Publication | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record published tables, and report those without a replica identity at the end of the migration."""
    if isinstance(op, Publication):
        if op.action in ("create", "add", "set") and _publishes_changes(op):
            published = [table for table in at.catalog.relations() if _is_named(op, at, table) and not is_created_here(at, table.name)]
            state = at.state(_State)
            state.published.append((at.position, tuple(table.oid for table in published)))
            existing = {table.name: table.oid for table in published}
            state.limited += [(at.position, existing[name], limit) for limit in op.limited if (name := at.resolve(limit.name)) in existing]
        return
    for position, oids in at.state(_State).published:
        tables = [table for oid in oids if isinstance(table := at.catalog.get(oid), Relation)]
        names = [table.name for table in tables if has_replica_identity(at.catalog, table) is False]
        if names:
            its = "their" if len(names) > 1 else "its"
            yield at.finding(
                at.past[position],
                f"{join_names(names)} {'have' if len(names) > 1 else 'has'} no replica identity: from then on PostgreSQL refuses every UPDATE "
                f"and DELETE of {its} rows",
                help="\n".join(
                    (
                        "-- before this statement, add a primary key; without one, each change logs the whole row:",
                        *(f"{_NO_KEY}\nALTER TABLE {name} REPLICA IDENTITY FULL;" for name in names),
                    )
                ),
                relations=names,
            )

    for position, oid, limit in at.state(_State).limited:
        table = at.catalog.get(oid)
        reason = _limit_without_identity(table, limit, at) if isinstance(table, Relation) else None
        if isinstance(table, Relation) and reason is not None:
            yield at.finding(
                at.past[position],
                f"{reason}: from then on PostgreSQL refuses every UPDATE and DELETE of its rows",
                help="-- name only columns of the replica identity in WHERE, and all of them in the column list;\n"
                "-- or publish only inserts: WITH (publish = 'insert')",
                relations=[table.name],
            )


def _limit_without_identity(table: Relation, limit: PublishedTable, at: Context) -> str | None:
    """Return why a column list or a row filter does not fit the replica identity; None if it fits, or if that is unknown."""
    identity = identity_columns(at.catalog, table)
    if identity is None:
        return None
    words = identifiers(limit.filter.sql) if limit.filter is not None else ()
    others = [column.name for column in table.columns if column.name in words and column.number not in identity]
    if others:
        names, are = join_names([Name(name) for name in others]), "are" if len(others) > 1 else "is"
        return f"the row filter of {table.name} uses {names}, which {are} not part of its replica identity"
    omitted = [column.name for column in table.columns if column.number in identity and column.name not in limit.columns]
    if limit.columns and omitted:
        return f"the column list of {table.name} leaves out {join_names([Name(name) for name in omitted])} of its replica identity"
    return None


def _publishes_changes(op: Publication) -> bool:
    actions = next((option.value or "" for option in op.options if option.name == "publish"), "update").lower()
    return "update" in actions or "delete" in actions


def _is_named(op: Publication, at: Context, table: Relation) -> bool:
    if table.kind not in _TABLES or table.persistence is not Persistence.PERMANENT or table.bound is not None:
        return False
    return op.all_tables or table.name.schema in op.schemas or any(at.resolve(name) == table.name for name in op.tables)
