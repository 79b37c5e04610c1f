"""Syntax, an option, a setting or a function that the server's release does not have.

PostgreSQL answers with a syntax error, `unrecognized parameter`, `unrecognized configuration parameter` or `function … does not exist`, and the
deployment stops there. The release is `pg-version` in the configuration, or `--pg-version`. A function is reported only if the history is known
from its first migration, and neither a migration nor an extension has created a function of that name.

A word that is a key word in the server's release, and was none before, is reported as well: `json` as the name of an argument of a
function, for example, is a syntax error from PostgreSQL 17 on.

Unsafe before PostgreSQL 18:
    ALTER TABLE orders ADD CONSTRAINT orders_note_filled CHECK (note <> '') NOT ENFORCED;

Safe:
    ALTER TABLE orders ADD CONSTRAINT orders_note_filled CHECK (note <> '') NOT VALID;

See: https://www.postgresql.org/docs/release/
"""

from migsafe.linting.facts.function_bodies import features_of_body
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.prediction.newer_features import missing_feature, newer_feature
from migsafe.sql.features import Feature
from migsafe.sql.operations import CreateFunction, FeatureUse, Operation


@rule(
    category="failures",
    severity=Severity.ERROR,
    refuses=True,
    speaks_for=("statement-fails",),
    no_fix="the server must be upgraded, or the statement written in another way",
)
def newer_than_server(op: FeatureUse | CreateFunction, at: Context) -> Finding | None:
    """Report a feature that the configured release does not have, once per statement and feature."""
    if isinstance(op, CreateFunction):
        uses = features_of_body(op, at) if op.certain and not op.caught else ()
        return next((_finding(use, feature, at) for use in uses if (feature := newer_feature(use, at.catalog)) is not None), None)
    feature = newer_feature(op, at.catalog)
    if feature is None or any(_is_earlier_use(other, op, at) for other in at.statement.operations):
        return None
    return _finding(op, feature, at)


def _finding(use: FeatureUse, feature: Feature, at: Context) -> Finding:
    version = at.catalog.pg_version
    message = f"{missing_feature(feature)}: PostgreSQL {version} (pg-version) refuses this statement"
    if feature.is_removed:
        return at.finding(use, message, help=f"-- on each release: {feature.instead}")
    upgrade = f"-- if the server is newer, set pg-version to its release, {feature.release} or later"
    return at.finding(use, message, help=f"-- on PostgreSQL {version}: {feature.instead}\n{upgrade}" if feature.instead else upgrade)


def _is_earlier_use(other: Operation, op: FeatureUse, at: Context) -> bool:
    if not isinstance(other, FeatureUse) or other.feature != op.feature or other.span.start >= op.span.start:
        return False
    return newer_feature(other, at.catalog) is not None
