"""The application's queries on the schema before and after a migration: whether they work, and how they run."""
