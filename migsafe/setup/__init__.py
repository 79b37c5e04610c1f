"""Setting up migsafe in a repository: it finds the migrations and proposes files, which the command line writes if the user agrees."""

from migsafe.setup.baseline_setting import name_baseline
from migsafe.setup.proposal import Ci, Proposal, Wish, propose
from migsafe.setup.repository import AGENTS, History, Repository, survey
from migsafe.setup.unread import summarised

__all__ = ["AGENTS", "Ci", "History", "Proposal", "Repository", "Wish", "name_baseline", "propose", "summarised", "survey"]
