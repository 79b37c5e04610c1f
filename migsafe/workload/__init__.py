"""The application's queries: where they come from, what they read and need of the schema, and which index serves them."""

from migsafe.workload.query import CallSite, Query, UnreadQuery, Workload

__all__ = ["CallSite", "Query", "UnreadQuery", "Workload"]
