"""The rehearsal of statements that run outside transactions, on a copy of the database, where all their locks can be measured.

Such statements release locks while they run, so an observer sees only locks that are held long enough. On a copy, in the state just before
the statement, it is made to wait for each lock in turn. On the database itself it takes the same locks.
"""

from collections.abc import Iterable
from itertools import count

from msgspec.structs import replace

from migsafe.prediction.effects.effect import combine_effects
from migsafe.replaying.recording.measurement import Measurement
from migsafe.replaying.recording.nontransactional import measure_nontransactional
from migsafe.replaying.refusals import error_class
from migsafe.replaying.sending import Refused, is_idle, send
from migsafe.replaying.servers.host import Host
from migsafe.sources import Half
from migsafe.sql.statements import Statement

_MAX_STATEMENTS = 12
"""How many statements are rehearsed: each needs a copy of the database."""

_numbers = count(1)


def rehearse(host: Host, database: str, half: Half, statements: Iterable[Statement]) -> dict[int, Measurement]:
    """Measures these statements of a migration on copies of a database without sessions; returns the measurements by statement index, without
    those of statements that cannot be rehearsed."""
    measurements = {}
    for statement in list(statements)[:_MAX_STATEMENTS]:
        copy = f"{database}_rehearsal_{next(_numbers)}"
        host.create_database(copy, database)
        try:
            if _run_statements_before(host, copy, half, statement):
                measurements[statement.index] = measure_nontransactional(
                    host, copy, half.script.text[statement.span.start : statement.span.end]
                )
        except error_class():
            # The statement will fail in the recorded run as well, which reports it.
            continue
        finally:
            host.drop_database(copy)
    return measurements


def _run_statements_before(host: Host, copy: str, half: Half, statement: Statement) -> bool:
    """Runs the statements before this one; returns whether they succeeded and no transaction is open."""
    connection = host.connect_as_migrator(copy)
    try:
        send(connection, half, upto=statement.index - 1)
        return is_idle(connection)
    except Refused:
        return False
    finally:
        connection.close()


def add_rehearsal(measured: Measurement, rehearsed: Measurement) -> Measurement:
    """Returns the measurement with the effects that only the rehearsal showed."""
    return replace(
        measured, effects=combine_effects((*measured.effects, *rehearsed.effects)), partial_index_locks=rehearsed.partial_index_locks
    )
