"""What a migration does together with the one before it, if their runner applies both in one transaction and both may be deployed at once."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from migsafe.errors import MigsafeError
from migsafe.linting.finding import Finding, Severity
from migsafe.linting.judge import judge
from migsafe.linting.rulebook import Rulebook, shipped_rules
from migsafe.prediction.history import selected_migrations
from migsafe.prediction.predictor import Predictor
from migsafe.rendering.renderer import Renderer
from migsafe.sources import Migration, Plan, Source, Transaction
from migsafe.sources.plain import PLAIN
from migsafe.sources.runner import MigrationFile
from migsafe.text import Script

RULES = [rule for rule in shipped_rules() if rule.across_migrations or rule.name in ("index-not-concurrent", "drop-column")]
TOGETHER = replace(
    PLAIN,
    read=lambda file: [
        replace(each, up=replace(each.up, transaction=Transaction.FILE), own_transaction_advice="commit after each")
        for each in PLAIN.read(file)
    ],
)
TABLES = "CREATE TABLE orders (id bigint PRIMARY KEY, state text); CREATE TABLE items (id bigint PRIMARY KEY)"
NOTE = "SET lock_timeout = '1s'; ALTER TABLE orders ADD COLUMN note text"


class StrictRenderer(Renderer):
    """A renderer that cannot render migrations with the word `broken`."""

    def render_migration(self, migration: Migration, predictor: Predictor) -> Migration:
        if "broken" in migration.up.script.text:
            raise MigsafeError("it is broken")
        return super().render_migration(migration, predictor)


def found(*scripts: str, adapt: Callable[[Source], Source | None] = lambda source: source, history: int = 0) -> list[Finding]:
    """The findings about scripts, the first `history` of which are read only."""
    files = [(MigrationFile(str(number), Script(f"{number}.sql", sql)), number > history) for number, sql in enumerate(scripts, 1)]
    source = adapt(Source("", TOGETHER, files, None, {}))
    assert source is not None
    return judge(selected_migrations(Plan([source], (), {}), 17, StrictRenderer(), with_neighbours=history > 0), Rulebook(RULES), 17).findings


def rules(*scripts: str, adapt: Callable[[Source], Source | None] = lambda source: source) -> list[tuple[str, str]]:
    return [(finding.rule, finding.migration) for finding in found(*scripts, adapt=adapt)]


@pytest.mark.parametrize("start_after", [None, "1"])
@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        ("ALTER TYPE mood ADD VALUE 'calm'", "INSERT INTO moods VALUES ('calm'::mood)", "enum-value-used-in-transaction"),
        (
            "ALTER TABLE orders ADD CONSTRAINT known CHECK (state <> '') NOT VALID",
            "ALTER TABLE orders VALIDATE CONSTRAINT known",
            "long-work-under-lock",
        ),
        (NOTE, "ALTER TABLE items ADD COLUMN note text", "many-tables-locked"),
    ],
)
def test_a_hazard_of_two_migrations_in_a_whole_history(first: str, second: str, rule: str, start_after: str | None) -> None:
    before = f"{TABLES}; CREATE TYPE mood AS ENUM ('glad'); CREATE TABLE moods (m mood)"
    [finding] = found(before, first, second, adapt=lambda source: source if start_after is None else source.starting_after(start_after))
    assert (finding.rule, finding.migration) == (rule, "3")
    assert finding.message.endswith("; this is so if one run applies migration 2 and this one")
    assert "commit after each" in finding.help


@pytest.mark.parametrize(
    ("work", "history", "reported"),
    [
        ("UPDATE orders SET state = 'a' WHERE state = 'b'", 2, []),
        ("DELETE FROM orders WHERE state = 'b'", 2, []),
        ("UPDATE orders SET state = 'a' WHERE state = 'b'", 1, ["long-work-under-lock"]),
        ("UPDATE orders SET state = 'a'", 2, ["long-work-under-lock"]),
        ("ALTER TABLE orders ADD COLUMN a text; UPDATE orders SET a = state WHERE state = 'b'", 2, ["long-work-under-lock"]),
    ],
)
def test_a_filtered_change_after_a_migration_that_may_have_run_before(work: str, history: int, reported: list[str]) -> None:
    findings = found(TABLES, NOTE, work, history=history)
    assert [finding.rule for finding in findings if finding.rule == "long-work-under-lock"] == reported


DEFERRED = "ALTER TABLE items ADD order_id bigint REFERENCES orders DEFERRABLE INITIALLY DEFERRED; CREATE INDEX ON items (order_id)"
FILLED = "INSERT INTO items VALUES (1, 1)"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (FILLED, "ALTER TABLE items ADD COLUMN note text"),
        ("INSERT INTO items VALUES (1, 1); SET CONSTRAINTS ALL DEFERRED", "TRUNCATE items"),
    ],
)
def test_rows_of_the_migration_before_wait_for_a_deferred_constraint(first: str, second: str) -> None:
    [finding] = [each for each in found(f"{TABLES}; {DEFERRED}", first, second) if each.rule == "pending-trigger-events"]
    assert finding.migration == "3"
    assert "pending trigger events (migration 2 changed rows that items_order_id_fkey checks" in finding.message
    assert finding.message.endswith("; this is so if one run applies migration 2 and this one")


@pytest.mark.parametrize(
    "first", [f"{FILLED}; SET CONSTRAINTS ALL IMMEDIATE", f"{FILLED}; COMMIT", "INSERT INTO orders VALUES (1, 'new')", "SELECT 1"]
)
def test_rows_that_were_checked_do_not_wait(first: str) -> None:
    assert rules(f"{TABLES}; {DEFERRED}", first, "ALTER TABLE items ADD COLUMN note text") == []


def test_the_migration_at_which_a_project_starts_is_deployed() -> None:
    assert rules(TABLES, NOTE, "ALTER TABLE items ADD COLUMN note text", adapt=lambda source: source.starting_after("2")) == []


def test_one_finding_stands_for_all_of_a_run() -> None:
    [finding] = found(TABLES, NOTE, *(f"ALTER TABLE {name} ADD COLUMN c{name} text" for name in ("items", "orders", "items")))
    assert (finding.rule, finding.migration) == ("many-tables-locked", "3")
    assert finding.message.endswith("; the same is true of 2 other migrations")


def test_tables_of_the_migration_before_are_new_only_together_with_it() -> None:
    created = f"{NOTE}; CREATE TABLE carts (id bigint PRIMARY KEY, n int); INSERT INTO carts VALUES (1, 1)"
    assert rules(TABLES, created, "CREATE INDEX ON carts (n)") == [("index-not-concurrent", "3")]
    assert rules(TABLES, "CREATE TABLE carts (id bigint)", "ALTER TABLE carts ADD COLUMN n int") == []


def test_a_finding_that_the_migration_has_anyway_is_not_repeated() -> None:
    own = "ALTER TABLE items ADD COLUMN a int; ALTER TABLE orders ADD COLUMN a int"
    [finding] = found(TABLES, NOTE, own)
    assert (finding.rule, finding.migration) == ("many-tables-locked", "3")
    assert "if one run applies" not in finding.message


def test_a_commit_ends_what_the_migrations_share() -> None:
    assert rules(TABLES, f"{NOTE}; COMMIT; BEGIN", "ALTER TABLE items ADD COLUMN note text") == []


def test_migrations_with_transactions_of_their_own_share_nothing() -> None:
    files = [(MigrationFile(str(n), Script(f"{n}.sql", sql)), True) for n, sql in enumerate((TABLES, NOTE, "DROP INDEX i"), 1)]
    assert not any(step.transaction_may_continue for step in Source("", PLAIN, files, None, {}).steps())


def test_a_migration_that_cannot_be_read_separates_the_others() -> None:
    assert rules(TABLES, NOTE, "SELECT 'broken'", "ALTER TABLE items ADD COLUMN note text") == []


def test_a_named_migration_may_be_deployed_with_the_one_before_it() -> None:
    def source(*, compared: bool, start_after: str | None = None) -> Source:
        scripts = [(TABLES, False), (NOTE, False), ("ALTER TABLE items ADD COLUMN note text", True)]
        files = [(MigrationFile(str(number), Script(f"{number}.sql", sql)), named) for number, (sql, named) in enumerate(scripts, 1)]
        whole = Source("", TOGETHER, files, None, {}, release=True, compared=compared)
        started = whole.starting_after(start_after) if start_after is not None else whole
        assert started is not None
        return started

    def named(*, compared: bool = False, start_after: str | None = None) -> list[str]:
        plan = Plan([source(compared=compared, start_after=start_after)], (), {})
        selected = selected_migrations(plan, 17, StrictRenderer(), with_neighbours=True)
        findings = judge(selected, Rulebook(RULES), 17).findings
        assert all(finding.severity is Severity.INFO for finding in findings)
        return [finding.message.partition("; ")[2] for finding in findings]

    together = "this is so if one run applies migration 2 and this one"
    assert [message.endswith(together) for message in named()] == [True]
    assert [message.endswith(together) for message in named(start_after="1")] == [True]
    assert named(start_after="2") == []
    assert named(compared=True) == []
