"""The prediction of what PostgreSQL does with each operation."""
