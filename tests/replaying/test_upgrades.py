"""Alembic's revisions are replayed in the transactions that env.py configures."""

from collections.abc import Callable
from pathlib import Path

import pytest

from migsafe import Budgets, Configuration, Replay, ReplayOptions
from migsafe.errors import ConfigError
from migsafe.library.plan import find_plan
from migsafe.library.replay import replay_plan
from migsafe.replaying.replay import ReplayedMigration
from migsafe.replaying.seeding import same_for_every_table
from migsafe.replaying.servers.private import PrivateHost
from migsafe.replaying.upgrades import combined
from migsafe.session import sent_statements
from migsafe.sources import Half, Transaction
from migsafe.sql import operations as sql
from migsafe.text import Script, Span

pytestmark = [pytest.mark.server, pytest.mark.process]

ENV = """
from alembic import context
from sqlalchemy import create_engine
engine = create_engine("postgresql://localhost/shop", connect_args={{"options": "-c lock_timeout=3s"}})
with engine.connect() as connection:
    context.configure(connection=connection, {})
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = """
import sqlalchemy as sa
from alembic import op
revision = {!r}
down_revision = {!r}
def upgrade():
{}
def downgrade():
{}
"""
TABLES = (
    "op.create_table('orders', sa.Column('id', sa.Integer, primary_key=True), sa.Column('note', sa.Text))",
    "op.create_table('items', sa.Column('id', sa.Integer, primary_key=True), sa.Column('orders', sa.Integer))",
)
ADD = ("op.add_column('orders', sa.Column('amount', sa.Integer))",)
WORK = ("op.execute('UPDATE orders SET amount = 1')", "op.execute('SELECT pg_sleep(0.3)')")
INDEX = ("op.create_index('items_orders', 'items', ['orders'])",)
FAILS = ("op.add_column('orders', sa.Column('tax', sa.Integer))", "op.add_column('invoices', sa.Column('tax', sa.Integer))")
AUTOCOMMIT = ("with op.get_context().autocommit_block():", "    op.create_index('o', 'orders', ['note'], postgresql_concurrently=True)")
NOT_LOCKED = (
    "op.execute(\"DO $$ BEGIN ASSERT NOT EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'AccessExclusiveLock'); END $$\")"
)
PER_MIGRATION = "transaction_per_migration=True"

Run = Callable[..., Replay]


@pytest.fixture
def run(host: PrivateHost, tmp_path: Path) -> Run:
    """Writes revisions, of which the first is the history, and replays the others as one upgrade."""

    def replay(*revisions: tuple[str, ...], options: str = "", down: dict[int, str] | None = None, upgrade_from: str | None = None) -> Replay:
        (tmp_path / "alembic.ini").write_text(f"[alembic]\nscript_location = {tmp_path}\n")
        (tmp_path / "env.py").write_text(ENV.format(options))
        (tmp_path / "versions").mkdir()
        paths = []
        for number, lines in enumerate((TABLES, *revisions)):
            up = "".join(f"    {line}\n" for line in lines)
            parent = f"r{number - 1}" if number else None
            paths.append(tmp_path / "versions" / f"r{number}.py")
            paths[-1].write_text(REVISION.format(f"r{number}", parent, up, f"    {(down or {}).get(number, 'pass')}"))
        named = [str(path) for path in paths[1:]] if upgrade_from is None else [str(tmp_path)]
        plan = find_plan(named, Configuration(), "replay", upgrade_from=upgrade_from)
        return replay_plan(plan, host, ReplayOptions(rows=same_for_every_table(200)), Budgets())

    return replay


def held(replayed: ReplayedMigration, relation: str) -> float:
    """Returns for how many milliseconds a migration held its lock on a relation."""
    measured = (measured for record in replayed.recording.statements for measured in record.measured_effects)
    return next(each.held_ms for each in measured if each.effect.relation.name == relation)


def test_an_upgrade_is_one_transaction(run: Run) -> None:
    done = run(ADD, WORK, INDEX, down={1: "op.drop_column('orders', 'amount')", 3: "op.drop_index('items_orders')"})
    assert (done.verdict.problems, [each.recording.failure for each in done.replayed]) == ([], [None] * 3)
    first, work, index = done.replayed
    assert held(first, "orders") - held(index, "items") > 300
    assert [record.statement.index for record in work.recording.statements] == [1, 2]
    assert any("3 revisions" in note and "in one transaction" in note for note in done.notes)
    for each in done.replayed:
        answers = {outcome.experiment: outcome.passed for outcome in each.outcomes}
        assert (answers["agreement"], answers["crash"]) == (True, True)
    assert [outcome.passed for outcome in first.outcomes if outcome.experiment == "round trip"] == [True]


def test_the_lock_of_a_revision_is_held_in_the_next_one(run: Run) -> None:
    failure = run(ADD, (NOT_LOCKED,)).replayed[1].recording.failure
    assert failure is not None
    assert failure.message == "assertion failed"


@pytest.mark.parametrize(("version", "count"), [("r0", 2), ("base", 3)])
def test_a_whole_folder_is_one_upgrade_from_the_revision_that_production_has(run: Run, version: str, count: int) -> None:
    done = run(ADD, FAILS, upgrade_from=version)
    assert len(done.replayed) == count
    [failure] = [finding for finding in done.verdict.findings if finding.rule == "replay-fails"]
    assert "r1.py, so that nothing of" in failure.message


def test_an_upgrade_from_an_unknown_revision(run: Run) -> None:
    with pytest.raises(ConfigError, match="--upgrade-from: there is no migration r9"):
        run(ADD, upgrade_from="r9")


def test_queries_that_wait_are_charged_to_the_revision_that_took_the_lock(run: Run) -> None:
    first, work = run(ADD, WORK).replayed
    assert max(wait.ms for wait in first.recording.waits) > 200
    assert all(first.recording.statements[0].statement.index == wait.statement for wait in first.recording.waits)
    assert not [wait for wait in work.recording.waits if wait.relation.name == "orders" and wait.ms > 200]


def test_with_a_transaction_for_each_migration(run: Run) -> None:
    done = run(ADD, (NOT_LOCKED,), options=PER_MIGRATION)
    assert [each.recording.failure for each in done.replayed] == [None, None]
    assert not any("one transaction" in note or "single transaction" in note for note in done.notes)


def test_what_a_failure_leaves(run: Run) -> None:
    done = run(ADD, INDEX, FAILS, ADD)
    assert [bool(each.recording.failure) for each in done.replayed] == [False, False, True]
    first, second = (each.migration.up.file.path for each in done.replayed[:2])
    [failure] = [finding for finding in done.verdict.findings if finding.rule == "replay-fails"]
    assert failure.message.endswith(f"; it shares a transaction with {first}, {second}, so that nothing of them remains either")
    assert failure.script.position(failure.span.start).line == 8
    assert all(outcome.passed is None for outcome in done.replayed[0].outcomes if outcome.experiment != "agreement")
    assert [path.rpartition("/")[2] for path in done.not_run] == ["r4.py"]


def test_a_failure_of_the_first_revision(run: Run) -> None:
    done = run(FAILS, ADD)
    assert [path.rpartition("/")[2] for path in done.not_run] == ["r2.py"]
    assert not any("transaction" in note for note in done.notes)


def test_what_a_failure_leaves_after_an_autocommit_block(run: Run) -> None:
    done = run(ADD, AUTOCOMMIT, FAILS)
    [failure] = [finding for finding in done.verdict.findings if finding.rule == "replay-fails"]
    assert failure.message.endswith("r2.py:8 remains, because a transaction ended there")


def test_a_failure_with_a_transaction_for_each_migration_leaves_the_others(run: Run) -> None:
    done = run(ADD, FAILS, options=PER_MIGRATION)
    [failure] = [finding for finding in done.verdict.findings if finding.rule == "replay-fails"]
    assert failure.message.endswith('relation "invoices" does not exist')
    assert {outcome.experiment: outcome.passed for outcome in done.replayed[0].outcomes}["crash"] is True


def test_a_script_that_reads_rows_sees_the_revisions_before_it(run: Run) -> None:
    reads = (
        "for row in op.get_bind().execute(sa.text('SELECT id, amount FROM orders ORDER BY id LIMIT 2')).fetchall():",
        "    op.execute(f'UPDATE orders SET note = {row.amount or 0} WHERE id = {row.id}')",
    )
    done = run(ADD, reads, INDEX)
    assert done.verdict.problems == []
    assert len([record for record in done.replayed[1].recording.statements if not record.skip_reason]) == 3


def test_scripts_of_an_upgrade_are_rendered_again_for_tables_that_were_emptied(run: Run) -> None:
    copies = (
        "for id, in op.get_bind().execute(sa.text('SELECT id FROM orders ORDER BY id LIMIT 2')).fetchall():",
        "    op.execute(f'INSERT INTO paid VALUES ({id})')",
    )
    casts = ("op.execute('ALTER TABLE orders ALTER COLUMN note TYPE integer USING note::integer')",)
    done = run(("op.execute('CREATE TABLE paid (id integer REFERENCES orders)')",), copies, casts)
    sent = [[statement.sql.split()[0] for statement in each.recording.statements] for each in done.replayed]
    assert sent == [["CREATE"], ["SELECT"], ["ALTER"]]
    assert [each.recording.failure for each in done.replayed] == [None, None, None]
    assert [finding.rule for finding in done.verdict.findings] == ["replay-fails-on-generated-rows"]


def test_the_settings_of_env_are_in_effect(run: Run) -> None:
    check = "op.execute(\"DO $$ BEGIN ASSERT current_setting('lock_timeout') = '3s'; END $$\")"
    assert [each.recording.failure for each in run((check,), (check,)).replayed] == [None, None]


def test_a_script_that_cannot_be_run_is_named(run: Run) -> None:
    done = run(ADD, ("raise RuntimeError('needs a tenant')",), INDEX)
    assert [bool(each.untried) for each in done.replayed] == [False, True, False]
    [problem] = done.verdict.problems
    assert "r2.py: the migration was not tried" in problem.message


def test_combined_halves_keep_their_statements_and_what_is_left_out() -> None:
    def half(text: str, left_out: dict[int, str]) -> Half:
        return Half(Script("x.sql", text), (Span(0, len(text)),), Transaction.FILE, left_out=left_out)

    together = combined([half("SELECT 1; CREATE TABLE a ();", {2: "x"}), half("CREATE TABLE b (); SELECT 2;", {1: "y"})])
    statements = [sent.statement for sent in sent_statements(together)]
    assert [statement.index for statement in statements] == [1, 2, 3, 4]
    assert isinstance(statements[2].operations[0], sql.CreateTable)
    assert together.left_out == {2: "x", 3: "y"}
