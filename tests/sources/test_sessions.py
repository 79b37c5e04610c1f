"""What runners keep from one migration to the next, and what they send to the server that only psql understands."""

import json
from pathlib import Path

import pytest

from migsafe.cli import main

EMPTIED = "SELECT pg_catalog.set_config('search_path', '', false);\nCREATE TABLE public.orders (id bigint PRIMARY KEY);\n"
LATER = "ALTER TABLE orders ADD COLUMN note text;\n"
ABSENT = 'PostgreSQL refuses this statement: relation "orders" does not exist (an earlier statement of the session has emptied search_path)'
GOOSE, DBMATE, NODE = "-- +goose Up\n", "-- migrate:up\n", "-- Up Migration\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "mig").mkdir()
    return tmp_path / "mig"


def refused(folder: Path, capsys: pytest.CaptureFixture[str], files: dict[str, str], *paths: str) -> list[str]:
    """Returns the messages of statement-fails on the files of a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    main(["lint", "--no-cache", "--select", "statement-fails", "--format", "json", *(paths or ("mig",))])
    return [finding["message"] for finding in json.loads(capsys.readouterr().out)["findings"]]


@pytest.mark.parametrize(
    ("first", "second", "directive"),
    [
        ("1_a.up.sql", "2_b.up.sql", ""),
        ("20240101000000_a.sql", "20240102000000_b.sql", DBMATE),
        ("1700000000000_a.sql", "1700000000001_b.sql", NODE),
    ],
)
def test_the_next_migration_of_the_session_finds_no_table(
    folder: Path, capsys: pytest.CaptureFixture[str], first: str, second: str, directive: str
) -> None:
    files = {first: directive + EMPTIED, second: directive + LATER}
    assert refused(folder, capsys, files) == [ABSENT]
    assert refused(folder, capsys, files, f"mig/{second}") == []  # it may be deployed by itself


@pytest.mark.parametrize(
    ("first", "second", "directive"),
    [("V1__a.sql", "V2__b.sql", ""), ("1_a.sql", "2_b.sql", "")],
)
def test_other_runners_begin_with_the_usual_path(
    folder: Path, capsys: pytest.CaptureFixture[str], first: str, second: str, directive: str
) -> None:
    assert refused(folder, capsys, {first: directive + EMPTIED, second: directive + LATER}) == []


def test_a_reset_path_is_not_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(folder, capsys, {"1_a.up.sql": f"{EMPTIED}RESET search_path;\n", "2_b.up.sql": LATER}) == []


def test_the_schema_of_the_path_is_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = "CREATE SCHEMA shop;\nSET search_path TO shop;\nCREATE TABLE orders (id bigint PRIMARY KEY);\n"
    second = "CREATE TABLE lines (id bigint PRIMARY KEY);\n"
    third = "ALTER TABLE shop.lines ADD COLUMN id bigint;\nALTER TABLE orders ADD COLUMN id bigint;\n"
    assert refused(folder, capsys, {"1_a.up.sql": first, "2_b.up.sql": second, "3_c.up.sql": third}) == [
        'PostgreSQL refuses this statement: column "id" of relation "lines" already exists',
        'PostgreSQL refuses this statement: column "id" of relation "orders" already exists',
    ]


@pytest.mark.parametrize(
    ("name", "directive", "table"),
    [("1_a.sql", GOOSE, "goose_db_version"), ("20240101000000_a/migration.sql", "", "_prisma_migrations")],
)
def test_the_runner_does_not_find_its_own_table(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, directive: str, table: str
) -> None:
    (folder / "migration_lock.toml").write_text('provider = "postgresql"\n')
    assert [f'relation "{table}" does not exist' in each for each in refused(folder, capsys, {name: directive + EMPTIED})] == [True]
    assert refused(folder, capsys, {name: f"{directive}{EMPTIED}RESET search_path;\n"}) == []


def test_goose_with_a_table_in_a_schema(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder.parent / "Makefile").write_text("migrate:\n\tgoose -table public.versions up\n")
    assert refused(folder, capsys, {"1_a.sql": GOOSE + EMPTIED}) == []


ROWS = "CREATE TABLE public.orders (id bigint PRIMARY KEY);\nCOPY public.orders (id) FROM stdin;\n1\n2\n\\.\n"


@pytest.mark.parametrize(("name", "directive"), [("1_a.sql", GOOSE), ("1_a.sql", DBMATE), ("1_a.up.sql", "")])
def test_rows_after_copy_are_not_sql(folder: Path, capsys: pytest.CaptureFixture[str], name: str, directive: str) -> None:
    assert [message.partition(" (")[0] for message in refused(folder, capsys, {name: directive + ROWS})] == [
        "PostgreSQL refuses this statement: syntax error in the rows of COPY"
    ]


@pytest.mark.parametrize(("name", "directive"), [("1_a.sql", ""), ("V1__a.sql", ""), ("deploy/a.sql", "")])
def test_psql_and_flyway_read_the_rows(folder: Path, capsys: pytest.CaptureFixture[str], name: str, directive: str) -> None:
    assert refused(folder, capsys, {name: directive + ROWS}) == []


@pytest.mark.parametrize(
    ("name", "text", "command"),
    [
        ("1_a.sql", f"{GOOSE}\\set name 'a'\nSELECT 1;\n", "set"),
        ("1_a.sql", f"{DBMATE}\\restrict abc\nSELECT 1;\n\\unrestrict abc\n", "restrict"),
        ("1_a.up.sql", "\\restrict abc\nSELECT 1;\n\\unrestrict abc\n", "restrict"),
    ],
)
def test_commands_of_psql_are_not_sql(folder: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, command: str) -> None:
    assert refused(folder, capsys, {name: text}) == [
        f'PostgreSQL refuses this statement: syntax error at or near "\\" (\\{command} is a command of psql)'
    ]


@pytest.mark.parametrize(
    ("name", "text"), [("1_a.sql", "\\restrict abc\nSELECT 1;\n"), ("1_a.up.sql", "\\set name 'a'\n\\restrict abc\nSELECT 1;\n")]
)
def test_psql_runs_its_commands(folder: Path, capsys: pytest.CaptureFixture[str], name: str, text: str) -> None:
    assert refused(folder, capsys, {name: text}) == []
