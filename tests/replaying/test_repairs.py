"""Roles, schemas and extensions that migrations need and none of them creates."""

from collections.abc import Callable
from pathlib import Path

import pytest

from migsafe.prediction.record_tables import add_record_table
from migsafe.replaying.servers.installations import Installation
from migsafe.replaying.servers.private import PrivateHost
from migsafe.schema.catalog import Catalog
from migsafe.sources import RUNNERS, Half, Runner, SourceSettings, Transaction
from migsafe.sql.operations import Name
from migsafe.text import Script
from tests.support.replays import replay_files
from tests.support.servers import FOUND

ORDERS = "CREATE TABLE orders (id bigint PRIMARY KEY, note text NOT NULL);"


def test_a_schema_that_the_history_assumes_is_created(host: PrivateHost, tmp_path: Path) -> None:
    files = {
        "0001.sql": ORDERS + "CREATE TABLE auth.sessions (id int); GRANT USAGE ON SCHEMA extensions TO public;",
        "0002.sql": 'BEGIN; ALTER TABLE orders ADD a int; CREATE VIEW "Reports".all_orders AS SELECT id FROM orders; COMMIT;',
        "0003.sql": "CREATE SCHEMA IF NOT EXISTS auth; ALTER TABLE orders ADD IF NOT EXISTS b int; CREATE TABLE IF NOT EXISTS later.t ();",
    }
    done = replay_files(host, tmp_path, files, "agreement", "crash", only="0003.sql")
    assert (done.problems, done.recording.failure) == ([], None)
    assert done.run.repairs.schemas == ["auth", "extensions", "Reports", "later"]
    assert done.outcome("crash").passed
    done = replay_files(host, tmp_path, files, "agreement", only="0002.sql")
    assert (done.recording.failure, done.run.repairs.schemas) == (None, ["auth", "extensions", "Reports"])
    assert done.outcome("agreement").passed


def test_the_schemas_of_search_path_are_created_if_none_exists(host: PrivateHost, tmp_path: Path) -> None:
    done = replay_files(
        host, tmp_path, {"0001.sql": "SET search_path = app, shared; " + ORDERS, "0002.sql": "ALTER TABLE app.orders ADD a int;"}
    )
    assert (done.problems, done.recording.failure, done.run.repairs.schemas) == ([], None, ["app", "shared"])


def test_a_schema_that_the_history_dropped_is_not_created(host: PrivateHost, tmp_path: Path) -> None:
    files = {"0001.sql": 'CREATE SCHEMA old; DROP SCHEMA "old";', "0002.sql": "CREATE TABLE old.t (id int);"}
    done = replay_files(host, tmp_path, files, only="0002.sql")
    assert done.recording.failure is not None
    assert (done.recording.failure.message, done.run.repairs.schemas) == ('schema "old" does not exist', [])


def test_a_schema_that_a_script_assumes_is_created(host: PrivateHost, tmp_path: Path) -> None:
    head = "from alembic import op\nimport sqlalchemy as sa\nrevision = '{}'\ndown_revision = {}\n"
    first = head.format("a1", None) + "def upgrade():\n    op.create_table('orders', sa.Column('id', sa.Integer), schema='tenant')\n"
    second = head.format("b2", "'a1'") + (
        "def upgrade():\n"
        "    names = op.get_bind().execute(sa.text('SELECT id FROM tenant.orders')).fetchall()\n"
        "    op.create_table('more', sa.Column('id', sa.Integer), schema='other')\n"
    )
    done = replay_files(host, tmp_path, {"a1_orders.py": first, "b2_more.py": second}, settings=SourceSettings(runner="alembic"))
    assert (done.problems, done.recording.failure, done.run.repairs.schemas) == ([], None, ["tenant", "other"])


def test_an_extension_that_the_migrations_assume_is_created(start_host: Callable[[Installation], PrivateHost], tmp_path: Path) -> None:
    packaged = [installation for installation in FOUND if not installation.embedded]
    if not packaged:
        pytest.skip("no PostgreSQL with the contrib extensions on this machine")
    host = start_host(packaged[-1])
    files = {
        "0001.sql": "CREATE TABLE notes (id int PRIMARY KEY, note text); CREATE INDEX ON notes USING gin (note gin_trgm_ops);",
        "0002.sql": "ALTER TABLE notes ADD code uuid DEFAULT uuid_generate_v4(), ADD tag citext;",
    }
    done = replay_files(host, tmp_path, files, "rerun", only="0002.sql")
    assert (done.problems, done.recording.failure, done.run.repairs.extensions) == ([], None, ["pg_trgm", "uuid-ossp", "citext"])
    # A migration that creates the extension too late fails.
    done = replay_files(host, tmp_path, {**files, "0003.sql": "CREATE EXTENSION citext;"})
    failure = done.replayed[-1].recording.failure
    assert failure is not None
    assert (failure.message, done.run.repairs.extensions) == ('type "citext" does not exist', ["pg_trgm", "uuid-ossp"])


def test_an_extension_that_only_a_superuser_may_create(start_host: Callable[[Installation], PrivateHost], tmp_path: Path) -> None:
    packaged = [installation for installation in FOUND if not installation.embedded]
    if not packaged:
        pytest.skip("no PostgreSQL with the contrib extensions on this machine")
    files = {
        "0001.sql": ORDERS + 'CREATE EXTENSION IF NOT EXISTS "pg_stat_statements";',
        "0002.sql": "CREATE EXTENSION IF NOT EXISTS dblink; ALTER TABLE orders ADD a int;",
        "0003.sql": "CREATE EXTENSION IF NOT EXISTS file_fdw;",
    }
    host = start_host(packaged[-1])
    done = replay_files(host, tmp_path, files, "rerun", "agreement", only="0002.sql")
    assert (done.problems, done.recording.failure) == ([], None)
    assert (done.run.repairs.extensions, done.run.repairs.denied_extensions) == ([], ["pg_stat_statements", "dblink"])
    failure = replay_files(host, tmp_path, files, only="0003.sql").recording.failure
    assert failure is not None
    assert failure.message == 'permission denied to create extension "file_fdw"'


def test_a_dump_may_name_the_superuser_as_owner(host: PrivateHost, tmp_path: Path) -> None:
    dump = (
        "\\restrict abc\n"
        + ORDERS
        + "ALTER TABLE orders OWNER TO postgres;\nALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT SELECT ON TABLES TO PUBLIC;"
    )
    done = replay_files(host, tmp_path, {"0001.sql": "CREATE INDEX ON orders (id);"}, "agreement", schema=Script("dump.sql", dump))
    assert (done.problems, done.recording.failure) == ([], None)
    assert done.outcome("agreement").passed


def test_a_command_of_psql_that_only_displays_is_not_the_cause_of_a_failure(host: PrivateHost, tmp_path: Path) -> None:
    done = replay_files(host, tmp_path, {"0001.sql": "SELECT 1;"}, schema=Script("dump.sql", "\\restrict abc\nDROP TABLE missing;"))
    assert done.problems == ['dump.sql: the schema cannot be loaded at line 2: table "missing" does not exist']


def test_the_table_of_records_of_the_runner_exists(host: PrivateHost, tmp_path: Path) -> None:
    files = {
        "V1__orders.sql": ORDERS + "REVOKE ALL ON flyway_schema_history FROM public;",
        "V2__script.sql": "ALTER TABLE flyway_schema_history ENABLE ROW LEVEL SECURITY; CREATE INDEX ON flyway_schema_history (script);",
    }
    done = replay_files(host, tmp_path, files, "agreement", settings=SourceSettings(runner="flyway"))
    assert (done.problems, done.recording.failure, done.run.repairs.record_tables) == ([], None, ["flyway_schema_history"])
    assert done.outcome("agreement").passed
    done = replay_files(host, tmp_path, {"V1__log.sql": "ALTER TABLE log ADD a int;"}, settings=SourceSettings(runner="flyway"))
    assert done.recording.failure is not None
    assert done.run.repairs.record_tables == []


@pytest.mark.parametrize("runner", [runner for runner in RUNNERS if runner.record_table], ids=lambda runner: runner.name)
def test_the_tables_of_records_are_as_the_catalogue_has_them(host: PrivateHost, runner: Runner) -> None:
    half = Half(
        Script("1.sql", f"REVOKE ALL ON {runner.record_table.split()[2]} FROM public"), (), Transaction.FILE, record_table=runner.record_table
    )
    catalog = Catalog(host.major)
    add_record_table(catalog, half)
    relation = catalog.relation(Name(half.record_table_name))
    assert relation is not None
    host.create_database("records")
    with host.connect("records") as connection:
        connection.execute(runner.record_table.encode())
        columns = connection.execute("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", (half.record_table_name,))
        assert [column.name for column in relation.columns] == [name for (name,) in columns]
    host.drop_database("records")


def test_migrations_create_roles_and_run_no_programs(host: PrivateHost, tmp_path: Path) -> None:
    create = """
        DO $$ BEGIN CREATE ROLE reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
        GRANT SELECT ON orders TO reader;
    """
    done = replay_files(host, tmp_path, {"0001.sql": ORDERS, "0002.sql": create}, "rerun", "agreement", only="0002.sql")
    assert (done.problems, done.recording.failure) == ([], None)
    assert done.outcome("rerun").passed
    for statement in (
        "GRANT pg_execute_server_program TO CURRENT_USER",
        "CREATE ROLE runner IN ROLE pg_execute_server_program",
        "CREATE ROLE files IN ROLE pg_read_server_files, pg_write_server_files",
        "GRANT postgres TO CURRENT_USER",
        "CREATE ROLE admin SUPERUSER",
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ):
        done = replay_files(host, tmp_path, {"0001.sql": statement})
        assert done.recording.failure is not None, statement
        assert done.recording.failure.sqlstate == "42501"


def test_the_objects_of_a_platform_exist(host: PrivateHost, tmp_path: Path) -> None:
    files = {
        "1_profiles.sql": """
            CREATE TABLE profiles (id uuid PRIMARY KEY REFERENCES auth.users ON DELETE CASCADE, name text);
            ALTER TABLE profiles ENABLE ROW LEVEL SECURITY;
            CREATE POLICY own ON profiles FOR SELECT TO authenticated USING (auth.uid() = id);
            INSERT INTO storage.buckets (id, name, public) VALUES ('avatars', 'avatars', true);
        """,
        "2_more.sql": """
            CREATE POLICY avatars ON storage.objects FOR INSERT TO authenticated WITH CHECK ((storage.foldername(name))[1] = auth.uid()::text);
            CREATE FUNCTION welcome() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
            CREATE TRIGGER welcome AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION welcome();
            ALTER PUBLICATION supabase_realtime ADD TABLE profiles;
            ALTER TABLE profiles ADD COLUMN email text;
        """,
    }
    done = replay_files(host, tmp_path, files, "agreement", only="2_more.sql", settings=SourceSettings(runner="supabase"))
    assert (done.problems, done.recording.failure, done.run.repairs.has_platform) == ([], None, True)
    assert done.run.repairs.roles == ["authenticated"]
    assert done.outcome("agreement").passed, done.outcome("agreement").observations


def test_a_schema_of_a_platform_that_the_history_makes_is_its_own(host: PrivateHost, tmp_path: Path) -> None:
    files = {"1_auth.sql": "CREATE SCHEMA auth;", "2_key.sql": "CREATE TABLE profiles (id uuid REFERENCES auth.users);"}
    done = replay_files(host, tmp_path, files, only="2_key.sql", settings=SourceSettings(runner="supabase"))
    assert done.recording.failure is not None
    assert (done.recording.failure.message, done.run.repairs.has_platform) == ('relation "auth.users" does not exist', False)
