"""Filling a database with rows."""

from migsafe.replaying.rows.filling import Filler, every
from migsafe.replaying.rows.shares import like_production

__all__ = ["Filler", "every", "like_production"]
