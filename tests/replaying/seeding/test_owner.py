"""A role that owns the tables and is not a superuser fills them as a superuser does, and leaves them as they were."""

from collections.abc import Callable

import pytest

from migsafe.replaying.experiments.contents import read_rows, read_tables
from migsafe.replaying.recording.ledger import count_committed_rows
from migsafe.replaying.recording.snapshot import take_snapshot
from migsafe.replaying.seeding import Seeder, same_for_every_table
from migsafe.replaying.servers.installations import Installation
from migsafe.replaying.servers.private import PrivateHost
from tests.support.servers import oldest_and_newest

pytestmark = pytest.mark.server

TABLES = """
    CREATE FUNCTION reject() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'rejected'; END $$;
    CREATE TABLE parents (id int PRIMARY KEY, owner text NOT NULL);
    CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents DEFERRABLE INITIALLY DEFERRED, note text UNIQUE);
    ALTER TABLE parents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    CREATE POLICY own ON parents USING (owner = current_user);
    CREATE TRIGGER "Rejects" BEFORE INSERT ON children FOR EACH ROW EXECUTE FUNCTION reject();
    CREATE TRIGGER off BEFORE INSERT ON children FOR EACH ROW EXECUTE FUNCTION reject();
    ALTER TABLE children DISABLE TRIGGER off;
"""
STATE = """
    SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT relname, relforcerowsecurity::text::"char" FROM pg_class WHERE relrowsecurity ORDER BY 1
"""


@pytest.mark.parametrize("installation", oldest_and_newest())
def test_triggers_and_row_security_do_not_reject_rows(start_host: Callable[[Installation], PrivateHost], installation: Installation) -> None:
    host = start_host(installation)
    host.create_database("owned")
    try:
        with host.connect_as_migrator("owned") as connection:
            connection.execute(TABLES.encode())
            before = connection.execute(STATE).fetchall()
            seeder = Seeder(same_for_every_table(50))
            seeder.seed(connection)
            assert seeder.unfilled == {}
            assert connection.execute("SELECT count(*), count(DISTINCT parent) > 40 FROM children").fetchone() == (50, True)
            # Counting and reading see all rows, too.
            assert sorted(count_committed_rows(connection, take_snapshot(connection)).values()) == [50, 50]
            assert [rows.count for rows in read_rows(connection, read_tables(connection).tables).values()] == [50, 50]
            assert connection.execute(STATE).fetchall() == before
        with host.connect("owned") as connection:
            assert connection.execute("SELECT count(*) FROM parents").fetchone() == (50,)
    finally:
        host.drop_database("owned")
