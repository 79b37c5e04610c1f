"""Whose lock it was that a query waited for."""

from collections.abc import Mapping

from msgspec.structs import replace

from migsafe.replaying.recording.records import StatementRecord, Wait
from migsafe.sql.operations import Name


def attribute_waits(waits: tuple[Wait, ...], played: tuple[StatementRecord, ...]) -> tuple[Wait, ...]:
    """The waits, each with the number of the statement whose lock it waited for: the first one on that relation that stops the access while
    the wait lasts."""
    blocking: dict[tuple[Name, str], list[StatementRecord]] = {}
    for one in played:
        for touch in one.measured_effects:
            for access in touch.effect.blocks:
                blocking.setdefault((touch.effect.relation, access), []).append(one)
    return tuple(replace(wait, statement=_cause(wait, blocking)) for wait in waits)


def _cause(wait: Wait, blocking: Mapping[tuple[Name, str], list[StatementRecord]]) -> int | None:
    until = wait.started + wait.ms / 1000
    for one in blocking.get((wait.relation, wait.access), ()):
        if one.started < until and one.ended > wait.started:
            return one.statement.index
    return None
