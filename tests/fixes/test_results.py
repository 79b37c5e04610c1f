"""Which results of fixes are accepted."""

from pathlib import Path

import pytest

import migsafe
from migsafe.fixes.alembic.steps import Refused
from migsafe.fixes.alembic.text_edits import TextEdit, apply_edits
from migsafe.library.fix_results import more_findings
from migsafe.linting.verdict import Verdict

ONE = "CREATE INDEX CONCURRENTLY IF NOT EXISTS paid ON orders (paid);\nALTER TABLE orders ALTER COLUMN note SET NOT NULL;\n"
TWO = "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;\nALTER TABLE lines ALTER COLUMN note SET NOT NULL;\n"
THREE = f"{TWO}ALTER TABLE customers ALTER COLUMN note SET NOT NULL;\n"


def judged(folder: Path, text: str) -> Verdict:
    """Returns the verdict about a file with these statements and a lock_timeout."""
    path = folder / "001_change.sql"
    path.write_text(f"SET lock_timeout = '2s';\n{text}")
    return migsafe.lint([str(path)])


@pytest.mark.parametrize(("before", "after", "is_more"), [(TWO, ONE, False), (TWO, TWO, False), (TWO, THREE, True)])
def test_a_fix_does_not_increase_the_number_of_findings(tmp_path: Path, before: str, after: str, is_more: bool) -> None:
    first, last = judged(tmp_path, before), judged(tmp_path, after)
    applied = [finding for finding in first.findings if finding.rule == "set-not-null-scans"][:1]
    reason = more_findings(first, last, applied)
    assert reason.startswith("the result would have more findings, such as ") == is_more
    assert bool(reason) == is_more


def test_more_infos_are_accepted_if_there_are_fewer_errors(tmp_path: Path) -> None:
    info = "ALTER TABLE {} ALTER COLUMN qty DROP NOT NULL;\n".format
    first = judged(tmp_path, TWO + info("orders"))
    infos = info("orders") + info("lines") + info("customers")
    last = judged(tmp_path, ONE + infos)
    applied = first.findings
    assert (first.summary.errors, first.summary.infos, last.summary.errors) == (2, 1, 1)
    assert last.summary.infos > 2
    assert more_findings(first, last, applied) == ""
    assert more_findings(first, last, applied, fixed=()) != ""
    assert more_findings(first, judged(tmp_path, TWO + infos), applied) != ""


def test_overlapping_edits_are_refused() -> None:
    assert apply_edits("abcd", [TextEdit(2, 4, "z"), TextEdit(0, 2, "y"), TextEdit(2, 2, "-")]) == "y-z"
    with pytest.raises(Refused, match="overlaps that of another fix"):
        apply_edits("abcd", [TextEdit(0, 3, "x"), TextEdit(2, 4, "y")])


OWN_RULE = '''
"""The first person has another number."""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import Insert


@rule(category="ours", severity=Severity.WARNING, fix="safe")
def first_person(op: Insert, at: Context) -> Finding | None:
    if not at.text(*op.span).endswith("person VALUES (1)"):
        return None
    return at.finding(op, "the first person has the number 2", fix={fix!r})
'''


@pytest.mark.parametrize(
    ("fix", "refused"),
    [
        ("INSERT INTO public.person VALUES (2);", []),
        ("SELECT 1;", ["the result would lack the INSERT of person"]),
        ("INSERT INTO other VALUES (2);", ["the result would lack the INSERT of person"]),
        ("-- after this statement:\nDELETE FROM other;", ["its finding would remain"]),
    ],
)
def test_a_fix_without_a_change_of_rows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fix: str, refused: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "first_person.py").write_text(OWN_RULE.format(fix=fix))
    (tmp_path / "migsafe.toml").write_text('rules = "own"\nselect = ["first-person"]\n')
    (tmp_path / "001.sql").write_text("INSERT INTO person VALUES (1);\n")
    fixes = migsafe.fix(["001.sql"])
    assert [each.reason for each in fixes.refused] == refused
    assert bool(fixes.changes) == (not refused)
