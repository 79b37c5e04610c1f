"""The schema of a database as SQL: what pg_dump writes, and what pg_dump leaves out."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migsafe.errors import MigsafeError
from migsafe.patterns import lazy_pattern
from migsafe.replaying.servers.installations import program_folders

if TYPE_CHECKING:
    from psycopg import Connection

_VERSION = lazy_pattern(r"\(PostgreSQL\) (\d+)")
_OPTIONS = ("--schema-only", "--no-owner", "--no-comments", "--no-security-labels", "--no-tablespaces", "--no-password", "--encoding=UTF8")
_PARAMETERS = (
    *("host", "hostaddr", "port", "user", "passfile", "connect_timeout", "channel_binding"),
    *("sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "gssencmode", "krbsrvname"),
)
"""The parameters of a connection that every supported pg_dump knows."""
_TIMEOUT = 300.0
_LOCK_TIMEOUT_MS = 10_000

_LEFT_OUT = """
    SELECT pg_catalog.format('CREATE TABLE %s (%s)', c.oid::pg_catalog.regclass, (
        SELECT pg_catalog.string_agg(pg_catalog.format('%I %s', attname, pg_catalog.format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
        FROM pg_catalog.pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped))
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_depend AS d
        ON d.classid = 'pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace <> 'pg_catalog'::pg_catalog.regnamespace
    UNION ALL
    SELECT pg_catalog.pg_get_indexdef(i.indexrelid) FROM pg_catalog.pg_index AS i
        JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
    WHERE NOT i.indisvalid AND i.indislive AND t.relkind IN ('r', 'm') AND t.oid >= 16384
"""
"""The tables of extensions, and invalid indexes."""


def read_schema(connection: "Connection[Any]") -> str:
    """Returns the SQL that creates the schema of the connection's database. The connection must be in autocommit. Raises MigsafeError with the
    reason, as a clause, if it cannot be read."""
    major = connection.info.server_version // 10_000
    program = find_pg_dump(major)
    if program is None:
        raise MigsafeError(f"there is no pg_dump of PostgreSQL {major} or newer on this machine")
    dump = _run(program, connection)
    return "\n".join((dump, *_left_out(connection)))


@cache
def find_pg_dump(major: int) -> Path | None:
    """Returns a pg_dump that can read servers of a major version: the oldest one that is not older than the server."""
    programs = {folder / "pg_dump" for folder in program_folders()}
    in_path = shutil.which("pg_dump")
    if in_path is not None:
        programs.add(Path(in_path))
    versions = {program: version for program in sorted(programs) if (version := _major(program)) >= major}
    return min(versions, key=lambda program: versions[program], default=None)


def _major(program: Path) -> int:
    """Returns the major version of a program; 0 if it does not run."""
    try:
        run = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=_TIMEOUT, check=False)  # noqa: S603
    except OSError:
        return 0
    match = _VERSION.search(run.stdout)
    return int(match[1]) if match is not None else 0


def _run(program: Path, connection: "Connection[Any]") -> str:
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415  # start-up must not pay for it

    parameters = {name: value for name, value in connection.info.get_parameters().items() if name in _PARAMETERS}
    environment = dict(os.environ)
    if connection.info.password:
        # In the arguments, every account of this machine could read it.
        environment["PGPASSWORD"] = connection.info.password
    target = make_conninfo(**parameters, dbname=connection.info.dbname)
    command: list[str | Path] = [program, *_OPTIONS, f"--lock-wait-timeout={_LOCK_TIMEOUT_MS}", "--dbname", target]
    try:
        run = subprocess.run(command, capture_output=True, env=environment, timeout=_TIMEOUT, check=False, stdin=subprocess.DEVNULL)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MigsafeError(f"pg_dump does not run: {error}") from error
    if run.returncode != 0:
        lines = run.stderr.decode(errors="replace").strip().splitlines()
        raise MigsafeError(lines[0] if lines else f"pg_dump ends with exit code {run.returncode}")
    return run.stdout.decode(errors="replace")


def _left_out(connection: "Connection[Any]") -> Iterator[str]:
    for (statement,) in connection.execute(_LEFT_OUT).fetchall():
        yield f"{statement};"
