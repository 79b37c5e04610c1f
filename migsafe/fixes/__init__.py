"""Fixes: edits of migrations that apply the safe ways of findings."""
