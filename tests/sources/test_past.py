"""A history is compared with the same history at a revision of git, as each runner would meet the difference."""

import pytest

from migsafe.linting.rule import Rule, Severity
from migsafe.linting.rulebook import shipped_rules
from migsafe.sources import CustomRunner, SourceSettings
from migsafe.sources.statement_texts import differ_in_comments_only
from migsafe.text import Script
from tests.support.compared import judge_compared, places

RULES = [rule for rule in shipped_rules() if rule.name in ("merged-migration-changed", "out-of-order")]
A, B, C = (f"CREATE TABLE {name} (id bigint PRIMARY KEY);\n" for name in "abc")


def found(past: dict[str, str], now: dict[str, str], runner: str | None = None, rules: list[Rule] = RULES) -> list[tuple[str, int, str]]:
    """The findings for files at the revision and now."""
    text = "".join(f"-- {name} {when}\n{sql}" for files, when in ((past, "at the revision"), (now, "now")) for name, sql in files.items())
    verdict = judge_compared(text, rules, SourceSettings(runner=runner) if runner else None)
    assert [str(problem) for problem in verdict.problems] == []
    return list(places(verdict))


def message(past: dict[str, str], now: dict[str, str], runner: str | None = None) -> str:
    text = "".join(f"-- {name} {when}\n{sql}" for files, when in ((past, "at the revision"), (now, "now")) for name, sql in files.items())
    (finding,) = judge_compared(text, RULES, SourceSettings(runner=runner) if runner else None).findings
    return finding.message


@pytest.mark.parametrize(
    ("runner", "names", "late"),
    [
        (None, ("0001_a.sql", "0003_c.sql", "0002_b.sql"), True),
        ("goose", ("0001_a.sql", "0003_c.sql", "0002_b.sql"), True),
        ("golang-migrate", ("1_a.up.sql", "10_c.up.sql", "9_b.up.sql"), True),
        ("flyway", ("V1__a.sql", "V1_10__c.sql", "V1_9__b.sql"), True),
        ("atlas", ("20240101_a.sql", "20240301_c.sql", "20240201_b.sql"), True),
        ("supabase", ("20240101000000_a.sql", "20240301000000_c.sql", "20240201000000_b.sql"), True),
        ("dbmate", ("20240101_a.sql", "20240301_c.sql", "20240201_b.sql"), False),
        ("sqlx", ("1_a.sql", "3_c.sql", "2_b.sql"), False),
        ("sql-migrate", ("1_a.sql", "3_c.sql", "2_b.sql"), False),
        ("prisma", ("1_a/migration.sql", "3_c/migration.sql", "2_b/migration.sql"), False),
        ("tern", ("001_a.sql", "003_c.sql", "002_b.sql"), True),
        ("node-pg-migrate", ("1_a.sql", "3_c.sql", "2_b.sql"), True),
        ("diesel", ("1_a/up.sql", "3_c/up.sql", "2_b/up.sql"), False),
        ("postgrator", ("001.do.a.sql", "003.do.c.sql", "002.do.b.sql"), True),
        (None, ("shop-400-a.sql", "shop-771-c.sql", "shop-522-b.sql"), False),
    ],
)
def test_a_new_migration_before_a_merged_one(runner: str | None, names: tuple[str, str, str], late: bool) -> None:
    headers = {"goose": "-- +goose Up\n", "dbmate": "-- migrate:up\n", "sql-migrate": "-- +migrate Up\n"}
    header = headers.get(runner or "", "")
    first, last, new = names
    past = {first: header + A, last: header + C}
    expected = [(new.rpartition("/")[2], 1 + header.count("\n"), "out-of-order")] if late else []
    assert found(past, {**past, new: header + B}, runner) == expected


def test_what_the_runner_does_is_said() -> None:
    past = {"1_a.up.sql": A, "3_c.up.sql": C}
    assert "golang-migrate never applies it to a database that has applied the later one" in message(
        past, {**past, "2_b.up.sql": B}, "golang-migrate"
    )
    past = {"V1__a.sql": A, "V3__c.sql": C}
    assert "Flyway refuses to run on a database that has applied the later one" in message(past, {**past, "V2__b.sql": B})
    past = {"1_a.sql": A, "3_c.sql": C}
    late = judge_compared(
        f"-- 1_a.sql at the revision\n{A}-- 3_c.sql at the revision\n{C}-- 1_a.sql now\n{A}-- 2_b.sql now\n{B}-- 3_c.sql now\n{C}", RULES
    )
    (unknown,) = late.findings
    assert (
        "a runner that compares with the last version skips it on a database that has applied the later one, or refuses to run"
        in unknown.message
    )
    assert unknown.severity is Severity.INFO


ALONE = [rule for rule in shipped_rules() if rule.name in ("missing-revision", "out-of-order")]


@pytest.mark.parametrize(
    ("down", "expected"),
    [
        ("000009_b.down.sql", [("000009_b.down.sql", 1, "missing-revision")]),
        # It belongs to an up file, or other up files have a larger number.
        ("000002_b.down.sql", []),
        ("000000_b.down.sql", []),
        # The next migration has a later time as its number.
        ("20240101120000_b.down.sql", []),
    ],
)
def test_golang_migrate_records_the_number_of_a_down_file_without_an_up_file(down: str, expected: list[tuple[str, int, str]]) -> None:
    past = {"000001_a.up.sql": A, "000001_a.down.sql": "DROP TABLE a;\n"}
    now = {**past, "000002_b.up.sql": B, down: "DROP TABLE b;\n"}
    assert found(past, now, "golang-migrate", ALONE) == expected
    later = {**now, "000003_c.up.sql": C}
    skipped = [("000003_c.up.sql", 1, "out-of-order")] if expected else []
    assert found(now, later, "golang-migrate", ALONE) == skipped


def test_flyway_may_be_configured_to_apply_late_migrations() -> None:
    past = {"sql/V1__a.sql": A, "sql/V3__c.sql": C, "sql/flyway.conf": "flyway.outOfOrder=true\n"}
    assert found(past, {**past, "sql/V2__b.sql": B}) == []


@pytest.mark.parametrize(
    ("own", "late"), [({}, []), ({"store/src/main/resources/application.properties": "spring.flyway.enabled=true\n"}, [("V2__b.sql", 1)])]
)
def test_the_application_in_another_module_configures_flyway(own: dict[str, str], late: list[tuple[str, int]]) -> None:
    folder, application = "store/src/main/resources/db/migration", "app/src/main/resources/application.properties"
    settings = {"build.gradle": "", application: "spring.flyway.out-of-order=true\n", **own}
    past = {f"{folder}/V1__a.sql": A, f"{folder}/V3__c.sql": C, **settings}
    assert found(past, {**past, f"{folder}/V2__b.sql": B}) == [(*place, "out-of-order") for place in late]


def test_a_migration_after_the_last_one_is_in_order() -> None:
    past = {"0001_a.sql": A, "0002_b.sql": B}
    assert found(past, {**past, "0003_c.sql": C}) == []


@pytest.mark.parametrize(
    ("edited", "line"),
    [
        ("CREATE TABLE a (id bigint PRIMARY KEY);\nCREATE TABLE x (id text PRIMARY KEY);\n", 2),
        ("CREATE TABLE a (id bigint PRIMARY KEY);\n", 1),
        ("CREATE TABLE a (id bigint PRIMARY KEY);\n-- a note\ncreate table  x (id\n  bigint PRIMARY key);\n", None),
        ('CREATE TABLE a (id bigint PRIMARY KEY);\nCREATE TABLE "X" (id bigint PRIMARY KEY);\n', 2),
        ("CREATE TABLE a (id bigint PRIMARY KEY);\nCREATE TABLE x (id bigint PRIMARY KEY);\nSELECT 1;\n", 3),
    ],
)
def test_other_sql_is_reported_where_it_begins(edited: str, line: int | None) -> None:
    past = {"0001_a.sql": "CREATE TABLE a (id bigint PRIMARY KEY);\nCREATE TABLE x (id bigint PRIMARY KEY);\n", "0002_b.sql": B}
    expected = [("0001_a.sql", line, "merged-migration-changed")] if line else []
    assert found(past, {**past, "0001_a.sql": edited}) == expected


def test_the_layout_of_a_function_may_change() -> None:
    function = "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS ${0}$\nBEGIN{1}  {2} 1 {3}; END\n${0}$;\n"
    past = {"0001_a.sql": function.format("", "\n", "RETURN", "+ 1")}
    assert found(past, {"0001_a.sql": function.format("body", " -- a note\n\n", "return", "+ 1")}) == []
    assert found(past, {"0001_a.sql": function.format("", "\n", "RETURN", "+ 2")}) == [("0001_a.sql", 1, "merged-migration-changed")]


def test_a_downgrade_may_change() -> None:
    past = {"1_a.up.sql": A, "1_a.down.sql": "SELECT 1;\n"}
    assert found(past, {**past, "1_a.down.sql": "DROP TABLE a;\n"}) == []
    past = {"1_a.sql": f"-- +goose Up\n{A}-- +goose Down\nSELECT 1;\n"}
    assert found(past, {"1_a.sql": f"-- +goose Up\n{A}-- +goose Down\nDROP TABLE a;\n"}) == []


def test_repeatable_migrations_may_change() -> None:
    past = {"V1__a.sql": A, "R__view.sql": "CREATE OR REPLACE VIEW v AS SELECT 1 AS a;\n"}
    assert found(past, {**past, "R__view.sql": "CREATE OR REPLACE VIEW v AS SELECT 2 AS a;\n"}) == []
    changeset = "--liquibase formatted sql\n--changeset me:{}{}\n{}"
    past = {"a.sql": changeset.format("1", " runOnChange:true", A)}
    assert found(past, {"a.sql": changeset.format("1", " runOnChange:true", B)}, "liquibase") == []
    past = {"a.sql": changeset.format("1", "", A)}
    assert found(past, {"a.sql": changeset.format("1", "", B)}, "liquibase") == [("a.sql", 3, "merged-migration-changed")]


def test_callbacks_of_the_same_name_are_no_duplicates() -> None:
    rules = [*RULES, *(rule for rule in shipped_rules() if rule.name == "duplicate-version")]
    past = {"V1__a.sql": A, "afterMigrate.sql": "ANALYZE a;\n"}
    assert found(past, {**past, "afterMigrate.sql": "ANALYZE;\n", "east/afterMigrate.sql": "ANALYZE;\n"}, rules=rules) == []


def test_a_renamed_migration() -> None:
    past = {"0001_a.sql": A, "0002_b.sql": B}
    assert found(past, {"0001_a.sql": A, "0003_b.sql": B}) == [("0003_b.sql", 1, "merged-migration-changed")]
    # These runners record the number only.
    past = {"1_a.up.sql": A, "2_b.up.sql": B}
    assert found(past, {"1_a.up.sql": A, "2_both.up.sql": B}, "golang-migrate") == []
    assert found(past, {"1_a.up.sql": A, "3_b.up.sql": B}, "golang-migrate") == [("3_b.up.sql", 1, "merged-migration-changed")]
    past = {"V1__a.sql": A, "V2__b.sql": B}
    assert found(past, {"V1__a.sql": A, "V2__both.sql": B}) == [("V2__both.sql", 1, "merged-migration-changed")]


def test_liquibase_runs_a_changeset_again_that_has_moved_to_another_file() -> None:
    changeset = "--liquibase formatted sql\n--changeset me:1\n"
    past = {"a.sql": changeset + A, "b.sql": "--liquibase formatted sql\n--changeset me:2\n" + B}
    again = "Liquibase formatted SQL applies it a second time to a database that has applied it under the old name"
    assert again in message(past, {"c.sql": past["a.sql"], "b.sql": past["b.sql"]}, "liquibase")
    other = message(past, {"c.sql": changeset + A + C, "b.sql": past["b.sql"]}, "liquibase")
    assert "c.sql, with other SQL: " in other
    assert again in other
    # One that is gone is not looked for.
    assert "a database that has applied it keeps the changes" in message(past, {"b.sql": past["b.sql"]}, "liquibase")


def test_a_migration_with_another_name_and_other_sql_cannot_get_its_name_back() -> None:
    texts = f"-- V1__a.sql at the revision\n{A}-- V2__b.sql at the revision\n{B}-- V1__a.sql now\n{A}-- V2__c.sql now\n"
    (renamed,) = judge_compared(texts + B, RULES).findings
    assert renamed.help.startswith("git mv ")
    (replaced,) = judge_compared(texts + C, RULES).findings
    assert "V2__c.sql, with other SQL: Flyway refuses to run" in replaced.message
    assert replaced.help.startswith("-- restore ")
    assert replaced.help.endswith("V2__b.sql, and put the change into a new migration")


def test_removed_migrations_are_one_finding() -> None:
    past = {"0001_a.sql": A, "0002_b.sql": B, "0003_c.sql": C}
    assert found(past, {"0003_c.sql": C}) == [("0001_a.sql", 1, "merged-migration-changed")]
    assert "2 migrations that stand at main no longer exist" in message(past, {"0003_c.sql": C})
    # What contained nothing is not missed.
    assert found({**past, "0004_none.sql": "-- nothing yet\n"}, past) == []


def test_a_squash_is_one_finding() -> None:
    past = {f"{number:04}_{name}.sql": sql for number, (name, sql) in enumerate(zip("abc", (A, B, C), strict=True), 1)}
    assert found(past, {"0003_baseline.sql": A + B + C}) == [("0003_baseline.sql", 1, "merged-migration-changed")]
    # The last migration stays, and the baseline replaces those before it.
    now = {"0002_baseline.sql": A + B, "0003_c.sql": C}
    assert found(past, now) == [("0002_baseline.sql", 1, "merged-migration-changed")]
    assert "and this one replaces them" in message(past, now)


def test_statements_of_squashed_migrations_are_not_judged_again() -> None:
    rules = [rule for rule in shipped_rules() if rule.name in ("merged-migration-changed", "char-type")]
    old, new = (f"CREATE TABLE {name} (id bigint PRIMARY KEY, code char(3));\n" for name in "ax")
    past = {"0001_a.sql": old, "0002_b.sql": B}
    now = {"0001_baseline.sql": f"{B}{old}{new}"}
    assert found(past, now, rules=rules) == [("0001_baseline.sql", 1, "merged-migration-changed"), ("0001_baseline.sql", 3, "char-type")]


CHANGESETS = "--liquibase formatted sql\n{}"
FIRST, SECOND, THIRD = (f"--changeset me:{number}\n{sql}" for number, sql in ((1, A), (2, B), (3, C)))


def test_a_changeset_that_its_file_has_no_more() -> None:
    past = {"a.sql": CHANGESETS.format(FIRST + SECOND), "b.sql": CHANGESETS.format(THIRD)}
    now = {**past, "a.sql": CHANGESETS.format(SECOND)}
    assert found(past, now, "liquibase") == [("a.sql", 3, "merged-migration-changed")]
    assert message(past, now, "liquibase") == (
        "me:1, which stands at main, no longer exists: a database that has applied it keeps the changes, and new databases do not get them"
    )
    # Moved to another file, or without SQL.
    assert found(past, {"a.sql": CHANGESETS.format(FIRST), "b.sql": CHANGESETS.format(SECOND + THIRD)}, "liquibase") == []
    assert found({"a.sql": CHANGESETS.format(FIRST + "--changeset me:2\n")}, {"a.sql": CHANGESETS.format(FIRST)}, "liquibase") == []


def test_liquibase_accepts_that_a_file_is_gone() -> None:
    past = {"a.sql": CHANGESETS.format(FIRST), "b.sql": CHANGESETS.format(SECOND)}
    assert "keeps the changes, and new databases do not get them" in message(past, {"b.sql": past["b.sql"]}, "liquibase")


JOURNAL = '{{"entries": [{}]}}\n'
ENTRY = '{{"idx": {0}, "when": {1}, "tag": "000{0}_x"}}'


def test_drizzle_compares_the_times_of_its_journal() -> None:
    def journal(*times: int) -> str:
        return JOURNAL.format(", ".join(ENTRY.format(number, time) for number, time in enumerate(times)))

    past = {"0000_x.sql": A, "0001_x.sql": B, "meta/_journal.json": journal(100, 300)}
    now = {**past, "0002_x.sql": C}
    assert found(past, {**now, "meta/_journal.json": journal(100, 300, 200)}) == [("0002_x.sql", 1, "out-of-order")]
    assert found(past, {**now, "meta/_journal.json": journal(100, 300, 400)}) == []


def test_drizzle_applies_a_file_with_another_tag_if_it_is_younger() -> None:
    def journal(tag: str, time: int) -> str:
        return JOURNAL.format(", ".join((ENTRY.format(0, 100), ENTRY.format(1, time).replace("0001_x", tag))))

    past = {"0000_x.sql": A, "0001_x.sql": B, "meta/_journal.json": journal("0001_x", 200)}
    generated_again = {"0000_x.sql": A, "0001_y.sql": C, "meta/_journal.json": journal("0001_y", 300)}
    assert message(past, generated_again).endswith(
        "with other SQL: Drizzle applies it a second time to a database that has applied it under the old name"
    )
    # With the time of the old one it counts as applied.
    assert found(past, {"0000_x.sql": A, "0001_y.sql": B, "meta/_journal.json": journal("0001_y", 200)}) == []
    assert "does not apply it again" in message(past, {**generated_again, "meta/_journal.json": journal("0001_y", 200)})
    assert "does not apply it again" in message(past, {**past, "0001_x.sql": C})


def test_a_custom_runner_says_what_it_does_with_late_migrations() -> None:
    text = f"-- 1.sql at the revision\n{A}-- 3.sql at the revision\n{C}-- 1.sql now\n{A}-- 2.sql now\n{B}-- 3.sql now\n{C}"

    def late(handling: str) -> list[tuple[str, int, str]]:
        return list(places(judge_compared(text, RULES, SourceSettings(custom=CustomRunner(out_of_order=handling)))))

    assert late("applies") == []
    assert late("refuses") == late("unknown") == [("2.sql", 1, "out-of-order")]


def revision(version: str, parent: str | None, sql: str, comment: str = "") -> str:
    return f'''{comment}from alembic import op
revision = "{version}"
down_revision = {parent!r}

def upgrade():
    op.execute("{sql.strip()}")

def downgrade():
    op.execute("SELECT 1")
'''


@pytest.mark.process
def test_alembic_compares_what_a_revision_sends() -> None:
    past = {"a1.py": revision("a1", None, A), "b2.py": revision("b2", "a1", B)}
    assert found(past, {**past, "a1.py": revision("a1", None, A, "# a note\n")}) == []
    # What an import means may be unknown today; the upgrade itself is the same.
    imported = "from shop.models import Order\n"
    assert found({**past, "a1.py": revision("a1", None, A, imported)}, past) == []
    assert found(past, {**past, "a1.py": revision("a1", None, C)}) == [("a1.py", 6, "merged-migration-changed")]
    moved = {"a1_orders.py": past["a1.py"], "b2.py": past["b2.py"]}
    assert found(past, moved) == []  # Alembic records the revision, whatever its file is called
    assert found(past, {"a1.py": past["a1.py"]}) == [("b2.py", 1, "merged-migration-changed")]


COPIED = """from alembic import op
import sqlalchemy as sa
{head}
revision = "a1"
down_revision = None
def upgrade():
    op.execute("ALTER TABLE a ADD COLUMN note text")
    for row in op.get_bind().execute(sa.select({table})):
        op.get_bind().execute(sa.text("UPDATE a SET note = {value}"))
def downgrade():
    op.execute("SELECT 1")
"""
TAGS = 'TAGS = sa.Table("tags", sa.MetaData(), sa.Column("id", sa.Integer))'


@pytest.mark.process
def test_a_revision_that_declares_the_tables_that_it_imported() -> None:
    past = {"a1.py": COPIED.format(head="from shop import models", table="models.TAGS", value="1")}
    now = {"a1.py": COPIED.format(head=TAGS, table="TAGS", value="1")}
    assert found(past, now) == []
    assert found(now, past) == []
    assert found(past, {"a1.py": COPIED.format(head=TAGS, table="TAGS", value="2")}) == [("a1.py", 8, "merged-migration-changed")]
    assert found(now, {"a1.py": COPIED.format(head=TAGS.replace('"tags"', '"marks"'), table="TAGS", value="1")}) == [
        ("a1.py", 8, "merged-migration-changed")
    ]


REQUIRED = "ALTER TABLE b ADD COLUMN code text NOT NULL;\n"


@pytest.mark.parametrize(
    ("name", "before", "now", "same"),
    [
        ("1.sql", f"-- Orders.\n{A}", A.lower(), True),
        ("1.sql", A, f"{A}{B}", False),
        ("1.py", "x = 1\n", "# One.\nx = (1)\n", True),
        ("1.py", "x = 1\n", "x = 2\n", False),
        ("1.py", "x =\n", "x = 1\n", False),
        ("1.yaml", "a: 1\n", "a: 1 # one\n", False),
    ],
)
def test_what_differs_in_comments_only(name: str, before: str, now: str, same: bool) -> None:
    assert differ_in_comments_only(Script(name, before), Script(name, now)) is same


@pytest.mark.process
def test_a_revision_with_other_comments_has_been_applied() -> None:
    rules = [rule for rule in shipped_rules() if rule.name == "required-column-added"]
    past = {"a1.py": revision("a1", None, A), "b2.py": revision("b2", "a1", B, "# Orders.\n")}
    now = {**past, "b2.py": revision("b2", "a1", B), "c3.py": revision("c3", "b2", REQUIRED)}
    assert found(past, now, rules=rules) == [("c3.py", 6, "required-column-added")]


@pytest.mark.process
def test_alembic_does_not_miss_revisions_in_a_folder_that_it_does_not_read() -> None:
    past = {"a1.py": revision("a1", None, A), "archive/y8.py": revision("y8", None, B), "archive/z9.py": revision("z9", "y8", C)}
    assert found(past, {**past, "b2.py": revision("b2", "a1", B)}) == []
    assert found(past, {"a1.py": past["a1.py"]}) != []


@pytest.mark.process
def test_alembic_skips_a_revision_that_is_put_between_others() -> None:
    past = {"a1.py": revision("a1", None, A), "b2.py": revision("b2", "a1", B)}
    inserted = {"a1.py": past["a1.py"], "c3.py": revision("c3", "a1", C), "b2.py": revision("b2", "c3", B)}
    assert found(past, inserted) == [("c3.py", 3, "out-of-order")]
    assert found(past, {**past, "c3.py": revision("c3", "b2", C)}) == []


@pytest.mark.process
def test_alembic_refuses_two_heads_after_the_merge() -> None:
    past = {"a1.py": revision("a1", None, A), "b2.py": revision("b2", "a1", B)}
    # The branch has left before b2 was merged, so that its folder does not contain it.
    text = "".join(f"# {name} at the revision\n{sql}" for name, sql in past.items())
    text += f"# a1.py now\n{past['a1.py']}# c3.py now\n{revision('c3', 'a1', C)}"
    verdict = judge_compared(text, RULES, base=("a1.py",))
    assert list(places(verdict)) == [("c3.py", 3, "out-of-order")]
    assert "the history has two heads" in verdict.findings[0].message
