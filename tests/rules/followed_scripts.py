"""The unsafe examples of the rules as revisions under Alembic's default env.py, and the revisions that the author writes by the helps."""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from textwrap import indent

import alembic
from alembic.command import upgrade
from alembic.config import Config
from psycopg import Connection, Error
from sqlalchemy.exc import DBAPIError

from migsafe.fixes.way import read_way
from migsafe.linting.finding import Finding
from migsafe.linting.judge import judge
from migsafe.linting.rule import Limits, Rule
from migsafe.linting.rulebook import Rulebook
from migsafe.prediction.history import selected_migrations
from migsafe.rendering.op_calls import as_op_calls
from migsafe.rendering.renderer import Renderer
from migsafe.schema.catalog import Catalog
from migsafe.sources import find_migrations
from migsafe.text import Script
from tests.rules.example_runs import SCHEMA
from tests.rules.followed_helps import LAST, NEW_DEPLOYMENT, NEW_MIGRATION, Example, help_of, is_applicable, statements_of, with_help
from tests.rules.test_examples import judging

DEFAULT_ENVIRONMENT = (Path(alembic.__file__).parent / "templates" / "generic" / "env.py").read_text()
SETTING = "transaction_per_migration=True"
HEAD = 'import sqlalchemy as sa\nfrom alembic import op\n\nrevision = "{}"\ndown_revision = {}\n\n\ndef upgrade():\n'
FOOT = "\n\n\ndef downgrade():\n    op.execute('SELECT 1')\n"


class OpenRenderer(Renderer):
    """A renderer whose worker process serves several plans."""

    def __exit__(self, *_: object) -> None:
        pass


class FollowedScripts:
    """An unsafe example as revisions, and those that the author writes by the helps of their findings."""

    def __init__(self, example: Example, folder: Path, renderer: Renderer) -> None:
        self.example = example
        self._renderer = renderer
        self._folder = folder
        self._versions = folder / "versions"
        self._versions.mkdir(parents=True)
        (folder / "env.py").write_text(DEFAULT_ENVIRONMENT)
        self._history = self._write([self._calls(text) for text in example.history], None)
        unsafe = [[self._calls(own) for _, own in statements_of(text)] for text in example.unsafe]
        files = self._write(["\n".join(calls) for calls in unsafe], self._history)
        found = self._findings(files, [example.rule])
        helps = [
            self._helps(calls, [each for each in found if each.script.path == str(file)]) for calls, file in zip(unsafe, files, strict=True)
        ]
        self.has_help = any(helps)
        for file in files:
            file.unlink()
        if any(SETTING in help_ for each in helps for help_ in each.values()):
            (folder / "env.py").write_text(DEFAULT_ENVIRONMENT.replace("connection=connection,", f"connection=connection, {SETTING},"))
        texts = "\n# next revision\n".join(_followed(calls, own) for calls, own in zip(unsafe, helps, strict=True))
        bodies = [body for body in NEW_MIGRATION.split(texts) if "op." in body]
        self.safe = self._write(bodies, self._history)
        later = [number for number, body in enumerate(bodies) if number and NEW_DEPLOYMENT.match(body)]
        self._deployments = [self.safe[start:end] for start, end in pairwise([0, *later, len(bodies)])]

    @property
    def text(self) -> str:
        """Returns the revisions that the author writes."""
        return "\n".join(file.read_text() for file in self.safe)

    def remaining(self) -> list[Finding]:
        """Returns the findings of all rules in the revisions that the author writes."""
        rules = judging(self.example.rule)
        return [finding for deployment in self._deployments for finding in self._findings(deployment, rules)]

    def prepare(self, connection: "Connection[tuple[object, ...]]") -> None:
        """Applies the history, in an upgrade of its own."""
        if self._history:
            self._upgrade(connection, self._history[-1])

    def run(self, connection: "Connection[tuple[object, ...]]") -> str:
        """Applies what the author writes, in one upgrade for each deployment; returns the error with which PostgreSQL refuses it."""
        try:
            for deployment in self._deployments:
                self._upgrade(connection, deployment[-1])
        except (DBAPIError, Error) as error:
            return str(error)
        connection.execute("DROP TABLE alembic_version")
        return ""

    def _upgrade(self, connection: "Connection[tuple[object, ...]]", revision: Path) -> None:
        config = Config()
        config.set_main_option("script_location", str(self._folder))
        where = connection.info
        config.set_main_option("sqlalchemy.url", f"postgresql+psycopg://{where.user}@/{where.dbname}?host={where.host}&port={where.port}")
        upgrade(config, revision.stem)

    def _calls(self, sql: str) -> str:
        return as_op_calls(sql, Catalog(self.example.pg_version))

    def _write(self, bodies: Iterable[str], before: list[Path] | None) -> list[Path]:
        """Writes revisions that follow others."""
        files: list[Path] = []
        part = 1 if before is None else 2
        for number, body in enumerate(bodies):
            parent = (files or before or [None])[-1]
            head = HEAD.format(f"{part}{number:02}", repr(parent.stem) if parent is not None else None)
            file = self._versions / f"{part}{number:02}.py"
            file.write_text(f"{head}{indent(body.strip() or 'pass', '    ')}{FOOT}")
            files.append(file)
        return files

    def _findings(self, files: list[Path], rules: list[Rule]) -> list[Finding]:
        limits = Limits() if self.example.rule.category == "timeouts" else Limits(lock_timeout=2000)
        plan = find_migrations([str(file) for file in files])
        schema = Script("schema.sql", f"{SCHEMA}\n{self.example.setup}")
        selected = selected_migrations(plan, self.example.pg_version, self._renderer, schema=schema)
        findings = judge(selected, Rulebook(rules), self.example.pg_version, limits=limits).findings
        for finding in findings:
            finding.script.position(0)  # it reads the file, which will be replaced
        return findings

    def _helps(self, calls: list[str], findings: list[Finding]) -> dict[int, str]:
        """Returns the helps that the author follows, by the number of the flagged statement."""
        helps = {}
        for finding in findings:
            if is_applicable(finding.help) and read_way(finding.fix) is None:
                text = finding.script.text
                starts = [text.index(indent(call.strip(), "    ")) for call in calls if call]
                number = sum(start <= finding.span.start for start in starts) - 1
                helps[[position for position, call in enumerate(calls) if call][number]] = help_of(finding)
        return helps


def _followed(calls: list[str], helps: dict[int, str]) -> str:
    pasted = "\n".join(helps.values())
    parts, last = [], []
    for number, call in enumerate(calls):
        help_ = helps.get(number)
        if help_ is None:
            parts += [] if call.strip() in pasted else [call]
        elif LAST.search(help_):
            parts.append(call)
            last.append(help_)
        else:
            parts.append(with_help(help_, call))
    return "\n".join([*parts, *last])
