"""Revisions that a test writes, and the edits of safe ways that it chooses."""

from pathlib import Path
from textwrap import dedent, indent

from migsafe.fixes.alembic import edit_scripts
from migsafe.fixes.edits import ChosenFix, Edits, FixedMigration
from migsafe.fixes.way import read_way
from migsafe.linting.finding import Finding, Severity
from migsafe.prediction.predictor import Predictor
from migsafe.rendering.renderer import Renderer
from migsafe.sources import Migration, Source, find_migrations
from migsafe.sql.statements import Statement, read
from migsafe.text import Span
from tests.rules.followed_scripts import DEFAULT_ENVIRONMENT

OWN_TRANSACTIONS = DEFAULT_ENVIRONMENT.replace("connection=connection,", "connection=connection, transaction_per_migration=True,")

TABLES = '''
"""create tables"""
from alembic import op

revision = "aaaaaaaaaaaa"
down_revision = None


def upgrade():
    op.execute("CREATE TABLE customers (id bigint PRIMARY KEY)")
    op.execute("CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint, note text)")


def downgrade():
    op.execute("DROP TABLE orders")
    op.execute("DROP TABLE customers")
'''
HEAD = '''"""change orders

Revision ID: bbbbbbbbbbbb
Revises: aaaaaaaaaaaa
Create Date: 2026-01-02 10:00:00.123456

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'bbbbbbbbbbbb'
down_revision = 'aaaaaaaaaaaa'
'''


class Project:
    """A history of revisions in a folder: one that creates tables, and those that a test adds."""

    def __init__(self, folder: Path, renderer: Renderer, environment: str = DEFAULT_ENVIRONMENT) -> None:
        self.folder = folder
        self.versions = folder / "versions"
        self._renderer = renderer
        self.versions.mkdir()
        (folder / "env.py").write_text(environment)
        self.add("aaaaaaaaaaaa.py", TABLES)

    def add(self, name: str, text: str) -> Path:
        """Writes a revision."""
        path = self.versions / name
        path.write_text(text.lstrip())
        return path

    def add_change(self, upgrade: str, downgrade: str = "pass", *, head: str = HEAD) -> Path:
        """Writes the revision after the tables, with the bodies of its functions."""
        functions = (
            f"\n\ndef {name}():\n{indent(dedent(body).strip(), '    ')}\n" for name, body in (("upgrade", upgrade), ("downgrade", downgrade))
        )
        return self.add("bbbbbbbbbbbb_change.py", head + "".join(functions))

    def edit(self, path: Path, ways: dict[str, str]) -> Edits:
        """Returns the edits of a revision for the safe ways of its statements, each named by a part of its SQL."""
        source, migration, predictor = self._rendered(path)
        file = next(file for file in source.files if file.up.path == str(path))
        statements = list(read(migration.up.script.text, migration.up.chunks))
        chosen = []
        for part, text in ways.items():
            statement = next(each for each in statements if part in migration.up.script.text[slice(*each.span)])
            way = read_way(dedent(text).strip())
            assert way is not None
            chosen.append(ChosenFix(_finding(part, migration, statement), way, statement))
        return edit_scripts(FixedMigration(migration, file, source), chosen, predictor.catalog)

    def change(self, upgrade: str, ways: dict[str, str], downgrade: str = "pass") -> tuple[str, Edits]:
        """Returns the text of the edited revision after its header, and all edits."""
        path = self.add_change(upgrade, downgrade)
        edits = self.edit(path, ways)
        text = next((change.after for change in edits.changes if change.path == str(path)), path.read_text())
        return text.removeprefix(HEAD).strip(), edits

    def _rendered(self, path: Path) -> tuple[Source, Migration, Predictor]:
        predictor = Predictor(17)
        (source,) = find_migrations([str(self.versions)]).sources
        for step in source.steps():
            migration = self._renderer.render_down(self._renderer.render_migration(step.migration, predictor), predictor)
            if migration.up.file.path == str(path):
                return source, migration, predictor
            predictor.apply(migration.up)
        raise AssertionError(path)


def _finding(subject: str, migration: Migration, statement: Statement) -> Finding:
    return Finding(
        rule="a-rule",
        category="locking",
        severity=Severity.ERROR,
        message="",
        help="",
        script=migration.up.file,
        span=Span(0, 0),
        migration=migration.id,
        statement=statement.index,
        subject=subject,
    )


def upgrade_of(text: str) -> str:
    """Returns the body of upgrade() in the text of functions."""
    return dedent(text.partition("def upgrade():\n")[2].partition("\n\n\ndef ")[0]).strip()


def downgrade_of(text: str) -> str:
    """Returns the body of downgrade() in the text of functions."""
    return dedent(text.partition("def downgrade():\n")[2]).strip()


def write(edits: Edits) -> None:
    """Writes the changed files."""
    for change in edits.changes:
        Path(change.path).write_text(change.after)
