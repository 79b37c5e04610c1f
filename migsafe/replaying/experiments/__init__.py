"""The experiments with a migration, on copies of the database: each has a module."""
