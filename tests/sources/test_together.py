"""Migrations that a runner applies in one run, and whether they share its transaction."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from migsafe.linting.judge import judge
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.linting.rulebook import Rulebook, shipped_rules
from migsafe.linting.verdict import Verdict
from migsafe.prediction.history import SelectedMigration, selected_migrations
from migsafe.prediction.predictor import Predictor
from migsafe.rendering.renderer import Renderer
from migsafe.sources import Plan, Source, Transaction, find_migrations
from migsafe.sources.plain import PLAIN
from migsafe.sources.runner import MigrationFile
from migsafe.sql.operations import Operation
from migsafe.text import Script
from tests.support.compared import PastComparison

TOGETHER = replace(
    PLAIN,
    default_transaction=Transaction.FILE,
    read=lambda file: [
        replace(migration, up=replace(migration.up, transaction=Transaction.FILE), own_transaction_advice="commit after each")
        for migration in PLAIN.read(file)
    ],
)


def source(*scripts: str, selected: str = "", release: bool = True, transaction: Transaction | None = None) -> Source:
    """Returns a source whose runner applies all pending scripts in one transaction; `selected` has the letter s for each selected script."""
    files = [MigrationFile(str(number), Script(f"{number}.sql", sql)) for number, sql in enumerate(scripts, 1)]
    letters = selected or "s" * len(files)
    return Source("", TOGETHER, [(file, letter == "s") for file, letter in zip(files, letters, strict=True)], transaction, {}, release=release)


@rule(category="ours", severity=Severity.INFO)
def held_from_before(op: Operation, at: Context) -> Iterator[Finding]:
    shared = at.shared_transaction
    for relation, lock in sorted(at.held.items(), key=str):
        holder = shared.holder(relation) if shared else None
        yield at.finding(
            op, f"{lock} on {relation} since {holder.id if holder else 'here'}", help=shared.own_transaction_advice if shared else ""
        )


def verdict(*sources: Source) -> Verdict:
    return judge(selected_migrations(Plan(sources, (), {}), 17, Renderer()), Rulebook([held_from_before]), 17)


def findings(*sources: Source) -> list[tuple[str, str, str]]:
    return [(finding.migration, finding.message, finding.help) for finding in verdict(*sources).findings]


LOCKING = "ALTER TABLE orders ADD COLUMN note text"
INDEX = "CREATE INDEX ON items (sku)"


def test_the_locks_of_a_release_are_held_to_its_end() -> None:
    assert findings(source(LOCKING, INDEX, "SELECT 1")) == [
        ("2", "ACCESS EXCLUSIVE on public.orders since 1", "commit after each"),
        ("3", "SHARE on public.items since 2", "commit after each"),
        ("3", "ACCESS EXCLUSIVE on public.orders since 1", "commit after each"),
    ]


def test_migrations_of_a_whole_history_share_no_transaction() -> None:
    assert findings(source(LOCKING, INDEX, release=False)) == []


def test_a_migration_of_the_history_ends_the_shared_transaction() -> None:
    assert findings(source(LOCKING, "SELECT 1", INDEX, selected="s.s")) == []


def test_the_locks_of_one_history_are_not_held_in_the_next() -> None:
    assert findings(source(LOCKING), source(INDEX, "SELECT 1")) == [("2", "SHARE on public.items since 1", "commit after each")]


def test_a_commit_in_a_script_also_ends_the_transaction_for_the_next_migrations() -> None:
    assert findings(source(LOCKING, f"COMMIT; BEGIN; {INDEX}", "SELECT 1")) == [
        ("2", "ACCESS EXCLUSIVE on public.orders since 1", "commit after each"),
        ("3", "SHARE on public.items since 2", "commit after each"),
    ]


def test_a_table_that_the_same_transaction_created_is_new() -> None:
    index = [rule for rule in shipped_rules() if rule.name == "index-not-concurrent"]
    scripts = ("CREATE TABLE carts (id int)", "CREATE INDEX ON carts (id)")
    for release, expected in ((True, []), (False, ["index-not-concurrent"])):
        plan = Plan([source(*scripts, release=release)], (), {})
        assert [finding.rule for finding in judge(selected_migrations(plan, 17, Renderer()), Rulebook(index), 17).findings] == expected


def test_a_rollback_undoes_earlier_migrations_of_the_transaction() -> None:
    predictor = Predictor(17)
    for stop in selected_migrations(Plan([source("CREATE TABLE carts (id int)", "ROLLBACK")], (), {}), 17, Renderer()):
        assert isinstance(stop, SelectedMigration)
        predictor = stop.predictor
        list(predictor.predict_migration(stop.migration.up, transaction_continues=stop.transaction_continues))
    assert [relation.name.name for relation in predictor.catalog.relations_since(0)] == []


@pytest.mark.parametrize(
    ("paths", "release"), [(["1_a.sql", "2_b.sql"], True), (["."], False), (["1_a.sql", "."], False)], ids=["files", "folder", "both"]
)
def test_several_named_files_are_a_release(paths: list[str], release: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("1_a.sql", "2_b.sql"):
        Path(name).write_text("SELECT 1;")
    [history] = find_migrations(paths).sources
    assert history.release is release
    assert history.compared_with(PastComparison(".", {})).release


def test_a_configured_transaction_is_never_shared() -> None:
    assert findings(source(LOCKING, INDEX, transaction=Transaction.FILE)) == []
