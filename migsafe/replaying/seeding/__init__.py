"""The rows that a replay puts into empty tables."""

from migsafe.replaying.seeding.requirements import Requirements, RequirementsFinder
from migsafe.replaying.seeding.seeder import DEFAULT_LIMIT, Seeder, same_for_every_table
from migsafe.replaying.seeding.shares import in_proportion

__all__ = ["DEFAULT_LIMIT", "Requirements", "RequirementsFinder", "Seeder", "in_proportion", "same_for_every_table"]
