"""The safe way of every finding, pasted into migrations, is not reported by the rule that gives it: as SQL, and as an Alembic script."""

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent, indent

import pytest

from migsafe.linting.finding import Finding
from migsafe.linting.judge import judge
from migsafe.linting.rule import Limits, Rule
from migsafe.linting.rulebook import Rulebook
from migsafe.prediction.history import selected_migrations
from migsafe.rendering.op_calls import as_op_calls
from migsafe.rendering.renderer import Renderer
from migsafe.schema.catalog import Catalog
from migsafe.sources import SourceSettings, find_migrations
from migsafe.sql.statements import read
from tests.rules.example_runs import SCHEMA
from tests.rules.test_examples import examples, name
from tests.support.linted import NAMED_SCRIPT, NEXT_MIGRATION, judge_sql

SPLIT = re.compile(r"^-- next migration\n|^(?=-- (?:when .*in a separate migration|deploy a release .*|then deploy .*):?\n)", re.MULTILINE)
"""Where the help says that another migration begins."""
SAME_AGAIN = frozenset(
    (
        *("lock-timeout-missing", "statement-timeout-missing", "lock-timeout-too-long"),
        *("lock-timeout-on-concurrent", "statement-timeout-on-concurrent"),
    )
)
"""Rules whose help is a setting that goes before the statement."""


ENVIRONMENT = """
from alembic import context

with context.config.attributes["engine"].connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
"""Safe ways of several migrations say first that each needs its own transaction."""


class OpenRenderer(Renderer):
    """A renderer whose worker process serves several plans."""

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def renderer() -> Iterator[OpenRenderer]:
    renderer = OpenRenderer()
    yield renderer
    renderer.close()


def advice() -> list[object]:
    """Returns each rule with the history before its unsafe examples, and the example."""
    return [case for case in examples("Unsafe") if not NAMED_SCRIPT.match(str(case.values[1]))]


def pasted(finding: Finding) -> list[str]:
    """Returns the migrations that a safe way consists of; none if it has no statements, or a name to replace."""
    if "-- replace " in finding.help:
        return []
    pieces = [piece for piece in SPLIT.split(finding.help) if piece.strip()]
    return pieces if any(list(read(piece)) for piece in pieces) else []


def found(sql: str, rule: Rule, pg_version: int) -> list[Finding]:
    limits = Limits() if rule.category == "timeouts" else None
    return [finding for finding in judge_sql(sql, [rule], limits=limits, pg_version=pg_version).findings if finding.help]


@pytest.mark.parametrize("schema", ["", SCHEMA + "\n-- next migration\n"], ids=["unknown", "known"])
@pytest.mark.parametrize(("rule", "sql", "pg_version"), advice(), ids=name)
def test_the_sql_of_a_safe_way_is_safe(rule: Rule, sql: str, pg_version: int, schema: str) -> None:
    before = schema + history_of(sql)
    for finding in found(schema + dedent(sql), rule, pg_version):
        migrations = pasted(finding)
        if not migrations or rule.name in SAME_AGAIN:
            continue
        text = "\n-- next migration\n".join((before, *migrations))
        known = NEXT_MIGRATION.split(dedent(text))[: -len(migrations)]
        assert [(other.rule, other.message) for other in found(text, rule, pg_version) if other.script.text not in known] == [], migrations


@pytest.mark.process
@pytest.mark.parametrize(("rule", "sql", "pg_version"), advice(), ids=name)
def test_the_script_of_a_safe_way_is_safe(rule: Rule, sql: str, pg_version: int, tmp_path: Path, renderer: "OpenRenderer") -> None:
    before = history_of(sql)
    for number, finding in enumerate(found(sql, rule, pg_version)):
        migrations = pasted(finding)
        if not migrations or rule.name in SAME_AGAIN:
            continue
        folder = tmp_path / str(number) / "versions"
        folder.mkdir(parents=True)
        (folder.parent / "env.py").write_text(ENVIRONMENT)
        scripts = [as_op_calls(text, Catalog(17)) for text in migrations]
        for position, script in enumerate((f"op.execute({before!r})", *scripts)):
            (folder / f"{position}.py").write_text(revision(position, script))
        settings = SourceSettings()
        selected = selected_migrations(find_migrations([str(folder)], settings), 17, renderer)
        findings = judge(selected, Rulebook([rule]), 17, limits=Limits(lock_timeout=2000)).findings
        reported = [(other.rule, other.message) for other in findings if Path(other.script.path).name != "0.py"]
        assert reported == [], "\n\n".join(scripts)


def history_of(sql: str) -> str:
    """Returns the migrations before the last one of an example."""
    return "\n-- next migration\n".join(NEXT_MIGRATION.split(dedent(sql))[:-1])


def revision(number: int, script: str) -> str:
    parent = None if number == 0 else f"{number - 1}"
    return (
        "import sqlalchemy as sa\nfrom alembic import op\n\n"
        f"revision = {str(number)!r}\ndown_revision = {parent!r}\n\n\n"
        f"def upgrade():\n{indent(script, '    ')}\n    op.get_context()\n\n\ndef downgrade():\n    op.execute('SELECT 1')\n"
    )
