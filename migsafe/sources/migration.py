"""Migrations: the units that a runner applies."""

import re
from bisect import bisect_right
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from migsafe.assumption import Assumption
from migsafe.patterns import lazy_pattern
from migsafe.sources.line_ends import Division, LineEnds
from migsafe.text import Script, Span, TextSegment

_PLATFORM_NAME = lazy_pattern(r"^CREATE (?:SCHEMA IF NOT EXISTS|PUBLICATION) (\w+);", re.MULTILINE)
_DUMP = lazy_pattern(
    r"^-- PostgreSQL database (?:cluster )?dump$|^-- Dumped by pg_dump|^\\restrict "
    r"|^SELECT pg_catalog\.set_config\('search_path', '', false\);\s*^SET check_function_bodies = false;",
    re.MULTILINE,
)
"""The first lines of a dump, also without its comments (pg_dump's pg_backup_archiver.c, _doSetFixedOutputState)."""
_PREAMBLE = 4000


class Transaction(Enum):
    """How a runner sends the statements of a migration to PostgreSQL. A BEGIN or COMMIT in the script itself takes effect as well."""

    FILE = "file"
    """The runner opens a transaction, sends every statement, and commits."""

    QUERY = "query"
    """The runner sends each chunk as one simple query. PostgreSQL runs several statements in one query as one implicit transaction, a
    single one as no transaction block (manual, 54.2.2.1, Multiple Statements in a Simple Query)."""

    STATEMENT = "statement"
    """Each statement is its own transaction, as with `psql -f`."""

    NONE = "none"
    """A directive, or the runner by itself, switched its transaction off; each statement is its own transaction."""


class Call(Struct, frozen=True):
    """A call in a program that sends something to the server.

    `sql_span` is the SQL that it sends, as a span of the half's script; `file_span` is the call itself, in the program. `opaque` says why the
    SQL cannot be known, as the end of a sentence; `sql_span` is then the source of the call. `certain` is False if it depends on something
    unknown whether the program makes the call at all. `by_runner` marks the COMMIT and BEGIN that the runner itself sends. `unknown_part` says
    what is unknown about a statement that is known otherwise (for example a column's type), as the end of a sentence. `segments` are the parts
    of the SQL, in order, with their places in the string literals of the program; empty if these are not certain. `raises` is the
    call of the runner around it that raises an error, so that the program never comes to the statement. `repeated` says how often
    the program makes the call, if it makes it in a loop of unknown length, as the end of a sentence. `new_enum` are the
    values of the enum that is the type of the column which it adds or changes; the call does not create that type. `skipped_when_done`: a
    second run does not make the call if the first has done its work, because the program asks the database before. `handled`: if the server
    refuses the statement, the program handles the error.
    """

    sql_span: Span
    file_span: Span
    opaque: str = ""
    certain: bool = True
    by_runner: bool = False
    unknown_part: str = ""
    segments: tuple[TextSegment, ...] = ()
    raises: str = ""
    repeated: str = ""
    new_enum: tuple[str, ...] = ()
    skipped_when_done: bool = False
    handled: bool = False

    def place(self, span: Span) -> Span:
        """Returns the place in the program of a part of the SQL: in a string literal, or else the call."""
        number = max(bisect_right(self.segments, span.start, key=lambda segment: segment.sql_start) - 1, 0)
        if self.segments and self.segments[number].sql_end <= span.start:
            number += 1  # it begins in the space between two segments
        last = bisect_right(self.segments, max(span.start, span.end - 1), key=lambda segment: segment.sql_start) - 1
        if not 0 <= number <= last:
            return self.file_span
        parts = [segment for segment in self.segments[number : last + 1] if segment.literal == self.segments[number].literal]
        return Span(parts[0].file_place(span.start, span.end).start, parts[-1].file_place(span.start, span.end).end)


class ProgramPath(Struct, frozen=True):
    """A path through a program: the calls that it makes, in order, and what it assumes."""

    calls: tuple[Call, ...]
    assumptions: tuple[Assumption, ...] = ()


class ImportPath(Struct, frozen=True):
    """Where the code of a project is. Python searches the folders `first` before the installed packages and those in `last` after them;
    `packages` are names of packages with their folders, which may have other names. Below `root` is all that belongs to the project."""

    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    packages: tuple[tuple[str, str], ...] = ()
    root: str = ""


class Program(Struct, frozen=True):
    """A migration that is a program: its script, the function that runs, and, once rendered, the calls that it makes, in order.

    If what it does depends on something unknown, `calls` are those of all its `paths`; a call that not all of them make is not certain.
    `driver` and `sqlalchemy` are the driver and the major release of SQLAlchemy with which it runs, if the project leaves no doubt.
    `has_untried_paths`: it has more paths than were tried. `environment` is a ScriptEnvironment in JSON: what its runner gives to the script.
    `import_path` is where the script finds the modules of its project.
    """

    script: Script
    function: str
    calls: tuple[Call, ...] = ()
    environment: str = ""
    paths: tuple[ProgramPath, ...] = ()
    has_untried_paths: bool = False
    import_path: ImportPath = ImportPath()
    driver: str = ""
    sqlalchemy: int = 0

    @property
    def definition(self) -> Span:
        """The line in which the function begins; the first line of the script if that is not found."""
        return definition_line(self.script.text, self.function)


def definition_line(text: str, function: str) -> Span:
    """Returns the line of a script in which a function begins; the first line if it is not found."""
    start = max(text.find(f"def {function}"), 0)
    end = text.find("\n", start)
    return Span(start, end if end >= 0 else len(text))


class RunnerTransaction(Struct, frozen=True):
    """A transaction that the runner holds open on another connection while it sends a migration.

    `purpose` says what it is for, as the end of a sentence that begins with “the transaction”; `advice` how to do without it, as an imperative.
    Its last query keeps a snapshot, so that CREATE INDEX CONCURRENTLY and REINDEX CONCURRENTLY wait for its end.
    """

    purpose: str
    advice: str


class UnsureNames(Enum):
    """The names of constraints that are not certain: those by which PostgreSQL names them, because a naming convention may have been introduced
    later, or all, because the convention is not known."""

    NONE = "none"
    DEFAULT = "default"
    ALL = "all"


class CallFailure(NamedTuple):
    """Why a call of a program certainly fails, and what the script needs. `by_script`: it does so before it sends anything."""

    error: str
    help: str
    by_script: bool

    @property
    def kind(self) -> str:
        """The kind of the error: the class of an exception, or the whole error of the driver."""
        return self.error.partition(": ")[0] if self.by_script else self.error


class Half(Struct, frozen=True):
    """One direction of a migration: the upgrade or the downgrade.

    `chunks` are the parts of the script that contain SQL, in the order in which they run; under Transaction.QUERY each is one query. If the
    migration is a `program`, the script is the SQL that it sends; it is empty until the program has been rendered.
    `one_query`: under Transaction.FILE, too, each chunk is sent as one query; this makes a difference after a COMMIT in it. `setup` is the SQL
    that the runner's environment sends on the connection before the migration. `begun_at` is the file and line where the environment, not the
    runner, begins the transaction; the runner cannot end it then. `commit_ends_all`: after a commit of its connection by a program, the runner
    commits nothing more in the same run. `runner_transaction` is one that the runner holds open on another
    connection meanwhile. `left_out` are the statements, by index, that are not sent although the runner would send them, with the reasons.
    `own_table` is the table in which the runner records the migration on the same connection, if it names that without a schema;
    `record_table` is the statement with which the runner creates its table of records, `platform` the SQL of what else exists before.
    `reads_psql`: psql's meta-commands and the rows of COPY … FROM stdin are not sent to the server as SQL.
    `failures` are the calls of a program that certainly fail, by the offset of their first statement.
    `unsure_names` are the names of constraints that are not certain in its history. `line_ends`: the runner divides the script at the ends
    of lines, so that it may send a statement in pieces.
    """

    script: Script
    chunks: tuple[Span, ...]
    transaction: Transaction
    program: Program | None = None
    one_query: bool = False
    setup: tuple[str, ...] = ()
    begun_at: tuple[str, int] | None = None
    commit_ends_all: bool = False
    runner_transaction: RunnerTransaction | None = None
    left_out: Mapping[int, str] = {}
    refused_mix: str = ""
    """Why the runner refuses the script, in which some statements can run in a transaction and others cannot; empty if it does not."""
    unsure_names: UnsureNames = UnsureNames.NONE
    line_ends: LineEnds | None = None
    own_table: str = ""
    record_table: str = ""
    platform: str = ""
    reads_psql: bool = True
    failures: Mapping[int, CallFailure] = {}
    resumes: bool = False
    """Whether the runner records each statement, and begins the next run after a failure with the statement that failed."""

    @property
    def file(self) -> Script:
        """The script that developers edit."""
        return self.program.script if self.program is not None else self.script

    def platform_names(self) -> frozenset[str]:
        """Returns the names of the schemas and publications of the platform."""
        return frozenset(_PLATFORM_NAME.findall(self.platform))

    @property
    def record_table_name(self) -> str:
        """The name of the runner's table of records, without a schema; empty if it is not known."""
        return self.record_table.split()[2] if self.record_table else ""  # CREATE TABLE name

    @property
    def is_dump(self) -> bool:
        """Whether the script is the output of pg_dump, which is restored into a database that nothing uses yet."""
        return self.program is None and _DUMP.search(self.script.text, 0, _PREAMBLE) is not None

    def division(self, statement: Span) -> Division | None:
        """Returns the place at which the runner divides a statement; None if it sends the statement as a whole."""
        return self.line_ends.division(self.script, statement) if self.line_ends is not None else None

    def on_path(self, path: ProgramPath) -> "Half":
        """Returns what the half sends on one path of its program. The script, and so the spans, are the same."""
        assert self.program is not None
        program = replace(self.program, calls=path.calls, paths=())
        return replace(self, chunks=tuple(call.sql_span for call in path.calls), program=program)

    def call(self, offset: int) -> Call | None:
        """Returns the call of the program that sends the SQL at an offset of the script."""
        calls = self.program.calls if self.program is not None else ()
        following = bisect_right(calls, offset, key=lambda call: call.sql_span.start)
        return calls[following - 1] if following else None

    def call_span(self, span: Span) -> Span:
        """Returns the span of the call in the edited file that sends a span of the script; in an SQL file, the span itself."""
        call = self.call(span.start)
        return call.file_span if call is not None else span

    def file_span(self, span: Span) -> Span:
        """Returns the span of the edited file that a span of the script comes from."""
        call = self.call(span.start)
        return call.place(span) if call is not None else span


class Migration(Struct, frozen=True):
    """One migration of a history.

    `id` is the version as the runner records it (`0002`, `20240102030405`, `1.2`, `author:id`), `runner` the name of the runner. `up` and
    `down` are sent as that runner sends them; `down` is None if the migration has no downgrade. `own_transaction_advice` is for a runner whose
    transaction continues with the next migration of the same run: how to give this migration a transaction of its own, as an imperative; None
    if it has one. `transaction_read_at` is the file and line where the runner's transactions are configured, if they are. `may_change`: the
    runner accepts other SQL after it has run, and may run it again. `transaction_assumed`: neither a runner nor the configuration says in which
    transactions it runs. `again` is the upgrade that a program sends once more after its downgrade, rendered with it; None if the upgrade is
    SQL.
    """

    id: str
    runner: str
    up: Half
    down: Half | None = None
    own_transaction_advice: str | None = None
    transaction_read_at: tuple[str, int] | None = None
    may_change: bool = False
    transaction_assumed: bool = False
    again: Half | None = None


def whole_script(script: Script, transaction: Transaction, *, one_query: bool = False) -> Half:
    """Returns all of a script, as one chunk. Raises UnreadableError."""
    return Half(script, (Span(0, len(script.text)),), transaction, one_query=one_query)
