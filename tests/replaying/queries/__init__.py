"""Tests of what a replay says about the application's queries."""
