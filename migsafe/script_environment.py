"""What Alembic gives to the scripts of a project: its settings, and what env.py passes to it."""

from typing import Any

from msgspec import Struct

UNKNOWN = "\x00unknown"
"""A value that is not known unless env.py runs; it never occurs in a setting."""


UNKNOWN_SETTING = "${unknown}"
"""The value of a setting that is not known unless env.py runs, as a placeholder in SQL."""


class ScriptEnvironment(Struct, frozen=True, omit_defaults=True):
    """What the scripts of a project find in `alembic.context` and `op.get_context()`.

    `env_file` is env.py; `config_file`, `project_file` and `section` are the .ini file, the pyproject.toml and the section; `main_options` and
    `attributes` are what env.py sets in the configuration itself. `options` are the arguments of `context.configure()`, `arguments` those of
    `context.run_migrations()`. `url` is that of the database. `naming_convention` is that of `target_metadata`: its keys as SQLAlchemy spells
    them, each with its template, or None for a function of the project. `complete` says that env.py has been understood: what is not among
    the options is not passed. `begun_at` says where env.py begins a transaction before Alembic is configured, so that Alembic begins none.
    `autobegun`: SQLAlchemy has begun it with a statement, so that the connection is in none after a commit(). `is_flask`: env.py reads the
    running application of Flask, as that of Flask-Migrate does, so that `flask db` runs the scripts.
    """

    config_file: str = ""
    project_file: str = ""
    section: str = "alembic"
    main_options: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    options: dict[str, Any] = {}
    arguments: dict[str, Any] = {}
    url: str = ""
    naming_convention: dict[str, str | None] | None = None
    complete: bool = False
    begun_at: str = ""
    autobegun: bool = False
    env_file: str = ""
    is_flask: bool = False
