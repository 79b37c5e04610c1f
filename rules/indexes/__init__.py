"""Rules about indexes that are missing, or too much."""
