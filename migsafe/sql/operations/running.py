"""The operations that read or change rows, run code, control transactions and settings, or maintain tables."""

from msgspec import Struct

from migsafe.sql.features import Feature
from migsafe.sql.operations.values import Expression, Name, Operation, Option, Query
from migsafe.text import Span


class Insert(Operation, frozen=True, kw_only=True):
    """INSERT. `source` is `values`, `query` (rows come from a query) or `default` (DEFAULT VALUES). `reads` are the relations that its
    queries read, `whole` those of them that they read without a WHERE or a LIMIT around them. `given` are the positions to which some row of
    VALUES has another value than DEFAULT. `overriding` is `system` or `user`, None without that clause."""

    table: Name
    source: str
    columns: tuple[str, ...] = ()
    given: tuple[int, ...] = ()
    overriding: str | None = None
    repeated: str | None = None
    """A column that the statement names twice, which PostgreSQL refuses."""
    names_parts: bool = False
    """Whether a value is for an element or a field of a column, not for the whole."""
    on_conflict: str | None = None
    """`nothing`, `update`, or None without ON CONFLICT."""
    reads: tuple[Name, ...] = ()
    calls: tuple[Name, ...] = ()
    whole: tuple[Name, ...] = ()


class Update(Operation, frozen=True, kw_only=True):
    """UPDATE. `where` is None without a filter; `current_of` is the cursor of WHERE CURRENT OF. `defaults` are the columns that are set to
    DEFAULT."""

    table: Name
    columns: tuple[str, ...]
    defaults: tuple[str, ...] = ()
    repeated: str | None = None
    """A column that is assigned twice as a whole, which PostgreSQL refuses."""
    where: Expression | None = None
    current_of: str | None = None
    only: bool = False
    reads: tuple[Name, ...] = ()
    calls: tuple[Name, ...] = ()


class Delete(Operation, frozen=True, kw_only=True):
    """DELETE. `where` is None without a filter; `current_of` is the cursor of WHERE CURRENT OF."""

    table: Name
    where: Expression | None = None
    current_of: str | None = None
    only: bool = False
    reads: tuple[Name, ...] = ()
    calls: tuple[Name, ...] = ()


class Merge(Operation, frozen=True, kw_only=True):
    """MERGE. `actions` are those of its WHEN clauses: `insert`, `update`, `delete`, `do nothing`."""

    table: Name
    actions: tuple[str, ...]
    only: bool = False
    reads: tuple[Name, ...] = ()
    calls: tuple[Name, ...] = ()


class Select(Operation, frozen=True, kw_only=True):
    """SELECT, VALUES or TABLE as a statement, and PERFORM in a DO block. A SELECT INTO is a CreateTableAs. `cursor` is the name that
    DECLARE gives it: its rows are read when they are fetched."""

    query: Query
    cursor: str | None = None


class Copy(Operation, frozen=True, kw_only=True):
    """COPY. `table` is None for COPY (query) TO. `endpoint` is `stdin`, `stdout`, `file` or `program`; `data` is the place of the rows
    in the script."""

    table: Name | None
    source: bool
    """True: COPY … FROM, which writes to the table."""
    endpoint: str
    columns: tuple[str, ...] = ()
    query: Query | None = None
    filtered: bool = False
    data: Span | None = None


class Call(Operation, frozen=True, kw_only=True):
    """CALL. `sql` is the statement as written, with the arguments."""

    procedure: Name
    sql: str = ""


class Do(Operation, frozen=True, kw_only=True):
    """DO. The operations of its body follow it in the statement."""

    language: str
    body: Span


class Explain(Operation, frozen=True, kw_only=True):
    """EXPLAIN. With ANALYZE the explained statement runs, and its operations follow this one; without it the operations are only planned,
    and are in `explained`."""

    analyze: bool
    explained: tuple[Operation, ...] = ()


class Prepare(Operation, frozen=True, kw_only=True):
    """PREPARE: nothing runs until EXECUTE. `prepared` are the operations that it will run."""

    name: str
    prepared: tuple[Operation, ...]


class Execute(Operation, frozen=True, kw_only=True):
    """EXECUTE of a prepared statement."""

    name: str


class Relation(Struct, frozen=True):
    """A relation in a list: TRUNCATE, LOCK, VACUUM, ANALYZE."""

    name: Name
    only: bool = False
    columns: tuple[str, ...] = ()


class Truncate(Operation, frozen=True, kw_only=True):
    """TRUNCATE."""

    tables: tuple[Relation, ...]
    restart_identity: bool = False
    cascade: bool = False


class LockTable(Operation, frozen=True, kw_only=True):
    """LOCK TABLE. `mode` in SQL's words in upper case, ACCESS EXCLUSIVE if the statement names none."""

    tables: tuple[Relation, ...]
    mode: str = "ACCESS EXCLUSIVE"
    nowait: bool = False


class Cluster(Operation, frozen=True, kw_only=True):
    """CLUSTER; `table` is None for every table that was clustered before."""

    table: Name | None
    index: str | None = None
    options: tuple[Option, ...] = ()


class Repack(Operation, frozen=True, kw_only=True):
    """REPACK; `table` is None for every table, or with `by_index` for every table that was clustered before. `by_index`: USING INDEX, whose
    `index` is None for the one by which the table was clustered before."""

    table: Name | None
    by_index: bool = False
    index: str | None = None
    concurrently: bool = False
    analyze: bool = False
    options: tuple[Option, ...] = ()


class Reindex(Operation, frozen=True, kw_only=True):
    """REINDEX. `kind` is `index`, `table`, `schema`, `database` or `system`; `name` is None for the current database."""

    kind: str
    name: Name | None
    concurrently: bool = False
    options: tuple[Option, ...] = ()


class Vacuum(Operation, frozen=True, kw_only=True):
    """VACUUM; no `tables`: every table of the database."""

    tables: tuple[Relation, ...]
    full: bool = False
    analyze: bool = False
    options: tuple[Option, ...] = ()


class Analyze(Operation, frozen=True, kw_only=True):
    """ANALYZE; no `tables`: every table of the database."""

    tables: tuple[Relation, ...]
    options: tuple[Option, ...] = ()


class SessionControl(Operation, frozen=True, kw_only=True):
    """A statement that changes only the session: its transaction or its settings."""


class TransactionControl(SessionControl, frozen=True):
    """A statement that begins, ends or changes the transaction."""


class SessionSetting(SessionControl, frozen=True):
    """A statement that changes the settings of the session, or of its transaction."""


class Begin(TransactionControl, frozen=True):
    """BEGIN, START TRANSACTION. `modes` in lower case (`read only`, `isolation level serializable`…)."""

    modes: tuple[str, ...] = ()


class Commit(TransactionControl, frozen=True, kw_only=True):
    """COMMIT, END. `chain`: AND CHAIN, which opens the next transaction."""

    chain: bool = False


class Rollback(TransactionControl, frozen=True, kw_only=True):
    """ROLLBACK, ABORT."""

    chain: bool = False


class Savepoint(TransactionControl, frozen=True, kw_only=True):
    """SAVEPOINT."""

    name: str


class RollbackTo(TransactionControl, frozen=True, kw_only=True):
    """ROLLBACK TO SAVEPOINT."""

    name: str


class Release(TransactionControl, frozen=True, kw_only=True):
    """RELEASE SAVEPOINT."""

    name: str


class TwoPhase(TransactionControl, frozen=True, kw_only=True):
    """PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED: `action` in lower case."""

    action: str
    identifier: str


class SetTransaction(SessionSetting, frozen=True, kw_only=True):
    """SET TRANSACTION, and SET SESSION CHARACTERISTICS (`session`)."""

    modes: tuple[str, ...]
    session: bool = False


class SetConstraints(TransactionControl, frozen=True, kw_only=True):
    """SET CONSTRAINTS; no `constraints`: ALL."""

    constraints: tuple[Name, ...]
    deferred: bool


class SetVariable(SessionSetting, frozen=True, kw_only=True):
    """SET, and a call of set_config() with constant arguments.

    `value` is the text that the server receives, items of a list separated by `, `; None for DEFAULT. `local`: SET LOCAL.
    """

    variable: str
    value: str | None
    local: bool = False


class ResetVariable(SessionSetting, frozen=True, kw_only=True):
    """RESET; `variable` is None for ALL."""

    variable: str | None


class Discard(SessionSetting, frozen=True, kw_only=True):
    """DISCARD; `target` is `all`, `plans`, `sequences` or `temp`."""

    target: str


class AlterSystem(Operation, frozen=True, kw_only=True):
    """ALTER SYSTEM SET or RESET; `variable` is None for RESET ALL."""

    variable: str | None
    reset: bool = False


class Utility(Operation, frozen=True, kw_only=True):
    """A statement of which migsafe needs only the command: LISTEN, NOTIFY, CHECKPOINT, LOAD, SHOW, cursors, REASSIGN OWNED…

    `command` in lower case (`reassign owned`), `name` its object, as written.
    """

    command: str
    name: str = ""


class PsqlCommand(Operation, frozen=True, kw_only=True):
    r"""A psql meta-command, such as `\connect`; `arguments` is the rest of its line."""

    command: str
    arguments: str = ""


class OpaqueCode(Operation, frozen=True, kw_only=True):
    """Code whose effect is unknown until it runs. `reason` says why, as the end of a sentence. It is `confined` if only a detail of its
    statement is unknown, for example a column's type. `operations` are then those of an EXECUTE on a known table, with marks in place of what
    is unknown: they have the effects of the code, but their names mean nothing. `calls` are the calls that lead to code in a function: their
    arguments may name the objects that it uses; `routine` is the name of that function. `of_invalid_index`: it only drops indexes that a query
    has found INVALID."""

    reason: str
    code: str
    calls: str = ""
    routine: str = ""
    of_invalid_index: bool = False
    confined: bool = False
    operations: tuple[Operation, ...] = ()


class CutIdentifier(Operation, frozen=True, kw_only=True):
    """An identifier of more than 63 bytes, which PostgreSQL truncates: as it is `written`, and the part that is `kept`. It follows the
    operations of its statement, which have the kept part."""

    written: str
    kept: str


class FeatureUse(Operation, frozen=True, kw_only=True):
    """A use of a feature that a release after 14 added. It follows the operations of its statement."""

    feature: Feature


A_STATEMENT = "a statement"
"""What the grammar expects where no token begins a statement."""


class Broken(Operation, frozen=True, kw_only=True):
    """A syntax error. `expected` says what PostgreSQL's grammar expects at the position, `found` what the script has there."""

    expected: str
    found: str

    @property
    def is_no_statement(self) -> bool:
        """Whether not even the first token begins a statement."""
        return self.expected == A_STATEMENT


class Unparsed(Operation, frozen=True, kw_only=True):
    """A statement that PostgreSQL may accept and migsafe cannot parse; `reason` says why."""

    reason: str
