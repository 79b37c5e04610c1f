"""The cases beside this file: SQL with `-- expect: rule` on each line where a rule reports something, and nowhere else."""

import re
from pathlib import Path

import pytest

from tests.judged import judged

HERE = Path(__file__).parent
CASES = sorted(HERE.rglob("*.sql"))
EXPECT = re.compile(r"-- expect: (\S+)")


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.relative_to(HERE)))
def test_findings_stand_where_they_are_expected(case: Path) -> None:
    for migration in case.read_text().split("-- next migration\n"):
        expected = [(at, rule) for at, line in enumerate(migration.splitlines(), 1) for rule in EXPECT.findall(line)]
        reported = [(finding.script.position(finding.span.start).line, finding.rule) for finding in judged(migration).findings]
        assert reported == expected, migration
