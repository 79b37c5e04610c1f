"""The unsafe examples of the rules as revisions of Alembic, with their fixes."""

from collections.abc import Iterable
from pathlib import Path
from textwrap import indent
from typing import Any

from alembic.command import upgrade
from alembic.config import Config
from psycopg import Connection, Error
from sqlalchemy.exc import DBAPIError

from migsafe.rendering.op_calls import as_op_calls
from migsafe.schema.catalog import Catalog
from tests.fixes.fixed_examples import Fixed
from tests.rules.followed_helps import Example, run_migrations
from tests.rules.followed_scripts import DEFAULT_ENVIRONMENT, HEAD, SETTING
from tests.rules.runner_files import Kind, migrations_of

_FOOT = "\n\n\ndef downgrade():\n    raise NotImplementedError\n"


class FixedScripts(Fixed):
    """An unsafe example as revisions that each have a transaction of their own, and what `lint --fix --unsafe-fixes` makes of them."""

    def __init__(self, example: Example, folder: Path) -> None:
        self._calls = Catalog(example.pg_version)
        self._versions = folder / "versions"
        self._versions.mkdir()
        (folder / "env.py").write_text(DEFAULT_ENVIRONMENT.replace("connection=connection,", f"connection=connection, {SETTING},"))
        self._files: list[Path] = []
        files = self._write(example.history), self._write(example.unsafe)
        super().__init__(example, folder, files, runner=None, transaction=None)

    def _write(self, texts: Iterable[str]) -> set[str]:
        written = set()
        for text in texts:
            parent = self._files[-1].stem if self._files else None
            file = self._versions / f"{len(self._files) + 100}.py"
            body = indent(as_op_calls(text, self._calls).strip() or "pass", "    ")
            file.write_text(HEAD.format(file.stem, repr(parent)) + body + _FOOT)
            self._files.append(file)
            written.add(str(file))
        return written

    def prepare(self, connection: "Connection[Any]") -> None:
        """Applies the history, in an upgrade of its own."""
        if self.history:
            self._upgrade(connection, max(Path(path).stem for path in self.history))

    def run(self, connection: "Connection[Any]") -> str:
        """Writes and applies the fixed revisions, and runs the later steps; returns the error with which PostgreSQL refuses one."""
        self.fixes.write()
        try:
            self._upgrade(connection, "head")
        except (DBAPIError, Error) as error:
            return str(error)
        connection.execute("DROP TABLE alembic_version")
        return run_migrations(connection, [each for step in self.fixes.later for each in migrations_of(step.sql, Kind.PSQL)])

    def _upgrade(self, connection: "Connection[Any]", revision: str) -> None:
        config = Config()
        config.set_main_option("script_location", str(self._versions.parent))
        where = connection.info
        config.set_main_option("sqlalchemy.url", f"postgresql+psycopg://{where.user}@/{where.dbname}?host={where.host}&port={where.port}")
        upgrade(config, revision)
