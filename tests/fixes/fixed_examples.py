"""The unsafe examples of the rules as files of each kind of runner, with their fixes."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from psycopg import Connection

from migsafe.configuration import Configuration
from migsafe.fixes.edits import FileChange
from migsafe.library.fixes import Fixes, fix_plan
from migsafe.library.locks import PredictedMigration, predict_plan
from migsafe.library.prove import Locks
from migsafe.linting.finding import Finding
from migsafe.lock import LockMode
from migsafe.sources import Migration, Plan, Transaction, find_migrations
from migsafe.sql.operations import Name
from tests.rules.example_runs import SCHEMA
from tests.rules.followed_helps import ABOUT_BLOCKS, Example, run_migrations, sent_by
from tests.rules.runner_files import Kind, migrations_of
from tests.rules.test_examples import judging

_REFUSED = ("index-on-partitioned-concurrently", "concurrently-in-transaction")
"""Rules that are about statements that PostgreSQL refuses."""
_CHANGES = re.compile(r"\b(?:INSERT INTO|MERGE INTO|DELETE FROM|UPDATE (?!ON|OF|OR|CASCADE)\w)", re.IGNORECASE)
_BLOCK = re.compile(r"^(?:BEGIN|COMMIT);\n?", re.MULTILINE)


class Fixed:
    """The files of an unsafe example after a history, and what `lint --fix --unsafe-fixes` makes of them."""

    def __init__(
        self, example: Example, folder: Path, files: tuple[set[str], set[str]], *, runner: str | None, transaction: str | None
    ) -> None:
        self.example = example
        self.history, unsafe = files
        schema = folder.with_name(f"{folder.name}.schema")
        schema.write_text(f"{SCHEMA}\n{example.setup}")
        self.settings = Configuration(
            runner=runner,
            transaction=transaction,  # type: ignore[arg-type]  # one of the words that it has
            pg_version=example.pg_version,
            schema=str(schema),
            select=tuple(rule.name for rule in judging(example.rule)),
            lock_timeout=None if example.rule.category == "timeouts" else "2s",
        )
        self.plan = find_migrations(sorted(unsafe), self.settings.sources)
        self.fixes = self._fixes(self.plan)

    def _fixes(self, plan: Plan) -> Fixes:
        return fix_plan(plan, self.settings, unsafe=True, wanted=lambda finding: finding.script.path not in self.history)

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

    def lost_changes(self) -> Counter[str]:
        """Returns the words of changes of rows that the fixed migrations, and the later steps, have less often than the unsafe ones."""
        later = "\n".join(step.sql for step in self.fixes.later)
        return _changes_in(self._sql(self.plan)) - _changes_in(f"{self._sql(self.edited)}\n{later}")

    def _sql(self, plan: Plan) -> str:
        return "\n".join(each.migration.up.script.text for each in self._predicted(plan))

    def stronger_locks(self) -> list[str]:
        """Returns the relations that the fixed migrations lock more, or longer, than the unsafe ones, as predicted; none if PostgreSQL refuses
        the unsafe ones."""
        before, after = self._predicted(self.plan), self._predicted(self.edited)
        if self.example.rule.name in _REFUSED or any(each.refused for migration in before for each in migration.statements):
            return []
        unsafe = _locks(before)
        return [
            f"{name}: {lock}; before: {unsafe.get(name)}"
            for name, lock in _locks(after).items()
            if lock.is_stronger_than(unsafe.get(name, Locks()))
        ]

    def _predicted(self, plan: Plan) -> list[PredictedMigration]:
        predicted = predict_plan(plan, self.settings).migrations
        return [each for each in predicted if each.migration.up.file.path not in self.history]


class FixedExample(Fixed):
    """An unsafe example as the users of a kind of runner have it."""

    def __init__(self, example: Example, kind: Kind, folder: Path) -> None:
        self._kind = kind
        self._folder = folder
        (folder / ".git").mkdir()  # a repository's files belong to no project around it
        in_block = kind.wraps and example.rule.name not in ABOUT_BLOCKS
        history = self._write(example.history, 1)
        unsafe = self._write([_BLOCK.sub("", text) for text in example.unsafe] if in_block else example.unsafe, 2)
        is_plain = kind is Kind.PSQL
        super().__init__(
            example, folder, (history, unsafe), runner=None if is_plain else kind.value[0], transaction="statement" if is_plain else None
        )

    def _write(self, texts: Iterable[str], part: int) -> set[str]:
        """Writes the files of migrations, and returns their paths."""
        paths = set()
        for number, text in enumerate(texts):
            for migration in migrations_of(text, self._kind, 100 * part + number):
                path = self._folder / migration.up.file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(migration.up.file.text)
                if self._kind is Kind.FLYWAY and migration.up.transaction is not Transaction.FILE:
                    path.with_name(f"{path.name}.conf").write_text("executeInTransaction=false\n")
                paths.add(str(path))
        if self._kind is Kind.FLYWAY:
            (self._folder / "flyway.conf").write_text("flyway.postgresql.transactional.lock=false\n")
        return paths

    def prepare(self, connection: "Connection[Any]") -> None:
        """Runs the history."""
        run_migrations(
            connection, [each for number, text in enumerate(self.example.history) for each in migrations_of(text, Kind.PSQL, number)]
        )

    def run(self, connection: "Connection[Any]") -> str:
        """Runs the fixed migrations and the later steps; returns the error with which PostgreSQL refuses one."""
        later = [each for step in self.fixes.later for each in migrations_of(step.sql, Kind.PSQL)]
        return run_migrations(connection, [*self._fixed(), *later])

    def end_key(self) -> object:
        """Returns what the files and the later steps send, by which equal ways are known."""
        return (*map(sent_by, self._fixed()), *(step.sql for step in self.fixes.later))

    def _fixed(self) -> list[Migration]:
        return [each.migration for each in self._predicted(self.edited)]


def _changes_in(sql: str) -> Counter[str]:
    return Counter(match[0].upper() for match in _CHANGES.finditer(sql))


def _locks(migrations: Iterable[PredictedMigration]) -> dict[Name, Locks]:
    """Returns the blocking locks on each relation that existed before its migration: also those that the transaction holds while a later
    statement takes a time that grows with a table."""
    found: dict[Name, Locks] = {}
    for migration in migrations:
        held: dict[tuple[int | None, Name], LockMode] = {}
        for statement in migration.statements:
            old = [effect for effect in statement.effects if not effect.new]
            for effect in old:
                if effect.blocks:
                    place = statement.transaction, effect.relation
                    held[place] = max(effect.lock, held.get(place, effect.lock))
                    found[effect.relation] = found.get(effect.relation, Locks()).with_lock(effect.lock, grows=False)
            if any(effect.scan or effect.rewrite or effect.rebuilt for effect in old):
                for (transaction, relation), lock in held.items():
                    if transaction == statement.transaction:
                        found[relation] = found[relation].with_lock(lock, grows=True)
    return found
