"""Running migrations that are programs, to learn what SQL they send.

A program runs in a separate process (`worker`), the only one that imports Alembic and SQLAlchemy; migsafe and the worker communicate through
a pair of pipes (`messages`). A `Renderer` keeps that process for a run, and turns its replies into halves that are treated like those of SQL
files.

The process contains faults: a program that does not end, ends the process or changes shared modules affects only itself. It is not a sandbox:
a program runs with the user's rights, and a malicious one can do harm. With `no_exec`, calls are read from the syntax tree and nothing is run.
"""
