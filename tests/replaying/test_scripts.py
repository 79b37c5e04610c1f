"""Alembic's scripts are replayed as the SQL that they send, at the lines of their calls and in their transactions; code that depends on missing
data is skipped and reported."""

from collections.abc import Callable
from pathlib import Path

import pytest

from migsafe import Budgets, Configuration, Replay, ReplayOptions
from migsafe.library.plan import find_plan
from migsafe.library.replay import replay_plan
from migsafe.lock import LockMode
from migsafe.replaying.recording.records import StatementRecord
from migsafe.replaying.seeding import same_for_every_table
from migsafe.replaying.servers.private import PrivateHost

pytestmark = [pytest.mark.server, pytest.mark.process]

SHOP = Path(__file__).parents[2] / "fixtures" / "shop_alembic" / "migrations" / "versions"
HEAD = "import sqlalchemy as sa\nfrom alembic import op\nrevision = {!r}\ndown_revision = {!r}\n"


@pytest.fixture
def replayed(any_host: PrivateHost) -> Callable[..., Replay]:
    """Replays a script, with the scripts before it as its history, on the shared server."""

    def replay(path: Path, *experiments: str, rows: int | None = 300) -> Replay:
        plan = find_plan([str(path)], Configuration(), "replay")
        options = ReplayOptions(experiments=experiments, rows=same_for_every_table(rows) if rows else None)
        return replay_plan(plan, any_host, options, Budgets())

    return replay


def lines(done: Replay) -> list[tuple[str, int]]:
    """Returns the first words of each statement, and the line of its call."""
    return [(" ".join(statement.sql.split()[:2]), _line(done, statement)) for statement in done.replayed[-1].recording.statements]


def _line(done: Replay, statement: StatementRecord) -> int:
    half = done.replayed[-1].migration.up
    return half.file.position(half.file_span(statement.statement.span).start).line


def test_a_script_is_recorded_at_its_calls(replayed: Callable[..., Replay]) -> None:
    done = replayed(SHOP / "0004_find_items_by_sku.py", "agreement", "round trip")
    assert done.verdict.problems == []
    assert lines(done) == [("CREATE INDEX", 10)]
    [touch] = done.replayed[-1].recording.statements[0].measured_effects
    assert (touch.effect.relation.name, touch.effect.lock, touch.rows) == ("items", LockMode.SHARE, 300)
    assert [outcome.passed for outcome in done.replayed[-1].outcomes] == [True, True]


def test_an_autocommit_block_runs_outside_the_transaction(replayed: Callable[..., Replay]) -> None:
    done = replayed(SHOP / "0005_find_orders_by_date.py", "crash")
    index = done.replayed[-1].recording.statements[1]
    assert (index.outside_transaction, index.measured_effects[0].effect.lock) == (True, LockMode.SHARE_UPDATE_EXCLUSIVE)
    assert [finding.rule for finding in done.verdict.findings] == ["replay-crash-leaves-it-stuck"]
    assert done.verdict.findings[0].script.position(done.verdict.findings[0].span.start).line == 11


def test_a_downgrade_that_loses_values_is_reported(replayed: Callable[..., Replay]) -> None:
    done = replayed(SHOP / "0009_notes_and_states.py", "round trip")
    [outcome] = done.replayed[-1].outcomes
    assert not outcome.passed
    assert "the values of quantity" in outcome.observations[0].text


PARTS = """
def upgrade():
    op.create_table("parts", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("code", sa.Integer()))
def downgrade():
    op.drop_table("parts")
"""
UNIQUE = """
import importer
def upgrade():
    op.create_unique_constraint(None, "parts", ["code"])
def downgrade():
"""


@pytest.mark.parametrize(
    ("downgrade", "passed", "summary"),
    [
        pytest.param(
            'op.drop_constraint(None, "parts", type_="unique")',
            False,
            "the downgrade fails at line 10: Can't emit DROP CONSTRAINT for constraint UniqueConstraint(); it has no name",
            id="SQLAlchemy cannot write it",
        ),
        pytest.param(
            "op.execute(importer.UNDO)\n    op.drop_constraint('parts_code_key', 'parts')",
            None,
            "not tried: line 10 of the downgrade was not sent: ",
            id="a package is missing",
        ),
        pytest.param("op.drop_constraint('parts_code_key', 'parts')", True, "the downgrade restores the schema", id="complete"),
    ],
)
def test_a_downgrade_of_which_a_part_cannot_be_sent(
    replayed: Callable[..., Replay], tmp_path: Path, downgrade: str, passed: bool | None, summary: str
) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "a1.py").write_text(HEAD.format("a1", None) + PARTS)
    (script := tmp_path / "versions" / "b2.py").write_text(HEAD.format("b2", "a1") + UNIQUE + f"    {downgrade}\n")
    [outcome] = replayed(script, "round trip").replayed[-1].outcomes
    assert (outcome.passed, outcome.summary[: len(summary)]) == (passed, summary)


MADE = """
def upgrade():
    op.create_table("orders", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("note", sa.Text()))
    op.bulk_insert(
        sa.table("orders", sa.column("id"), sa.column("note")), [{"id": 1, "note": "it's"}, {"id": 2, "note": "50 %"}, {"id": 3, "note": None}]
    )
"""
BY_ROWS = """
def upgrade():
    bind = op.get_bind()
    for id, note in bind.execute(sa.text("SELECT id, note FROM orders WHERE id <= :last ORDER BY id"), {"last": 2}):
        bind.execute(sa.text("UPDATE orders SET note = :note WHERE id = :id"), {"id": id, "note": f"{note}: {id}"})
    if bind.scalar(sa.text("SELECT count(*) FROM orders")) > 2:
        op.add_column("orders", sa.Column("many", sa.Boolean()))
    else:
        op.drop_table("orders")
"""
BY_ORM = """
from sqlalchemy.orm import Session, declarative_base
Base = declarative_base()
class Order(Base):
    __tablename__ = "orders"
    id = sa.Column(sa.BigInteger, primary_key=True)
    note = sa.Column(sa.Text)
def upgrade():
    session = Session(bind=op.get_bind())
    for order in session.query(Order).filter(Order.note.isnot(None)):
        order.note = order.note.upper()
    session.add(Order(id=4, note="new"))
    session.commit()
"""
REFUSED = """
def upgrade():
    op.add_column("orders", sa.Column("more", sa.Text()))
    for (id,) in op.get_bind().execute(sa.text("SELECT id FROM orders WHERE id = 1")):
        op.execute(f"INSERT INTO orders (id) VALUES ({id})")
"""
CAUGHT = """
def upgrade():
    bind = op.get_bind()
    try:
        with bind.begin_nested():
            bind.execute(sa.text("SELECT 1 FROM nowhere")).all()
    except sa.exc.ProgrammingError:
        op.execute("ALTER TABLE orders ADD COLUMN caught int")
"""
BY_ENVIRONMENT = """
def upgrade():
    import os
    if os.environ["SHOP"]:
        op.execute("DROP TABLE orders")
"""


@pytest.fixture
def changed(tmp_path: Path, replayed: Callable[..., Replay]) -> Callable[[str], Replay]:
    """Replays a script with this body, after one that creates a table with three rows."""

    def replay(body: str) -> Replay:
        (tmp_path / "1_made.py").write_text(HEAD.format("1", None) + MADE)
        (tmp_path / "2_change.py").write_text(HEAD.format("2", "1") + body)
        return replayed(tmp_path / "2_change.py", rows=None)

    return replay


def sent(done: Replay) -> list[str]:
    return [" ".join(statement.sql.split()) for statement in done.replayed[-1].recording.statements if not statement.skip_reason]


def test_conditions_on_rows_use_the_seeded_rows(changed: Callable[[str], Replay]) -> None:
    done = changed(BY_ROWS)
    assert [statement for statement in sent(done) if not statement.startswith("SELECT")] == [
        "UPDATE orders SET note = 'it''s: 1' WHERE id = 1",
        "UPDATE orders SET note = '50 %: 2' WHERE id = 2",
        "ALTER TABLE orders ADD COLUMN many BOOLEAN",
    ]
    assert done.verdict.findings == []
    assert [line for words, line in lines(done) if words.startswith("UPDATE")] == [9, 9]


def test_orm_objects_are_read_from_the_rows(changed: Callable[[str], Replay]) -> None:
    done = changed(BY_ORM)
    written = [statement for statement in sent(done) if statement.startswith(("UPDATE", "INSERT"))]
    assert sorted(written) == [
        "INSERT INTO orders (id, note) VALUES (4, 'new')",
        "UPDATE orders SET note='IT''S' WHERE orders.id = 1",
    ]


def test_a_refused_statement_fails_at_its_call(changed: Callable[[str], Replay]) -> None:
    done = changed(REFUSED)
    [failed] = [finding for finding in done.verdict.findings if finding.rule == "replay-fails"]
    assert "duplicate key" in failed.message
    assert failed.script.position(failed.span.start).line == 9


def test_the_script_continues_after_a_refusal_that_it_catches(changed: Callable[[str], Replay]) -> None:
    assert sent(changed(CAUGHT))[-1] == "ALTER TABLE orders ADD COLUMN caught int"


def test_code_that_depends_on_missing_data_is_skipped_and_reported(changed: Callable[[str], Replay]) -> None:
    done = changed(BY_ENVIRONMENT)
    assert [bool(statement.skip_reason) for statement in done.replayed[-1].recording.statements] == [True]
    assert {finding.rule for finding in done.verdict.findings} == {"replay-left-out"}
    assert any("left out" in note for note in done.notes)


def test_a_failure_of_the_history_names_what_was_left_out_before_it(replayed: Callable[..., Replay], tmp_path: Path) -> None:
    (tmp_path / "a1.py").write_text(
        "from settings_of_the_application import secret\n"
        + HEAD.format("a1", None)
        + "def upgrade():\n"
        + "    op.execute('CREATE TABLE people (id int PRIMARY KEY, key text); CREATE TABLE teams (id int REFERENCES people)')\n"
        + "    op.execute(f\"INSERT INTO people VALUES (1, '{secret()}')\")\n"
        + "    op.execute('INSERT INTO teams VALUES (1)')\n"
    )
    (tmp_path / "b2.py").write_text(HEAD.format("b2", "a1") + "def upgrade():\n    op.execute('SELECT 1')\n")
    [problem] = replayed(tmp_path / "b2.py").verdict.problems
    assert "violates foreign key constraint" in problem.message
    assert "; the likely cause: the statement at line 8 was left out (its text depends on something that is not known here" in problem.message


PAID = """
def upgrade():
    op.create_table("orders", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("code", sa.Text()))
    op.create_table("payments", sa.Column("order_id", sa.BigInteger(), sa.ForeignKey("orders.id")))
"""
COPIES_AND_CASTS = """
def upgrade():
    for id, in op.get_bind().execute(sa.text("SELECT id FROM orders ORDER BY id LIMIT 2")).fetchall():
        op.execute(f"INSERT INTO payments VALUES ({id})")
    op.execute("ALTER TABLE orders ALTER COLUMN code TYPE integer USING code::integer")
    op.create_index("orders_code", "orders", ["code"])
"""


def test_a_script_is_rendered_again_for_tables_that_were_emptied(replayed: Callable[..., Replay], tmp_path: Path) -> None:
    (tmp_path / "0001_paid.py").write_text(HEAD.format("paid", None) + PAID)
    (tmp_path / "0002_cast.py").write_text(HEAD.format("cast", "paid") + COPIES_AND_CASTS)
    done = replayed(tmp_path / "0002_cast.py", "agreement", rows=20)
    assert lines(done) == [("SELECT id", 7), ("ALTER TABLE", 9), ("CREATE INDEX", 10)]
    [outcome], [finding] = done.replayed[-1].outcomes, done.verdict.findings
    assert (outcome.passed, finding.rule) == (True, "replay-fails-on-generated-rows")
    assert finding.script.position(finding.span.start).line == 9
