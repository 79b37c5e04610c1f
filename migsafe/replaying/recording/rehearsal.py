"""Statements that run outside transactions, rehearsed on a copy of the database, where all that they lock can be seen.

They release locks on their way, so that who looks on while they run sees only what is held for long enough. On a copy, brought up to the
statement, it is made to wait for each lock in turn. What it takes there it takes on the database itself.
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

_MOST = 12
"""How many statements are rehearsed: each needs a copy of the database."""

_numbers = count(1)


def rehearse(host: Host, database: str, half: Half, statements: Iterable[Statement]) -> dict[int, Measurement]:
    """What each of these statements of a migration does when its turn comes, by their numbers, on copies of a database to which nobody is
    connected. What cannot be rehearsed is left out."""
    found = {}
    for statement in list(statements)[:_MOST]:
        copy = f"{database}_rehearsal_{next(_numbers)}"
        host.create_database(copy, database)
        try:
            if _came_to(host, copy, half, statement):
                found[statement.index] = measure_nontransactional(host, copy, half.script.text[statement.span.start : statement.span.end])
        except error_class():
            # It fails for real as well, which is said there.
            continue
        finally:
            host.drop_database(copy)
    return found


def _came_to(host: Host, copy: str, half: Half, statement: Statement) -> bool:
    """Run what is before a statement; whether that went well, and no transaction is open."""
    connection = host.connect_as_migrator(copy)
    try:
        send(connection, half, upto=statement.index - 1)
        return is_idle(connection)
    except Refused:
        return False
    finally:
        connection.close()


def add_rehearsal(measured: Measurement, rehearsed: Measurement) -> Measurement:
    """What was measured, with what the rehearsal saw beyond it."""
    return replace(
        measured, effects=combine_effects((*measured.effects, *rehearsed.effects)), partial_index_locks=rehearsed.partial_index_locks
    )
