"""Judging the text of an editor: the same findings as for the file, on the history as it is now."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from migsafe import lint
from migsafe.errors import ConfigError
from migsafe.library.editing import EditedVerdict, EditingSession
from migsafe.linting.verdict import Verdict
from migsafe.lock import LockMode

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.fixture
def session() -> Iterator[EditingSession]:
    session = EditingSession()
    yield session
    session.close()


def shown(verdict: Verdict) -> list[tuple[object, ...]]:
    return [(each.rule, each.severity, each.message, each.help, each.span, each.migration, each.statement) for each in verdict.findings]


def rules(edited: EditedVerdict | None) -> list[str]:
    assert edited is not None
    return [finding.rule for finding in edited.verdict.findings]


@pytest.mark.parametrize(("folder", "number"), [("shop", 3), pytest.param("shop_alembic/migrations/versions", 1, marks=pytest.mark.process)])
def test_a_text_is_judged_as_the_file_would_be(folder: str, number: int, session: EditingSession) -> None:
    for file in sorted((FIXTURES / folder).glob("*[a-z].*"))[-number:]:
        text = file.read_text()
        for edited in (text, text[: len(text) // 2], text):
            result = session.judge(str(file), edited)
        assert result is not None
        assert result.history_problems == ()
        assert shown(result.verdict) == shown(lint([str(file)])), file


@pytest.mark.parametrize("observed", [True, False])
def test_the_history_is_read_again_when_it_changes(
    observed: bool, tmp_path: Path, session: EditingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not observed:  # as on Windows
        monkeypatch.setattr("migsafe.library.edited_history.usual_store", lambda: None)
    (tmp_path / "1_orders.sql").write_text("CREATE TABLE orders (id bigint PRIMARY KEY);\n")
    file = tmp_path / "2_note.sql"
    file.write_text("")
    text = "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN note text DEFAULT random();\nDROP TABLE orders;\n"
    assert "drop-table" in rules(session.judge(str(file), text))
    [migration] = session.predict(str(file), text)
    assert [effect.lock for effect in migration.statements[1].effects] == [LockMode.ACCESS_EXCLUSIVE]
    (tmp_path / "1_orders.sql").write_text("CREATE TABLE orders (id bigint PRIMARY KEY, note text);\n")
    session.note_change()
    assert "statement-fails" in rules(session.judge(str(file), text))
    (tmp_path / "migsafe.toml").write_text('ignore = ["statement-fails"]\n')
    session.note_change()
    assert "statement-fails" not in rules(session.judge(str(file), text))
    (tmp_path / "migsafe.toml").write_text('ignore = "statement-fails"\n')
    session.note_change()
    with pytest.raises(ConfigError, match="ignore"):
        session.judge(str(file), text)


@pytest.mark.process
def test_a_migration_that_is_saved_moves_in_its_history(tmp_path: Path, session: EditingSession) -> None:
    def write(name: str, parent: str | None, sql: str) -> Path:
        script = f"from alembic import op\nrevision = {name!r}\ndown_revision = {parent!r}\ndef upgrade():\n    op.execute({sql!r})\n"
        (tmp_path / f"{name}.py").write_text(script)
        return tmp_path / f"{name}.py"

    write("a", None, "CREATE TABLE orders (id int)")
    write("b", "a", "ALTER TABLE orders ADD note text")
    file = write("c", "a", "ALTER TABLE orders ADD note text")
    assert "statement-fails" not in rules(session.judge(str(file), file.read_text()))
    write("c", "b", "ALTER TABLE orders ADD note text")
    session.note_change()
    assert "statement-fails" in rules(session.judge(str(file), file.read_text()))


@pytest.mark.process
def test_a_script_is_not_run_where_that_is_not_wanted(tmp_path: Path) -> None:
    script = "from alembic import op\nrevision = 'a'\ndown_revision = None\ndef upgrade():\n    open('ran', 'w')\n"
    file = tmp_path / "a.py"
    file.write_text(script)
    session = EditingSession(no_exec=True)
    assert session.judge(str(file), script.replace("'ran'", repr(str(tmp_path / "ran")))) is not None
    session.close()
    assert not (tmp_path / "ran").exists()


def test_other_files_are_not_judged(tmp_path: Path, session: EditingSession) -> None:
    (tmp_path / "report.sql").write_text("DROP TABLE orders;\n")
    (tmp_path / "tool.py").write_text("revision = 1\n")
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "1_orders.sql").write_text("")
    for name in ("report.sql", "tool.py", "2_missing.sql"):
        assert session.judge(str(tmp_path / name), "DROP TABLE orders; -- revision") is None, name
    (tmp_path / "2_old.sql").write_text("")
    assert session.judge(str(tmp_path / "2_old.sql"), "DROP TABLE orders;") is not None
    (tmp_path / "migsafe.toml").write_text('migrations = ["migrations"]\n')
    session.note_change()
    assert session.judge(str(tmp_path / "2_old.sql"), "DROP TABLE orders;") is None
    assert session.judge(str(tmp_path / "migrations" / "1_orders.sql"), "DROP TABLE orders;") is not None
