"""Migrations that the replay could not try, or only in part: some of their statements, or all, were not sent."""

import ast
from collections.abc import Sequence

from migsafe.replaying.experiments.outcome import Outcome
from migsafe.replaying.recording.records import Recording, StatementRecord
from migsafe.replaying.refusals import Failure
from migsafe.replaying.sending import skip_reason
from migsafe.session import sent_statements
from migsafe.sources import Half, Program
from migsafe.sql import operations as sql
from migsafe.sql.statements import Statement

_MISSING_OBJECTS = ("3D000", "3F000", "42P01", "42703", "42704", "42883", "42P02")
"""The error codes for a database, schema, table, column, other object or function that does not exist (manual, appendix A)."""
_DISPLAY_COMMANDS = frozenset("a C conninfo echo f H o pset qecho restrict set t timing unrestrict unset warn x".split())
"""The commands of psql that only change what psql displays, or its variables."""


def untried_reason(half: Half) -> str:
    """Returns why nothing of a migration can be sent; empty if something can, or if it has no statements. Raises UnreadableError."""
    if half.program is not None and not half.program.calls:
        return "the script sends nothing, and can end with an error of its own" if can_raise(half.program) else ""
    reasons = [
        skip_reason(sent.statement, half) for sent in sent_statements(half) if not isinstance(sent.statement.operations[0], sql.SessionControl)
    ]
    return reasons[0] if reasons and all(reasons) else ""


def left_out_statements(recording: Recording) -> tuple[StatementRecord, ...]:
    """Returns the statements that were not sent although they may do something in the database, or decide what does; without those that the
    user leaves out."""
    by_user = recording.migration.up.left_out
    return tuple(
        record
        for record in recording.statements
        if record.skip_reason and record.statement.index not in by_user and not is_display(record.statement)
    )


def is_display(statement: Statement) -> bool:
    """Whether a statement is a command of psql that changes nothing but what psql displays, or its variables."""
    operation = statement.operations[0]
    return isinstance(operation, sql.PsqlCommand) and operation.command.lstrip("\\") in _DISPLAY_COMMANDS


def can_raise(program: Program) -> bool:
    """Whether the function of a program contains `raise` or `assert`."""
    functions = (node for node in ast.walk(ast.parse(program.script.text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    bodies = (function for function in functions if function.name == program.function)
    return any(isinstance(node, ast.Raise | ast.Assert) for body in bodies for node in ast.walk(body))


def not_tried(experiments: tuple[str, ...], reason: str) -> tuple[Outcome, ...]:
    """Returns the outcomes of experiments with a migration that was not tried."""
    return tuple(Outcome(experiment=name, passed=None, summary=f"not tried: {reason}") for name in experiments)


def likely_cause(failure: Failure, untried: Sequence[str]) -> str:
    """Returns the end of a sentence about a failure: that an object is missing because of earlier migrations that were not tried; or ''.

    `untried` has a clause for each of these migrations.
    """
    if failure.sqlstate not in _MISSING_OBJECTS or not untried:
        return ""
    return f"; the likely cause: {'; '.join(untried)}"
