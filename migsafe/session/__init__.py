"""The simulated connection at a statement: the transaction and its savepoints, the locks held in it, the settings."""

from migsafe.session.sending import Command, SentStatement, runner_steps, sent_statements, statements_of_paths
from migsafe.session.session import Session, transaction_numbers
from migsafe.session.settings import Settings
from migsafe.session.stored_settings import StoredSettings
from migsafe.session.transitions import Transition, TransitionKind
from migsafe.session.units import milliseconds

__all__ = [
    "Command",
    "SentStatement",
    "Session",
    "Settings",
    "StoredSettings",
    "Transition",
    "TransitionKind",
    "milliseconds",
    "runner_steps",
    "sent_statements",
    "statements_of_paths",
    "transaction_numbers",
]
