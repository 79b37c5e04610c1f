"""Assume that this deployment has failed: what happened? The answer, put together from findings, effects, row counts and measurements."""
