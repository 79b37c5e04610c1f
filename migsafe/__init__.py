"""migsafe judges PostgreSQL migrations before they reach production.

    from migsafe import Configuration, lint, locks, replay

    for finding in lint(["migrations/0042_orders.sql"]).findings:
        print(finding.rule, finding.message)

`lint` judges migrations, `locks` tells what each statement locks, `replay` runs them on a disposable PostgreSQL: the same as the commands, with
typed results and nothing printed. They raise MigsafeError for what could not be done.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False  # what typing calls so, which takes longer to load than answering from the cache
if TYPE_CHECKING:
    from migsafe.configuration import Configuration
    from migsafe.configuration import configuration as read_configuration
    from migsafe.errors import MigsafeError
    from migsafe.library.lint import lint
    from migsafe.library.locks import PredictedMigration, PredictedStatement, Prediction, locks
    from migsafe.library.premortem import premortem
    from migsafe.library.replay import Replay, replay
    from migsafe.linting.finding import Finding, Severity
    from migsafe.linting.judge import Verdict
    from migsafe.lock import LockMode
    from migsafe.prediction.effects.effect import Effect
    from migsafe.premortem.assessment import Premortem
    from migsafe.replaying.budgets import Budgets
    from migsafe.replaying.replay import ReplayOptions
    from migsafe.replaying.servers.selection import ServerOptions

__all__ = [
    "Budgets",
    "Configuration",
    "Effect",
    "Finding",
    "LockMode",
    "MigsafeError",
    "PredictedMigration",
    "PredictedStatement",
    "Prediction",
    "Premortem",
    "Replay",
    "ReplayOptions",
    "ServerOptions",
    "Severity",
    "Verdict",
    "__version__",
    "lint",
    "locks",
    "premortem",
    "read_configuration",
    "replay",
]

_HOMES = {
    "Budgets": "migsafe.replaying.budgets",
    "Configuration": "migsafe.configuration",
    "Effect": "migsafe.prediction.effects.effect",
    "Finding": "migsafe.linting.finding",
    "LockMode": "migsafe.lock",
    "MigsafeError": "migsafe.errors",
    "ReplayOptions": "migsafe.replaying.replay",
    "ServerOptions": "migsafe.replaying.servers.selection",
    "PredictedMigration": "migsafe.library.locks",
    "PredictedStatement": "migsafe.library.locks",
    "Prediction": "migsafe.library.locks",
    "Premortem": "migsafe.premortem.assessment",
    "Replay": "migsafe.library.replay",
    "Severity": "migsafe.linting.finding",
    "Verdict": "migsafe.linting.judge",
    "lint": "migsafe.library.lint",
    "locks": "migsafe.library.locks",
    "premortem": "migsafe.library.premortem",
    "read_configuration": "migsafe.configuration",
    "replay": "migsafe.library.replay",
}
"""Where the public names are, each loaded when somebody asks for it."""
_CALLED_THERE = {"read_configuration": "configuration"}


def __getattr__(name: str) -> object:
    """Load a public name."""
    if name not in _HOMES:
        raise AttributeError(f"module 'migsafe' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    found: object = getattr(import_module(_HOMES[name]), _CALLED_THERE.get(name, name))
    globals()[name] = found
    return found
