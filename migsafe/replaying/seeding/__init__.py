"""Filling a database with rows."""

from migsafe.replaying.seeding.filling import Seeder, same_for_every_table
from migsafe.replaying.seeding.shares import in_proportion

__all__ = ["Seeder", "in_proportion", "same_for_every_table"]
