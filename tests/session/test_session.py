from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migsafe.lock import LockMode
from migsafe.session import Session, Transition, TransitionKind, sent_statements, transaction_numbers
from migsafe.sources import Half, Transaction
from migsafe.sql.operations import LockTable, Operation
from migsafe.sql.statements import Statement, read
from migsafe.text import Script, Span
from tests.session.script import REFUSED, SCRIPTS, describe_session, expectation, read_half


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_session_has_the_expected_states(path: Path) -> None:
    migration = read_half(path)
    session = Session(migration.transaction)
    observed, expected = [], []
    for statement, first, last in sent_statements(migration):
        line = migration.script.position(statement.span.start).line
        expected_state = expectation(migration.script, statement.span.end)
        session.begin_statement(statement, first=first, last=last)
        refusal = [session.refusal(operation) for operation in statement.operations]
        follow(session, *statement.operations)
        session.end_statement()
        observed.append((line, REFUSED if any(refusal) else describe_session(session)))
        expected.append((line, expected_state))
    assert observed == expected


def follow(session: Session, *operations: Operation) -> list[Transition]:
    transitions: list[Transition] = []
    for operation in operations:
        transitions += session.apply(operation)
        if isinstance(operation, LockTable) and session.refusal(operation) is None:
            session.record_lock(operation.tables[0].name.name, LockMode(operation.mode))
    return transitions


def run(sql: str, transaction: Transaction, session: Session | None = None) -> list[list[str]]:
    """Returns the transitions of each statement, and those of the end."""
    session = session or Session(transaction)
    script = Script("a.sql", sql)
    transitions_of_statements = []
    for statement, first, last in sent_statements(Half(script, (Span(0, len(sql)),), transaction)):
        transitions = list(session.begin_statement(statement, first=first, last=last))
        transitions += follow(session, *statement.operations)
        transitions += session.end_statement()
        transitions_of_statements.append([describe(transition) for transition in transitions])
    return [*transitions_of_statements, [describe(transition) for transition in session.end_migration()]]


def describe(transition: Transition) -> str:
    kind, depth, name = transition
    return f"{kind.value} {name} {depth}" if name else kind.value


ALONE = ["began", "committed"]


@pytest.mark.parametrize(
    ("transaction", "sql", "transitions"),
    [
        (Transaction.STATEMENT, "SELECT 1; SELECT 2;", [ALONE, ALONE, []]),
        (Transaction.FILE, "SELECT 1; SELECT 2;", [["began"], [], ["committed"]]),
        (Transaction.QUERY, "SELECT 1; SELECT 2;", [["began"], ["committed"], []]),
        (Transaction.QUERY, "SELECT 1;", [ALONE, []]),
        (Transaction.STATEMENT, "BEGIN; SELECT 1; COMMIT;", [["began"], [], ["committed"], []]),
        (Transaction.STATEMENT, "BEGIN; SELECT 1;", [["began"], [], ["rolled back"]]),
        (Transaction.STATEMENT, "COMMIT; ROLLBACK;", [ALONE, ALONE, []]),
        (Transaction.FILE, "SELECT 1; COMMIT; VACUUM;", [["began"], ["committed"], ALONE, []]),
        (Transaction.FILE, "COMMIT; BEGIN; SELECT 1;", [["began", "committed"], ["began"], [], ["committed"]]),
        (Transaction.FILE, "ROLLBACK AND CHAIN;", [["began", "rolled back", "began"], ["committed"]]),
        (Transaction.FILE, "SAVEPOINT a; SAVEPOINT b; ROLLBACK TO a; RELEASE a; RELEASE a;",
         [["began", "savepoint a 0"], ["savepoint b 1"], ["rolled back to a 0"], ["released a 0"], [], ["committed"]]),
        (Transaction.STATEMENT, "DO $$ BEGIN COMMIT; ROLLBACK; END $$", [["began", "committed", "began", "rolled back", *ALONE], []]),
        (Transaction.STATEMENT, "DO $$ BEGIN LOOP COMMIT; END LOOP; IF a THEN ROLLBACK; END IF; END $$", [["began", "committed", *ALONE], []]),
        (Transaction.FILE, "DO $$ BEGIN COMMIT; END $$", [["began"], ["committed"]]),
        (Transaction.QUERY, "SELECT 1; COMMIT; SELECT 2;", [["began"], ["committed"], ALONE, []]),
        (Transaction.QUERY, "SELECT 1; BEGIN; SELECT 2;", [["began"], [], [], ["rolled back"]]),
        (Transaction.STATEMENT, "\\echo a\nSELECT 1;", [[], ALONE, []]),
        (Transaction.STATEMENT, "BEGIN;\n\\connect other\nSELECT 1;", [["began"], ["rolled back"], ALONE, []]),
        (Transaction.STATEMENT, "BEGIN; PREPARE TRANSACTION 'a'; PREPARE TRANSACTION 'b';",
         [["began"], ["prepared"], ["committed", *ALONE], []]),
        (Transaction.STATEMENT, "BEGIN; PREPARE TRANSACTION 'a'; ROLLBACK PREPARED 'a';",
         [["began"], ["prepared"], ["rolled back", *ALONE], []]),
        (Transaction.STATEMENT, "BEGIN; PREPARE TRANSACTION 'a'; COMMIT PREPARED 'a';",
         [["began"], ["prepared"], ["committed", *ALONE], []]),
        (Transaction.STATEMENT, "BEGIN; PREPARE TRANSACTION 'a'; ROLLBACK PREPARED 'b';",
         [["began"], ["prepared"], ["committed", *ALONE], []]),
        (Transaction.FILE, "SELECT 1; PREPARE TRANSACTION 'a';", [["began"], ["prepared"], []]),
    ],
)  # fmt: skip
def test_transitions_of_the_transaction(transaction: Transaction, sql: str, transitions: list[list[str]]) -> None:
    assert run(sql, transaction) == transitions


def test_each_chunk_is_one_query() -> None:
    script = Script("a.sql", "SELECT 1; SELECT 2; -- that was it\nSELECT 3;")
    chunks = (Span(0, 20), Span(35, 44))
    assert [(first, last) for _, first, last in sent_statements(Half(script, chunks, Transaction.QUERY))] == [
        (True, False),
        (False, True),
        (True, True),
    ]


def test_each_transaction_has_its_own_number() -> None:
    def numbers(sql: str, transaction: Transaction) -> list[int | None]:
        return list(transaction_numbers(Half(Script("a.sql", sql), (Span(0, len(sql)),), transaction), read(sql)))

    sql = "\\echo 1\nSELECT 1; BEGIN; SELECT 2; COMMIT AND CHAIN; SELECT 3;"
    assert Session(Transaction.FILE).transaction is None
    assert numbers(sql, Transaction.STATEMENT) == [None, 1, 2, 2, 2, 3]
    assert numbers(sql, Transaction.FILE) == [None, 1, 1, 1, 1, 2]


def test_vacuum_is_refused_in_a_block() -> None:
    def in_block(sql: str, transaction: Transaction, *, one_query: bool = False) -> list[bool]:
        session = Session(transaction, one_query=one_query)
        script = Script("a.sql", sql)
        in_blocks = []
        for statement, first, last in sent_statements(Half(script, (Span(0, len(sql)),), transaction)):
            session.begin_statement(statement, first=first, last=last)
            in_blocks.append(session.in_block)
            follow(session, *statement.operations)
            session.end_statement()
        return in_blocks

    assert in_block("VACUUM; SELECT 1", Transaction.STATEMENT) == [False, False]
    assert in_block("VACUUM; SELECT 1", Transaction.QUERY) == [True, True]
    assert in_block("VACUUM", Transaction.QUERY) == [False]
    assert in_block("VACUUM; COMMIT; VACUUM", Transaction.FILE) == [True, True, False]
    assert in_block("VACUUM; COMMIT; VACUUM", Transaction.FILE, one_query=True) == [True, True, True]
    assert in_block("DO $$ BEGIN EXECUTE 'VACUUM'; END $$", Transaction.NONE) == [True]


def test_locks_compare_by_strength_and_end_with_the_transaction() -> None:
    session = Session(Transaction.FILE)
    run("LOCK TABLE t IN SHARE MODE; LOCK TABLE t IN ROW SHARE MODE; LOCK TABLE u IN SHARE MODE", Transaction.FILE, session)
    assert session.locks == {}
    script = Script("a.sql", "LOCK TABLE t IN SHARE MODE; LOCK TABLE t IN ROW SHARE MODE; LOCK TABLE u IN ROW SHARE MODE")
    session = Session(Transaction.FILE)
    for statement, _, _ in sent_statements(Half(script, (Span(0, len(script.text)),), Transaction.FILE)):
        session.begin_statement(statement)
        follow(session, *statement.operations)
        session.end_statement()
    assert session.locks == {"t": LockMode.SHARE, "u": LockMode.ROW_SHARE}


def test_prepared_statements_outlive_a_rollback() -> None:
    session = Session(Transaction.STATEMENT)
    run("BEGIN; PREPARE a AS DELETE FROM t; PREPARE b AS DELETE FROM t; ROLLBACK; DEALLOCATE b; DISCARD PLANS", Transaction.STATEMENT, session)
    assert [type(operation).__name__ for operation in session.prepared_operations("a")] == ["Delete"]
    assert session.prepared_operations("b") == ()
    run("DEALLOCATE ALL", Transaction.STATEMENT, session)
    assert session.prepared_operations("a") == ()


def test_transition_kinds_have_different_values() -> None:
    assert len({kind.value for kind in TransitionKind}) == len(TransitionKind)


def test_a_script_is_read_once() -> None:
    half = Half(Script("1.sql", "SELECT 1; SELECT 2"), (Span(0, 18),), Transaction.STATEMENT)
    first, again = list(sent_statements(half)), list(sent_statements(half))
    assert [sent.statement.index for sent in first] == [1, 2]
    assert all(one.statement is two.statement for one, two in zip(first, again, strict=True))


def test_statements_are_read_when_they_are_asked_for_and_again_after_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "-- read once\nSELECT 1; SELECT 2; SELECT 3"
    half = Half(Script("a.sql", text), (Span(0, len(text)),), Transaction.STATEMENT)
    begun = []

    def read_and_stop(*arguments: Any) -> Iterator[Statement]:
        begun.append(arguments)
        for statement in read(*arguments):
            if statement.index == 2 and len(begun) == 1:
                raise KeyboardInterrupt
            yield statement

    monkeypatch.setattr("migsafe.session.sending.read", read_and_stop)
    with pytest.raises(KeyboardInterrupt):
        list(sent_statements(half))
    for _ in range(2):
        assert [sent.statement.index for sent in sent_statements(half)] == [1, 2, 3]
    assert len(begun) == 2
