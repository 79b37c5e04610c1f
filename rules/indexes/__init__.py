"""Rules about missing and superfluous indexes."""
