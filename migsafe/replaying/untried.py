"""Migrations that the replay could not try: no statement of theirs was sent."""

from migsafe.replaying.experiments.outcome import Outcome
from migsafe.replaying.refusals import Failure
from migsafe.replaying.sending import skip_reason
from migsafe.session import sent_statements
from migsafe.sources import Half
from migsafe.sql import operations as sql

_MISSING_OBJECTS = ("3D000", "3F000", "42P01", "42703", "42704", "42883", "42P02")
"""The error codes for a database, schema, table, column, other object or function that does not exist (manual, appendix A)."""


def untried_reason(half: Half) -> str:
    """Returns why nothing of a migration can be sent; empty if something can, or if it has no statements. Raises UnreadableError."""
    reasons = [
        skip_reason(sent.statement, half) for sent in sent_statements(half) if not isinstance(sent.statement.operations[0], sql.SessionControl)
    ]
    return reasons[0] if reasons and all(reasons) else ""


def not_tried(experiments: tuple[str, ...], reason: str) -> tuple[Outcome, ...]:
    """Returns the outcomes of experiments with a migration that was not tried."""
    return tuple(Outcome(experiment=name, passed=None, summary=f"not tried: {reason}") for name in experiments)


def likely_cause(failure: Failure, untried: dict[str, str]) -> str:
    """Returns the end of a sentence about a failure: that an object is missing because earlier migrations, by path, were not tried; or ''."""
    if failure.sqlstate not in _MISSING_OBJECTS or not untried:
        return ""
    if len(untried) == 1:
        [(path, reason)] = untried.items()
        return f"; the likely cause: {path} was not tried ({reason})"
    return f"; the likely cause: these migrations before it were not tried: {', '.join(untried)}"
