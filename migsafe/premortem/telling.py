"""Putting a pre-mortem together."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from migsafe.finding import Finding
from migsafe.lock import LockMode
from migsafe.premortem.assessment import Assessment, Left, Premortem, RolloutStep, Touched
from migsafe.premortem.observed import Observed
from migsafe.premortem.rollout import phase_of
from migsafe.premortem.ways import ways
from migsafe.session import sent, transactions
from migsafe.sources import Half, Migration
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name
from migsafe.text import Span

_LONGEST = 110
_STUCK = ("not-rerunnable", "invalid-index-kept", "replay-crash-leaves-it-stuck")


class Judged(Struct, frozen=True):
    """A migration with what was found and observed of it, and what a replay measured, a sentence each."""

    migration: Migration
    findings: tuple[Finding, ...]
    observed: tuple[Observed, ...]
    measured: tuple[str, ...] = ()


def tell(judged: Sequence[Judged], pg_version: int, *, with_rows: bool, replayed_on: str = "", forbidden: Sequence[str] = ()) -> Premortem:
    """The pre-mortem of a release."""
    return Premortem(
        assessments=tuple(_assessment(one) for one in judged),
        pg_version=pg_version,
        with_rows=with_rows,
        replayed_on=replayed_on,
        forbidden=tuple(forbidden),
    )


def _assessment(one: Judged) -> Assessment:
    half = one.migration.up
    spans = {statement.statement.index: statement.statement.span for statement in sent(half)}
    found = tuple(replace(way, line=_line(half, spans.get(way.statement)) if way.statement else None) for way in ways(one.observed))
    return Assessment(
        migration=one.migration,
        manner=_manner(half),
        ways=found,
        touched=_touched(one.observed),
        left=_left(one, spans),
        running_release=tuple(finding for finding in one.findings if finding.category == "compatibility"),
        back=_back(one.migration),
        findings=one.findings,
        steps=_steps(one, spans),
        measured=one.measured,
    )


def _line(half: Half, span: Span | None) -> int | None:
    return half.file.position(half.place(span).start).line if span is not None else None


def _manner(half: Half) -> str:
    numbers = {number for number in transactions(half, [one.statement for one in sent(half)]) if number is not None}
    if len(numbers) > 1:
        return f"{len(numbers)} transactions: what is done stays done when a later one fails"
    return "one transaction: it is all or nothing, and its locks are held to its end"


def _touched(observed: Sequence[Observed]) -> tuple[Touched, ...]:
    """The relations that others can know, each at its strongest."""
    locks: dict[Name, tuple[LockMode, Observed]] = {}
    stops: dict[Name, tuple[str, ...]] = {}
    growing: set[Name] = set()
    for one in observed:
        for effect in one.effects:
            name = effect.relation
            if effect.lock >= LockMode.SHARE_UPDATE_EXCLUSIVE and (name not in locks or effect.lock > locks[name][0]):
                locks[name] = (effect.lock, one)
            if len(effect.blocks) > len(stops.get(name, ())):
                stops[name] = effect.blocks
            if effect.scan or effect.rewrite or effect.rebuilt:
                growing.add(name)
    return tuple(
        Touched(
            relation=name,
            lock=str(lock),
            stops=" and ".join(stops.get(name, ())) or "nothing",
            rows=one.rows.get(name),
            grows=name in growing,
            around=_around(one, name),
        )
        for name, (lock, one) in locks.items()
    )


def _around(one: Observed, name: Name) -> tuple[str, ...]:
    near = one.around.get(name)
    if near is None:
        return ()
    said = []
    if near.referring:
        said.append(f"referred to by {', '.join(map(str, near.referring))}")
    if near.referred:
        said.append(f"refers to {', '.join(map(str, near.referred))}")
    if near.views:
        said.append(f"read by the views {', '.join(map(str, near.views))}")
    return tuple(said)


def _left(one: Judged, spans: Mapping[int, Span]) -> tuple[Left, ...]:
    """What a failure at each statement leaves behind: only where something does."""
    half = one.migration.up
    statements = [each.statement for each in sent(half)]
    numbers = list(transactions(half, statements))
    stuck = {finding.statement: finding.message for finding in reversed(one.findings) if finding.rule in _STUCK}
    left = []
    for place, (statement, number) in enumerate(zip(statements, numbers, strict=True)):
        kept = [other for other, its in zip(statements[:place], numbers[:place], strict=True) if its is not None and its != number]
        kept = [other for other in kept if not isinstance(other.operations[0], sql.SetVariable | sql.ResetVariable)]
        if number is None or not kept or isinstance(statement.operations[0], sql.SetVariable):
            continue
        why = next((stuck[other.index] for other in kept if other.index in stuck), "")
        again = f"no: {why}" if why else "yes"
        left.append(Left(at=statement.index, line=_line(half, spans[statement.index]) or 0, kept=len(kept), again=again))
    return tuple(left)


def _back(migration: Migration) -> tuple[str, ...]:
    """What the way back does, and what it loses."""
    down = migration.down
    if down is None:
        return ("There is no way back: repair forward, or restore a backup and lose what was written since.",)
    if down.program is not None and not down.program.calls:
        return ("There is a downgrade; what it loses is not looked at.",)
    lost = [_lost(operation) for each in sent(down) for operation in each.statement.operations]
    lost = [text for text in dict.fromkeys(lost) if text]
    if not lost:
        return ("The way back drops nothing that holds data.",)
    return ("The way back loses what was written since:", *lost)


def _lost(operation: sql.Operation) -> str:
    match operation:
        case sql.DropColumn(column=column, target=target):
            return f"the values of {target.name}.{column}"
        case sql.Drop(kind="table" | "materialized view" | "schema" as kind, names=names):
            return f"the {kind} {', '.join(map(str, names))}"
        case sql.Truncate() | sql.Delete():
            return "the rows that it deletes"
        case sql.AlterColumnType(column=column, target=target, type=kind):
            return f"what values of {target.name}.{column} do not fit into {kind}"
    return ""


def _steps(one: Judged, spans: Mapping[int, Span]) -> tuple[RolloutStep, ...]:
    half = one.migration.up
    text = half.script.text
    steps = []
    for each in one.observed:
        phase = phase_of(each)
        span = each.operation.span
        if phase is None or each.statement not in spans:
            continue
        words = " ".join(text[span.start : span.end].split())
        words = words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
        steps.append(RolloutStep(phase=phase, migration=one.migration.id, line=_line(half, span) or 0, text=words))
    return tuple(dict.fromkeys(steps))
