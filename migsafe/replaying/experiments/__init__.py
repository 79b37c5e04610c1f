"""Experiments with a migration beyond running it once: one a file, on copies of the database."""
