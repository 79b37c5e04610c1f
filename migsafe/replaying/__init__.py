"""The replay of migrations on a disposable PostgreSQL: servers, rows, recording, probes and experiments."""
