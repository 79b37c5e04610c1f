"""A lock_timeout that ends a migration while a long query holds a lock: the migration's own protection, after which its runner tries again."""

from msgspec import Struct

from migsafe.replaying.experiments.contents import schema_differences
from migsafe.replaying.experiments.subject import DatabaseState
from migsafe.replaying.recording.records import Recording, Wait
from migsafe.replaying.refusals import Failure
from migsafe.replaying.sending import Refused, send
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.time_limits import Guard
from migsafe.sources import Half

_LOCK_NOT_AVAILABLE = "55P03"


class LockTimeout(Struct, frozen=True, kw_only=True):
    """That a lock_timeout, or NOWAIT, ended the first attempt of a migration at a statement, which had waited for `waited_ms`.

    `waits` are those of queries during that attempt. `stuck` is why the migration cannot be run again after it; empty if it can.
    """

    statement: int
    waited_ms: float
    waits: tuple[Wait, ...] = ()
    stuck: str = ""

    @property
    def longest_wait(self) -> float:
        """The longest wait of a query during the attempt, in milliseconds."""
        return max((wait.ms for wait in self.waits), default=0.0)


class SecondAttempt(Struct, frozen=True):
    """What running a migration again on the database that its first attempt left came to: the failure, or the state of the database."""

    failure: str = ""
    state: DatabaseState | None = None

    def stuck(self, complete: DatabaseState) -> str:
        """Returns why the migration cannot be run again: it fails, or it does not make the schema that a `complete` run makes."""
        if self.failure or self.state is None:
            return self.failure
        differences = schema_differences(complete.schema, self.state.schema)
        return f"after a second run, {differences[0]}" if differences else ""


def is_lock_timeout(failure: Failure) -> bool:
    """Whether a statement gave up because it could not get a lock in time."""
    return failure.sqlstate == _LOCK_NOT_AVAILABLE


def lock_timeout_of(recording: Recording) -> LockTimeout:
    """Returns what the recording of a migration shows that a lock_timeout ended."""
    last = recording.statements[-1]
    return LockTimeout(statement=last.statement.index, waited_ms=last.duration_ms, waits=recording.waits)


def try_again(host: Host, database: str, half: Half, guard: Guard) -> SecondAttempt:
    """Runs a migration again, as its runner would, on the database that its first attempt left."""
    connection = host.connect_as_migrator(database)
    try:
        send(connection, half, guard=guard)
    except Refused as refused:
        return SecondAttempt(f"line {refused.line} fails: {refused.failure.message}")
    finally:
        connection.close()
    state = DatabaseState(lambda: host.connect(database))
    _ = state.schema
    return SecondAttempt(state=state)
