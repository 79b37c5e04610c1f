"""Tests of the rules about queries."""
