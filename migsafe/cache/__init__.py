"""The cache: results of earlier runs of `migsafe lint`, in the user's cache folder.

An *answer* is the output of one command, with a trace of everything that the run looked at: the same command is answered from it, without
loading the engine, as long as everything in the trace is unchanged. A *checkpoint* is the state of a run after a migration of a history: a run
whose history begins with the same migrations continues from there. A *rendering* is the SQL that an Alembic script sent. All of them depend on
the content of files only; a missing or damaged entry costs time, and changes no result.

What a run looks at is intercepted (`interception`), not declared, so that no source of migrations and no rule can forget a dependency.

The modules that a run needs to answer from the cache import only what Python itself has loaded: typing, dataclasses or pathlib would each take
longer than everything that they do.
"""
