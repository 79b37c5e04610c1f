"""The unsafe examples of the rules as files of each kind of runner, with their fixes."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from psycopg import Connection

from migsafe.configuration import Configuration
from migsafe.fixes.edits import FileChange
from migsafe.library.fix import Fixes, fix_plan
from migsafe.linting.finding import Finding
from migsafe.prediction.history import SelectedMigration, selected_migrations
from migsafe.rendering.renderer import Renderer
from migsafe.sources import Migration, Plan, find_migrations
from migsafe.text import Script
from tests.rules.example_runs import SCHEMA
from tests.rules.followed_helps import ABOUT_BLOCKS, Example, run_migrations
from tests.rules.runner_files import Kind, migrations_of
from tests.rules.test_examples import judging

_BLOCK = re.compile(r"^(?:BEGIN|COMMIT);\n?", re.MULTILINE)


class FixedExample:
    """An unsafe example as the users of a kind of runner have it, and what `lint --fix --unsafe-fixes` makes of it."""

    def __init__(self, example: Example, kind: Kind, folder: Path) -> None:
        self.example = example
        self._kind = kind
        self._folder = folder
        schema = folder.parent / "schema.sql"
        schema.write_text(f"{SCHEMA}\n{example.setup}")
        in_block = kind.wraps and example.rule.name not in ABOUT_BLOCKS
        unsafe = [_BLOCK.sub("", text) for text in example.unsafe] if in_block else example.unsafe
        self._history = self._write(example.history, 1)
        self._unsafe = self._write(unsafe, 2)
        self.settings = Configuration(
            runner=None if kind is Kind.PSQL else kind.value[0],
            transaction="statement" if kind is Kind.PSQL else None,
            pg_version=example.pg_version,
            schema=str(schema),
            select=tuple(rule.name for rule in judging(example.rule)),
            lock_timeout=None if example.rule.category == "timeouts" else "2s",
        )
        self.plan = find_migrations([str(folder)], self.settings.sources)
        self.fixes = self._fixes(self.plan)

    def _write(self, texts: Iterable[str], part: int) -> set[str]:
        """Writes the files of migrations, and returns their paths."""
        paths = set()
        for number, text in enumerate(texts):
            for migration in migrations_of(text, self._kind, 100 * part + number):
                script = migration.up.file
                path = self._folder / script.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(script.text)
                if self._kind is Kind.FLYWAY and migration.up.transaction is not migration.up.transaction.FILE:
                    path.with_name(f"{path.name}.conf").write_text("executeInTransaction=false\n")
                paths.add(str(path))
        if self._kind is Kind.FLYWAY:
            (self._folder / "flyway.conf").write_text("flyway.postgresql.transactional.lock=false\n")
        return paths

    def _fixes(self, plan: Plan) -> Fixes:
        return fix_plan(plan, self.settings, unsafe=True, wanted=lambda finding: finding.script.path not in self._history)

    @property
    def edited(self) -> Plan:
        """The migrations with the fixes."""
        return self.plan.edited(self.fixes.scripts)

    def again(self) -> tuple[FileChange, ...]:
        """Returns what a second run changes."""
        return self._fixes(self.edited).changes

    @property
    def reported(self) -> list[Finding]:
        """The findings of the rule before the fixes."""
        return [finding for finding in self.fixes.before.findings if finding.rule == self.example.rule.name]

    @property
    def remaining(self) -> list[Finding]:
        """The findings of the rule after the fixes, in the migrations that they concern."""
        return [finding for finding in self.fixes.verdict.findings if finding.rule == self.example.rule.name]

    @property
    def text(self) -> str:
        """Returns the files that change."""
        return "\n".join(f"-- {change.path}\n{change.after}" for change in self.fixes.changes)

    def prepare(self, connection: "Connection[Any]") -> None:
        """Runs the history."""
        run_migrations(connection, [each for each in self._migrations() if each.up.file.path in self._history])

    def run(self, connection: "Connection[Any]") -> str:
        """Runs the fixed migrations and the later steps; returns the error with which PostgreSQL refuses one."""
        fixed = [each for each in self._migrations() if each.up.file.path not in self._history]
        later = [each for step in self.fixes.later for each in migrations_of(step.sql, Kind.PSQL)]
        return run_migrations(connection, [*fixed, *later])

    def _migrations(self) -> list[Migration]:
        return [each.migration for each in self.selected()]

    def selected(self) -> list[SelectedMigration]:
        """Returns the fixed migrations."""
        with Renderer() as renderer:
            found = selected_migrations(self.edited, self.example.pg_version, renderer, schema=Script(str(self.settings.schema)))
            return [each for each in found if isinstance(each, SelectedMigration)]
