"""The `sql` module of psycopg2 (https://www.psycopg.org/docs/sql.html)."""

from types import SimpleNamespace

from migsafe.rendering.worker.composed_sql import NAMES
from migsafe.rendering.worker.plugins.plugin import Plugin

PLUGIN = Plugin(packages=("psycopg2", "psycopg2cffi"), names={**NAMES, "sql": SimpleNamespace(**NAMES)})
