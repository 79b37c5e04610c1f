"""Connections to servers of the user, and advice for a server that refuses one."""

import re
from typing import TYPE_CHECKING, Any

from migsafe.errors import MigsafeError

if TYPE_CHECKING:
    from psycopg import Connection

_TIMEOUT = 20
"""The seconds to wait for a server that does not answer, unless the connection string says otherwise; libpq would wait without limit."""

_ADVICE = (
    (
        r"password authentication failed|no password supplied|authentication failed for user",
        "Check the user and the password: in the connection string {option}, in PGPASSWORD, or in ~/.pgpass.",
    ),
    (
        r"too many clients|too many connections|connection slots are reserved",
        "The server has no free connection. A replay uses several; it needs most of them while probe sessions run, one for each table that the "
        "migration locks. End other sessions, raise the limit (max_connections, CONNECTION LIMIT), or try again later.",
    ),
    (r"starting up|not yet accepting|recovery mode|not accepting connections", "The server is not ready: wait until it accepts connections."),
    (r"shutting down|terminating connection", "The server is being stopped: start it again."),
    (r"no pg_hba\.conf entry|pg_hba\.conf rejects", "The server's pg_hba.conf does not allow this user to connect from this machine."),
    (r"database .* does not exist", "Check the name of the database in the connection string {option}."),
    (r"role .* does not exist|is not permitted to log in", "Check the name of the user in the connection string {option}."),
    (
        r"Connection refused|No such file or directory|timeout expired|could not translate|Name or service not known|No route to host",
        "Check that the server runs, and the host and port in the connection string {option}.",
    ),
)
"""Advice for the messages of libpq and of the server. A server with another language for messages gets the general advice."""


def connect_to_server(dsn: str, option: str, **overrides: str) -> "Connection[Any]":
    """Connects to the server of a connection string, in autocommit. `option` is the option that gave the connection string. Raises
    MigsafeError that says what to do."""
    import psycopg  # noqa: PLC0415  # start-up must not pay for it

    settings = {"application_name": "migsafe", "client_encoding": "utf8", **overrides}
    try:
        given = psycopg.conninfo.conninfo_to_dict(dsn)
        if "options" in overrides and given.get("options"):
            settings["options"] = f"{given['options']} {overrides['options']}"
        timeout = given.get("connect_timeout") or _TIMEOUT
        return psycopg.connect(dsn, autocommit=True, prepare_threshold=None, connect_timeout=int(timeout), **settings)  # type: ignore[arg-type]
    except psycopg.Error as error:
        raise connection_error(str(error), option) from error


def connection_error(text: str, option: str) -> MigsafeError:
    """Returns the error for a message of libpq or of one of PostgreSQL's programs about a connection."""
    lines = [line.strip() for line in text.strip().removeprefix("connection failed: ").splitlines()]
    reason = "\n    ".join(line for line in lines if line and not line.startswith("Is the server running"))
    advice = next((advice for pattern, advice in _ADVICE if re.search(pattern, reason)), "Check the connection string {option}.")
    return MigsafeError(f"cannot connect: {reason}", advice.format(option=f"after {option}"))
