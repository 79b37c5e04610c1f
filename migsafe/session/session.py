"""A connection on which a runner sends a migration."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import NamedTuple

from migsafe.lock import LockMode
from migsafe.schema.journal import JournaledMapping
from migsafe.schema.refusal import Refusal, RefusalKind
from migsafe.session.sending import Block, Command, RunnerCommands, is_sent_to_server, sent_statements
from migsafe.session.settings import Settings, is_true
from migsafe.session.transitions import Transition, TransitionKind
from migsafe.sources import Half, Transaction
from migsafe.sql.operations import (
    Begin,
    Commit,
    Discard,
    Do,
    Execute,
    LockTable,
    Operation,
    Prepare,
    PsqlCommand,
    Release,
    ResetVariable,
    Rollback,
    RollbackTo,
    Savepoint,
    SessionControl,
    SetTransaction,
    SetVariable,
    TwoPhase,
    Utility,
)
from migsafe.sql.statements import Statement, read

Transitions = tuple[Transition, ...]

_BEGAN: Transitions = (Transition(TransitionKind.BEGAN),)
_ENDED: dict[TransitionKind, Transitions] = {
    kind: (Transition(kind),) for kind in (TransitionKind.COMMITTED, TransitionKind.PREPARED, TransitionKind.ROLLED_BACK)
}
_COMMANDS = {Savepoint: "SAVEPOINT", RollbackTo: "ROLLBACK TO SAVEPOINT", Release: "RELEASE SAVEPOINT"}
"""What the server's messages call the commands of savepoints."""

_STRONGER_LEVELS = ("isolation level repeatable read", "isolation level serializable")
"""The levels that a transaction does not begin with by default."""

_SESSION_OPERATIONS = (SessionControl, Prepare, Execute, Utility, LockTable, PsqlCommand)
"""The operations that can change a session; a long history has few of them."""


def transaction_numbers(half: Half, statements: Iterable[Statement]) -> Iterator[int | None]:
    """Returns the number of the transaction in which each statement of a migration runs; None for a statement that is not sent."""
    session = Session(half.transaction, one_query=half.one_query)
    for statement, first, last in sent_statements(half, statements):
        session.begin_statement(statement, first=first, last=last)
        yield session.transaction if is_sent_to_server(statement) else None
        for operation in statement.operations:
            session.apply(operation)
        session.end_statement()


class _Savepoint(NamedTuple):
    name: str
    settings: int
    locks: int


class Session:
    """A connection and its transaction, from a migration's first statement to its last.

        session = Session(half.transaction, one_query=half.one_query)
        for statement, first, last in sent_statements(half):
            session.begin_statement(statement, first=first, last=last)
            for operation in statement.operations:
                …                               # the state before the operation: session.settings, session.locks, session.in_block
                session.apply(operation)
            session.end_statement()
        session.end_migration()

    Each of the four methods returns the transitions that it caused, for callers that keep a journal of their own. The session assumes that
    PostgreSQL accepts every statement: one for which `refusal` gives a reason changes nothing, but does not abort the transaction either. An
    operation that is not certain to run (a branch of a DO block) changes nothing, except for COMMIT: batches commit in a loop.
    """

    __slots__ = (
        "_begins_read_only",
        "_block",
        "_in_do",
        "_last",
        "_locks",
        "_number",
        "_prepared",
        "_queried",
        "_runner",
        "_savepoints",
        "_undecided",
        "settings",
        "transaction",
    )

    def __init__(self, transaction: Transaction, *, one_query: bool = False) -> None:
        self.settings = Settings()
        self.transaction: int | None = None
        """The number of the current transaction, unique in this session; None outside a transaction."""
        self._runner = RunnerCommands(transaction, one_query=one_query)
        self._number = 0
        self._block = Block.NONE
        self._in_do = False
        self._last = True
        self._savepoints: list[_Savepoint] = []
        self._locks: JournaledMapping[Hashable, LockMode] = JournaledMapping()
        self._prepared: dict[str, tuple[Operation, ...]] = {}
        self._undecided: str | None = None
        self._begins_read_only = False
        self._queried: int | None = None
        """The number of the last transaction that has run a query."""

    def set_up(self, setup: Iterable[str]) -> None:
        """Applies the settings that the connection has before the migration. Those of SET LOCAL last until its transaction ends."""
        for operation in (operation for text in setup for statement in read(text) for operation in statement.operations):
            match operation:
                case SetVariable(variable="search_path", value=str(value), local=False):
                    # Another setting of the project may decide for this run: names are also looked for elsewhere.
                    self.settings.set_default("search_path", value)
                case SetVariable(variable=variable, value=value, local=local):
                    self.settings.set(variable, value, local=local)
                    if not local:
                        self.settings.commit()
                case ResetVariable(variable=variable):
                    self.settings.reset(variable)
                    self.settings.commit()

    @property
    def in_block(self) -> bool:
        """Whether PostgreSQL would refuse VACUUM and similar commands here: in a transaction block, in a query of several statements, in DO."""
        return self._block is not Block.NONE or self._in_do

    @property
    def in_transaction_block(self) -> bool:
        """Whether the transaction continues after the statement: the runner or the script began it, or the query has several statements."""
        return self._block is not Block.NONE

    @property
    def locks(self) -> Mapping[Hashable, LockMode]:
        """The strongest lock held on each relation, by the key that was given to `record_lock`."""
        return self._locks.entries

    def record_lock(self, relation: Hashable, lock: LockMode) -> None:
        """Records a lock until the transaction ends, or rolls back to an earlier savepoint."""
        held_lock = self._locks.entries.get(relation)
        if held_lock is None or held_lock < lock:
            self._locks.set(relation, lock)

    def move_lock(self, relation: Hashable, renamed: Hashable) -> None:
        """Records that a relation, whose lock stays, is found by another key from now on."""
        lock = self._locks.entries.get(relation)
        if lock is not None:
            self._locks.remove(relation)
            self._locks.set(renamed, lock)

    def lock_on(self, relation: Hashable) -> LockMode | None:
        """The strongest lock that the transaction holds on a relation."""
        return self._locks.entries.get(relation)

    def prepared_operations(self, name: str) -> tuple[Operation, ...]:
        """Returns the operations that EXECUTE of this name runs; none if the session has not prepared it."""
        return self._prepared.get(name, ())

    def begin_statement(self, statement: Statement, *, first: bool = True, last: bool = True) -> Transitions:
        """Begins a statement; `first` and `last` say where it is in its chunk, which matters if the chunk is sent as one query."""
        self._last = last
        if not is_sent_to_server(statement):
            return ()
        self._in_do = isinstance(statement.operations[0], Do)
        transitions = (*self._decide(statement), *self._begin()) if self.transaction is None else ()
        if self._block is Block.NONE:
            self._block = self._runner.block_before(first=first, last=last)
        return transitions

    def apply(self, operation: Operation) -> Transitions:
        """Applies an operation of the statement, after it has run."""
        if not isinstance(operation, _SESSION_OPERATIONS):
            if operation.certain and not isinstance(operation, Do):
                self._queried = self.transaction
            return ()
        if not (operation.certain or isinstance(operation, Commit)) or self.refusal(operation) is not None:
            return ()
        match operation:
            case SetVariable(variable=variable, value=value, local=local):
                self.settings.set(variable, value, local=local)
            case ResetVariable(variable=variable):
                self.settings.reset(variable)
            case Discard(target="all"):
                self.settings.discard()
                self._prepared.clear()
            case Prepare(name=name, prepared=operations):
                self._prepared[name] = operations
            case Execute(name=name):
                return tuple(transition for prepared in self.prepared_operations(name) for transition in self.apply(prepared))
            case Utility(command="deallocate", name=name):
                self._deallocate(name)
            case Begin(modes=modes):
                self._block = Block.EXPLICIT
                self._set_modes(modes)
            case SetTransaction(modes=modes, session=is_lasting):
                self._set_modes(modes, is_lasting=is_lasting)
            case Commit(chain=chain):
                return self._finish(TransitionKind.COMMITTED, chain=chain)
            case Rollback(chain=chain):
                return self._finish(TransitionKind.ROLLED_BACK, chain=chain)
            case TwoPhase(action="prepare transaction", identifier=identifier) if self._block is Block.EXPLICIT:
                self._undecided = identifier
                return self._end(TransitionKind.PREPARED)
            case Savepoint() | RollbackTo() | Release():
                return (self._apply_at_savepoint(operation),)
            case PsqlCommand(command="connect" | "c"):
                return self._reconnect()
        return ()

    def end_statement(self) -> Transitions:
        """Ends the statement, and its transaction if that does not continue."""
        self._in_do = False
        continues = self._runner.continues_after(self._block, last=self._last)
        return () if self.transaction is None or continues else self._end(TransitionKind.COMMITTED)

    def end_migration(self) -> Transitions:
        """Ends the migration: the runner commits its own transaction; one that the script left open is lost with the connection."""
        if self.transaction is None:
            return ()
        return self._end(TransitionKind.COMMITTED if self._runner.final_command is Command.COMMIT else TransitionKind.ROLLED_BACK)

    def refusal(self, operation: Operation) -> Refusal | None:
        """Returns why PostgreSQL refuses an operation on transactions or settings; None if it does not."""
        error = self._error(operation)
        kind = RefusalKind.TRANSACTION_BLOCK if self._in_do and isinstance(operation, Commit | Rollback) else RefusalKind.SESSION
        return Refusal(error=error, kind=kind) if error is not None else None

    def _error(self, operation: Operation) -> str | None:
        if not isinstance(operation, _SESSION_OPERATIONS):
            return None
        match operation:
            case Savepoint() | RollbackTo() | Release():
                return self._refuses_savepoint(operation)
            case Commit() | Rollback() if self._in_do:
                return "invalid transaction termination" if self._block is not Block.NONE else None
            case Commit(chain=True) | Rollback(chain=True) if self._block is not Block.EXPLICIT:
                return f"{type(operation).__name__.upper()} AND CHAIN can only be used in transaction blocks"
            case LockTable() if not self.in_block:
                return "LOCK TABLE can only be used in transaction blocks"
            case Discard(target="all") if self.in_block:
                return "DISCARD ALL cannot run inside a transaction block"
            case TwoPhase(action="commit prepared" | "rollback prepared" as action) if self.in_block:
                return f"{action.upper()} cannot run inside a transaction block"
            case SetVariable(variable=variable, value=value) if not self.settings.accepts(variable, value):
                return f'invalid value for parameter "{variable}": "{value}"'
            case SetTransaction(modes=modes, session=False) if self.in_transaction_block and self._queried == self.transaction:
                if any(mode in modes for mode in _STRONGER_LEVELS):
                    return "SET TRANSACTION ISOLATION LEVEL must be called before any query"
            case Prepare(name=name) if name in self._prepared:
                return f'prepared statement "{name}" already exists'
        return None

    def _set_modes(self, modes: Iterable[str], *, is_lasting: bool = False) -> None:
        for mode in modes:
            if mode in ("read only", "read write"):
                value = "on" if mode == "read only" else "off"
                variable = "default_transaction_read_only" if is_lasting else "transaction_read_only"
                self.settings.set(variable, value, local=not is_lasting)

    @property
    def is_read_only(self) -> bool:
        """Whether the transaction is READ ONLY: by its own mode, or because sessions begin transactions so."""
        own = self.settings.value("transaction_read_only")
        return self._begins_read_only if own is None else is_true(own)

    @property
    def in_nested_transaction(self) -> bool:
        """Whether a savepoint of SQLAlchemy's begin_nested() is open: a script uses it for errors that it handles."""
        return bool(self._savepoints) and any(savepoint.name.startswith("sa_savepoint_") for savepoint in self._savepoints)

    def _refuses_savepoint(self, operation: Savepoint | RollbackTo | Release) -> str | None:
        if self._in_do:
            # PL/pgSQL has a ROLLBACK of its own, without TO.
            return 'syntax error at or near "TO"' if isinstance(operation, RollbackTo) else "unsupported transaction command in PL/pgSQL"
        if self._block is not Block.EXPLICIT:
            return f"{_COMMANDS[type(operation)]} can only be used in transaction blocks"
        if not isinstance(operation, Savepoint) and self._depth(operation.name) is None:
            return f'savepoint "{operation.name}" does not exist'
        return None

    def _depth(self, name: str) -> int | None:
        """The position of the savepoint that a name refers to: the last one of that name."""
        return max((depth for depth, savepoint in enumerate(self._savepoints) if savepoint.name == name), default=None)

    def _apply_at_savepoint(self, operation: Savepoint | RollbackTo | Release) -> Transition:
        name = operation.name
        if isinstance(operation, Savepoint):
            self._savepoints.append(_Savepoint(name, self.settings.mark, self._locks.mark))
            return Transition(TransitionKind.SAVEPOINT, len(self._savepoints) - 1, name)
        depth = self._depth(name)
        assert depth is not None
        if isinstance(operation, Release):
            del self._savepoints[depth:]
            return Transition(TransitionKind.RELEASED, depth, name)
        self.settings.undo(self._savepoints[depth].settings)
        self._locks.undo(self._savepoints[depth].locks)
        del self._savepoints[depth + 1 :]
        return Transition(TransitionKind.ROLLED_BACK_TO, depth, name)

    def _deallocate(self, name: str) -> None:
        if name == "all":
            self._prepared.clear()
        else:
            self._prepared.pop(name, None)

    def _decide(self, statement: Statement) -> Transitions:
        """Returns how a transaction ends that the previous statement has prepared. If another statement comes before its ROLLBACK PREPARED,
        the session assumes that it was committed: it cannot tell the changes of the two apart any more."""
        if self._undecided is None:
            return ()
        match statement.operations[0]:
            case TwoPhase(action="rollback prepared", identifier=self._undecided):
                kind = TransitionKind.ROLLED_BACK
            case _:
                kind = TransitionKind.COMMITTED
        self._undecided = None
        return _ENDED[kind]

    def _begin(self) -> Transitions:
        self._number += 1
        self.transaction = self._number
        self._begins_read_only = is_true(self.settings.value("default_transaction_read_only") or "off")
        return _BEGAN

    def _finish(self, kind: TransitionKind, *, chain: bool) -> Transitions:
        """COMMIT or ROLLBACK. Outside a block PostgreSQL only warns; after one in a DO block, a new transaction begins at once."""
        block = self._block
        if block is Block.NONE and not self._in_do:
            return ()
        ended = self._end(kind)
        if chain or self._in_do:
            self._block = block
            return (*ended, *self._begin())
        return ended

    def _end(self, kind: TransitionKind) -> Transitions:
        if kind is TransitionKind.ROLLED_BACK:
            self.settings.undo()
        else:
            self.settings.commit()
        self._savepoints.clear()
        self._locks.clear()
        self._block = Block.NONE
        self.transaction = None
        return _ENDED[kind]

    def _reconnect(self) -> Transitions:
        """Replaces the connection, as psql does; an open transaction is rolled back."""
        transitions = () if self.transaction is None else self._end(TransitionKind.ROLLED_BACK)
        self.settings.discard()
        self._prepared.clear()
        return transitions
