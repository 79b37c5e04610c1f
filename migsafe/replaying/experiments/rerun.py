"""The second run of a migration, as happens if the first run was not recorded."""

import re
from collections.abc import Iterator

from migsafe.patterns import lazy_pattern
from migsafe.replaying.experiments.contents import schema_differences, unchanged_tables
from migsafe.replaying.experiments.outcome import Observation, Outcome
from migsafe.replaying.experiments.subject import Subject
from migsafe.replaying.sending import Refused
from migsafe.session import sent_statements
from migsafe.sources import Half
from migsafe.sql import operations as sql

NAME = "rerun"
_TIME = (
    r"(?:(?:pg_catalog\.)?(?:now|clock_timestamp|statement_timestamp|transaction_timestamp|timezone)\s*\("
    r"|(?:current_timestamp|current_date|localtimestamp)\b)"
)
_CLOCK = lazy_pattern(rf'"?(?P<column>\w+)"?\s*=\s*{_TIME}', re.IGNORECASE)
"""The assignment of the time of the run to a column."""
_LISTS = lazy_pattern(r"\((?P<columns>[\w\s,\"]+)\)\s*=\s*(?:row\s*)?\((?P<values>(?:[^()]|\([^()]*\))*)\)", re.IGNORECASE)
"""The assignment of values to several columns."""
_COMMA = lazy_pattern(r",(?![^(]*\))")
_STARTS_WITH_TIME = lazy_pattern(rf"\s*{_TIME}", re.IGNORECASE)


def rerun(subject: Subject) -> Outcome:
    """Runs the migration on the database that it left, and compares schema and rows."""
    with subject.copy(subject.after) as database:
        try:
            subject.run(database, subject.migration.up)
        except Refused as refused:
            # A migration that is one transaction has either committed or left nothing, so it never runs on its own results.
            harmless = subject.is_one_transaction
            error = refused.failure.message
            return Outcome(
                experiment=NAME,
                passed=False,
                summary=f"a second run fails at line {refused.line}: {error}"
                + (" (harmless: the migration is one transaction)" if harmless else ""),
                observations=(Observation(error, refused.statement.index),),
                harmless=harmless,
            )
        second = subject.state(database)
        changed = schema_differences(subject.state_after.schema, second.schema)
        unchanged = unchanged_tables(subject.state_after.tables, second.tables)
        changed += [
            f"rows changed again: {line}" for line in subject.lost_rows(subject.state_after, second, unchanged, _times(subject.migration.up))
        ]
    if changed:
        return Outcome(
            experiment=NAME,
            passed=False,
            summary="a second run changes the database again",
            observations=tuple(Observation(line) for line in changed),
        )
    return subject.passed(NAME, "a second run changes nothing")


def _times(half: Half) -> dict[str, set[str]]:
    """Returns the columns, by the name of their table, to which an UPDATE, or an INSERT with one, assigns the time of the run."""
    columns: dict[str, set[str]] = {}
    for statement, _, _ in sent_statements(half):
        text = half.script.text[statement.span.start : statement.span.end]
        assigned = {match["column"].lower() for match in _CLOCK.finditer(text)} | set(_in_lists(text))
        for operation in statement.operations if assigned else ():
            if isinstance(operation, sql.Update | sql.Insert):
                columns.setdefault(operation.table.name, set()).update(assigned)
    return columns


def _in_lists(text: str) -> Iterator[str]:
    for match in _LISTS.finditer(text):
        names = [name.strip(' \t\r\n"').lower() for name in match["columns"].split(",")]
        values = _COMMA.split(match["values"])
        yield from (name for name, value in zip(names, values, strict=False) if _STARTS_WITH_TIME.match(value))
