"""What a repository needs to begin with migsafe: found, proposed, and written only when somebody has said so."""

from migsafe.setup.proposal import Ci, Proposal, Wish, propose
from migsafe.setup.repository import History, Repository, survey

__all__ = ["Ci", "History", "Proposal", "Repository", "Wish", "propose", "survey"]
