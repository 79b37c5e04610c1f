"""Alembic projects, linted from the command line."""

import json
from pathlib import Path

import pytest

from migsafe.cli import main

pytestmark = pytest.mark.process

ENV = "from alembic import context\ncontext.configure(connection=None)\n"
FIRST = """\
from alembic import op
import sqlalchemy as sa

revision = "a1"
down_revision = None


def upgrade():
    op.create_table("orders", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("qty", sa.Integer()))


def downgrade():
    op.drop_table("orders")
"""
SECOND = """\
from alembic import op
import sqlalchemy as sa

revision = "b2"
down_revision = "a1"


def upgrade():
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("orders")}
    if "qty" in columns:
        op.create_index(
            "orders_qty_idx",
            "orders",
            ["qty"],
        )


def downgrade():
    op.drop_index("orders_qty_idx")
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "migrations" / "env.py").write_text(ENV)
    (versions / "a1_first.py").write_text(FIRST)
    (versions / "b2_second.py").write_text(SECOND)
    return versions


def lint(capsys: pytest.CaptureFixture[str], *options: str) -> list[tuple[object, ...]]:
    main(["lint", "migrations/versions/b2_second.py", "--format", "json", "--no-cache", *options])
    report = json.loads(capsys.readouterr().out)
    return [(finding["rule"], finding["path"], finding["start"]["line"], finding["end"]["line"]) for finding in report["findings"]]


def test_findings_are_at_the_call(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(capsys, "--select", "index-not-concurrent,opaque-code") == [
        ("index-not-concurrent", "migrations/versions/b2_second.py", 11, 15)
    ]


def test_no_exec_runs_no_script(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(capsys, "--select", "index-not-concurrent,opaque-code", "--no-exec") == [
        ("index-not-concurrent", "migrations/versions/b2_second.py", 11, 15),
    ]


@pytest.mark.parametrize(
    ("query", "change", "reported"),
    [
        ("SELECT id FROM orders", "UPDATE orders SET qty = 1 WHERE id = :id", True),
        ("SELECT id FROM orders", "DELETE FROM orders WHERE id = :id", True),
        ("SELECT id FROM orders LIMIT 10", "UPDATE orders SET qty = 1 WHERE id = :id", False),
        ("SELECT id FROM orders WHERE qty = 5", "UPDATE orders SET qty = 1 WHERE id = :id", False),
        ("SELECT id FROM customers", "UPDATE orders SET qty = 1 WHERE id = :id", False),
        ("SELECT id FROM orders", "INSERT INTO customers VALUES (:id)", False),
    ],
)
def test_a_loop_over_all_rows_is_a_backfill(shop: Path, capsys: pytest.CaptureFixture[str], query: str, change: str, reported: bool) -> None:
    body = f"""    bind = op.get_bind()
    for row in bind.execute(sa.text("{query}")).mappings():
        bind.execute(sa.text("{change}"), {{"id": row["id"]}})
"""
    (shop / "b2_second.py").write_text(f"{SECOND.partition('def upgrade')[0]}def upgrade():\n{body}")
    found = [("backfill-unbatched", "migrations/versions/b2_second.py", 11, 11)]
    assert lint(capsys, "--select", "backfill-unbatched") == (found if reported else [])


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ("UPDATE orders SET qty = 1 WHERE id = :id", "# compute the value in SQL, in one UPDATE per batch of rows;"),
        ("DELETE FROM orders WHERE id = :id", "# put the condition into SQL, in one DELETE per batch of rows;"),
    ],
)
def test_a_loop_that_changes_only_some_rows_is_not_said_to_change_each(
    shop: Path, capsys: pytest.CaptureFixture[str], change: str, advice: str
) -> None:
    body = f"""    bind = op.get_bind()
    for row in bind.execute(sa.text("SELECT id, qty FROM orders")).mappings():
        if row["qty"]:
            bind.execute(sa.text("{change}"), {{"id": row["id"]}})
"""
    (shop / "b2_second.py").write_text(f"{SECOND.partition('def upgrade')[0]}def upgrade():\n{body}")
    main(["lint", "migrations/versions/b2_second.py", "--format", "json", "--no-cache", "--select", "backfill-unbatched"])
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    command = change.partition(" ")[0]
    assert finding["message"].startswith(f"{command} runs in a loop over the rows of public.orders, all in one transaction, ")
    assert finding["help"].startswith(advice)


def test_an_invalid_duration_in_the_configuration_is_an_error(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("migsafe.toml").write_text('script-timeout = "soon"\n')
    assert main(["lint", "migrations/versions"]) == 2
    assert "script-timeout: invalid duration: soon" in capsys.readouterr().err


GUARDED = """\
from alembic import op
import sqlalchemy as sa

revision = "b2"
down_revision = "a1"


def has_column(table, column):
    return column in [each["name"] for each in sa.inspect(op.get_bind()).get_columns(table)]


def upgrade():
    inspector = sa.inspect(op.get_bind())
    if not has_column("orders", "note"):
        op.add_column("orders", sa.Column("note", sa.Text()))
    op.add_column("orders", sa.Column("place", sa.Text()))
    if not inspector.has_table("items"):
        op.create_table("items", sa.Column("id", sa.BigInteger(), primary_key=True))
    with op.get_context().autocommit_block():
        if "orders_note_idx" not in [index["name"] for index in inspector.get_indexes("orders")]:
            op.create_index("orders_note_idx", "orders", ["note"], postgresql_concurrently=True)
    if "qty" in [each["name"] for each in inspector.get_columns("orders")]:
        op.execute("UPDATE orders SET qty = qty + 1 WHERE qty > 5")
    with op.get_context().autocommit_block():
        if "orders_qty_idx" in [index["name"] for index in inspector.get_indexes("orders")]:
            op.drop_index("orders_qty_idx", postgresql_concurrently=True)
    op.execute("ANALYZE orders")


def downgrade():
    op.drop_index("orders_note_idx")
"""


def test_what_a_script_skips_in_a_second_run_can_run_again(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "b2_second.py").write_text(GUARDED)
    (shop / "a1_first.py").write_text(
        FIRST.replace("def downgrade", '    op.create_index("orders_qty_idx", "orders", ["qty"])\n\n\ndef downgrade')
    )
    main(["lint", ".", "--select", "not-rerunnable,invalid-index-kept", "--format", "json"])
    findings = json.loads(capsys.readouterr().out)["findings"]
    lines = GUARDED.splitlines()
    assert [(each["rule"], lines[each["start"]["line"] - 1].strip().partition("(")[0]) for each in findings] == [
        ("not-rerunnable", "op.add_column"),
        ("invalid-index-kept", "op.create_index"),
        ("not-rerunnable", "op.execute"),
    ]
    assert '"place"' in lines[findings[0]["start"]["line"] - 1]
    assert findings[1]["help"].startswith("# without the condition around it:\n")


def test_the_check_of_an_enum_that_is_stored_as_text_may_exist(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enum = 'sa.Column("state", sa.Enum("a", "b", name="state", native_enum={}))'
    dropped = "".join(SECOND.partition("def upgrade():\n")[:2]) + '    op.drop_constraint("state", "orders")\n\n\ndef downgrade():\n    pass\n'
    (shop / "b2_second.py").write_text(dropped)
    for native, expected in ((False, []), (True, ["statement-fails"])):
        (shop / "a1_first.py").write_text(FIRST.replace('sa.Column("qty", sa.Integer())', enum.format(native)))
        main(["lint", ".", "--select", "statement-fails", "--format", "json"])
        assert [each["rule"] for each in json.loads(capsys.readouterr().out)["findings"]] == expected


def test_a_body_with_an_unknown_schema_is_not_invalid(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = (
        "    schema = config['schema']\n"
        "    op.execute(f'CREATE FUNCTION {schema}.touch() RETURNS int LANGUAGE sql "
        'AS $$ UPDATE {schema}."orders" SET qty = {} RETURNING 1 $$\')\n'
    )
    head, function, _ = SECOND.partition("def upgrade():\n")
    for expression, expected in (("1", []), ("1 1", ["invalid-function-body"])):
        unknown = expression == "1"
        text = (body if unknown else body.replace("{schema}", "public")).replace("qty = {}", f"qty = {expression}")
        script = f"{head}from absent_application import config\n\n\n{function}{text}\n\ndef downgrade():\n    pass\n"
        (shop / "b2_second.py").write_text(script)
        main(["lint", ".", "--select", "invalid-function-body", "--format", "json"])
        assert [each["rule"] for each in json.loads(capsys.readouterr().out)["findings"]] == expected


def test_an_unknown_type_is_not_compared_with_that_of_a_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = .\n")
    (tmp_path / "env.py").write_text(ENV)
    (tmp_path / "versions").mkdir()
    lines = 'sa.Column("order_id", {}, sa.ForeignKey("orders.id"), index=True)'
    upgrade = 'op.create_table("orders", sa.Column("id", absent.Key(), primary_key=True))\n'
    head = 'import absent\nimport sqlalchemy as sa\nfrom alembic import op\n\nrevision = "a1"\ndown_revision = None\n\n\n'
    text = f"{head}def upgrade():\n    {upgrade}"
    path = tmp_path / "versions" / "a1.py"
    path.write_text(f'{text}    op.create_table("lines", {lines.format("sa.Uuid()")})\n')
    main(["lint", str(path), "--select", "foreign-key-type-mismatch", "--format", "json"])
    assert json.loads(capsys.readouterr().out)["findings"] == []
    path.write_text(f'{text.replace("absent.Key()", "sa.BigInteger()")}    op.create_table("lines", {lines.format("sa.Uuid()")})\n')
    main(["lint", str(path), "--select", "foreign-key-type-mismatch", "--format", "json"])
    assert [finding["rule"] for finding in json.loads(capsys.readouterr().out)["findings"]] == ["foreign-key-type-mismatch"]


def test_a_script_that_only_python_s_compiler_refuses_is_opaque_at_that_line(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "b2_second.py").write_text(SECOND.replace("    columns = ", "    await op.get_bind()\n    columns = "))
    assert main(["lint", str(shop), "--select", "opaque-code", "--format", "json"]) == 1
    [finding] = json.loads(capsys.readouterr().out)["findings"]
    assert finding["start"] == {"line": 9, "column": 1}
    assert finding["message"].endswith("Python does not compile the script: 'await' outside async function")
