"""Rules about the queries that the application sends."""
