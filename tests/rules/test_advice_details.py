"""What single messages and safe ways must say."""

import pytest

from migsafe.linting.finding import Finding
from migsafe.linting.rule import Limits
from migsafe.linting.rulebook import shipped_rules
from tests.support.linted import judge_sql

TABLES = """
CREATE TABLE readers (id bigint PRIMARY KEY);
CREATE TABLE loans (id bigint PRIMARY KEY, due date);
ALTER TABLE loans ADD CONSTRAINT due_known CHECK (due IS NOT NULL) NOT VALID;
ALTER TABLE loans ADD COLUMN reader bigint, ADD CONSTRAINT loans_reader_fkey FOREIGN KEY (reader) REFERENCES readers ON DELETE CASCADE;
ALTER TABLE loans ADD CONSTRAINT loans_key UNIQUE (due), ADD CONSTRAINT late CHECK (due > '2000-01-01');
CREATE TYPE genre AS ENUM ('novel', 'verse');
ALTER TABLE loans ADD COLUMN genre genre;
CREATE TABLE days (id bigint NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE days_rest PARTITION OF days DEFAULT;
-- next migration
"""


def finding(sql: str, rule: str, limits: Limits | None = None, pg_version: int = 17) -> Finding:
    rules = [each for each in shipped_rules() if each.name == rule]
    (found,) = judge_sql(TABLES + sql, rules, limits=limits, pg_version=pg_version).findings
    return found


def test_each_lock_is_named_with_its_table() -> None:
    reported = finding("SET lock_timeout = 0; ALTER TABLE loans ADD COLUMN reader bigint REFERENCES readers;", "lock-timeout-missing", Limits())
    assert "requests ACCESS EXCLUSIVE on public.loans and SHARE ROW EXCLUSIVE on public.readers" in reported.message


def test_an_unlogged_table_loses_its_rows() -> None:
    assert "a crash of the server empties the table" in finding("ALTER TABLE loans SET UNLOGGED;", "maintenance-rewrites").message
    assert "a crash" not in finding("ALTER TABLE unknown SET LOGGED;", "maintenance-rewrites").message


@pytest.mark.parametrize("pg_version", [17, 18])
def test_an_existing_check_is_validated(pg_version: int) -> None:
    reported = finding("ALTER TABLE loans ALTER COLUMN due SET NOT NULL;", "set-not-null-scans", pg_version=pg_version)
    assert "VALIDATE CONSTRAINT due_known" in reported.help
    assert "ADD CONSTRAINT" not in reported.help


def test_the_help_of_a_validation_keeps_the_words_around_the_table() -> None:
    reported = finding("ALTER TABLE IF EXISTS ONLY loans ADD COLUMN a text, VALIDATE CONSTRAINT due_known;", "validate-holds-lock")
    assert reported.help.count("ALTER TABLE IF EXISTS ONLY loans ") == 2


def test_a_default_partition_is_proved_first() -> None:
    reported = finding(
        "CREATE TABLE days_2026 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');", "partition-of-locks-parent"
    )
    steps = [reported.help.index(step) for step in ("NOT VALID", "VALIDATE CONSTRAINT", "ATTACH PARTITION", "DROP CONSTRAINT")]
    assert steps == sorted(steps)
    assert "ALTER TABLE public.days_rest ADD CONSTRAINT" in reported.help


@pytest.mark.parametrize(
    ("rule", "dropped", "added", "safe"),
    [
        (
            "foreign-key-validates",
            "loans_reader_fkey",
            "FOREIGN KEY (reader) REFERENCES readers",
            "ADD CONSTRAINT loans_reader_fkey FOREIGN KEY",
        ),
        ("check-validates", "late", "CONSTRAINT late CHECK (due > '2020-01-01')", "ADD CONSTRAINT late CHECK"),
        (
            "unique-builds-index",
            "loans_key",
            "CONSTRAINT loans_key UNIQUE (id, due)",
            "ADD CONSTRAINT loans_key UNIQUE USING INDEX loans_key_new",
        ),
        ("primary-key-builds-index", "loans_pkey", "PRIMARY KEY (id, due)", "ADD CONSTRAINT loans_pkey PRIMARY KEY USING INDEX loans_pkey_new"),
    ],
)
def test_a_constraint_is_dropped_where_another_takes_its_name(rule: str, dropped: str, added: str, safe: str) -> None:
    reported = finding(f"ALTER TABLE loans DROP CONSTRAINT {dropped}, ADD {added};", rule)
    assert f"ALTER TABLE loans DROP CONSTRAINT {dropped}, {safe}" in reported.help
    assert f"DROP CONSTRAINT {dropped}" not in finding(f"ALTER TABLE loans ADD {added};", rule).help


@pytest.mark.parametrize(
    ("values", "added"),
    [
        ("'novel', 'verse', 'essay'", ["ALTER TYPE public.genre ADD VALUE 'essay';"]),
        ("'essay', 'novel', 'play', 'verse'", ["ADD VALUE 'essay' BEFORE 'novel';", "ADD VALUE 'play' AFTER 'novel';"]),
    ],
)
def test_a_larger_enum_needs_no_new_type(values: str, added: list[str]) -> None:
    reported = finding(
        f"CREATE TYPE kind AS ENUM ({values}); ALTER TABLE loans ALTER COLUMN genre TYPE kind USING genre::text::kind;", "type-change-rewrites"
    )
    assert all(statement in reported.help for statement in added)


def test_a_larger_enum_has_the_name_of_the_one_that_the_migration_renames() -> None:
    change = "CREATE TYPE genre AS ENUM ('novel', 'verse', 'essay'); ALTER TABLE loans ALTER COLUMN genre TYPE genre USING genre::text::genre;"
    assert "ALTER TYPE genre ADD VALUE 'essay';" in finding(f"ALTER TYPE genre RENAME TO genre_old; {change}", "type-change-rewrites").help


def test_a_type_that_columns_have_keeps_its_name() -> None:
    reported = finding("ALTER TYPE genre RENAME TO literary_genre;", "rename-object")
    assert reported.help == (
        "-- columns have the type, so that genre cannot be dropped, and no second type can stand for it: leave it as it is, and let the next "
        "release use that name;\n-- or rename it while no release uses it"
    )
    unused = finding("CREATE TYPE size AS ENUM ('s');\n-- next migration\nALTER TYPE size RENAME TO extent;", "rename-object")
    assert "DROP size" in unused.help


def test_a_domain_that_columns_have_is_renamed_when_no_release_uses_it() -> None:
    created = "CREATE DOMAIN code AS text; ALTER TABLE loans ADD COLUMN codes code[];\n-- next migration\n"
    help = finding(f"{created}ALTER DOMAIN code RENAME TO mark;", "rename-object").help
    assert "-- CREATE DOMAIN mark AS code; when no running release uses code" in help
    assert help.endswith("in one transaction: DROP DOMAIN mark; ALTER DOMAIN code RENAME TO mark;")


@pytest.mark.parametrize(("begin", "number"), [("BEGIN;", 1), ("", 2)])
def test_two_changes_of_a_column_in_one_transaction_are_one_finding(begin: str, number: int) -> None:
    changes = "ALTER TABLE loans ALTER id TYPE numeric; ALTER TABLE loans ALTER id TYPE text;"
    findings = judge_sql(f"{TABLES}{begin}{changes}{'COMMIT;' if begin else ''}").findings
    assert [each.rule for each in findings].count("type-change-rewrites") == number


@pytest.mark.parametrize(
    ("old", "new", "consequence"),
    [
        ("bigint", "double precision", "PostgreSQL rounds it;"),
        ("double precision", "real", "PostgreSQL rounds it, or refuses the statement if it is out of range;"),
        ("bigint", "integer", "PostgreSQL refuses the statement or truncates the value;"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_or_changed(old: str, new: str, consequence: str) -> None:
    # Seen on PostgreSQL 15: 9007199254740993 becomes 9007199254740992, and 1e300 is refused ("value out of range: overflow").
    reported = finding(
        f"ALTER TABLE loans ADD COLUMN fee {old};\n-- next migration\nALTER TABLE loans ALTER COLUMN fee TYPE {new};", "type-narrowed"
    )
    assert consequence in reported.message


def test_an_index_that_a_condition_drops_may_not_exist() -> None:
    sql = "DO $$ BEGIN IF EXISTS (SELECT FROM pg_index WHERE NOT indisvalid) THEN DROP INDEX loans_due_idx; END IF; END $$;"
    assert "DROP INDEX CONCURRENTLY IF EXISTS loans_due_idx;" in finding(sql, "drop-index-not-concurrent").help


def test_the_primary_key_is_kept_and_the_older_index_dropped() -> None:
    tables = "CREATE TABLE cards (code uuid CONSTRAINT cards_code_key UNIQUE NOT NULL);\n"
    key = "-- next migration\nALTER TABLE cards ADD CONSTRAINT cards_pk PRIMARY KEY (code);"
    reported = finding(tables + key, "redundant-index")
    assert reported.help == "-- keep cards_pk, and drop cards_code_key:\nALTER TABLE public.cards DROP CONSTRAINT cards_code_key;"
    uses = "CREATE TABLE uses (id bigint PRIMARY KEY, card uuid CONSTRAINT uses_card REFERENCES cards (code));\n"
    assert (
        "-- first drop the foreign keys that need it, and add them again afterwards: uses_card"
        in finding(tables + uses + key, "redundant-index").help
    )


@pytest.mark.parametrize(
    ("pg_version", "search"), [(15, "SELECT count(note::jsonb) FROM pages;"), (16, "NOT pg_input_is_valid(note, 'jsonb')")]
)
def test_values_that_fit_are_not_searched_by_their_text(pg_version: int, search: str) -> None:
    setup = "CREATE TABLE pages (id bigint PRIMARY KEY, note text);\n-- next migration\n"
    reported = finding(f"{setup}ALTER TABLE pages ALTER COLUMN note TYPE jsonb USING note::jsonb;", "type-narrowed", pg_version=pg_version)
    assert search in reported.help


@pytest.mark.parametrize(
    ("created", "replaces"),
    [
        ("rate(a bigint) RETURNS bigint LANGUAGE sql AS 'SELECT a + 1'", True),
        ("rate(a bigint) RETURNS text LANGUAGE sql AS 'SELECT a::text'", False),
        ("rate(b bigint) RETURNS bigint LANGUAGE sql AS 'SELECT b'", False),
    ],
)
def test_a_function_that_stays_the_same_is_replaced(created: str, *, replaces: bool) -> None:
    setup = "CREATE FUNCTION rate(a bigint) RETURNS bigint LANGUAGE sql AS 'SELECT a';\n-- next migration\n"
    reported = finding(f"{setup}DROP FUNCTION rate(bigint);\nCREATE FUNCTION {created};", "drop-object")
    assert ("CREATE OR REPLACE FUNCTION" in reported.help) is replaces


@pytest.mark.parametrize(
    ("values", "help"), [("'novel'", "-- leave the statement out"), ("'novel', 'play'", "ALTER TYPE genre ADD VALUE 'play';")]
)
def test_an_existing_enum_gets_the_values_that_it_lacks(values: str, help: str) -> None:
    assert finding(f"CREATE TYPE genre AS ENUM ({values});", "statement-fails").help.startswith(help)


@pytest.mark.process
def test_an_enum_that_a_revision_creates_again_is_not_created() -> None:
    create = "import sqlalchemy as sa\nfrom alembic import op\n\n"
    create += 'def upgrade():\n    op.create_table("{}", sa.Column("kind", sa.Enum("a", name="kind")))'
    scripts = [
        "# 1.py\nrevision = '1'\ndown_revision = None\n" + create.format("shops"),
        "# 2.py\nrevision = '2'\ndown_revision = '1'\n" + create.format("yards"),
    ]
    rules = [each for each in shipped_rules() if each.name == "statement-fails"]
    (found,) = judge_sql("\n# next migration\n".join(scripts) + "\n", rules).findings
    assert "postgresql.ENUM(name='kind', create_type=False)" in found.help


VIEW = "CREATE MATERIALIZED VIEW by_due AS SELECT due, count(*) AS n FROM loans GROUP BY due;"


def test_a_materialized_view_is_built_beside_the_old_one() -> None:
    rebuilt = f"BEGIN;\nDROP MATERIALIZED VIEW by_due;\n{VIEW.replace('n FROM', 'loans FROM')}\nCOMMIT;"
    reported = finding(f"{VIEW}\n-- next migration\n{rebuilt}", "long-work-under-lock")
    assert "CREATE MATERIALIZED VIEW public.by_due_new AS SELECT due, count(*) AS loans FROM loans GROUP BY due;" in reported.help


def test_a_materialized_view_over_a_changed_type_cannot_be_built_before() -> None:
    view = "CREATE MATERIALIZED VIEW by_code AS SELECT code, count(*) AS n FROM loans GROUP BY code;\n"
    history = f"ALTER TABLE loans ADD COLUMN code varchar(10), ADD COLUMN note varchar(10);\n{view}-- next migration\n"
    change = "BEGIN;\nDROP MATERIALIZED VIEW by_code;\nALTER TABLE loans ALTER COLUMN {} TYPE varchar(20);\n" + view + "COMMIT;"
    assert "by_code_new" not in finding(history + change.format("code"), "long-work-under-lock").help
    assert "by_code_new" in finding(history + change.format("note"), "long-work-under-lock").help


def test_the_column_of_a_replica_identity_stays_not_null_until_there_is_another() -> None:
    history = "ALTER TABLE loans ALTER due SET NOT NULL, REPLICA IDENTITY USING INDEX loans_key;\n-- next migration\n"
    reported = finding(history + "ALTER TABLE loans DROP COLUMN due;", "drop-column")
    assert reported.help.startswith("-- before, another replica identity")
    assert reported.help.index("another replica identity") < reported.help.index("DROP NOT NULL")
