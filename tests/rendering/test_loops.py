"""Loops of unknown length: those that end when rows run out, and those over the rows of a query."""

from textwrap import dedent

import pytest

from migsafe.rendering.messages import FOR_EACH_OBJECT, FOR_EACH_ROW, WHILE_ROWS, Answer
from migsafe.rendering.worker.guards import Guards, Snapshot
from migsafe.rendering.worker.project import ProjectCode
from migsafe.rendering.worker.script_file import ScriptFile
from migsafe.rendering.worker.script_run import MAX_CALLS, Run, TooManyCalls
from tests.rendering.conftest import Render, sent

pytestmark = pytest.mark.process

VISITS = "visits = sa.table('visits', sa.column('id'), sa.column('seen'))\n"
ORM = """
from sqlalchemy import orm

Base = orm.declarative_base()


class Visit(Base):
    __tablename__ = "visits"
    id = sa.Column(sa.Integer, primary_key=True)
    seen = sa.Column(sa.Integer)
"""


def repeated(render: Render, body: str, before: str = "") -> list[tuple[str, str]]:
    half = render(f"bind = op.get_bind()\n{body}\nop.drop_column('a', 'y')", before=before)
    assert half.program is not None
    calls = zip(half.program.calls, sent(half), strict=True)
    return [(call.repeated, sql.removeprefix("? ").rstrip(";")) for call, sql in calls if not call.by_runner]


@pytest.mark.parametrize(
    "loop",
    [
        "while True:\n    gone = bind.scalars(sa.delete(visits).returning(visits.c.id)).all()\n    if not gone:\n        break",
        "while True:\n    done = bind.execute(sa.text('DELETE FROM visits'))\n    if done.rowcount == 0:\n        break",
        "while True:\n    done = bind.execute(sa.text('DELETE FROM visits'))\n    if done.rowcount < 1000:\n        break",
        "while bind.execute(sa.text('DELETE FROM visits')).rowcount:\n    pass",
        "more = 1\nwhile more > 0:\n    more = bind.execute(sa.delete(visits)).rowcount",
        "left = True\nwhile left:\n    result = bind.execute(sa.text('DELETE FROM visits RETURNING id'))\n    left = len(result.all()) > 0",
        "total = 0\nwhile True:\n    n = bind.execute(sa.text('DELETE FROM visits')).rowcount\n    total += n\n    if n != 500:\n        break",
        "for gone in iter(lambda: bind.execute(sa.text('DELETE FROM visits RETURNING id')).fetchall(), []):\n    print(gone)",
        "def prune(conn):\n    while conn.execute(sa.text('DELETE FROM visits')).rowcount > 0:\n        pass\nprune(bind)",
        "with orm.Session(bind) as session:\n    while session.execute(sa.delete(visits)).rowcount:\n        pass",
    ],
)
def test_a_batch_that_is_repeated_is_one_operation(render: Render, loop: str) -> None:
    calls = repeated(render, loop, "from sqlalchemy import orm\n" + VISITS)
    assert (calls[0][0], calls[0][1].split()[:3]) == (WHILE_ROWS, ["DELETE", "FROM", "visits"])
    assert calls[1:] == [("", "ALTER TABLE a DROP COLUMN y")]


@pytest.mark.parametrize(
    ("loop", "number"),
    [
        (
            """
            offset = 0
            while True:
                rows = bind.execute(sa.text(f"SELECT id FROM visits ORDER BY id LIMIT 100 OFFSET {offset}")).fetchall()
                if not rows:
                    break
                for row in rows:
                    bind.execute(sa.text("UPDATE visits SET seen = 1 WHERE id = :id"), {"id": row.id})
                offset += 100
            """,
            2,
        ),
        (
            """
            low, high = bind.execute(sa.text("SELECT min(id), max(id) FROM visits")).one()
            while low <= high:
                bind.execute(sa.text("UPDATE visits SET seen = 1 WHERE id BETWEEN :a AND :b"), {"a": low, "b": low + 100})
                low += 100
            """,
            2,
        ),
        (
            """
            while bind.execute(sa.text("SELECT count(*) FROM visits WHERE seen IS NULL")).scalar() > 0:
                bind.execute(sa.text("UPDATE visits SET seen = 1 WHERE id IN (SELECT id FROM visits WHERE seen IS NULL LIMIT 100)"))
            """,
            2,
        ),
        (
            """
            last = 0
            while last is not None:
                bind.execute(sa.text("UPDATE visits SET seen = 1 WHERE id > :last"), {"last": last})
                last = bind.execute(sa.text("SELECT max(id) FROM visits WHERE seen IS NULL")).scalar()
            """,
            2,
        ),
        (
            """
            session = orm.Session(bind=bind)
            while True:
                visits = session.query(Visit).filter(Visit.seen.is_(None)).limit(100).all()
                if not visits:
                    break
                for visit in visits:
                    visit.seen = 1
                session.flush()
            """,
            2,
        ),
        (
            """
            cursor = bind.connection.cursor()
            cursor.execute("SELECT id FROM visits")
            while True:
                rows = cursor.fetchmany(100)
                if not rows:
                    break
                cursor.execute("UPDATE visits SET seen = 1 WHERE id = %s", (rows[0][0],))
            """,
            2,
        ),
    ],
)
def test_a_loop_over_batches_has_one_round(render: Render, loop: str, number: int) -> None:
    calls = repeated(render, dedent(loop).strip(), ORM)
    assert len(calls) == number + 1, calls
    assert any(sql.startswith("UPDATE visits SET seen") for _, sql in calls)
    assert not [sql for _, sql in calls if "[it" in sql]


def test_a_commit_in_a_loop_is_repeated_too(render: Render) -> None:
    body = (
        "while bind.execute(sa.text('DELETE FROM visits')).rowcount:\n    bind.execute(sa.text('COMMIT'))\n    bind.execute(sa.text('BEGIN'))"
    )
    assert [sql for _, sql in repeated(render, body)] == ["DELETE FROM visits", "COMMIT", "BEGIN", "ALTER TABLE a DROP COLUMN y"]


def test_each_table_of_an_outer_loop_has_its_own_batches(render: Render) -> None:
    body = "for t in ('a', 'b'):\n    while bind.execute(sa.text(f'DELETE FROM {t}')).rowcount:\n        pass"
    assert repeated(render, body)[:2] == [(WHILE_ROWS, "DELETE FROM a"), (WHILE_ROWS, "DELETE FROM b")]


def test_a_loop_with_a_known_end_makes_each_call(render: Render) -> None:
    body = "n = 0\nwhile n < 3:\n    op.execute('SELECT 1')\n    op.execute(f'SELECT {n}')\n    n += 1"
    assert [sql for _, sql in repeated(render, body)][:-1] == ["SELECT 1", "SELECT 0", "SELECT 1", "SELECT 1", "SELECT 1", "SELECT 2"]


def test_a_call_with_values_of_a_row_is_made_for_each_row(render: Render) -> None:
    body = """for row in bind.execute(sa.text('SELECT id FROM visits')):
    bind.execute(sa.text('UPDATE visits SET seen = 1 WHERE id = :id'), {'id': row.id})
    bind.execute(sa.text('UPDATE visits SET seen = 2'))
last = bind.execute(sa.text('SELECT max(id) FROM visits')).scalar()
for n in (1, 2):
    bind.execute(sa.text('DELETE FROM visits WHERE id = :id AND seen = :n'), {'id': last, 'n': n})"""
    assert [how for how, _ in repeated(render, body)] == ["", FOR_EACH_ROW, "", "", "", ""]


OBJECTS = """from sqlalchemy.orm import Session, declarative_base
class Visit(declarative_base()):
    __tablename__ = 'visits'
    id = sa.Column(sa.BigInteger, primary_key=True)
    seen = sa.Column(sa.Text)
session = Session(bind=bind)
"""


@pytest.mark.parametrize(
    ("body", "how"),
    [
        ("for visit in session.query(Visit):\n    visit.seen = visit.seen.upper()\nsession.commit()", FOR_EACH_OBJECT),
        ("for visit in session.scalars(sa.select(Visit)).all():\n    session.delete(visit)\nsession.flush()", FOR_EACH_OBJECT),
        ("session.bulk_update_mappings(Visit, [{'id': each.id, 'seen': '1'} for each in session.query(Visit)])", FOR_EACH_OBJECT),
        ("session.query(Visit).filter(Visit.id == 1).update({'seen': '1'})", ""),
    ],
)
def test_objects_of_a_session_are_written_one_by_one(render: Render, body: str, how: str) -> None:
    assert [how for how, sql in repeated(render, OBJECTS + body) if not sql.startswith("SELECT")][:1] == [how]


def test_a_list_of_values_of_rows_is_a_call_for_each_row(render: Render) -> None:
    body = """rows = bind.execute(sa.text('SELECT id FROM visits')).all()
values = [{'id': row.id} for row in rows]
bind.execute(sa.text('UPDATE visits SET seen = 1 WHERE id = :id'), [*values, {'id': 3}])
bind.execute(sa.text('UPDATE visits SET seen = 1 WHERE id = :id'), [{'id': 1}, {'id': 2}])"""
    assert [how for how, _ in repeated(render, body)][:3] == ["", FOR_EACH_ROW, ""]


def test_the_calls_of_a_script_are_limited() -> None:
    run = Run(ScriptFile("script.py", ""), ProjectCode(Guards(), Snapshot()), {}, lambda *_: Answer(known=False))
    for _ in range(MAX_CALLS):
        run.send("SELECT 1")
    with pytest.raises(TooManyCalls):
        run.send("SELECT 1")
    assert len(run.calls) == MAX_CALLS
