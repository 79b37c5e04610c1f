"""Conditions on the version of the server."""

import pytest

from migsafe.sql.operations import AddColumn
from migsafe.sql.statements import read
from migsafe.sql.version_conditions import RELEASES, releases_where, version_variables

NUMBER = "current_setting('server_version_num')::int"
FROM_16 = frozenset(release for release in RELEASES if release >= 16)


@pytest.mark.parametrize(
    ("condition", "releases"),
    [
        (f"{NUMBER} >= 160000", FROM_16),
        (f"({NUMBER}) >= 160000", FROM_16),
        (f"NOT ({NUMBER} < 160000)", FROM_16),
        ("160000 <= CAST(current_setting('server_version_num') AS integer)", FROM_16),
        ("(SELECT current_setting('server_version_num')::int) > 159999", FROM_16),
        ("(SELECT setting::int FROM pg_settings WHERE name = 'server_version_num') >= 160000", FROM_16),
        ("pg_catalog.current_setting('server_version_num')::integer / 10000 >= 16", None),
        (f"{NUMBER} > 120000", RELEASES),
        (f"{NUMBER} < 100000", frozenset()),
        (f"{NUMBER} >= 160003", None),
        (f"{NUMBER} >= 160000 AND x > 1", None),
        ("current_setting('server_version')::numeric >= 16", FROM_16),
        ("current_setting('server_version')::numeric > 16", None),
        ("split_part(current_setting('server_version'), '.', 1)::int >= 16", FROM_16),
        ("version() LIKE 'PostgreSQL 9.%'", frozenset()),
        ("version() LIKE 'PostgreSQL 16%'", frozenset({16})),
        ("version() NOT LIKE 'PostgreSQL 16.%'", RELEASES - {16}),
        ("version() LIKE 'PostgreSQL 16.4%'", None),
        ("v >= 160000", FROM_16),
        ("other >= 160000", None),
        ("x", None),
    ],
)
def test_releases(condition: str, releases: frozenset[int] | None) -> None:
    assert releases_where(condition, {"v"}) == releases


def test_variables_with_the_version() -> None:
    body = f"DECLARE v int := {NUMBER}; w int; x int := 1; y int; BEGIN SELECT {NUMBER} INTO w; y := {NUMBER}; y := 5; END"
    assert version_variables(body) == {"v", "w"}


def branches(code: str) -> dict[str, tuple[tuple[int, ...] | None, bool]]:
    """Returns for each column that a DO block adds: the releases, and whether it is certain to run there."""
    [statement] = read(f"DO $$ DECLARE v int := {NUMBER}; BEGIN {code} END $$")
    added = [operation for operation in statement.operations if isinstance(operation, AddColumn)]
    return {operation.column.name: (operation.releases, operation.certain) for operation in added}


def add(column: str) -> str:
    return f"ALTER TABLE t ADD {column} int;"


def test_each_branch_runs_on_some_releases() -> None:
    assert branches(f"IF v >= 170000 THEN {add('a')} ELSIF v >= 160000 THEN {add('b')} ELSE {add('c')} END IF; {add('d')}") == {
        "a": (tuple(sorted(release for release in RELEASES if release >= 17)), True),
        "b": ((16,), True),
        "c": ((14, 15), True),
        "d": (None, True),
    }


def test_another_condition_leaves_it_open() -> None:
    code = f"IF x THEN {add('a')} ELSIF v >= 160000 THEN {add('b')} ELSE {add('c')} END IF; {add('d')}"
    assert branches(code) == {
        "a": (None, False),
        "b": (tuple(sorted(FROM_16)), False),
        "c": ((14, 15), False),
        "d": (None, True),
    }


def test_return_ends_the_code_on_some_releases() -> None:
    assert branches(f"IF v < 160000 THEN RETURN; END IF; {add('a')}") == {"a": (tuple(sorted(FROM_16)), True)}
