"""Running programs that are migrations, to learn what SQL they send.

A program runs in a process of its own (`worker`), which alone imports Alembic and SQLAlchemy; migsafe and it talk through a pair of pipes
(`messages`). A `Renderer` keeps that process for a run and turns what it says into halves that are judged like any other.

It keeps faults apart: a program that does not end, ends the process or changes what it finds spoils only itself. It is no sandbox. A program
is run with the rights of the user, and one that means harm can do it; `no_exec` reads its calls from its syntax tree instead.
"""
