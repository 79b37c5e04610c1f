"""migsafe checks PostgreSQL migrations before they reach production.

    from migsafe import lint

    for finding in lint(["migrations/0042_orders.sql"]).findings:
        print(finding.rule, finding.message)

`lint` judges migrations, `fix` finds their fixes, `locks` predicts what each statement locks, `replay` runs them on a disposable
PostgreSQL and measures, `premortem` assesses how a deployment can fail, `rehearse` tries the phases of a rollout, `queries` lists the
application's queries. They do what the commands do, return typed results and print nothing. `record` records the queries that the code in
a `with` block sends. All raise MigsafeError for an error.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False  # as in typing, whose import takes longer than an answer from the cache
if TYPE_CHECKING:
    from migsafe.assessment.premortem import Premortem
    from migsafe.configuration import Configuration, read_configuration
    from migsafe.errors import MigsafeError
    from migsafe.library.fix import fix
    from migsafe.library.fixes import Fixes
    from migsafe.library.lint import lint
    from migsafe.library.locks import PredictedMigration, PredictedStatement, Prediction, locks
    from migsafe.library.premortem import premortem
    from migsafe.library.queries import ListedQuery, QueryList, queries
    from migsafe.library.rehearse import Rehearsal, rehearse
    from migsafe.library.replay import Replay, replay
    from migsafe.linting.finding import Finding, Severity
    from migsafe.linting.verdict import Verdict
    from migsafe.lock import LockMode
    from migsafe.prediction.effects.effect import Effect
    from migsafe.replaying.budgets import Budgets
    from migsafe.replaying.replay import ReplayOptions
    from migsafe.replaying.servers.selection import ServerOptions
    from migsafe.workload import Query
    from migsafe.workload.recording.session import record

__all__ = [
    "Budgets",
    "Configuration",
    "Effect",
    "Finding",
    "Fixes",
    "ListedQuery",
    "LockMode",
    "MigsafeError",
    "PredictedMigration",
    "PredictedStatement",
    "Prediction",
    "Premortem",
    "Query",
    "QueryList",
    "Rehearsal",
    "Replay",
    "ReplayOptions",
    "ServerOptions",
    "Severity",
    "Verdict",
    "__version__",
    "fix",
    "lint",
    "locks",
    "premortem",
    "queries",
    "read_configuration",
    "record",
    "rehearse",
    "replay",
]

_MODULES = {
    "Budgets": "migsafe.replaying.budgets",
    "Configuration": "migsafe.configuration",
    "Effect": "migsafe.prediction.effects.effect",
    "Finding": "migsafe.linting.finding",
    "Fixes": "migsafe.library.fixes",
    "LockMode": "migsafe.lock",
    "MigsafeError": "migsafe.errors",
    "ReplayOptions": "migsafe.replaying.replay",
    "ServerOptions": "migsafe.replaying.servers.selection",
    "PredictedMigration": "migsafe.library.locks",
    "PredictedStatement": "migsafe.library.locks",
    "Prediction": "migsafe.library.locks",
    "Premortem": "migsafe.assessment.premortem",
    "ListedQuery": "migsafe.library.queries",
    "Query": "migsafe.workload",
    "QueryList": "migsafe.library.queries",
    "Rehearsal": "migsafe.library.rehearse",
    "Replay": "migsafe.library.replay",
    "Severity": "migsafe.linting.finding",
    "Verdict": "migsafe.linting.verdict",
    "fix": "migsafe.library.fix",
    "lint": "migsafe.library.lint",
    "locks": "migsafe.library.locks",
    "premortem": "migsafe.library.premortem",
    "queries": "migsafe.library.queries",
    "read_configuration": "migsafe.configuration",
    "record": "migsafe.workload.recording.session",
    "rehearse": "migsafe.library.rehearse",
    "replay": "migsafe.library.replay",
}
"""The modules of the public names; each is imported when its name is first used."""


def __getattr__(name: str) -> object:
    """Import a public name."""
    if name not in _MODULES:
        raise AttributeError(f"module 'migsafe' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    value: object = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value
