"""The messages and the help of the locking rules, with the user's own names."""

import pytest

from migsafe.linting.finding import Finding, Severity
from migsafe.lock import LockMode
from tests.support.linted import judge_sql

HISTORY = """
CREATE TABLE parcels (
    id bigint PRIMARY KEY, code varchar(20) CONSTRAINT parcels_code_known CHECK (code <> ''), name text, at timestamp, weight bigint,
    length bigint
);
CREATE INDEX parcels_name_idx ON parcels (name);
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE MATERIALIZED VIEW totals AS SELECT weight FROM parcels;
-- next migration
"""


def finding(sql: str) -> Finding:
    return next(each for each in judge_sql(HISTORY + sql).findings if each.category == "locking" or each.rule == "type-narrowed")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            "CREATE INDEX ON totals (weight)",
            "CREATE INDEX takes SHARE on public.totals until it is built: every REFRESH waits",
        ),
        (
            "CREATE INDEX ON events (id)",
            "CREATE INDEX takes SHARE on public.events and its partitions until it is built: every INSERT, UPDATE and DELETE waits",
        ),
        (
            "DROP INDEX parcels_name_idx",
            "DROP INDEX takes ACCESS EXCLUSIVE on public.parcels, and first waits for every transaction that uses it: "
            "meanwhile every SELECT, INSERT, UPDATE and DELETE waits",
        ),
        (
            "ALTER TABLE parcels ADD COLUMN reference uuid DEFAULT gen_random_uuid()",
            "ADD COLUMN reference takes ACCESS EXCLUSIVE on public.parcels while it rewrites every row and index, because "
            "gen_random_uuid() is volatile, so each row gets its own value: every SELECT, INSERT, UPDATE and DELETE waits",
        ),
        (
            'ALTER TABLE parcels ALTER COLUMN name TYPE text COLLATE "C"',
            "ALTER COLUMN name TYPE text takes ACCESS EXCLUSIVE on public.parcels while it rebuilds the index parcels_name_idx, "
            "because the new collation has a different order: every SELECT, INSERT, UPDATE and DELETE waits",
        ),
        (
            "ALTER TABLE parcels ADD FOREIGN KEY (weight) REFERENCES regions, ADD COLUMN note text",
            "ALTER TABLE with an ADD FOREIGN KEY takes ACCESS EXCLUSIVE on public.parcels, and SHARE ROW EXCLUSIVE on public.regions, "
            "while it checks every row of public.parcels: every SELECT, INSERT, UPDATE and DELETE on the first waits",
        ),
    ],
)
def test_a_message_says_what_waits_and_why(sql: str, message: str) -> None:
    assert finding(sql).message == message


def test_a_check_that_would_be_compared_again_comes_back_not_valid() -> None:
    assert finding("ALTER TABLE parcels ALTER COLUMN code TYPE varchar(50)").help.splitlines() == [
        "ALTER TABLE parcels",
        "    DROP CONSTRAINT parcels_code_known,",
        "    ALTER COLUMN code TYPE varchar(50),",
        "    ADD CONSTRAINT parcels_code_known CHECK (code <> '') NOT VALID;",
        "-- next migration",
        "-- without blocking reads and writes:",
        "ALTER TABLE parcels VALIDATE CONSTRAINT parcels_code_known;",
    ]


def test_a_partitioned_table_is_indexed_partition_by_partition() -> None:
    assert finding("CREATE INDEX events_id_idx ON events (id)").help.splitlines() == [
        "CREATE INDEX events_id_idx ON ONLY events (id);",
        "-- next migration",
        "CREATE INDEX CONCURRENTLY events_2025_id_idx ON public.events_2025 (id);",
        "-- next migration",
        "ALTER INDEX events_id_idx ATTACH PARTITION public.events_2025_id_idx;",
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE parcels ADD COLUMN reference uuid NOT NULL UNIQUE DEFAULT gen_random_uuid() CHECK (reference IS NOT NULL)",
        "ALTER TABLE parcels ADD COLUMN number bigserial",
        "ALTER TABLE parcels ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY",
        "ALTER TABLE parcels ADD COLUMN double bigint GENERATED ALWAYS AS (weight * 2) STORED",
        "ALTER TABLE parcels ADD COLUMN size bigint UNIQUE",
        "ALTER TABLE parcels ADD CHECK (weight > 0)",
        "ALTER TABLE parcels ALTER COLUMN length TYPE integer",
        "ALTER TABLE parcels ALTER COLUMN at TYPE timestamptz",
        "ALTER TABLE parcels ALTER COLUMN code TYPE varchar(50)",
        "ALTER TABLE parcels ALTER COLUMN name TYPE varchar(50)",
        "ALTER TABLE parcels ALTER COLUMN name SET NOT NULL",
        "ALTER TABLE events ADD FOREIGN KEY (id) REFERENCES regions",
        "ALTER TABLE events ADD UNIQUE (id, day)",
        "CREATE INDEX ON events (id)",
        "DROP INDEX parcels_name_idx",
        "REINDEX (VERBOSE) TABLE parcels",
    ],
)
def test_the_safe_way_is_safe_after_the_same_history(sql: str) -> None:
    offered = [each for each in judge_sql(HISTORY + finding(sql).help).findings if each.category == "locking" and each.severity > Severity.INFO]
    assert offered == []


def test_a_lock_is_the_whole_statements() -> None:
    assert finding("ALTER TABLE parcels ADD FOREIGN KEY (weight) REFERENCES regions").lock is LockMode.SHARE_ROW_EXCLUSIVE
    assert finding("ALTER TABLE parcels ADD FOREIGN KEY (weight) REFERENCES regions, ADD note text").lock is LockMode.ACCESS_EXCLUSIVE


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "UPDATE parcels SET code = 'x' WHERE weight = 1;",
            "UPDATE runs for a time that grows with public.parcels while the transaction holds ACCESS EXCLUSIVE on public.parcels and SHARE "
            "ROW EXCLUSIVE on public.depots from ALTER TABLE in line 4 and ALTER TABLE in line 3: every "
            "SELECT, INSERT, UPDATE and DELETE on public.parcels and every "
            "INSERT, UPDATE and DELETE on public.depots waits until the transaction ends",
        ),
        (
            "ALTER TABLE carriers ADD COLUMN note text;",
            "ALTER TABLE waits for ACCESS EXCLUSIVE on public.carriers while the transaction holds locks on public.parcels and public.depots: "
            "every SELECT, INSERT, UPDATE and DELETE on public.parcels and every INSERT, UPDATE and DELETE on public.depots waits until the "
            "transaction ends, and a transaction that uses public.carriers before one of these deadlocks with it",
        ),
    ],
)
def test_each_held_lock_is_named_with_its_own_tables(statement: str, message: str) -> None:
    tables = "CREATE TABLE depots (id bigint PRIMARY KEY);\nCREATE TABLE carriers (id bigint PRIMARY KEY);\n-- next migration\n"
    sql = f"""
    BEGIN;
    ALTER TABLE parcels ADD CONSTRAINT parcels_depot_fkey FOREIGN KEY (weight) REFERENCES depots (id) NOT VALID;
    ALTER TABLE parcels ADD COLUMN note text;
    {statement}
    COMMIT;
    """
    reported = judge_sql(HISTORY + tables + sql).findings
    assert next(each.message for each in reported if each.rule in ("long-work-under-lock", "many-tables-locked")) == message


def test_a_table_that_is_locked_already_is_not_waited_for() -> None:
    sql = """
    CREATE TABLE depots (id bigint PRIMARY KEY);
    CREATE TABLE carriers (id bigint PRIMARY KEY);
    -- next migration
    BEGIN;
    CREATE TABLE routes (id bigint PRIMARY KEY, parcel bigint REFERENCES parcels (id));
    CREATE TABLE rides (id bigint PRIMARY KEY, parcel bigint REFERENCES parcels (id), carrier bigint REFERENCES carriers (id));
    COMMIT;
    """
    (reported,) = [each for each in judge_sql(HISTORY + sql).findings if each.rule == "many-tables-locked"]
    assert reported.message == (
        "CREATE TABLE waits for SHARE ROW EXCLUSIVE on public.carriers while the transaction holds locks on public.parcels: "
        "every INSERT, UPDATE and DELETE on public.parcels waits until the transaction ends, and a transaction that writes to public.carriers "
        "before public.parcels deadlocks with it"
    )


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("CREATE INDEX ON parcels (name);", "index-not-concurrent"),
        ("ALTER TABLE parcels ADD FOREIGN KEY (weight) REFERENCES parcels (id);", "foreign-key-validates"),
    ],
)
def test_long_work_names_the_lock_that_the_transaction_holds(statement: str, rule: str) -> None:
    sql = f"{HISTORY}BEGIN;\nALTER TABLE parcels ADD COLUMN note text;\n{statement}\nCOMMIT;"
    (message,) = [each.message for each in judge_sql(sql).findings if each.category == "locking"]
    assert message.endswith(
        "; the transaction also holds ACCESS EXCLUSIVE on public.parcels since ALTER TABLE in line 2 until it ends: every SELECT, INSERT, "
        "UPDATE and DELETE on it waits"
    )
    assert rule in [each.rule for each in judge_sql(sql).findings]
    alone = f"{HISTORY}BEGIN;\n{statement}\nCOMMIT;"
    assert "also holds" not in " ".join(each.message for each in judge_sql(alone).findings)


def test_each_kind_of_many_held_locks_names_the_statement_that_took_it() -> None:
    tables = "".join(f"CREATE TABLE {name} (id bigint PRIMARY KEY, size int);\n" for name in "abcde")
    alters = "CREATE INDEX ON a (size);\nCREATE INDEX ON b (size);\nALTER TABLE c ADD COLUMN note text;\nALTER TABLE d ADD COLUMN note text;\n"
    findings = judge_sql(f"{tables}-- next migration\nBEGIN;\n{alters}CREATE INDEX ON e (size);\nCOMMIT;").findings
    (message,) = (finding.message for finding in findings if "on public.e until" in finding.message)
    assert (
        "; the transaction also holds ACCESS EXCLUSIVE on public.c and public.d since ALTER TABLE in line 4 and later statements and SHARE on "
        "public.a and public.b since CREATE INDEX in line 2 and later statements until it ends: "
    ) in message


def test_a_statement_of_a_trigger_is_not_judged_by_the_text_of_the_one_that_fires_it() -> None:
    count = "UPDATE places SET size = 1 FROM towns, roads WHERE towns.id = NEW.town AND roads.town = towns.id AND places.id = roads.place"
    sql = f"""
    CREATE TABLE towns (id bigint PRIMARY KEY, size int);
    CREATE TABLE roads (town bigint, place bigint);
    CREATE TABLE places (id bigint PRIMARY KEY, size int);
    CREATE TABLE trips (id bigint PRIMARY KEY, town bigint, size int);
    CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {count}; RETURN NULL; END $$;
    CREATE TRIGGER counted AFTER UPDATE ON trips FOR EACH ROW EXECUTE FUNCTION counted();
    -- next migration
    UPDATE trips SET size = towns.size FROM towns WHERE trips.town = towns.id;
    """
    (finding,) = (finding for finding in judge_sql(sql).findings if finding.rule == "backfill-unbatched")
    assert [str(name) for name in finding.relations] == ["public.trips"]


def test_indexes_without_names_get_different_ones() -> None:
    twice = "CREATE INDEX ON parcels (name, weight) WHERE id > 1;\nCREATE INDEX ON parcels (name, weight) WHERE id > 2;"
    found = [each for each in judge_sql(f"{HISTORY}{twice}").findings if each.rule == "index-not-concurrent"]
    assert [each.help.partition(" ON ")[0] for each in found] == [
        "CREATE INDEX CONCURRENTLY parcels_name_weight_idx",
        "CREATE INDEX CONCURRENTLY parcels_name_weight_idx1",
    ]


def test_a_key_that_opaque_code_drops_keeps_its_name_until_it_is_replaced() -> None:
    dropped = "EXECUTE 'ALTER TABLE parcels DROP CONSTRAINT ' || quote_ident(x);"
    code = f"DO $$ DECLARE x text; BEGIN SELECT conname INTO x FROM pg_constraint; {dropped} END $$;"
    sql = f"{HISTORY}{code}\nALTER TABLE parcels ADD CONSTRAINT parcels_pkey PRIMARY KEY (id);"
    (found,) = [each for each in judge_sql(sql).findings if each.rule == "primary-key-builds-index"]
    assert "CREATE UNIQUE INDEX CONCURRENTLY parcels_pkey_new ON parcels (id);" in found.help
    assert found.help.endswith(
        "ALTER TABLE parcels DROP CONSTRAINT parcels_pkey, ADD CONSTRAINT parcels_pkey PRIMARY KEY USING INDEX parcels_pkey_new;"
    )


def test_the_name_of_a_key_that_postgresql_chooses_is_free() -> None:
    sql = "CREATE TABLE crates (id bigint PRIMARY KEY, code text UNIQUE);\n-- next migration\nALTER TABLE crates ADD UNIQUE (code);"
    [found] = [each for each in judge_sql(sql).findings if each.rule == "unique-builds-index"]
    assert "DROP INDEX CONCURRENTLY IF EXISTS crates_code_key1;" in found.help
    assert "ADD CONSTRAINT crates_code_key1 UNIQUE USING INDEX crates_code_key1;" in found.help


def test_an_index_is_dropped_by_one_safe_way() -> None:
    indexes = "CREATE INDEX parcels_name_code_idx ON parcels (name, code); CREATE INDEX parcels_name_weight_idx ON parcels (name, weight);"
    sql = f"{HISTORY}BEGIN; DROP INDEX parcels_name_idx; {indexes} COMMIT;"
    first, second = [each.help for each in judge_sql(sql).findings if each.rule == "index-not-concurrent"]
    assert "DROP INDEX CONCURRENTLY parcels_name_idx;" in first
    assert "DROP INDEX" not in second


def test_a_table_that_takes_the_name_of_another_is_not_filled_in_a_later_transaction() -> None:
    sql = "BEGIN;\nALTER TABLE parcels RENAME TO old_parcels;\nCREATE TABLE parcels (id bigint, name text);\n{};\nCOMMIT;"
    results = judge_sql(HISTORY + sql.format("INSERT INTO parcels SELECT id, name FROM old_parcels WHERE name IS NOT NULL"))
    found = next(each for each in results.findings if each.rule == "long-work-under-lock")
    assert "under another name, in an earlier migration" in (found.help or "")
    assert not found.fix


def helps(history: str, sql: str, rule: str) -> list[str]:
    findings = judge_sql(f"{history};\n-- next migration\n{sql}").findings
    return [each.help or "" for each in findings if each.rule == rule]


def test_columns_that_change_with_their_key_have_its_safe_way() -> None:
    history = """CREATE TABLE vans (id serial PRIMARY KEY);
    CREATE TABLE trips (id bigint PRIMARY KEY, van_id int REFERENCES vans (id), note int)"""
    change = "ALTER TABLE trips ALTER COLUMN van_id TYPE bigint"
    key = "ALTER TABLE vans ALTER COLUMN id TYPE bigint"
    for sql, line in ((f"{change};\n{key};", 2), (f"{key};\n{change};", 1)):
        found = {each.split("\n")[0]: each for each in helps(history, sql, "type-change-rewrites")}
        short = f"-- the safe way of id, which line {line} changes too, includes van_id, which references it"
        assert short in found
        (long,) = (each for first, each in found.items() if first != short)
        assert "ADD CONSTRAINT trips_van_id_new_fkey" in long
    (alone,) = helps(history, change, "type-change-rewrites")
    assert "trips_van_id_new_fkey" in alone
    assert len(helps(history, f"ALTER TABLE trips ALTER COLUMN note TYPE bigint;\n{key};", "type-change-rewrites")) == 2


def test_a_column_with_a_new_type_and_a_new_name_has_one_safe_way() -> None:
    history = "CREATE TABLE vans (id bigint PRIMARY KEY, sold boolean)"
    change = "ALTER TABLE vans ALTER COLUMN sold TYPE text USING CASE WHEN sold THEN 'yes' END"
    rename = "ALTER TABLE vans RENAME COLUMN sold TO status"
    (short,) = helps(history, f"{change};\n{rename};", "type-change-rewrites")
    assert short == "-- the safe way of RENAME COLUMN in line 2 includes the new type"
    (long,) = helps(history, f"{change};\n{rename};", "rename-column")
    assert long.startswith("-- instead of the new type in line 1 and of this:\n")
    assert "UPDATE vans SET status = CASE WHEN sold THEN 'yes' END WHERE status IS DISTINCT FROM (CASE WHEN sold THEN 'yes' END);" in long
    (cast,) = helps(history, f"ALTER TABLE vans ALTER COLUMN id TYPE integer;\n{rename.replace('sold', 'id')};", "rename-column")
    assert "SET status = id::integer WHERE status IS DISTINCT FROM (id::integer);" in cast
    (alone,) = helps(history, rename, "rename-column")
    assert "SET status = sold WHERE status IS NULL AND sold IS NOT NULL;" in alone
