"""Downgrades run on the schema that their upgrades leave, and the upgrades once more after them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from migsafe.configuration import Configuration
from migsafe.library.lint import lint
from migsafe.linting.verdict import Verdict

SETTINGS = Configuration(select=("downgrade-fails", "suppression-unused"))
ENUM = "CREATE TYPE state AS ENUM ('new');\nCREATE TABLE parcels (id bigint, state state);\n"


@pytest.fixture
def findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[tuple[str, int, str]]]:
    """Returns the place and the rule of each finding in a folder with these files."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)

    def judge(files: dict[str, str], *, downgrades: bool = True) -> list[tuple[str, int, str]]:
        for name, sql in files.items():
            Path("db").mkdir(exist_ok=True)
            Path("db", name).write_text(sql)
        verdict: Verdict = lint(["db"], settings=SETTINGS, downgrades=downgrades)
        assert verdict.problems == []
        return [(each.script.path, each.script.position(each.span.start).line, each.rule) for each in verdict.findings]

    return judge


Findings = Callable[..., list[tuple[str, int, str]]]


@pytest.mark.parametrize(
    ("down", "line"),
    [
        ("DROP TABLE parcels;\n", 1),
        ("SELECT 1;\nDROP TABLE parcels;\nDROP TYPE state;\n", None),
        ("DROP TABLE parcels;\nDROP TYPE IF EXISTS state;\n", None),
        ("DROP TYPE state;\nDROP TABLE parcels;\n", 1),
        ("DROP TABLE parcels;\nDROP TYPE state;\nDROP TABLE carts;\n", 3),
        # It cannot be known what this does.
        ("DO $$ BEGIN EXECUTE (SELECT sql FROM todo); END $$;\n", None),
    ],
)
def test_a_down_file(findings: Findings, down: str, line: int | None) -> None:
    files = {"1_a.up.sql": "CREATE TABLE carts (id bigint);", "1_a.down.sql": "DROP TABLE carts;"}
    dropping = "DROP TABLE carts;\n" if line == 3 else ""
    files |= {"2_b.up.sql": dropping + ENUM, "2_b.down.sql": down}
    expected = [("db/2_b.down.sql", line, "downgrade-fails")] if line else []
    assert findings(files) == expected
    assert findings(files, downgrades=False) == []


@pytest.mark.parametrize(
    ("down", "line"),
    [
        ("SELECT 1;\nALTER TABLE carts ADD COLUMN note text NOT NULL;\n", 2),
        ("ALTER TABLE carts ADD COLUMN note text NOT NULL DEFAULT '';\n", None),
        ("ALTER TABLE carts ADD COLUMN note text;\n", None),
        ("ALTER TABLE carts ADD COLUMN note bigint NOT NULL GENERATED ALWAYS AS IDENTITY;\n", None),
        ("BEGIN;\nTRUNCATE carts;\nALTER TABLE carts ADD COLUMN note text NOT NULL;\nCOMMIT;\n", None),
        ("ALTER TABLE parcels ADD COLUMN note text NOT NULL;\nDROP TABLE parcels;\nALTER TABLE carts ADD COLUMN note text;\n", None),
    ],
)
def test_a_required_column_that_comes_back(findings: Findings, down: str, line: int | None) -> None:
    drop = "ALTER TABLE carts DROP COLUMN note;\nCREATE TABLE parcels (id bigint);\n"
    files = {"1_a.up.sql": "CREATE TABLE carts (id bigint, note text NOT NULL);", "1_a.down.sql": "DROP TABLE carts;"}
    files |= {"2_b.up.sql": drop, "2_b.down.sql": down if "parcels" in down else down + "DROP TABLE parcels;\n"}
    assert findings(files) == ([("db/2_b.down.sql", line, "downgrade-fails")] if line else [])


def test_a_down_section_that_cannot_run_in_its_transaction(findings: Findings) -> None:
    up = "CREATE TABLE carts (id bigint);\nCREATE INDEX carts_idx ON carts (id);\n"
    down = "DROP INDEX CONCURRENTLY carts_idx;\nDROP TABLE carts;\n"
    text = f"-- +goose Up\n{up}-- +goose Down\n{down}"
    assert findings({"1_carts.sql": text}) == [("db/1_carts.sql", 5, "downgrade-fails")]
    assert findings({"1_carts.sql": f"-- +goose NO TRANSACTION\n{text}"}) == []


def test_a_down_section_has_its_suppressions(findings: Findings) -> None:
    up = f"-- migrate:up\n{ENUM}-- migrate:down\n"
    ignored = "-- migsafe: ignore[downgrade-fails] the type is shared\n"
    assert findings({"1_a.sql": f"{up}{ignored}DROP TABLE parcels;\n"}) == []
    unused = [("db/1_a.sql", 5, "suppression-unused")]
    assert findings({"1_a.sql": f"{up}{ignored}DROP TABLE parcels;\nDROP TYPE state;\n"}) == unused
    # Without the downgrades, it is unknown whether it is used.
    assert findings({"1_a.sql": f"{up}{ignored}DROP TABLE parcels;\nDROP TYPE state;\n"}, downgrades=False) == []
    other = "-- migsafe: ignore[drop-table] it is new\n"
    assert findings({"1_a.sql": f"{up}{other}DROP TABLE parcels;\nDROP TYPE state;\n"}) == []


def test_an_upgrade_that_fails_is_another_finding(findings: Findings) -> None:
    assert findings({"1_a.up.sql": ENUM + ENUM, "1_a.down.sql": "DROP TABLE parcels;\n"}) == []


SCRIPT = """import sqlalchemy as sa
from alembic import op
revision = "a1"
down_revision = None

def upgrade():
    op.create_table("parcels", sa.Column("id", sa.BigInteger()), sa.Column("state", sa.Enum("new", "sent", name="state")))

def downgrade():
    op.drop_table("parcels")
"""


@pytest.mark.process
def test_alembic_leaves_the_type_of_an_enumeration(findings: Findings) -> None:
    assert findings({"a1.py": SCRIPT}) == [("db/a1.py", 10, "downgrade-fails")]
    assert findings({"a1.py": SCRIPT + '    sa.Enum(name="state").drop(op.get_bind())\n'}) == []
    ignored = '    # migsafe: ignore[downgrade-fails] shared\n    op.drop_table("parcels")\n'
    assert findings({"a1.py": SCRIPT.replace('    op.drop_table("parcels")\n', ignored)}) == []


@pytest.mark.process
def test_the_next_upgrade_asks_which_types_exist(findings: Findings) -> None:
    creating = 'sa.Enum("new", "sent", name="state")\n    state.create(op.get_bind(), checkfirst=True)\n'
    script = SCRIPT.replace("    op.create_table", f'    state = {creating}    op.execute("SELECT 1")\n    op.create_table', 1)
    assert findings({"a1.py": script.replace('sa.Enum("new", "sent", name="state")))', "sa.Text()))")}) == []
    unconditional = script.replace("checkfirst=True", "checkfirst=False").replace('sa.Enum("new", "sent", name="state")))', "sa.Text()))")
    assert findings({"a1.py": unconditional}) == [("db/a1.py", 13, "downgrade-fails")]


NAMELESS = 'op.drop_constraint(None, "parcels", type_="unique")'
QUERY = "SELECT id FROM todo"


@pytest.mark.process
@pytest.mark.parametrize(
    ("statement", "is_reported"),
    [
        (NAMELESS, True),
        ('op.drop_constraint("parcels_id_key", "parcels", type_="unique")', False),
        # What a query returns decides whether this is sent.
        (f"if op.get_bind().execute(sa.text({QUERY!r})).first():\n        {NAMELESS}", False),
    ],
)
def test_alembic_drops_a_constraint_without_a_name(findings: Findings, statement: str, is_reported: bool) -> None:
    base = SCRIPT.replace('sa.Column("state", sa.Enum("new", "sent", name="state"))', 'sa.Column("state", sa.Text())')
    script = base.replace("a1", "b2").replace("down_revision = None", 'down_revision = "a1"')
    upgrade = 'op.create_unique_constraint("parcels_id_key", "parcels", ["id"])'
    script = script[: script.index("    op.create_table")] + f"    {upgrade}\n\ndef downgrade():\n    {statement}\n"
    assert findings({"a1.py": base, "b2.py": script}) == ([("db/b2.py", 10, "downgrade-fails")] if is_reported else [])
    if is_reported:
        (finding,) = lint(["db"], settings=SETTINGS, downgrades=True).findings
        assert finding.message == "the downgrade fails: it drops an object without naming it"


@pytest.mark.process
@pytest.mark.parametrize(
    ("refused", "rule"),
    [
        ('op.execute("CREATE INDEX CONCURRENTLY parcels_idx ON parcels (id)")', "concurrently-in-transaction"),
        ('op.execute("ALTER TABLE parcels ADD COLUMN id bigint")', "statement-fails"),
    ],
)
def test_a_refused_statement_leaves_what_is_wrong_with_the_file(findings: Findings, refused: str, rule: str) -> None:
    base = SCRIPT.replace('sa.Column("state", sa.Enum("new", "sent", name="state"))', 'sa.Column("state", sa.Text())')
    script = base.replace("a1", "b2").replace("down_revision = None", 'down_revision = "a1"')
    script = script[: script.index("    op.create_table")] + f"    {refused}\n\ndef downgrade():\n    pass\n"
    assert findings({"a1.py": base, "b2.py": script}) == []
    found = lint(["db"], settings=Configuration(select=("downgrade-missing", rule, "index-not-concurrent"))).findings
    assert [each.rule for each in found] == [rule, "downgrade-missing"]


@pytest.mark.parametrize(("before", "severity"), [("pass", "INFO"), ("op.execute('SELECT 1')", "WARNING")])
def test_a_project_without_downgrades(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, severity: str) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    for number, down in enumerate(("pass", before, "pass", "pass")):
        parent = repr(f"r{number - 1}") if number else None
        # The names of the files are not in the order of the revisions.
        Path(f"{9 - number}_step.py").write_text(
            f"from alembic import op\nrevision = 'r{number}'\ndown_revision = {parent}\n"
            f"def upgrade():\n    op.execute('CREATE TABLE t{number} (id bigint PRIMARY KEY)')\ndef downgrade():\n    {down}\n"
        )
    findings = lint(["."], settings=Configuration(select=("downgrade-missing",))).findings
    assert {each.script.path: each.severity.name for each in findings}["6_step.py"] == severity


@pytest.mark.parametrize(
    ("up", "severity"),
    [
        ("UPDATE parcels SET state = 'new' WHERE state IS NULL", "INFO"),
        ("DELETE FROM parcels WHERE state IS NULL", "INFO"),
        ("INSERT INTO parcels VALUES (1)", "WARNING"),
        ("ALTER TABLE parcels ADD COLUMN weight bigint", "WARNING"),
    ],
)
def test_rows_that_keep_their_new_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, up: str, severity: str) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    script = (
        f'from alembic import op\nrevision = "a1"\ndown_revision = None\ndef upgrade():\n    op.execute("{up}")\ndef downgrade():\n    pass\n'
    )
    Path("a1.py").write_text(script)
    (finding,) = lint(["."], settings=Configuration(select=("downgrade-missing",))).findings
    assert finding.severity.name == severity


@pytest.mark.process
@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ('with op.batch_alter_table("parcels") as batch:\n        batch.drop_constraint(None, type_="unique")', "without naming it"),
        ('op.execute("DELETE FROM parcels WHERE id = ANY(:ids::int[])")', 'syntax error at or near ":"'),
        ('op.execute("DELETE FROM parcels WHERE id = :id")', "A value is required for bind parameter 'id'"),
    ],
)
def test_sqlalchemy_cannot_write_a_downgrade(findings: Findings, statement: str, error: str) -> None:
    base = SCRIPT.replace('sa.Column("state", sa.Enum("new", "sent", name="state"))', 'sa.Column("state", sa.Text())')
    script = base.replace("a1", "b2").replace("down_revision = None", 'down_revision = "a1"')
    script = script[: script.index("    op.create_table")] + f"    op.execute('ANALYZE parcels')\n\ndef downgrade():\n    {statement}\n"
    assert findings({"a1.py": base, "b2.py": script}) == [("db/b2.py", 10, "downgrade-fails")]
    (finding,) = lint(["db"], settings=SETTINGS, downgrades=True).findings
    assert error in finding.message
