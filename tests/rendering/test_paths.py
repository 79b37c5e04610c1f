"""The paths through a script, each judged by itself on the database before it."""

import json
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from migsafe.cli import main
from migsafe.rendering.messages import RenderedCall
from migsafe.rendering.worker.merging import merge_runs
from tests.rendering.conftest import Render, sent

pytestmark = pytest.mark.process

HEAD = "import sqlalchemy as sa\nfrom alembic import op\n{more}\nrevision = {revision!r}\ndown_revision = {parent!r}\n\n\ndef upgrade():\n"
SUPPLIERS = 'op.create_table("suppliers", sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True))'
CRATES = """\
op.create_table("crates", sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True), sa.Column("supplier_id", sa.BigInteger()))
op.create_index("crates_supplier_id_idx", "crates", ["supplier_id"])
"""


class History:
    """A folder of revisions, and what the commands say about the last one."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._capsys = capsys
        self._last: str | None = None
        folder.mkdir()

    def add(self, body: str, more: str = "") -> None:
        revision = f"r{len(list(self._folder.iterdir())) + 1}"
        head = HEAD.format(more=more, revision=revision, parent=self._last)
        (self._folder / f"{revision}.py").write_text(f"{head}{indent(body, '    ')}\n")
        self._last = revision

    def run(self, *command: str) -> Any:
        uncached = ["--no-cache"] if command[0] == "lint" else []
        main([*command, f"{self._folder}/{self._last}.py", "--format", "json", *uncached])
        return json.loads(self._capsys.readouterr().out)

    def findings(self, *rules: str) -> list[tuple[str, int, str]]:
        """Returns the rule, the line and the condition of each finding."""
        report = self.run("lint", "--select", ",".join(rules))
        return [(finding["rule"], finding["start"]["line"], _condition(finding["message"])) for finding in report["findings"]]


def _condition(message: str) -> str:
    _, separator, condition = message.partition("only if ")
    return separator + condition


@pytest.fixture
def history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> History:
    return History(tmp_path / "versions", capsys)


BLOCKING = ("index-not-concurrent", "foreign-key-validates", "drop-table")


def test_a_table_that_its_own_path_creates_is_new(history: History) -> None:
    history.add(SUPPLIERS)
    history.add(f"if settings.with_crates:\n{indent(CRATES, '    ')}", "from warehouse.settings import settings")
    assert history.findings(*BLOCKING) == []


def test_a_finding_on_one_path_says_on_which(history: History) -> None:
    history.add(SUPPLIERS)
    history.add(
        'if not settings.is_new:\n    op.create_index("s_idx", "suppliers", ["id"])\nop.drop_table("suppliers")',
        "from warehouse.settings import settings",
    )
    assert history.findings(*BLOCKING) == [
        ("index-not-concurrent", 10, "only if `settings.is_new` (line 9) is false"),
        ("drop-table", 11, ""),
    ]


def test_a_path_that_returns_early_has_no_later_findings(history: History) -> None:
    history.add(SUPPLIERS)
    history.add('if settings.sharded or settings.remote:\n    return\nop.drop_table("suppliers")', "from warehouse.settings import settings")
    [(rule, line, condition)] = history.findings(*BLOCKING)
    assert (rule, line) == ("drop-table", 11)
    assert "settings" in condition


def test_a_timeout_that_each_path_lacks_is_reported_once(history: History) -> None:
    history.add(SUPPLIERS)
    history.add(
        'if settings.is_new:\n    op.add_column("suppliers", sa.Column("note", sa.Text()))\n'
        'op.add_column("suppliers", sa.Column("city", sa.Text()))',
        "from warehouse.settings import settings",
    )
    assert [(rule, line) for rule, line, _ in history.findings("lock-timeout-missing")] == [("lock-timeout-missing", 10)]


def test_work_under_the_locks_of_each_path_is_reported_once(history: History) -> None:
    history.add(SUPPLIERS + '\nop.execute("CREATE TABLE depots (id bigint PRIMARY KEY)")')
    history.add(
        'if settings.is_new:\n    op.add_column("depots", sa.Column("note", sa.Text()))\n'
        'op.add_column("suppliers", sa.Column("city", sa.Text()))\nop.execute("UPDATE suppliers SET city = \'x\' WHERE id > 5")',
        "from warehouse.settings import settings",
    )
    found = [(rule, line) for rule, line, _ in history.findings("long-work-under-lock", "many-tables-locked")]
    assert found == [("long-work-under-lock", 12)]


GUARDS = [
    'if sa.inspect(op.get_bind()).has_table("crates"):\n    return\n',
    'if "crates" in sa.inspect(op.get_bind()).get_table_names():\n    return\n',
    "if op.get_bind().execute(sa.text(\"SELECT to_regclass('crates')\")).scalar():\n    return\n",
]


@pytest.mark.parametrize("guard", GUARDS)
def test_a_history_from_its_beginning_decides_a_guard(history: History, guard: str) -> None:
    history.add(SUPPLIERS)
    history.add(guard + CRATES)
    [*_, create, index] = history.run("locks")["migrations"][0]["statements"]
    assert (create["condition"], index["condition"]) == (None, None)


@pytest.mark.parametrize("guard", GUARDS)
def test_a_history_that_begins_part_way_does_not(history: History, guard: str) -> None:
    history.add('op.add_column("suppliers", sa.Column("note", sa.Text()))')
    history.add(guard + CRATES)
    [*_, create, index] = history.run("locks")["migrations"][0]["statements"]
    assert create["condition"] is not None
    assert index["effects"][0]["new"]
    assert history.findings(*BLOCKING) == []


def test_an_index_outside_the_guard_may_be_on_an_existing_table(history: History) -> None:
    history.add('op.add_column("suppliers", sa.Column("note", sa.Text()))')
    create, index = CRATES.splitlines()
    history.add(f'if not sa.inspect(op.get_bind()).has_table("crates"):\n    {create}\n{index}')
    assert history.findings(*BLOCKING) == [
        ("index-not-concurrent", 11, 'only if `sa.inspect(op.get_bind()).has_table("crates")` (line 9) is true')
    ]


def test_a_commit_on_one_path_does_not_reach_the_next_one(history: History) -> None:
    history.add(SUPPLIERS)
    history.add(
        f"if settings.apart:\n    op.get_bind().commit()\n    op.rename_table('suppliers', 'vendors')\nelse:\n{indent(CRATES, '    ')}",
        "from warehouse.settings import settings",
    )
    refusals = [statement["refused"] for statement in history.run("locks")["migrations"][0]["statements"]]
    assert set(refusals) == {None}


def test_on_a_path_the_rows_of_the_history_are_not_known(history: History) -> None:
    """That the query finds nothing is assumed for one of the paths: it finds the row that the first revision has inserted."""
    history.add(f'{SUPPLIERS}\nop.execute("INSERT INTO suppliers VALUES (DEFAULT)")')
    history.add("""\
op.add_column("suppliers", sa.Column("city", sa.Text()))
if op.get_bind().execute(sa.text("SELECT id FROM suppliers")).first() is not None:
    op.execute("UPDATE suppliers SET city = 'Bern'")
op.alter_column("suppliers", "city", nullable=False)""")
    assert history.findings("statement-fails") == []


def test_more_paths_than_are_tried_are_reported(history: History) -> None:
    history.add(SUPPLIERS)
    nested = "".join(f"{'    ' * depth}if settings.option_{depth}:\n" for depth in range(20))
    history.add(f"{nested}{'    ' * 20}op.drop_table('suppliers')", "from warehouse.settings import settings")
    assert ("opaque-code", 8, "") in history.findings("opaque-code")


def test_the_premortem_has_each_operation_once(history: History) -> None:
    history.add(SUPPLIERS)
    history.add('if settings.is_new:\n    op.execute("SELECT 1")\nop.drop_table("suppliers")', "from warehouse.settings import settings")
    [migration] = history.run("premortem")["migrations"]
    assert [touched["relation"] for touched in migration["touched"]] == ["public.suppliers"]


def calls(*texts: str) -> list[RenderedCall]:
    return [RenderedCall(text, ord(text[0]), ord(text[0]) + 1) for text in texts]


@pytest.mark.parametrize(
    ("runs", "merged"),
    [
        ((["a", "b", "c"], ["a", "c"]), "a b? c"),
        ((["a", "c"], ["b", "c"]), "a? b? c"),
        ((["a", "d"], ["a", "b", "c", "d"]), "a b? c? d"),
        ((["b"], ["a"]), "a? b?"),
        ((["a", "b"], ["b", "a"]), "a? b a?"),
        ((["a", "a"], ["a"]), "a a?"),
        (([], ["a"]), "a?"),
    ],
)
def test_merged_runs(runs: tuple[list[str], ...], merged: str) -> None:
    result = merge_runs([calls(*run) for run in runs])
    assert " ".join(f"{call.sql}{'' if call.certain else '?'}" for call in result.calls) == merged
    assert [[result.calls[number].sql for number in run] for run in result.runs] == list(runs)


def test_constants_of_one_place_differ_on_each_path(render: Render) -> None:
    half = render(
        """
        def step(old, name):
            if old is None:
                op.execute(f"INSERT INTO groups VALUES ('{name}')")
            else:
                op.execute(f"UPDATE groups SET name = '{name}'")

        row = op.get_bind().execute(sa.text("SELECT 1 FROM groups WHERE name = 'admin'")).first()
        step(row, "admins")
        step(None, "users")
        """
    )
    assert [sql.removeprefix("? ") for sql in sent(half)[1:]] == [
        "INSERT INTO groups VALUES ('admins');",
        "UPDATE groups SET name = 'admins';",
        "INSERT INTO groups VALUES ('users');",
    ]
