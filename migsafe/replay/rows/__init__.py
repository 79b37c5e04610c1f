"""Filling a database with rows."""

from migsafe.replay.rows.filling import Filler, every
from migsafe.replay.rows.shares import like_production

__all__ = ["Filler", "every", "like_production"]
