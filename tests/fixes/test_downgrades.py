"""The downgrades of fixed migrations in SQL, on a server: down to the schema before, and up again."""

from pathlib import Path

import pytest

from migsafe.configuration import Configuration
from migsafe.library.fix import fix
from migsafe.library.plan import find_plan
from migsafe.replaying.experiments.contents import read_schema
from migsafe.replaying.sending import send
from migsafe.replaying.servers.installations import Installation
from migsafe.replaying.servers.server import Server
from tests.support.servers import newest

BASE = "CREATE TABLE customers (id bigint PRIMARY KEY);\nCREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint, qty integer, email text);\n"
UP = """\
CREATE INDEX orders_qty_idx ON orders (qty);
ALTER TABLE orders
    ADD COLUMN note text,
    ADD CONSTRAINT orders_buyer_fkey FOREIGN KEY (buyer) REFERENCES customers (id);
ALTER TABLE orders ALTER COLUMN email SET NOT NULL;
ALTER TABLE orders ADD CONSTRAINT orders_note_key UNIQUE (note);
UPDATE orders SET note = 'x' || id;
CREATE TABLE extra (id bigint PRIMARY KEY);
ALTER TABLE orders ALTER COLUMN qty TYPE bigint;
"""
DOWN = """\
ALTER TABLE orders ALTER COLUMN qty TYPE integer;
DROP TABLE extra;
ALTER TABLE orders DROP CONSTRAINT orders_note_key;
ALTER TABLE orders ALTER COLUMN email DROP NOT NULL;
ALTER TABLE orders DROP CONSTRAINT orders_buyer_fkey, DROP COLUMN note;
DROP INDEX orders_qty_idx;
"""


@pytest.mark.server
@pytest.mark.parametrize("installation", newest())
def test_fixed_migrations_can_be_undone_and_applied_again(installation: Installation, tmp_path: Path) -> None:
    for name, text in {"1_base.up.sql": BASE, "2_change.up.sql": UP, "2_change.down.sql": DOWN}.items():
        (tmp_path / name).write_text(text)
    fixes = fix([str(tmp_path / "2_change.up.sql")], settings=Configuration(pg_version=installation.major), unsafe=True)
    assert {finding.rule for finding in fixes.applied} >= {"index-not-concurrent", "foreign-key-validates", "unique-builds-index"}
    fixes.write()
    first, *migrations = find_plan([str(tmp_path)], Configuration(), "lint").migrations
    assert len(migrations) > 3
    with Server(installation) as server, server.connect() as connection:
        send(connection, first.up)
        before = read_schema(connection)
        ends = []
        for _ in range(2):
            for migration in migrations:
                send(connection, migration.up)
            ends.append(read_schema(connection))
            for migration in reversed(migrations):
                assert migration.down is not None
                send(connection, migration.down)
            assert read_schema(connection) == before
        assert ends[0] == ends[1]
