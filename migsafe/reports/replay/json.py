"""JSON, a contract: the JSON of `migsafe locks`, with measurements. Its keys change only with its `version`."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from migsafe.library.replay import Replay
from migsafe.library.replay_facts import Facts
from migsafe.replaying.estimates import Estimate
from migsafe.replaying.experiments.outcome import Outcome
from migsafe.replaying.recording.held_locks import HeldLock, held_locks, stronger_lock
from migsafe.replaying.recording.records import MeasuredEffect, ResponseTimes, StatementRecord, Wait
from migsafe.replaying.replay import ReplayedMigration
from migsafe.reports.json import finding_object, query_object
from migsafe.reports.locks.json import effect_object
from migsafe.reports.paths import unicode
from migsafe.reports.replay.indexes import indexes_object, plans_object
from migsafe.reports.replay.load import load_object
from migsafe.reports.replay.queries_json import new_queries_object, queries_object
from migsafe.sources import Half
from migsafe.sql.operations import Name
from migsafe.terminal.display import Display

VERSION = 1


def report(replay: Replay, display: Display) -> str:
    """Returns the whole replay as one object."""
    document = {
        "version": VERSION,
        "pg_version": replay.pg_version,
        "server": replay.host,
        **_facts(replay.facts),
        "unfilled": replay.unfilled,
        "notes": [unicode(note) for note in replay.notes],
        "not_run": [unicode(path) for path in replay.not_run],
        "problems": [unicode(problem.message) for problem in replay.verdict.problems],
        "indexes": [indexes_object(results) for results in replay.indexes],
        "migrations": [_migration(replayed) for replayed in replay.replayed],
        "new_queries": new_queries_object(replay.replayed),
        "findings": [finding_object(finding) for finding in replay.verdict.findings],
    }
    return msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"


def _facts(facts: Facts) -> dict[str, Any]:
    rows = facts.rows
    return {
        "date": facts.date or None,
        "command": unicode(facts.command) or None,
        "revision": facts.revision or None,
        "rows": {"origin": rows.origin, "tables": rows.tables, "generated": rows.generated},
        "budgets": [
            {"name": budget.name, "unit": "bytes" if budget.name == "wal" else "ms"}
            | {"limit": budget.limit, "measured": _ms(budget.measured), "result": budget.answer}
            for budget in facts.budgets
        ],
        "verdict": {"passed": facts.passed, "reasons": facts.reasons},
    }


def _migration(replayed: ReplayedMigration) -> dict[str, Any]:
    half, recording = replayed.migration.up, replayed.recording
    held = held_locks(recording.statements)
    understood = {prediction.statement.index: prediction.understood for prediction in replayed.predictions}
    return {
        "id": unicode(replayed.migration.id),
        "path": unicode(half.file.path),
        "transaction": half.transaction.value,
        "duration_ms": _ms(recording.duration_ms),
        "failed": recording.failure.message if recording.failure else None,
        "not_tried": replayed.untried or None,
        "emptied": _emptied(replayed),
        "lock_timeout": _lock_timeout(replayed),
        "statements": [
            {
                **_statement(half, played, replayed.estimates.get(played.statement.index), held),
                "understood": understood.get(played.statement.index, False),
            }
            for played in recording.statements
        ],
        "held": [_held(lock) for locks in held.values() for lock in locks],
        "canaries": {
            "quiet": _quiet(recording.times_before),
            "disturbed": _quiet(recording.times_during),
            "waits": [_wait(wait) for wait in recording.waits],
            "deadlocks": [str(relation) for relation in recording.deadlocks],
            "broken": {str(relation): unicode(error) for relation, error in recording.probe_errors.items()},
        },
        "plans": plans_object(replayed.queries.plans) if replayed.queries is not None else None,
        "load": load_object(recording.load) if recording.load is not None else None,
        "experiments": [_outcome(outcome) for outcome in replayed.outcomes],
        "queries": queries_object(replayed.queries),
    }


def _emptied(replayed: ReplayedMigration) -> dict[str, Any] | None:
    emptying = replayed.emptying
    if emptying is None:
        return None
    return {
        "because": emptying.message,
        "statement": emptying.statement,
        "tables": sorted(map(str, emptying.tables)),
        "check": emptying.check or None,
    }


def _lock_timeout(replayed: ReplayedMigration) -> dict[str, Any] | None:
    lock_timeout = replayed.lock_timeout
    if lock_timeout is None:
        return None
    return {
        "statement": lock_timeout.statement,
        "waited_ms": _ms(lock_timeout.waited_ms),
        "waits": [_wait(wait) for wait in lock_timeout.waits],
        "cannot_run_again": unicode(lock_timeout.stuck) or None,
    }


def _held(lock: HeldLock) -> dict[str, Any]:
    return {
        "relation": str(lock.relation),
        "from_ms": _ms(1000 * lock.started),
        "to_ms": _ms(1000 * lock.ended),
        **_lock(lock),
    }


def _lock(lock: HeldLock) -> dict[str, Any]:
    index_lock = lock.index_lock.pg_locks if lock.index_lock is not None else None
    return {"lock": lock.lock.pg_locks, "index_lock": index_lock, "blocks": lock.blocks, "statement": lock.statement}


def _statement(half: Half, played: StatementRecord, estimate: Estimate | None, held: Mapping[Name, Sequence[HeldLock]]) -> dict[str, Any]:
    position = half.file.position(half.file_span(played.statement.span).start)
    return {
        "index": played.statement.index,
        "start": {"line": position.line, "column": position.column},
        "sql": played.sql,
        "transaction": played.transaction,
        "started_ms": _ms(1000 * played.started),
        "duration_ms": _ms(played.duration_ms),
        "waited_ms": _ms(played.waited_ms),
        "wal_bytes": played.wal_bytes,
        "temp_bytes": played.temp_bytes,
        "failed": played.failure.message if played.failure else None,
        "left_out": played.skip_reason or None,
        "estimate": {"low_ms": _ms(estimate.low_ms), "high_ms": _ms(estimate.high_ms), "rows": estimate.rows} if estimate else None,
        "effects": [_effect(measured, played, held) for measured in played.measured_effects],
    }


def _effect(measured: MeasuredEffect, played: StatementRecord, held: Mapping[Name, Sequence[HeldLock]]) -> dict[str, Any]:
    force = stronger_lock(measured, played, held)
    return {
        **effect_object(measured.effect),
        "takes_lock": measured.takes_lock,
        "in_force": _lock(force) if force is not None else None,
        "tuples_read": measured.tuples_read,
        "rows": measured.rows,
        "held_ms": _ms(measured.held_ms),
        "grows": measured.grows_with_rows,
    }


def _wait(wait: Wait) -> dict[str, Any]:
    return {
        "relation": str(wait.relation),
        "access": wait.access,
        "started_ms": _ms(1000 * wait.started),
        "ms": _ms(wait.ms),
        "statement": wait.statement,
        "query": query_object(wait.query) if wait.query is not None else None,
    }


def _quiet(quiet: ResponseTimes) -> dict[str, Any]:
    return {"p50_ms": _ms(quiet.p50), "p99_ms": _ms(quiet.p99), "max_ms": _ms(quiet.slowest), "probes": quiet.probes}


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "experiment": outcome.experiment,
        "passed": outcome.passed,
        "harmless": outcome.harmless,
        "summary": outcome.summary,
        "steps": [{"statement": step.statement, "text": step.text} for step in outcome.observations],
    }


def _ms(value: float) -> float:
    return round(value, 3)
