"""Running migrations on a disposable PostgreSQL, and measuring what they do there."""
