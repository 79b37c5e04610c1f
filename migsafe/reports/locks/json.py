"""JSON, a contract: its keys change only with its `version`.

The JSON of a replay has the same statements and effects, with measurements.
"""

from typing import Any

import msgspec

from migsafe.library.locks import PredictedMigration, PredictedStatement, Prediction
from migsafe.prediction.effects.effect import Effect
from migsafe.reports.paths import unicode
from migsafe.sources import Half, Migration, Transaction
from migsafe.sources.alembic import ALEMBIC
from migsafe.terminal.display import Display

VERSION = 1


def report(prediction: Prediction, display: Display) -> str:
    """Returns the whole prediction as one object."""
    document = {
        "version": VERSION,
        "pg_version": prediction.pg_version,
        "migrations": [msgspec.Raw(msgspec.json.encode(_migration(migration))) for migration in prediction.migrations],
    }
    return msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"


def _migration(predicted: PredictedMigration) -> dict[str, Any]:
    migration, half = predicted.migration, predicted.migration.up
    return {
        "id": unicode(migration.id),
        "path": unicode(half.file.path),
        "transaction": _transaction(half, predicted.statements),
        **_upgrade_transaction(migration),
        "statements": [_statement(half, statement) for statement in predicted.statements],
    }


def _upgrade_transaction(migration: Migration) -> dict[str, Any]:
    """Returns whether one transaction spans all migrations of an upgrade, and where that is configured, for a runner that has this choice."""
    if migration.runner != ALEMBIC.name:
        return {}
    read_at = migration.transaction_read_at
    return {
        "transaction_spans_upgrade": migration.up.transaction is Transaction.FILE and migration.own_transaction_advice is not None,
        "transaction_read_at": {"path": unicode(read_at[0]), "line": read_at[1]} if read_at is not None else None,
    }


def _transaction(half: Half, statements: tuple[PredictedStatement, ...]) -> str:
    """Returns what the runner wraps in a transaction. One query of several statements is one transaction, like a `file`; of several queries, or
    a query with a single statement, each is its own."""
    if half.transaction is not Transaction.QUERY:
        return str(half.transaction.value)
    sent = sum(statement.transaction is not None for statement in statements)
    return "file" if len(half.chunks) == 1 and sent > 1 else "statement"


def _statement(half: Half, predicted: PredictedStatement) -> dict[str, Any]:
    span = predicted.statement.span
    position = half.file.position(half.file_span(span).start)
    return {
        "index": predicted.statement.index,
        "start": {"line": position.line, "column": position.column},
        "sql": half.script.text[span.start : span.end],
        "transaction": predicted.transaction,
        "understood": predicted.understood,
        "reason": "; ".join(predicted.unknown) or None,
        "refused": predicted.refused,
        "condition": predicted.condition or None,
        "effects": [effect_object(effect) for effect in predicted.effects],
    }


def effect_object(effect: Effect) -> dict[str, Any]:
    """Returns an effect as the contract defines it."""
    return {
        "relation": str(effect.relation),
        "kind": effect.kind,
        "lock": effect.lock.pg_locks,
        "index_lock": effect.index_lock.pg_locks if effect.index_lock else None,
        "final_lock": effect.final_lock.pg_locks if effect.final_lock else None,
        "blocks": effect.blocks,
        "rewrite": effect.rewrite,
        "scan": effect.scan,
        "rebuilt": effect.rebuilt,
        "waits": effect.waits,
        "new": effect.new,
        "why": effect.why,
    }
