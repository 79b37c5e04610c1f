"""SQL as calls of op: Alembic, run offline with them, must send the same operations."""

from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy
from alembic.migration import MigrationContext
from alembic.operations import Operations

from migsafe.linting.rulebook import shipped_rules
from migsafe.rendering.op_calls import as_op_calls, outside_batch
from migsafe.schema.catalog import Catalog
from migsafe.sql import operations as sql
from migsafe.sql.statements import read
from migsafe.text import Span
from tests.support.linted import judge_sql

RULES = Path(__file__).parent.parent / "rules"
CALLS = {
    "CREATE INDEX CONCURRENTLY a ON t (x);": """\
with op.get_context().autocommit_block():
    op.create_index("a", "t", ["x"], postgresql_concurrently=True)""",
    "-- before this statement:\nSET lock_timeout = '2s';": """\
# before this statement:
op.execute("SET lock_timeout = '2s'")""",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (x > 0) NOT VALID;\n-- next migration\n-- slow:\nALTER TABLE t VALIDATE CONSTRAINT c;": """\
op.create_check_constraint("c", "t", "x > 0", postgresql_not_valid=True)
# next revision
# slow:
op.execute("ALTER TABLE t VALIDATE CONSTRAINT c")""",
    "DROP INDEX CONCURRENTLY IF EXISTS a;\nCREATE INDEX CONCURRENTLY a ON t (x);\nALTER TABLE t ALTER x SET NOT NULL;": """\
with op.get_context().autocommit_block():
    op.drop_index("a", postgresql_concurrently=True, if_exists=True)
    op.create_index("a", "t", ["x"], postgresql_concurrently=True)
op.alter_column("t", "x", nullable=False)""",
    "-- only words": "# only words",
    "-- look first:\n-- DROP SEQUENCE a;": '# look first:\n# op.execute("DROP SEQUENCE a")',
}
SAME = [
    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a ON s.t USING btree (x DESC NULLS LAST, lower(y), z) INCLUDE (u, v) WHERE w = ':a';",
    "CREATE INDEX a ON t USING gin (x jsonb_path_ops) WITH (fastupdate = off);",
    "CREATE INDEX a ON t (x text_pattern_ops DESC);",
    'CREATE INDEX "A b" ON "Order" ("User");',
    "CREATE UNIQUE INDEX a ON t (x) NULLS NOT DISTINCT;",
    'CREATE INDEX a ON t (x COLLATE "C");',
    "CREATE INDEX ON t (x);",
    "DROP INDEX s.a;",
    "DROP INDEX a CASCADE;",
    "DROP TABLE s.t;",
    "DROP TABLE IF EXISTS t, u CASCADE;",
    "ALTER TABLE s.t ADD CONSTRAINT f FOREIGN KEY (a, b) REFERENCES v (c, d) MATCH FULL ON DELETE CASCADE INITIALLY DEFERRED NOT VALID;",
    "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES v ON DELETE SET NULL (a);",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (a::text <> ':b') NO INHERIT NOT VALID;",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (a::text <> ':b');",
    "ALTER TABLE t ADD CONSTRAINT u UNIQUE (a, b);",
    "ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX a;",
    "ALTER TABLE t ADD PRIMARY KEY (a);",
    "ALTER TABLE ONLY t ALTER COLUMN a DROP NOT NULL;",
    "ALTER TABLE t ALTER COLUMN a DROP NOT NULL;",
    "ALTER TABLE t DROP COLUMN a;",
    "ALTER TABLE t DROP COLUMN IF EXISTS a;",
    "ALTER TABLE t DROP CONSTRAINT c;",
    "ALTER TABLE t DROP CONSTRAINT c CASCADE;",
    "ALTER TABLE t RENAME COLUMN a TO b;",
    "ALTER TABLE t RENAME TO u;",
    "ALTER TABLE t ADD COLUMN a text DEFAULT ':x', ADD COLUMN b int;",
    "ALTER TABLE p DETACH PARTITION t CONCURRENTLY;",
    "VACUUM t;",
    "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u.v (c) ON UPDATE SET NULL NOT DEFERRABLE;",
    'UPDATE t SET a = \'"""\\:x\'\nWHERE b = :c;',
]


def sent(script: str) -> list[Any]:
    """Returns the operations that Alembic sends for a script, without the BEGIN and COMMIT of its own transactions."""
    buffer = StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": buffer})
    with context.begin_transaction():
        exec(script, {"op": Operations(context), "sa": sqlalchemy})  # it is what we wrote
    return plain(buffer.getvalue())


def plain(text: str) -> list[Any]:
    operations = [operation for statement in read(text) for operation in statement.operations]
    return [_without_spans(msgspec.to_builtins(operation)) for operation in operations if not isinstance(operation, sql.Begin | sql.Commit)]


def _without_spans(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_spans(item) for key, item in value.items() if key not in ("span", "body")}
    if isinstance(value, str):
        return " ".join(value.split())
    return [_without_spans(item) for item in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize(("text", "script"), CALLS.items())
def test_sql_becomes_calls_and_comments(text: str, script: str) -> None:
    assert as_op_calls(text, Catalog(17)) == script


@pytest.mark.parametrize("text", SAME)
def test_alembic_sends_the_same(text: str) -> None:
    assert sent(as_op_calls(text, Catalog(17))) == plain(text)


@pytest.mark.parametrize("case", sorted(RULES.rglob("*.sql")), ids=lambda case: str(case.relative_to(RULES)))
def test_all_advice_can_be_written_as_calls(case: Path) -> None:
    if case.parent == RULES:
        return
    for finding in judge_sql(case.read_text(), [rule for rule in shipped_rules() if rule.category == case.parent.name]).findings:
        if "BEGIN;" not in finding.help:
            assert sent(as_op_calls(finding.help, Catalog(17))) == plain(finding.help), finding.help


@pytest.mark.process
def test_the_type_of_a_column_is_advised_in_python() -> None:
    script = """
    # 5b1_first.py
    import sqlalchemy as sa
    from alembic import op

    revision = "5b1"
    down_revision = None


    def upgrade():
        op.create_table("t", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("At", sa.DateTime()), sa.Column("doc", sa.JSON()))


    def downgrade():
        op.drop_table("t")
    """
    rules = [rule for rule in shipped_rules() if rule.category == "design" and not rule.off]
    assert {finding.rule: finding.help for finding in judge_sql(script, rules).findings} == {
        "int-primary-key": '# sa.Column("id", sa.BigInteger(), primary_key=True), and every column that references it',
        "json-type": '# sa.Column("doc", postgresql.JSONB())',
        "serial-column": '# sa.Column("id", sa.BigInteger(), sa.Identity(always=True))',
        "timestamp-without-time-zone": '# sa.Column("At", sa.DateTime(timezone=True))',
    }


def test_what_should_run_outside_a_transaction_is_in_a_block() -> None:
    calls = as_op_calls("-- at the end of the migration:\n-- outside a transaction, too:\nANALYZE t;\nANALYZE u;\n", Catalog(17))
    assert calls == (
        '# at the end of the migration:\nwith op.get_context().autocommit_block():\n    op.execute("ANALYZE t")\n    op.execute("ANALYZE u")'
    )


BATCH = """\
def upgrade():
    with op.batch_alter_table("orders", schema=None) as orders:
        orders.add_column(sa.Column("note", sa.String))
        orders.create_index("orders_note_idx", ["note"])
    op.create_index("orders_id_idx", "orders", ["id"])
"""


@pytest.mark.parametrize(
    ("code", "call", "is_told"),
    [
        ('op.create_index("a", "orders", ["note"])', 'orders.create_index("orders_note_idx"', True),
        ("# first\nop.execute(\"SET lock_timeout = '2s'\")", 'orders.create_index("orders_note_idx"', False),
        ("# only words", "orders.add_column", False),
        ('op.create_index("a", "orders", ["id"])', 'op.create_index("orders_id_idx"', False),
    ],
)
def test_calls_in_the_place_of_a_call_of_a_batch_are_put_outside_its_block(code: str, call: str, is_told: bool) -> None:
    start = BATCH.index(call)
    told = outside_batch(code, BATCH, Span(start, start + len(call)))
    assert (told != code) == is_told
    assert told.endswith(code)
    assert ("a call of op runs before those of orders" in told) == is_told
