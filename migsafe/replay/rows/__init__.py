"""Filling a database with rows."""

from migsafe.replay.rows.filling import every, fill

__all__ = ["every", "fill"]
