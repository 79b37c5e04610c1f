"""What PostgreSQL does with each operation."""
