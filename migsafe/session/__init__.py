"""What the connection holds at a statement: the transaction and its savepoints, the locks taken in it, the settings in force."""

from migsafe.session.sending import Command, Sent, runner_steps, sent
from migsafe.session.session import Session, transactions
from migsafe.session.settings import Settings
from migsafe.session.transitions import Transition, Turn
from migsafe.session.units import milliseconds

__all__ = ["Command", "Sent", "Session", "Settings", "Transition", "Turn", "milliseconds", "runner_steps", "sent", "transactions"]
