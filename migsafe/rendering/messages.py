"""What migsafe and its worker say to each other, and how it goes through a pipe."""

import struct
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from migsafe import versions

_LENGTH = struct.Struct("!I")
MAX_MESSAGE_BYTES = 256 << 20
"""The bytes of the longest message that is taken seriously."""


class RenderRequest(Struct, frozen=True, tag=True):
    """Run a function of a script. `folders` are those from which it imports what is not installed. `in_transaction`: the runner has opened a
    transaction. `run` is False where nothing of it may be run. `seconds` is how long it may take. `live`: there is a server, and whatever the
    script sends is executed, as a question."""

    path: str
    text: str
    function: str
    folders: tuple[str, ...] = ()
    in_transaction: bool = True
    run: bool = True
    seconds: float = 10.0
    pg_version: int = versions.DEFAULT
    live: bool = False


EXECUTE = "execute"
"""The question of a live script that is a statement; its answer is `Executed`, or a refusal as [SQLSTATE, message]."""


class Answer(Struct, frozen=True, tag=True):
    """What the schema says to a question; `known` is False where it says nothing."""

    value: Any = None
    known: bool = True


class Dependencies(Struct, frozen=True):
    """What was looked at: files that were read or run, folders that were listed, and paths where something may be or not."""

    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.files or self.folders or self.paths)


class Ready(Struct, frozen=True, tag=True):
    """The worker is there, these are the versions of what it renders with, and this is what it has `looked` at to begin."""

    versions: dict[str, str]
    dependencies: Dependencies = Dependencies()


class StartFailed(Struct, frozen=True, tag=True):
    """The worker cannot begin."""

    reason: str


class Question(Struct, frozen=True, tag=True):
    """Something that only a database knows, asked when `sent` had been sent."""

    name: str
    arguments: tuple[str | None, ...]
    sent: tuple[str, ...]


class Location(Struct, frozen=True, tag=True):
    """Where in the script the program is; it has been there for a while."""

    start: int
    end: int


class UnknownMark(Struct, frozen=True):
    """A mark that stands in SQL for what is not known, and why it is not."""

    mark: str
    reason: str


class RenderedCall(Struct, frozen=True):
    """What one call sends, and where in the script the call stands.

    `opaque` says why it cannot be known; its `sql` is then the call itself. `unsure` are the marks in its SQL. `certain` and `by_runner` are
    those of a Call.
    """

    sql: str
    start: int
    end: int
    opaque: str = ""
    unknown_marks: tuple[UnknownMark, ...] = ()
    certain: bool = True
    by_runner: bool = False


class RenderResult(Struct, frozen=True, tag=True):
    """All that a function sends. `looked` is what has been looked at since the worker said so last. The worker is `spoilt` where the program
    has changed what others would find in it. It is not `lasting` where the program may come to something else when it runs again, though all
    that was looked at is the same."""

    calls: tuple[RenderedCall, ...]
    dependencies: Dependencies = Dependencies()
    needs_restart: bool = False
    repeatable: bool = True


class WorkerFailed(Exception):
    """The process has ended, or says what makes no sense, or says nothing any more. `at` is where the script was when it was heard last."""

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
    """Send a message. Raises OSError where nobody reads any more."""
    data = _ENCODER.encode(message)
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


def read_from_worker(pipe: BinaryIO) -> FromWorker:
    """The worker's next message. Raises EOFError where there is none, ValueError for what is no message."""
    message: FromWorker = _FROM_WORKER.decode(_read(pipe))
    return message


def read_to_worker(pipe: BinaryIO) -> ToWorker:
    """The next message for the worker. Raises EOFError where there is none."""
    message: ToWorker = _TO_WORKER.decode(_read(pipe))
    return message


def _read(pipe: BinaryIO) -> bytes:
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    if length > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message of {length} bytes")
    return _exactly(pipe, length)


def _exactly(pipe: BinaryIO, size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data
