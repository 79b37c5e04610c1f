"""What the connection holds at a statement: the transaction and its savepoints, the locks taken in it, the settings in force."""

from migsafe.session.session import Session, transactions
from migsafe.session.settings import Settings
from migsafe.session.transitions import Transition, Turn
from migsafe.session.units import milliseconds
from migsafe.session.written import Sent, sent

__all__ = ["Sent", "Session", "Settings", "Transition", "Turn", "milliseconds", "sent", "transactions"]
