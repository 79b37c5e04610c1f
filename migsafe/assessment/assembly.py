"""Putting a pre-mortem together."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from migsafe.assessment.blocking import Blocked, blocking, labours, strengthened, total
from migsafe.assessment.durations import Duration
from migsafe.assessment.failure_modes import UNSEEN, Line, ways
from migsafe.assessment.gate import Budget, Ruling, ruling
from migsafe.assessment.interruptions import left, lines_of, manner, timeouts
from migsafe.assessment.measurements import held, sentences
from migsafe.assessment.operation_facts import Observed, asked, told
from migsafe.assessment.premortem import Assessment, Back, Premortem, RolloutStep, Touched
from migsafe.assessment.rollout import no_order, phase_of
from migsafe.linting.finding import Finding
from migsafe.lock import LockMode
from migsafe.session import sent_statements
from migsafe.sources import Migration
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from migsafe.replaying.replay import ReplayedMigration

_LONGEST = 90
_MOST_NEIGHBOURS = 4
_MOST_STATEMENTS = 3
_NOT_RUN = ("The replay ran none of its statements: everything about it is predicted.",)


class Judged(Struct, frozen=True):
    """A migration with what was found and observed of it, and its replay, if there was one."""

    migration: Migration
    findings: tuple[Finding, ...]
    observed: tuple[Observed, ...]
    replayed: "ReplayedMigration | None" = None


def tell(judged: Sequence[Judged], pg_version: int, *, with_rows: bool, slo: Budget | None = None, replayed_on: str = "") -> Premortem:
    """The pre-mortem of a release."""
    slo = slo or Budget()
    judged = [_timed(one) for one in judged]
    rulings = [_ruling(slo, one) for one in judged]
    return Premortem(
        assessments=tuple(_assessment(one, replayed=bool(replayed_on)) for one in judged),
        pg_version=pg_version,
        with_rows=with_rows,
        replayed_on=replayed_on,
        budgets=tuple(slo.words()),
        forbidden=tuple(line for one in rulings for line in one.forbidden),
        doubtful=tuple(line for one in rulings for line in one.doubtful),
    )


def _timed(one: Judged) -> Judged:
    """The same, with the times that its replay makes likely on production's rows. A replay that has sent nothing shows nothing."""
    if one.replayed is None or not one.replayed.recording.statements:
        return replace(one, replayed=None)
    times = {index: Duration(estimate.low_ms, estimate.high_ms) for index, estimate in one.replayed.estimates.items()}
    return replace(one, observed=tuple(replace(each, timed=times.get(each.statement)) for each in one.observed))


def _line(one: Judged) -> Line:
    lines = lines_of(one.migration.up)
    return lambda statement: lines.get(statement, 1)


def _ruling(slo: Budget, one: Judged) -> Ruling:
    return ruling(slo, one.migration.up.file.path, one.observed, _line(one), one.replayed)


def _assessment(one: Judged, *, replayed: bool) -> Assessment:
    line = _line(one)
    half = one.migration.up
    findings = told(one.findings)
    found = tuple(ways(one.observed, findings, line, one.replayed))
    return Assessment(
        migration=one.migration,
        manner=manner(half, one.observed),
        ways=found,
        touched=_touched(one),
        timeouts=tuple(timeouts(one.observed, line)),
        left=tuple(left(half, findings, line)),
        running_release=tuple(_running(one.observed, findings)),
        new_release=tuple(dict.fromkeys(each.missing for each in one.observed if each.missing)),
        back=_back(one),
        findings=asked(one.findings),
        steps=_steps(one),
        unordered=tuple(_unordered(one)),
        unknown=tuple(way.because for way in found if way.title == UNSEEN),
        measured=tuple(sentences(one.replayed, line)) if one.replayed is not None else _NOT_RUN if replayed else (),
    )


def _touched(one: Judged) -> tuple[Touched, ...]:
    """The relations that others can know, each at its strongest."""
    locks: dict[Name, tuple[LockMode, Observed]] = {}
    for each in strengthened(one.observed):
        for effect in each.effects:
            name = effect.relation
            least = LockMode.ROW_EXCLUSIVE if _changes(each) else LockMode.SHARE_UPDATE_EXCLUSIVE
            if effect.lock >= least and (name not in locks or effect.lock > locks[name][0]):
                locks[name] = (effect.lock, each)
    blocked: dict[Name, list[Blocked]] = {}
    for found in blocking(one.observed):
        blocked.setdefault(found.relation, []).append(found)
    return tuple(
        Touched(
            relation=name,
            lock=str(lock),
            stops=_stopped(blocked[name]) if name in blocked else "nothing",
            lasts=_lasts(one.observed, name, blocked.get(name, [])),
            rows=each.rows.get(name),
            measured=held(one.replayed, name),
            around=_around(each, name),
        )
        for name, (lock, each) in locks.items()
    )


def _changes(one: Observed) -> bool:
    return isinstance(one.operation, sql.Update | sql.Delete | sql.Insert | sql.Merge)


def _stopped(found: Sequence[Blocked]) -> str:
    return " and ".join(max(found, key=lambda one: len(one.effect.blocks)).effect.blocks)


def _lasts(observed: Sequence[Observed], name: Name, blocked: Sequence[Blocked]) -> str:
    """For how long the lock is held, once it is there."""
    labour = (
        max((one.labour for one in blocked), key=len, default=()) if blocked else [one for one in labours(observed) if one.relation == name]
    )
    if not labour and any(_changes(one) and any(effect.relation == name for effect in one.effects) for one in observed) and not blocked:
        return "grows with the number of changed rows"
    if not labour:
        return "unknown" if any(one.unknown for one in blocked) else "a moment"
    known = total(labour)
    if any(one.rows is None for one in labour):
        return "grows with the number of rows" if not known.high else f"{known}, and more"
    return str(known)


def _around(one: Observed, name: Name) -> tuple[str, ...]:
    near = one.around.get(name)
    if near is None:
        return ()
    said = []
    if near.referring:
        said.append(f"referenced by {_few(near.referring)}")
    if near.referred:
        said.append(f"references {_few(near.referred)}")
    if near.views:
        said.append(f"read by the view{'' if len(near.views) == 1 else 's'} {_few(near.views)}")
    return tuple(said)


def _few(names: Sequence[Name]) -> str:
    rest = len(names) - _MOST_NEIGHBOURS
    return ", ".join(map(str, names)) if rest <= 1 else f"{', '.join(map(str, names[:_MOST_NEIGHBOURS]))} and {rest} more"


def _running(observed: Sequence[Observed], findings: Sequence[Finding]) -> Iterator[str]:
    """What the running release meets on the new schema."""
    yield from dict.fromkeys(finding.message for finding in findings if finding.category == "compatibility")
    refused = list(dict.fromkeys(one.refusing for one in observed if one.refusing))
    yield from (f"refused from now on: {text}" for text in refused)
    selected = list(dict.fromkeys(one.replanned for one in observed if one.replanned))
    if selected:
        what = ", ".join(selected)
        yield f"prepared statements that select {what} fail until they are prepared again: `cached plan must not change result type`"


def _back(one: Judged) -> Back:
    """The way back that is written down, or the one by hand; and what neither brings again."""
    down = one.migration.down
    undone = [each.undo for each in one.observed if each.undo is not None]
    gone = tuple(dict.fromkeys(each.gone for each in undone if each.gone))
    if down is None:
        back = list(dict.fromkeys(each.sql for each in reversed(undone) if each.sql))
        return Back(
            manner="by hand" if back else "none",
            steps=tuple(back),
            loses=tuple(dict.fromkeys(each.loses for each in reversed(undone) if each.loses)),
            gone=gone,
            but=tuple(dict.fromkeys(each.but for each in undone if each.but)),
        )
    if down.program is not None and not down.program.calls:
        return Back(manner="unread", gone=gone)
    operations = [operation for each in sent_statements(down) for operation in each.statement.operations]
    lost = tuple(text for text in dict.fromkeys(map(_lost, operations)) if text)
    unknown = {one.reason for one in operations if isinstance(one, sql.OpaqueCode | sql.Unparsed)}
    return Back(manner="written", loses=lost, gone=gone, but=tuple(f"what it does is not fully known: {why}" for why in sorted(unknown)))


def _lost(operation: sql.Operation) -> str:
    match operation:
        case sql.DropColumn(column=column, target=target):
            return f"the values of {target.name}.{column}"
        case sql.Drop(kind="table" | "materialized view" | "schema" as kind, names=names):
            return f"the {kind} {', '.join(map(str, names))}"
        case sql.Truncate() | sql.Delete():
            return "the deleted rows"
        case sql.AlterColumnType(column=column, target=target, type=kind):
            return f"the values of {target.name}.{column} that do not fit into {kind}"
    return ""


def _steps(one: Judged) -> tuple[RolloutStep, ...]:
    half = one.migration.up
    steps = []
    for each in one.observed:
        phase = phase_of(each)
        if phase is not None:
            position = half.file.position(half.file_span(each.operation.span).start)
            steps.append(
                RolloutStep(phase=phase, path=half.file.path, migration=one.migration.id, line=position.line, text=_words(one, each.operation))
            )
    return tuple(dict.fromkeys(steps))


def _words(one: Judged, operation: sql.Operation) -> str:
    span = operation.span
    words = " ".join(one.migration.up.script.text[span.start : span.end].split())
    if isinstance(operation, sql.AlterRelation) and not words.upper().startswith("ALTER TABLE"):
        words = f"ALTER {operation.target.kind.upper()} {operation.target.name} {words}"
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _unordered(one: Judged) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for each in one.observed:
        why = no_order(each)
        if why:
            reasons.setdefault(why, []).append(f"`{_words(one, each.operation).replace('`', '')}`")
    for why, words in reasons.items():
        rest = len(words) - _MOST_STATEMENTS
        yield f"{', '.join(words[:_MOST_STATEMENTS])}{f' and {rest} more' if rest > 0 else ''}: {why}"
