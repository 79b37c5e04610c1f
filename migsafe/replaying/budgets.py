"""What a replay may cost, and the findings about what it came to: in the same form as the linter's, so that every format has them."""

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from migsafe.errors import MigsafeError
from migsafe.linting.finding import Finding, Severity
from migsafe.linting.judge import Summary, Verdict
from migsafe.lock import LockMode
from migsafe.replaying.experiments.outcome import Outcome
from migsafe.replaying.recording.records import Played
from migsafe.replaying.replay import Replayed
from migsafe.sql.operations import Name
from migsafe.text import Span

CATEGORY = "replay"

_EXPERIMENTS = {
    "rerun": ("replay-not-rerunnable", Severity.WARNING),
    "crash": ("replay-crash-leaves-it-stuck", Severity.ERROR),
    "round trip": ("replay-way-back-fails", Severity.WARNING),
    "agreement": ("replay-differs-from-prediction", Severity.INFO),
}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|kB|MB|GB|TB)?")
_UNITS = {"B": 1, "kB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}


class Budgets(Struct, frozen=True, kw_only=True):
    """The most that a migration may cost; None is no limit.

    `blocked` is how long a canary may wait, `hold` how long a lock that stops reads or writes may be held, both in milliseconds; `wal` the
    bytes of WAL that a migration may write.
    """

    blocked: float | None = None
    hold: float | None = None
    wal: int | None = None


def size(value: str) -> int | None:
    """The bytes that `200MB`, `1.5 GB` or `8192` stand for, in PostgreSQL's units; None for what is no size."""
    match = _SIZE.fullmatch(value.strip())
    return int(float(match[1]) * _UNITS[match[2] or "B"]) if match else None


def spelt(number: int) -> str:
    """Bytes for people: `1.5 GB`."""
    for unit in ("TB", "GB", "MB", "kB"):
        if number >= _UNITS[unit]:
            return f"{number / _UNITS[unit]:.1f} {unit}"
    return f"{number} bytes"


def elapsed(ms: float) -> str:
    """A time for people: `0.4 ms`, `12 ms`, `3.1 s`, `2 min 5 s`."""
    if ms < 10:
        return f"{ms:.1f} ms"
    if ms < 1000:
        return f"{ms:.0f} ms"
    return f"{ms / 1000:.1f} s" if ms < 60_000 else f"{int(ms // 60_000)} min {int(ms % 60_000 / 1000)} s"


def verdict(replays: Iterable[Replayed], budgets: Budgets, problems: list[MigsafeError], pg_version: int) -> Verdict:
    """What there is to complain of, as findings."""
    replays = list(replays)
    findings = sorted(
        (finding for one in replays for finding in _findings(one, budgets)), key=lambda it: (it.script.path, it.span.start, it.rule)
    )
    numbers = {severity: sum(finding.severity is severity for finding in findings) for severity in Severity}
    paths = tuple(sorted({one.migration.up.file.path for one in replays}))
    summary = Summary(
        files=len(paths),
        statements=sum(len(one.recording.statements) for one in replays),
        errors=numbers[Severity.ERROR],
        warnings=numbers[Severity.WARNING],
        infos=numbers[Severity.INFO],
    )
    return Verdict(findings=findings, summary=summary, problems=problems, pg_version=pg_version, paths=paths)


def _findings(one: Replayed, budgets: Budgets) -> Iterator[Finding]:
    recording = one.recording
    if recording.failure is not None:
        yield _finding(one, "replay-fails", Severity.ERROR, f"PostgreSQL refuses it: {recording.failure.message}", recording.statements[-1])
    for played in recording.statements:
        if played.left_out:
            said = f"{played.left_out}, and was not run: what it does is not in this replay"
            yield _finding(one, "replay-left-out", Severity.INFO, said, played)
    for relation in recording.deadlocks:
        said = f"the migration and queries of {relation} waited for each other: PostgreSQL would have ended one of them with a deadlock"
        yield _finding(one, "replay-deadlock", Severity.WARNING, said, _locker(recording.statements, relation), (relation,))
    if budgets.blocked is not None:
        yield from _blocked(one, budgets.blocked)
    if budgets.hold is not None:
        yield from _held(one, budgets.hold)
    wal = sum(played.wal_bytes for played in recording.statements)
    if budgets.wal is not None and wal > budgets.wal:
        most = max(recording.statements, key=lambda played: played.wal_bytes)
        said = f"the migration writes {spelt(wal)} of WAL, {spelt(most.wal_bytes)} of it here; the budget is {spelt(budgets.wal)}"
        yield _finding(one, "replay-wal-over-budget", Severity.ERROR, said, most)
    for outcome in one.outcomes:
        if outcome.passed is False and not outcome.harmless:
            yield from _failed(one, outcome)


def _blocked(one: Replayed, most: float) -> Iterator[Finding]:
    """The longest wait of each relation and statement, if it is too long."""
    longest: dict[tuple[Name, int | None], float] = {}
    for wait in one.recording.waits:
        key = (wait.relation, wait.statement)
        longest[key] = max(longest.get(key, 0.0), wait.ms)
    for (relation, statement), ms in longest.items():
        if ms > most:
            said = f"queries of {relation} got no answer for {elapsed(ms)}; the budget is {elapsed(most)}"
            yield _finding(one, "replay-blocked-over-budget", Severity.ERROR, said, _played(one, statement), (relation,))


def _locker(played: Iterable[Played], relation: Name) -> Played | None:
    """The first statement that has anything to do with a relation so that others stop."""
    return next((one for one in played if any(touch.effect.blocks and touch.effect.relation == relation for touch in one.touches)), None)


def _held(one: Replayed, most: float) -> Iterator[Finding]:
    for played in one.recording.statements:
        for touch in played.touches:
            if touch.effect.blocks and not touch.effect.new and touch.held_ms > most:
                effect = touch.effect
                said = (
                    f"{effect.lock} on {effect.relation} is held for {elapsed(touch.held_ms)}, and stops every {effect.blocked_commands}; "
                    f"the budget is {elapsed(most)}"
                )
                yield _finding(one, "replay-hold-over-budget", Severity.ERROR, said, played, (effect.relation,), effect.lock)


def _failed(one: Replayed, outcome: Outcome) -> Iterator[Finding]:
    """A finding for an experiment, at the first statement that it names."""
    rule, severity = _EXPERIMENTS[outcome.experiment]
    at = next((step.statement for step in outcome.steps if step.statement is not None), None)
    texts = [step.text for step in outcome.steps]
    more = f" (and {len(texts) - 1} more)" if len(texts) > 1 else ""
    said = outcome.summary if not texts or texts[0] in outcome.summary else f"{outcome.summary}: {texts[0]}{more}"
    yield _finding(one, rule, severity, said, _played(one, at))


def _played(one: Replayed, statement: int | None) -> Played | None:
    return next((played for played in one.recording.statements if played.statement.index == statement), None)


def _finding(
    one: Replayed,
    rule: str,
    severity: Severity,
    message: str,
    played: Played | None,
    relations: tuple[Name, ...] = (),
    lock: LockMode | None = None,
) -> Finding:
    half = one.migration.up
    return Finding(
        rule=rule,
        category=CATEGORY,
        severity=severity,
        message=message,
        help="",
        script=half.file,
        span=half.file_span(played.statement.span) if played is not None else Span(0, 0),
        migration=one.migration.id,
        statement=played.statement.index if played is not None else 1,
        relations=tuple(map(str, relations)),
        lock=lock,
    )
