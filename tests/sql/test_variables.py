"""Dynamic SQL of a PL/pgSQL body that can be read, because it is built from constants."""

import pytest

from migsafe.sql.operations import AddColumn, OpaqueCode, Operation
from migsafe.sql.statements import read

ALTER = "EXECUTE format('ALTER TABLE %I ADD COLUMN x int', t);"


def run(body: str) -> list[Operation]:
    [statement] = read(f"DO $$ {body} $$")
    return list(statement.operations[1:])


def altered(body: str) -> list[str]:
    """Return the tables to which the body adds a column."""
    operations = run(body)
    assert not any(isinstance(operation, OpaqueCode) for operation in operations)
    return [operation.target.name.name for operation in operations if isinstance(operation, AddColumn)]


@pytest.mark.parametrize(
    ("body", "tables"),
    [
        (f"DECLARE t text := 'a'; BEGIN {ALTER} END", ["a"]),
        (f"DECLARE t CONSTANT text DEFAULT 'a'; BEGIN {ALTER} END", ["a"]),
        (f"DECLARE t text; BEGIN t := 'a'; {ALTER} END", ["a"]),
        (f"DECLARE p text := 'a'; t text := p || '_b'; BEGIN {ALTER} END", ["a_b"]),
        ("DECLARE q text; BEGIN q := 'ALTER TABLE a ADD COLUMN x int'; EXECUTE q; END", ["a"]),
        (f"DECLARE t text; BEGIN FOREACH t IN ARRAY ARRAY['a', 'b'] LOOP {ALTER} END LOOP; END", ["a", "b"]),
        (f"DECLARE q text; t text := 'a'; BEGIN q := quote_ident(lower('x')); {ALTER} END", ["a"]),
    ],
)
def test_a_variable_that_is_assigned_once_has_a_known_value(body: str, tables: list[str]) -> None:
    assert altered(body) == tables


@pytest.mark.parametrize(
    ("body", "tables"),
    [
        (f"DECLARE t text; BEGIN t := 'a'; {ALTER} t := 'b'; {ALTER} END", ["a", "b"]),
        (f"DECLARE t text := 'a'; BEGIN {ALTER} t = t || '_b'; {ALTER} END", ["a", "a_b"]),
        (f"DECLARE t text := 'a'; BEGIN IF b() THEN {ALTER} t := 'b'; {ALTER} ELSE t := 'c'; {ALTER} END IF; END", ["a", "b", "c"]),
        (f"DECLARE t text := 'a'; BEGIN t := 'b'; FOR i IN 1..2 LOOP t := 'c'; {ALTER} END LOOP; t := 'd'; {ALTER} END", ["c", "d"]),
    ],
)
def test_a_variable_has_the_value_that_was_assigned_last(body: str, tables: list[str]) -> None:
    assert altered(body) == tables


@pytest.mark.parametrize(
    "body",
    [
        f"DECLARE t text := 'a'; BEGIN IF b() THEN t := 'b'; ELSE {ALTER} t := 'c'; END IF; {ALTER} END",
        f"DECLARE t text := 'a'; BEGIN t := 'b'; WHILE c() LOOP {ALTER} t := 'c'; END LOOP; END",
        f"DECLARE t text := 'a'; BEGIN t := 'b'; FOR i IN 1..2 LOOP {ALTER} t := 'c'; END LOOP; END",
        f"DECLARE t text := 'a'; BEGIN CASE b() WHEN 1 THEN t := 'b'; WHEN 2 THEN t := 'c'; ELSE t := 'd'; END CASE; {ALTER} END",
        f"DECLARE t text := 'a'; BEGIN BEGIN t := 'b'; PERFORM c(); EXCEPTION WHEN OTHERS THEN {ALTER} END; t := 'd'; END",
        f"DECLARE t text := 'a'; BEGIN t := 'b'; t := current_user; {ALTER} END",
        f"DECLARE t text[]; BEGIN t := 'b'; t[1] := 'c'; {ALTER} END",
    ],
)
def test_a_variable_that_another_branch_or_iteration_assigns_has_no_known_value(body: str) -> None:
    assert any(isinstance(operation, OpaqueCode) for operation in run(body))


@pytest.mark.parametrize(
    "body",
    [
        f"DECLARE t text := 'a'; BEGIN IF b() THEN t := 'b'; END IF; {ALTER} END",
        f"DECLARE t text := 'a'; BEGIN SELECT c INTO t FROM d; {ALTER} END",
        f"DECLARE t text; BEGIN FOR t IN SELECT c FROM d LOOP {ALTER} END LOOP; END",
        f"DECLARE t text; BEGIN FOREACH t IN ARRAY list LOOP {ALTER} END LOOP; END",
        f"DECLARE t text := current_user; BEGIN {ALTER} END",
        f"DECLARE t text; BEGIN {ALTER} END",
    ],
)
def test_any_other_variable_has_no_known_value(body: str) -> None:
    assert any(isinstance(operation, OpaqueCode) for operation in run(body))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("SELECT 'DROP VIEW ' || relname INTO q FROM pg_class; EXECUTE q;", ["'DROP VIEW ' || relname"]),
        ("SELECT INTO STRICT q format('DROP VIEW %I', relname) FROM pg_class; EXECUTE q;", ["format('DROP VIEW %I', relname) FROM pg_class"]),
        (
            "q := ''; SELECT coalesce(string_agg(format('DROP VIEW %I', n), ';'), '') INTO q FROM v; EXECUTE q;",
            ["format('DROP VIEW %I', n), ';'), '')"],
        ),
        ("SELECT 'A ' || n INTO q FROM v; SELECT 'B ' || n INTO q FROM v; EXECUTE q;", ["'A ' || n", "'B ' || n"]),
        ("SELECT n INTO p, q FROM v; SELECT 'A ' || n INTO q FROM v; EXECUTE q;", ["q"]),
        ("FOR q IN SELECT n FROM v LOOP EXECUTE q; END LOOP; SELECT 'A ' || n INTO q FROM v;", ["q"]),
    ],
)
def test_what_a_query_writes_into_a_variable_is_the_code_that_it_executes(body: str, code: list[str]) -> None:
    operations = run(f"DECLARE p text; q text; BEGIN {body} END")
    assert [operation.code for operation in operations if isinstance(operation, OpaqueCode)] == code
