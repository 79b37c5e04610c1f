"""The messages between migsafe and its worker, and how they are sent through a pipe."""

import struct
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from migsafe import versions
from migsafe.assumption import Assumption
from migsafe.text import TextSegment

_LENGTH = struct.Struct("!I")
MAX_MESSAGE_BYTES = 256 << 20
"""The size of the longest message that is accepted."""


class RenderRequest(Struct, frozen=True, tag=True):
    """A request to run a function of a script. It imports modules from `folders` before the installed packages, and from `last_folders` after
    them; `packages` are names of packages with their folders. The project's files are below `root`. `in_transaction`: the
    runner has opened a transaction. `run` is False if the script must not be run. `seconds` is its time limit. `live`: there is a server, and
    each statement that the script sends is executed, as a question. `environment` is a ScriptEnvironment in JSON: what Alembic gives to the
    script."""

    path: str
    text: str
    function: str
    folders: tuple[str, ...] = ()
    last_folders: tuple[str, ...] = ()
    packages: tuple[tuple[str, str], ...] = ()
    root: str = ""
    in_transaction: bool = True
    run: bool = True
    seconds: float = 10.0
    pg_version: int = versions.DEFAULT
    live: bool = False
    environment: str = ""


EXECUTE = "execute"
"""The question of a live script to execute a statement; its answer is an `ExecutionResult`, or an error as [SQLSTATE, message]."""


class Answer(Struct, frozen=True, tag=True):
    """The answer to a question; `known` is False if the schema does not determine it."""

    value: Any = None
    known: bool = True


class Dependencies(Struct, frozen=True):
    """What a rendering depends on: files that were read or run, folders that were listed, and paths that were checked for existence."""

    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.files or self.folders or self.paths)


class Ready(Struct, frozen=True, tag=True):
    """The worker has started. `versions` are those of Python, Alembic and SQLAlchemy; `dependencies` is what it has read so far."""

    versions: dict[str, str]
    dependencies: Dependencies = Dependencies()


class StartFailed(Struct, frozen=True, tag=True):
    """The worker cannot start."""

    reason: str


class Question(Struct, frozen=True, tag=True):
    """A question to the database, in the state after the statements `sent`."""

    name: str
    arguments: tuple[str | None, ...]
    sent: tuple[str, ...]


class Location(Struct, frozen=True, tag=True):
    """Where the script currently is; sent if it has not advanced for a while."""

    start: int
    end: int


DATABASE_ONLY = "which is known only to a database"
"""Why the values of rows are unknown; those of different rows may have one mark."""
SCHEMA_ONLY = "which only the schema of a database can tell"
"""Why what an inspector returns is unknown."""

BUILT_FROM_UNKNOWN, NAMES_UNKNOWN = "it is built from unknown values: ", "it names something unknown: "
"""How the reason begins why the SQL of a call is unknown; the unknown values follow, each with its reason."""


class UnknownMark(Struct, frozen=True):
    """A mark in SQL for an unknown value, and why it is unknown."""

    mark: str
    reason: str


WHILE_ROWS = "while there are rows"
"""A call in a loop that ends when a query returns no row, or a statement changes none."""
FOR_EACH_ROW = "for each row"
"""A call with values of the rows of a query: in a loop over them, or with a list of them."""
FOR_EACH_OBJECT = "for each object that has changed"
"""A call of a session that writes objects from the rows of a query."""


class RenderedCall(Struct, frozen=True):
    """The SQL that one call sends, and where in the script the call is.

    `opaque` says why the SQL cannot be known; `sql` is then the source of the call. `unknown_marks` are the marks in the SQL. `certain`,
    `by_runner`, `raises`, `repeated`, `new_enum` and `skipped_when_done` are those of a Call. `segments` are the places of the SQL in the
    script's literals, in order; empty if they are not certain.
    """

    sql: str
    start: int
    end: int
    opaque: str = ""
    unknown_marks: tuple[UnknownMark, ...] = ()
    certain: bool = True
    by_runner: bool = False
    segments: tuple[TextSegment, ...] = ()
    raises: str = ""
    repeated: str = ""
    new_enum: tuple[str, ...] = ()
    skipped_when_done: bool = False


class RenderedPath(Struct, frozen=True):
    """A path through a script: the numbers of its calls, in ascending order, and what it assumes. `uncertain` are the numbers of the calls that
    are not certain even on this path, because a loop may run no round."""

    calls: tuple[int, ...]
    assumptions: tuple[Assumption, ...] = ()
    uncertain: tuple[int, ...] = ()


class RenderResult(Struct, frozen=True, tag=True):
    """All that a function sends: the calls on all of its `paths`, in an order that agrees with each path.

    Without `paths` there is only one, with all calls. `has_untried_paths`: there are more than were tried. `dependencies` are those since the
    worker's last message about them. The worker `needs_restart` if the program has changed something that other programs would see. The
    result is not `repeatable` if the program may send something else the next time, with the same dependencies.
    """

    calls: tuple[RenderedCall, ...]
    dependencies: Dependencies = Dependencies()
    needs_restart: bool = False
    repeatable: bool = True
    paths: tuple[RenderedPath, ...] = ()
    has_untried_paths: bool = False


class WorkerFailed(Exception):
    """The worker has ended, has sent an invalid message, or does not reply in time. `location` is the last known place in the script."""

    def __init__(self, reason: str, location: Location | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.location = location


FromWorker = Ready | StartFailed | Question | Location | RenderResult
ToWorker = RenderRequest | Answer

_ENCODER = msgspec.msgpack.Encoder()
_FROM_WORKER = msgspec.msgpack.Decoder(FromWorker)
_TO_WORKER = msgspec.msgpack.Decoder(ToWorker)


def write(pipe: BinaryIO, message: FromWorker | ToWorker) -> None:
    """Sends a message. Raises OSError if the other end is closed."""
    data = _ENCODER.encode(message)
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


def read_from_worker(pipe: BinaryIO) -> FromWorker:
    """Returns the worker's next message. Raises EOFError at the end, ValueError for an invalid message."""
    message: FromWorker = _FROM_WORKER.decode(_read(pipe))
    return message


def read_to_worker(pipe: BinaryIO) -> ToWorker:
    """Returns the next message for the worker. Raises EOFError at the end."""
    message: ToWorker = _TO_WORKER.decode(_read(pipe))
    return message


def _read(pipe: BinaryIO) -> bytes:
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    if length > MAX_MESSAGE_BYTES:
        raise ValueError(f"message too long: {length} bytes")
    return _exactly(pipe, length)


def _exactly(pipe: BinaryIO, size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data
