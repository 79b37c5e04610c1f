"""The roles that the history has created, renamed and dropped. A server's databases share them, so that others may exist."""

from migsafe.schema import aggregates, event_triggers
from migsafe.schema.catalog import Catalog
from migsafe.schema.changes import SCHEMA_CHANGES
from migsafe.sql import operations as sql

KINDS = frozenset(("role", "user", "group"))
"""What statements call a role."""


@SCHEMA_CHANGES.register(sql.CreateObject)
def create(catalog: Catalog, op: sql.CreateObject) -> None:
    """CREATE ROLE, USER, GROUP, EVENT TRIGGER, AGGREGATE; other objects are not in the catalogue."""
    if op.kind == event_triggers.KIND:
        event_triggers.create(catalog, op)
    if op.kind == "aggregate":
        aggregates.create(catalog, op)
    if op.kind not in KINDS or op.name is None:
        return
    name = op.name.name
    if catalog.roles.exists(name) and op.certain:
        catalog.add_refusal(f'role "{name}" already exists', help=f"-- leave the statement out; or drop the role first: DROP ROLE {op.name};")
    catalog.roles.create(name, certain=op.certain)


def rename(catalog: Catalog, old: str, new: str, *, certain: bool) -> None:
    """Records that a role has another name."""
    catalog.roles.drop(old, certain=certain)
    catalog.roles.create(new, certain=certain)
