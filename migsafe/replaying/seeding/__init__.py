"""Filling a database with rows."""

from migsafe.replaying.seeding.filling import Filler, every
from migsafe.replaying.seeding.shares import like_production

__all__ = ["Filler", "every", "like_production"]
