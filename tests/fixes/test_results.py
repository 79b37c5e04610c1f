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


def test_overlapping_edits_are_refused() -> None:
    assert apply_edits("abcd", [TextEdit(2, 4, "z"), TextEdit(0, 2, "y"), TextEdit(2, 2, "-")]) == "y-z"
    with pytest.raises(Refused, match="overlaps that of another fix"):
        apply_edits("abcd", [TextEdit(0, 3, "x"), TextEdit(2, 4, "y")])
