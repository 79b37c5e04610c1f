"""Triggers that would change or reject generated rows, suspended while tables are filled. A superuser needs none of this, because
session_replication_role turns triggers off."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from migsafe.sql.operations.values import Name, quoted

if TYPE_CHECKING:
    from psycopg import Connection

_TRIGGERS = """
    SELECT t.tgname::text FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
    WHERE c.oid = %s AND NOT t.tgisinternal AND t.tgenabled = 'O' AND pg_catalog.pg_has_role(c.relowner, 'USAGE')
        AND pg_catalog.current_setting('session_replication_role') <> 'replica'
    ORDER BY t.tgname
"""
"""The triggers that fire and that the role may turn off."""


@contextmanager
def triggers_off(connection: "Connection[Any]", table: Name, oid: int) -> Iterator[None]:
    """Turns off the triggers of a table in the `with` block. A transaction must be open."""
    triggers = [quoted(name) for (name,) in connection.execute(_TRIGGERS, (oid,)).fetchall()]
    if not triggers:
        yield
        return
    connection.execute(f"ALTER TABLE {table} {', '.join(f'DISABLE TRIGGER {name}' for name in triggers)}".encode())
    yield
    # ALTER TABLE is not possible while deferred foreign keys wait for their check.
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    connection.execute(f"ALTER TABLE {table} {', '.join(f'ENABLE TRIGGER {name}' for name in triggers)}".encode())
