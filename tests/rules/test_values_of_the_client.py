"""Defaults of columns to which the client of an ORM gives a value."""

import pytest

from migsafe.linting.rule import Severity
from tests.support.linted import judge_sql

BEFORE = """
CREATE TABLE parcels (
    id bigint PRIMARY KEY,
    "updatedAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT now(),
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
-- next migration
"""


@pytest.mark.parametrize(
    ("runner", "column", "severity"),
    [
        ("prisma", '"updatedAt"', Severity.INFO),
        ("prisma", "updated_at", Severity.INFO),
        ("prisma", '"createdAt"', Severity.ERROR),
        ("flyway", '"updatedAt"', Severity.ERROR),
    ],
)
def test_prisma_writes_the_time_of_an_update(runner: str, column: str, severity: Severity) -> None:
    found = judge_sql(f"{BEFORE}ALTER TABLE parcels ALTER COLUMN {column} DROP DEFAULT;", runner=runner).findings
    (finding,) = [each for each in found if each.rule == "drop-default"]
    assert finding.severity is severity
    assert ("unless Prisma sets it (@updatedAt)" in finding.message) == (severity is Severity.INFO)
