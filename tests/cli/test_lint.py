"""The command `migsafe lint`."""

import json
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from migsafe import __version__
from migsafe.linting.rule import Context
from tests.cli.conftest import Run

Command = Callable[..., Run]
Write = Callable[[str, str | bytes], Path]


@pytest.fixture(autouse=True)
def _quiet(write: Write) -> None:
    """Ignores the rules that report something in nearly every script."""
    write("migsafe.toml", 'lock-timeout = "2s"\nignore = ["not-rerunnable", "table-without-primary-key"]\n')


def test_excluded_files_are_neither_read_nor_checked(migsafe: Command, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("migsafe.toml", 'select = ["drop-table"]\nexclude = ["db/drafts", "**/*_seed.sql"]')
    for name in ("db/1.sql", "db/2_seed.sql", "db/drafts/3.sql", "db/4.sql"):
        write(name, "DROP TABLE a;")
    assert migsafe("lint", "db", "--format", "gcc").out.count("drop-table") == 2
    assert "1 error in 1 file" in migsafe("lint", "db", "--exclude", "db/4.sql,db/2*", "--exclude", "**/drafts").out
    monkeypatch.chdir(tmp_path / "db")
    assert "2 errors in 2 files" in migsafe("lint", ".").out
    assert "1 error in 1 file" in migsafe("lint", ".", "--exclude", "drafts", "--exclude", "2*,4*").out


def test_an_excluded_file_may_be_named(migsafe: Command, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("migsafe.toml", 'exclude = ["db/*_seed.sql"]')
    write("db/1.sql", "CREATE TABLE a (id bigint PRIMARY KEY);")
    write("db/2_seed.sql", "DROP TABLE a;")
    named = migsafe("lint", "db/1.sql", "db/2_seed.sql")
    assert (named.code, named.err) == (0, "migsafe: left out because of `exclude`: db/2_seed.sql\n")
    assert migsafe("lint", "db/2_seed.sql").out == "Nothing found in 0 files, 0 statements.\n"
    for name in ("db/2_seed.sql", "db/3_seed.sql"):
        monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"DROP TABLE a;")))
        assert migsafe("lint", "-", "--stdin-filename", name).code == 0
    for command in ("locks", "premortem", "replay"):
        failed = migsafe(command, "db/2_seed.sql")
        assert failed.code == 2
        assert "nothing to" in failed.err
        assert "`exclude` in the configuration" in failed.err


def test_exit_codes_follow_fail_on(migsafe: Command, write: Write) -> None:
    write("clean.sql", "SELECT 1;")
    write("warning.sql", "DO $$ BEGIN EXECUTE built; END $$;")
    write("error.sql", "DROP TABLE a;")
    codes = {
        (name, fail_on): migsafe("lint", name, "--fail-on", fail_on).code
        for name in ("clean.sql", "warning.sql", "error.sql")
        for fail_on in ("info", "warning", "error", "never")
    }
    assert [key for key, code in codes.items() if code] == [
        ("warning.sql", "info"),
        ("warning.sql", "warning"),
        ("error.sql", "info"),
        ("error.sql", "warning"),
        ("error.sql", "error"),
    ]
    assert set(codes.values()) == {0, 1}


def test_one_run_writes_several_reports(migsafe: Command, write: Write, tmp_path: Path) -> None:
    write("a.sql", "DROP TABLE a;")
    result = migsafe("lint", "a.sql", "--format", "github", "--also", "markdown=a.md", "--also", "json=a=b.json")
    assert (result.code, result.out.startswith("::error file=a.sql,line=1")) == (1, True)
    for format, file in (("markdown", "a.md"), ("json", "a=b.json")):
        assert (tmp_path / file).read_text() == migsafe("lint", "a.sql", "--format", format).out


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("--also markdown", "--also: expected FORMAT=FILE, got markdown\n  An example is --also sarif=migsafe.sarif"),
        ("--also markdwn=a.md", "there is no format markdwn\n  Did you mean markdown?"),
        ("--output a.md --also json=./a.md", "a.md: two reports cannot be written to the same file"),
    ],
)
def test_a_report_that_cannot_be_written_is_an_error(migsafe: Command, write: Write, options: str, complaint: str) -> None:
    write("a.sql", "DROP TABLE a;")
    assert migsafe("lint", "a.sql", *options.split()) == (2, "", f"migsafe: {complaint}\n")


def test_rules_are_selected_and_ignored(migsafe: Command, write: Write) -> None:
    write("a.sql", "DROP TABLE a; CREATE INDEX ON t (a); SELEC 1;")

    def rules(*options: str) -> list[str]:
        findings = json.loads(migsafe("lint", "a.sql", "--format", "json", *options).out)["findings"]
        return [finding["rule"] for finding in findings]

    assert rules("--select", "drop-table,syntax-error") == ["drop-table", "syntax-error"]
    some = ("--select", "drop-table,syntax-error,index-not-concurrent")
    assert rules(*some, "--ignore", "drop-table", "--ignore", "syntax-error") == ["index-not-concurrent"]


def test_options_go_before_the_configuration(migsafe: Command, write: Write) -> None:
    write("db/1.sql", "DROP TABLE a;")
    write("migsafe.toml", 'migrations = ["db"]\nfail-on = "never"\npg-version = 14')
    assert migsafe("lint").code == 0
    assert migsafe("lint", "--fail-on", "error").code == 1
    assert json.loads(migsafe("lint", "--format", "json").out)["pg_version"] == 14
    assert json.loads(migsafe("lint", "--format", "json", "--pg-version", "18").out)["pg_version"] == 18


def test_a_named_configuration(migsafe: Command, write: Write) -> None:
    write("a.sql", "DROP TABLE a;")
    write("ci.toml", 'ignore = ["drop-table"]\nlock-timeout = "2s"')
    assert migsafe("lint", "a.sql", "--config", "ci.toml").code == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["missing.sql"], "migsafe: missing.sql: there is no such file or folder\n"),
        (["empty"], "migsafe: empty: contains no migrations\n"),
        ([], "migsafe: nothing to lint\n"),
        (["a.sql", "--select", "drop-tabel"], "migsafe: there is no rule drop-tabel\n  Did you mean drop-table?\n"),
        (["a.sql", "--pg-version", "13"], "migsafe: --pg-version: invalid value: 13\n  Use 14, 15, 16, 17, 18 or 19.\n"),
        (["a.sql", "--transaction", "fil"], "migsafe: --transaction: invalid value: fil\n  Use file, none or statement.\n"),
        (["a.sql", "--format", "jsno"], "migsafe: there is no format jsno\n  Did you mean json?\n"),
        (["a.sql", "--runner", "gose"], "migsafe: there is no runner gose\n  Did you mean goose?\n"),
        (["a.sql", "--config", "nowhere.toml"], "migsafe: nowhere.toml: cannot be read: no such file or directory\n"),
        (["a.sql", "--output", "no/such/folder"], "migsafe: no/such/folder: cannot be written: no such file or directory\n"),
    ],
)
def test_errors_are_one_line(migsafe: Command, write: Write, arguments: list[str], complaint: str) -> None:
    write("a.sql", "SELECT 1;")
    write("empty/README", "nothing here")
    result = migsafe("lint", *arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(complaint)


def test_an_unreadable_file_does_not_stop_the_others(migsafe: Command, write: Write) -> None:
    write("binary.sql", b"\0\1\2")
    write("latin.sql", b"SELECT '\xe9';")
    write("good.sql", "SELECT 1;")
    result = migsafe("lint", "binary.sql", "good.sql", "latin.sql")
    assert (result.code, result.out) == (2, "Nothing found in 1 file, 1 statement; 2 files could not be read.\n")
    assert result.err.startswith("migsafe: binary.sql: is not text\n")
    assert "migsafe: latin.sql: line 1: is not UTF-8 (byte 0xe9)\n" in result.err


def test_a_file_in_utf_16_says_how_to_convert_it(migsafe: Command, write: Write) -> None:
    write("wide.sql", "").write_bytes("ALTER TABLE orders ADD note text;".encode("utf-16"))
    result = migsafe("lint", "wide.sql")
    assert (result.code, result.err.splitlines()) == (
        2,
        ["migsafe: wide.sql: is not UTF-8, but UTF-16", "  Convert the file, for example with `iconv -f UTF-16 -t UTF-8`."],
    )


def test_a_file_named_twice_is_judged_once(migsafe: Command, write: Write) -> None:
    write("db/a.sql", "DROP TABLE a;")
    assert migsafe("lint", "db/a.sql", "./db/a.sql", "db").out.endswith("1 error in 1 file, 1 statement.\n")


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfDROP TABLE a;", b"DROP TABLE a;\r\n", b"DROP TABLE a"])
def test_line_ends_and_byte_order_marks_do_not_move_columns(migsafe: Command, write: Write, content: bytes) -> None:
    write("a.sql", content)
    [finding] = json.loads(migsafe("lint", "a.sql", "--format", "json").out)["findings"]
    assert (finding["start"], finding["end"]) == ({"line": 1, "column": 1}, {"line": 1, "column": 13})


def test_standard_input(migsafe: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"DROP TABLE a;")))
    assert migsafe("lint", "-").out.startswith("-:1:1 error drop-table\n")


def test_standard_input_can_be_the_text_of_a_file(migsafe: Command, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("db/1_orders.up.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, note text);\n")
    for name in ("db/2_new.up.sql", "db/3_saved.up.sql"):
        write("db/3_saved.up.sql", "SELECT 1;\n")
        monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"ALTER TABLE orders ADD COLUMN note text;")))
        result = migsafe("lint", "-", "--stdin-filename", name, "--select", "statement-fails")
        assert result.out.startswith(f"{name}:1:20 error statement-fails\n"), result.out + result.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("db",), "--stdin-filename needs `-` as the only path"),
        (("-", "--changed"), "--changed cannot be used with standard input"),
        (("-", "--fix"), "--fix cannot be used with standard input"),
        (("-",), "nowhere/1.sql: there is no such file or folder"),
    ],
)
def test_standard_input_of_a_file_that_can_be_no_migration(
    migsafe: Command, write: Write, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], complaint: str
) -> None:
    write("db/1_orders.up.sql", "SELECT 1;\n")
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"SELECT 1;")))
    result = migsafe("lint", *arguments, "--stdin-filename", "nowhere/1.sql")
    assert result.code == 2
    assert complaint in result.err


def test_a_report_goes_to_a_file(migsafe: Command, write: Write, tmp_path: Path) -> None:
    write("a.sql", "DROP TABLE a;")
    result = migsafe("lint", "a.sql", "--format", "json", "--output", "report.json")
    assert (result.code, result.out, result.err) == (1, "", "")
    assert json.loads((tmp_path / "report.json").read_text())["summary"]["errors"] == 1


def test_colour_can_be_forced_and_refused(migsafe: Command, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.sql", "DROP TABLE a;")
    assert "\x1b" not in migsafe("lint", "a.sql").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" in migsafe("lint", "a.sql").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in migsafe("lint", "a.sql").out


def test_deeply_nested_sql_is_read(migsafe: Command, write: Write) -> None:
    write("a.sql", f"SELECT {'(' * 2000}1{')' * 2000}; DROP TABLE a;")
    assert migsafe("lint", "a.sql").out.endswith("1 error in 1 file, 2 statements.\n")


def test_an_internal_error_is_reported_without_a_traceback(migsafe: Command, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise KeyError("gone")

    write("a.sql", "SELECT 1;")
    monkeypatch.setattr("migsafe.prediction.predictor.Predictor.begin", break_down)
    result = migsafe("lint", "a.sql")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("migsafe: internal error: KeyError: 'gone'\n")
    assert "Traceback" not in result.err
    monkeypatch.setenv("MIGSAFE_DEBUG", "1")
    with pytest.raises(KeyError):
        migsafe("lint", "a.sql")


def test_a_rule_that_raises_makes_the_exit_code_2(migsafe: Command, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_luck(self: Context, sql: str) -> str:
        raise ZeroDivisionError("out of luck")

    write("a.sql", "CREATE INDEX t_a_idx ON t (a); DROP TABLE a;")
    monkeypatch.setattr(Context, "outside_transaction", out_of_luck)
    result = migsafe("lint", "a.sql")
    assert (result.code, result.err) == (2, "migsafe: the rule index-not-concurrent failed at a.sql:1:1: ZeroDivisionError: out of luck\n")
    assert "error drop-table" in result.out


def test_an_interrupt_is_quiet(migsafe: Command, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    write("a.sql", "SELECT 1;")
    monkeypatch.setattr("migsafe.prediction.predictor.Predictor.begin", interrupt)
    assert migsafe("lint", "a.sql") == Run(130, "", "")


def test_help_has_examples(migsafe: Command) -> None:
    help = migsafe("lint", "--help").out
    assert "migsafe lint migrations/0042_orders.sql" in help
    assert "Exit code 2" in help
    assert "lint" in migsafe("--help").out
    assert migsafe("--version").out == f"migsafe {__version__}\n"


def test_one_setting_decides_what_an_unknown_runner_can_run_again(migsafe: Command, write: Write) -> None:
    write("migsafe.toml", "select = ['not-rerunnable']")
    for number in (1, 2, 3):
        write(f"db/{number}.sql", f"CREATE TABLE a{number} (id bigint);\nCREATE TABLE b{number} (id bigint);\nSELECT 1;")
    result = migsafe("lint", "db")
    assert result.code == 0
    assert result.out.count("info not-rerunnable") == 1
    assert "db/1.sql:1:1 info not-rerunnable" in result.out
    assert "the same is true of line 2 and of 2 other migrations" in result.out
    assert 'set in the configuration: transaction = "file"' in result.out
    # This one cannot run in a transaction, so it is not the setting that decides.
    write("db/4.sql", "CREATE TABLE a4 (id bigint);\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON a1 (id);")
    assert "db/4.sql:1:1 warning not-rerunnable" in migsafe("lint", "db").out
    assert migsafe("lint", "db", "--transaction", "statement").out.count("warning not-rerunnable") == 7
    assert migsafe("lint", "db", "--transaction", "file").code == 0


def test_a_runner_of_versioned_folders_is_known_by_its_manifest(migsafe: Command, write: Write) -> None:
    write("migsafe.toml", "select = ['not-rerunnable']")
    write("db/v1.0/a.sql", "CREATE TABLE a (id bigint);\nCREATE TABLE b (id bigint);")
    assert "info not-rerunnable" in migsafe("lint", "db").out
    write("db/v1.0/manifest.json", '{"SchemaUpdateCqlFiles": ["a.sql"]}')
    assert "warning not-rerunnable" in migsafe("lint", "db").out
