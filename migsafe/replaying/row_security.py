"""Row security that applies to the role that fills, counts and reads tables, although it owns them. A superuser has none."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from migsafe.sql.operations.values import Name

if TYPE_CHECKING:
    from psycopg import Connection

_FORCED = """
    SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relforcerowsecurity AND pg_catalog.pg_has_role(c.relowner, 'USAGE')
        AND NOT (SELECT rolsuper OR rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = current_user)
"""
"""The tables whose row security applies to the role although it owns them."""


@contextmanager
def row_security_off(connection: "Connection[Any]") -> Iterator[None]:
    """Lets the role see and insert all rows of the tables that it owns, in the `with` block."""
    tables = lift_row_security(connection)
    try:
        yield
    finally:
        if not connection.closed:
            for table in tables:
                connection.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY".encode())


def lift_row_security(connection: "Connection[Any]") -> list[Name]:
    """Lets the role see and insert all rows of the tables that it owns, from now on or until the transaction is rolled back. Returns the
    tables that were changed."""
    tables = [Name(name, schema) for schema, name in connection.execute(_FORCED).fetchall()]
    for table in tables:
        connection.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY".encode())
    return tables
