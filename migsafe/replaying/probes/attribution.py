"""The statements whose locks made probe sessions wait."""

from collections.abc import Mapping

from msgspec.structs import replace

from migsafe.replaying.recording.records import StatementRecord, Wait
from migsafe.sql.operations import Name


def attribute_waits(waits: tuple[Wait, ...], statements: tuple[StatementRecord, ...]) -> tuple[Wait, ...]:
    """Returns the waits with the index of the statement that caused each: the first one with a lock on the relation that blocks the access
    during the wait."""
    blocking: dict[tuple[Name, str], list[StatementRecord]] = {}
    for statement in statements:
        for measured in statement.measured_effects:
            for access in measured.effect.blocks:
                blocking.setdefault((measured.effect.relation, access), []).append(statement)
    return tuple(replace(wait, statement=_cause(wait, blocking)) for wait in waits)


def _cause(wait: Wait, blocking: Mapping[tuple[Name, str], list[StatementRecord]]) -> int | None:
    end = wait.started + wait.ms / 1000
    for record in blocking.get((wait.relation, wait.access), ()):
        if record.started < end and record.ended > wait.started:
            return record.statement.index
    return None
