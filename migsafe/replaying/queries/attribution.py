"""Which statement of a migration makes a difference for a query: found by running it again on a copy, with a look at the query after each."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from migsafe.linting.facts.sql_words import words_of
from migsafe.linting.queries.affected import Words, harmed_words, introduced_words
from migsafe.replaying.exchange import execute
from migsafe.replaying.recording.records import Recording
from migsafe.replaying.refusals import error_class
from migsafe.replaying.sending import execute_statement, is_idle, set_up, skip_reason
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.time_limits import Guard
from migsafe.schema.catalog import Catalog
from migsafe.session import Command, runner_steps, sent_statements
from migsafe.sources import Half
from migsafe.sql import operations as sql
from migsafe.sql.statements import Statement

if TYPE_CHECKING:
    from psycopg import Connection

Check = Callable[["Connection[Any]"], Collection[str]]
"""Returns the fingerprints of the queries that are different now from how they were before the migration. It runs in a savepoint that is rolled
back, or in a transaction of its own."""

_numbers = count(1)
_SAVEPOINT = "migsafe_look"


def find_causes(host: Host, before: str, half: Half, checks: Sequence[Check], guard: Guard) -> list[dict[str, int]]:
    """Runs a migration on a copy of the database `before` it; returns for each check the statement, by index, from which on a query is
    different, by fingerprint. Queries whose statement could not be found are missing."""
    statements = [sent.statement for sent in sent_statements(half) if _can_matter(sent.statement, half)]
    if len(statements) == 1:
        return [_Always(statements[0].index) for _ in checks]
    copy = f"{before}_causes_{next(_numbers)}"
    host.create_database(copy, before)
    try:
        connection = host.connect_as_migrator(copy)
        try:
            return _last_changes(len(checks), _differences(connection, half, checks, guard))
        finally:
            connection.close()
    finally:
        host.drop_database(copy)


class _Always(dict[str, int]):
    """The only statement of a migration that can be the cause."""

    def __init__(self, statement: int) -> None:
        super().__init__()
        self._statement = statement

    def get(self, key: str, default: Any = None) -> Any:
        return self._statement

    def __missing__(self, key: str) -> int:
        return self._statement


def _can_matter(statement: Statement, half: Half) -> bool:
    """Whether a statement can change what the database says about a query."""
    return not skip_reason(statement, half) and not all(isinstance(operation, sql.SessionControl) for operation in statement.operations)


def _differences(
    connection: "Connection[Any]", half: Half, checks: Sequence[Check], guard: Guard
) -> Iterator[tuple[int, list[Collection[str]]]]:
    """Yields the queries of each check that are different after each statement."""
    set_up(connection, half)
    try:
        for step in runner_steps(half, lambda: not is_idle(connection)):
            if isinstance(step, Command):
                execute(connection, step.value)
            elif not skip_reason(step.statement, half):
                with guard(connection):
                    execute_statement(connection, step.statement, half.script.text)
                if _can_matter(step.statement, half):
                    yield step.statement.index, [_look(connection, check) for check in checks]
    except error_class():
        return  # it ran in the database itself; on a copy, objects of the whole server (a role) exist already


def _look(connection: "Connection[Any]", check: Check) -> Collection[str]:
    inside = not is_idle(connection)
    execute(connection, f"SAVEPOINT {_SAVEPOINT}" if inside else "BEGIN")
    found = check(connection)
    execute(connection, f"ROLLBACK TO {_SAVEPOINT}; RELEASE {_SAVEPOINT}" if inside else "ROLLBACK")
    return found


def _last_changes(number: int, differences: Iterator[tuple[int, list[Collection[str]]]]) -> list[dict[str, int]]:
    """Returns the first statement of the last run of statements after which a query is different."""
    causes: list[dict[str, int]] = [{} for _ in range(number)]
    for statement, found in differences:
        for cause, different in zip(causes, found, strict=True):
            for fingerprint in [each for each in cause if each not in different]:
                del cause[fingerprint]
            for fingerprint in different:
                cause.setdefault(fingerprint, statement)
    return causes


def likely_causes(texts: Mapping[str, str], recording: Recording, catalog: Catalog) -> dict[str, int]:
    """Returns the statement, by index, that may have changed what PostgreSQL says about a query, by fingerprint, if it is the only one that
    changes something that the text of the query mentions. For databases of which there is no copy."""
    words: dict[int, list[Words]] = {}
    for record in recording.statements:
        for operation in record.statement.operations if not record.skip_reason else ():
            words.setdefault(record.statement.index, []).extend((*harmed_words(operation, catalog), *introduced_words(operation, catalog)))
    causes: dict[str, int] = {}
    for fingerprint, text in texts.items():
        mentioned = words_of(text)
        statements = [statement for statement, sets in words.items() if any(each <= mentioned for each in sets)]
        if len(statements) == 1:
            causes[fingerprint] = statements[0]
    return causes
