"""A table without a replica identity joins a publication.

From then on every UPDATE and DELETE of the table fails, also in the running release: `cannot update table because it does not have a replica
identity and publishes updates`. INSERT goes on. Give the table a primary key first, or set REPLICA IDENTITY to a unique index or to FULL. A
publication that publishes only inserts is not reported.

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
from migsafe.schema.objects import Relation, RelationKind
from migsafe.schema.privileges import has_replica_identity
from migsafe.sql.operations import Persistence, Publication

_TABLES = (RelationKind.TABLE, RelationKind.PARTITIONED)
_NO_KEY = "-- migsafe: ignore[replica-identity-changed] the table has no key"


class _State(Struct):
    published: list[tuple[int, tuple[int, ...]]] = []
    """The positions of the statements that publish tables, each with the oids of these."""


@rule(category="compatibility", severity=Severity.WARNING, no_fix="a primary key or a replica identity changes the final schema")
def published_without_identity(op: Publication | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record published tables, and report those without a replica identity at the end of the migration."""
    if isinstance(op, Publication):
        if op.action in ("create", "add", "set") and _publishes_changes(op):
            published = [table for table in at.catalog.relations() if _is_named(op, at, table) and not is_created_here(at, table.name)]
            at.state(_State).published.append((at.position, tuple(table.oid for table in published)))
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


def _publishes_changes(op: Publication) -> bool:
    actions = next((option.value or "" for option in op.options if option.name == "publish"), "update").lower()
    return "update" in actions or "delete" in actions


def _is_named(op: Publication, at: Context, table: Relation) -> bool:
    if table.kind not in _TABLES or table.persistence is not Persistence.PERMANENT or table.bound is not None:
        return False
    return op.all_tables or table.name.schema in op.schemas or any(at.resolve(name) == table.name for name in op.tables)
