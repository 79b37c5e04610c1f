"""Judges SQL that a test contains."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent

from migsafe.errors import MigsafeError
from migsafe.linting.judge import judge
from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.linting.rule import Limits, Rule
from migsafe.linting.rulebook import Rulebook, choose_rules, shipped_rules
from migsafe.linting.verdict import Verdict
from migsafe.prediction.history import HistoryEnd, SelectedMigration, selected_migrations
from migsafe.prediction.predictor import Predictor
from migsafe.rendering.renderer import Renderer
from migsafe.sources import Half, Lineage, Migration, MigrationReference, Transaction, find_migrations
from migsafe.sources.runner import version_of
from migsafe.text import Script, Span
from tests.support.compared import HEADING, judge_compared
from tests.support.queries import has_queries, split_queries

NAMED = re.compile(r"\s*-- (\S+\.sql)\n")
NEXT_MIGRATION = re.compile(r"^\s*(?:--|#) next migration\n", re.MULTILINE)
NAMED_FOR_FLYWAY = re.compile(r"\s*-- (V\d+__\w+\.sql)\n")
NAMED_SCRIPT = re.compile(r"\s*# (\S+\.py)\n")


EXAMPLES_SCHEMA = Script(
    "examples_schema.sql", (Path(__file__).parents[1] / "rules" / "examples_schema.sql").read_text().split("-- variant")[0]
)
ABOUT_EVERYTHING = ("timeouts", "idempotency", "design")


def usual_rules() -> list[Rule]:
    """Returns the rules for tests that are not about rules, without the categories that report something in nearly every script."""
    return [rule for rule in choose_rules(shipped_rules()) if rule.category not in ABOUT_EVERYTHING]


def migration(sql: str, path: str = "0001_change.sql", runner: str = "plain") -> Migration:
    """Returns one migration with this SQL, in a transaction unless the runner opens none."""
    script = Script(path, sql)
    transaction = Transaction.STATEMENT if runner == "plain" else Transaction.FILE
    return Migration("0001", runner, Half(script, (Span(0, len(script.text)),), transaction))


def as_history(migrations: Iterable[Migration], pg_version: int = 17) -> list[SelectedMigration]:
    """Returns the migrations as one history, each of them to be judged."""
    predictor = Predictor(pg_version)
    return [SelectedMigration(migration, predictor) for migration in migrations]


def with_duplicates(selected_list: Iterable[SelectedMigration]) -> Iterator[SelectedMigration]:
    """Yields the migrations. One that begins with a comment with its file name has the version in that name, which may be a duplicate."""
    versions: dict[str, str] = {}
    for selected in selected_list:
        named = NAMED.match(selected.migration.up.script.text)
        first = versions.setdefault(version_of(named[1]), named[1]) if named else None
        duplicate = MigrationReference(version_of(named[1]), first) if named and first and first != named[1] else None
        yield selected._replace(lineage=Lineage(duplicate=duplicate)) if duplicate else selected


def judge_sql(
    sql: str,
    rules: list[Rule] | None = None,
    path: str = "0001_change.sql",
    runner: str = "plain",
    limits: Limits | None = None,
    pg_version: int = 17,
) -> Verdict:
    """Returns the verdict on SQL as one migration, or as several, separated by `-- next migration`. SQL that begins with the name of a script,
    as in `# 5b1_order_notes.py`, is a sequence of Alembic revisions; a name such as `-- V2__order_notes.sql` makes it one of Flyway's. A
    lock_timeout of 2 s is in effect unless `limits` are given, because nearly every statement is reported without one."""
    if has_queries(dedent(sql)):
        return judge_with_queries(sql, rules, limits)
    pieces = NEXT_MIGRATION.split(dedent(sql))
    if NAMED_SCRIPT.match(pieces[0]):
        return _judge_files(pieces, NAMED_SCRIPT, rules, limits or Limits(lock_timeout=2000))
    if NAMED_FOR_FLYWAY.match(pieces[0]):
        return _judge_files(pieces, NAMED_FOR_FLYWAY, rules, limits or Limits(lock_timeout=2000))
    if HEADING.match(dedent(sql)):
        return judge_compared(dedent(sql), usual_rules() if rules is None else rules)
    migrations = [migration(piece, path, runner) for piece in pieces]
    limits = limits or Limits(lock_timeout=2000)
    history = with_duplicates(as_history(migrations, pg_version))
    return judge(history, Rulebook(usual_rules() if rules is None else rules), pg_version, limits=limits)


def judge_with_queries(sql: str, rules: list[Rule] | None = None, limits: Limits | None = None, *, complete: bool = False) -> Verdict:
    """Returns the verdict on SQL with queries at its end, on the database that the examples of the rules expect."""
    text = split_queries(dedent(sql), complete=complete)
    predictor = Predictor(17)
    predictor.load(EXAMPLES_SCHEMA)
    migrations = [migration(piece) for piece in NEXT_MIGRATION.split(text.sql)]
    selected: list[SelectedMigration | HistoryEnd | MigsafeError] = [
        *(SelectedMigration(each, predictor) for each in migrations),
        HistoryEnd(migrations[-1], predictor),
    ]
    rulebook = Rulebook(usual_rules() if rules is None else rules)
    return judge(selected, rulebook, 17, limits=limits or Limits(lock_timeout=2000), queries=ProjectQueries(text.workload))


def _judge_files(pieces: list[str], name: re.Pattern[str], rules: list[Rule] | None, limits: Limits) -> Verdict:
    """Returns the verdict on the files of a project, each of which begins with its name."""
    with TemporaryDirectory() as folder:
        for piece in pieces:
            named = name.match(piece)
            assert named is not None
            Path(folder, named[1]).write_text(piece)
        plan = find_migrations([folder])
        selected = selected_migrations(plan, 17, Renderer(), with_downgrades=True)
        verdict = judge(selected, Rulebook(usual_rules() if rules is None else rules), 17, limits=limits)
        for finding in verdict.findings:
            finding.script.position(0)  # reports read the file, which will be deleted
    return verdict


def reported_rules(sql: str, limits: Limits | None = None) -> list[str]:
    """Returns the names of the rules that report something in this SQL, in the order of reports."""
    return [finding.rule for finding in judge_sql(sql, limits=limits).findings]
