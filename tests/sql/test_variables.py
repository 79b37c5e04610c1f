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
        f"DECLARE t text := 'a'; BEGIN IF b() THEN t := 'b'; ELSE t := current_user; END IF; {ALTER} END",
        f"DECLARE t text := current_user; BEGIN IF b() THEN t := 'b'; END IF; {ALTER} END",
        f"DECLARE t text := 'a'; BEGIN t := 'b'; WHILE c() LOOP {ALTER} t := 'c'; END LOOP; END",
        f"DECLARE t text := 'a'; BEGIN t := 'b'; FOR i IN 1..2 LOOP {ALTER} t := 'c'; END LOOP; END",
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
        f"DECLARE t text := 'a'; BEGIN SELECT c INTO t FROM d; {ALTER} END",
        f"DECLARE t text; BEGIN FOR t IN SELECT c FROM d LOOP {ALTER} END LOOP; END",
        f"DECLARE t text; BEGIN FOREACH t IN ARRAY list LOOP {ALTER} END LOOP; END",
        f"DECLARE t text; l text[] := ARRAY['a']; BEGIN l := l || c(); FOREACH t IN ARRAY l LOOP {ALTER} END LOOP; END",
        f"DECLARE t text; l text[] = ARRAY['a']; BEGIN l[2] = c(); FOREACH t IN ARRAY l LOOP {ALTER} END LOOP; END",
        f"DECLARE t text; l text[] := ARRAY['a', c()]; BEGIN FOREACH t IN ARRAY l LOOP {ALTER} END LOOP; END",
        f"DECLARE t text; l text[] := '{{\"a\",b}}'; BEGIN FOREACH t IN ARRAY l LOOP {ALTER} END LOOP; END",
        f"DECLARE t text; BEGIN FOR t IN SELECT unnest(ARRAY['a']) FROM d LOOP {ALTER} END LOOP; END",
        f"DECLARE t text; BEGIN FOR t IN SELECT unnest(c()) LOOP {ALTER} END LOOP; END",
        f"DECLARE t text := current_user; BEGIN {ALTER} END",
        f"DECLARE t text; BEGIN {ALTER} END",
    ],
)
def test_any_other_variable_has_no_known_value(body: str) -> None:
    assert any(isinstance(operation, OpaqueCode) for operation in run(body))


@pytest.mark.parametrize(
    ("body", "tables"),
    [
        (f"DECLARE t text := 'a'; BEGIN IF b() THEN t := 'b'; END IF; {ALTER} END", ["b", "a"]),
        (f"DECLARE t text; BEGIN IF b() THEN t := 'b'; END IF; {ALTER} END", ["b"]),
        (f"DECLARE t text := 'a'; BEGIN IF b() THEN t := 'b'; ELSE t := 'c'; END IF; {ALTER} END", ["b", "c"]),
        (f"DECLARE t text; BEGIN IF b() THEN t := 'b'; ELSIF c() THEN t = 'c'; ELSE RAISE 'no'; END IF; {ALTER} END", ["b", "c"]),
        (
            f"DECLARE t text := 'a'; BEGIN CASE b() WHEN 1 THEN t := 'b'; WHEN 2 THEN t := 'c'; ELSE t := 'd'; END CASE; {ALTER} END",
            ["b", "c", "d"],
        ),
        (f"DECLARE t text := 'a'; BEGIN IF b() THEN t := t || '_b'; END IF; t := t || '_c'; {ALTER} END", ["a_b_c", "a_c"]),
        (f"DECLARE t text := 'a'; BEGIN IF b() THEN IF c() THEN t := 'b'; END IF; ELSE t := 'c'; END IF; {ALTER} END", ["b", "a", "c"]),
    ],
)
def test_a_variable_has_one_of_the_values_of_branches(body: str, tables: list[str]) -> None:
    assert altered(body) == tables
    assert not any(operation.certain for operation in run(body) if isinstance(operation, AddColumn)) or len(tables) == 1


def test_a_value_after_that_of_branches_is_certain() -> None:
    operations = run(f"DECLARE t text := 'a'; BEGIN IF b() THEN t := 'b'; END IF; t := 'c'; {ALTER} END")
    assert [operation.certain for operation in operations if isinstance(operation, AddColumn)] == [True]


@pytest.mark.parametrize(
    "loop",
    [
        "FOREACH t IN ARRAY l LOOP {} END LOOP;",
        "FOREACH t IN ARRAY '{{a, b}}'::text[] LOOP {} END LOOP;",
        "FOR t IN SELECT unnest(ARRAY['a', 'b']) LOOP {} END LOOP;",
        "FOR t IN SELECT unnest(ARRAY['a', 'b']::text[]) AS name LOOP {} END LOOP;",
        "FOR t IN SELECT unnest(l) LOOP {} END LOOP;",
    ],
)
@pytest.mark.parametrize("array", ["ARRAY['a', 'b']", "'{a,b}'"])
def test_a_loop_over_an_array_of_constants_has_its_elements(array: str, loop: str) -> None:
    assert altered(f"DECLARE t text; l text[] := {array}; BEGIN {loop.format(ALTER)} END") == ["a", "b"]


def test_elements_by_subscript_and_by_column() -> None:
    subscript, column = ALTER.replace(", t)", ", l[i])"), ALTER.replace(", t)", ", r.name)")
    assert altered(f"DECLARE l text[] := ARRAY['a', 'b']; BEGIN FOR i IN 1..array_length(l, 1) LOOP {subscript} END LOOP; END") == ["a", "b"]
    assert altered(f"DECLARE r record; BEGIN FOR r IN SELECT unnest(ARRAY['a', 'b']) AS name LOOP {column} END LOOP; END") == ["a", "b"]


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
