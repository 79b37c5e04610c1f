"""A statement of a fix has the words of the one that it replaces, and a new migration a name like the others."""

import pytest

from migsafe.fixes.names import read_name
from migsafe.fixes.wording import in_own_case, in_own_words


@pytest.mark.parametrize(
    ("original", "new", "expected"),
    [
        (
            'CREATE INDEX "shop_idx" ON "orders" USING btree ("shop","customerId")',
            'CREATE INDEX CONCURRENTLY shop_idx ON orders USING btree (shop, "customerId")',
            'CREATE INDEX CONCURRENTLY "shop_idx" ON "orders" USING btree ("shop","customerId")',
        ),
        (
            'alter table "public"."orders" add "select" integer',
            'ALTER TABLE public.orders ADD IF NOT EXISTS "select" integer',
            'alter table "public"."orders" add if not exists "select" integer',
        ),
        ('DROP INDEX "One"', "DROP INDEX CONCURRENTLY one", "DROP INDEX CONCURRENTLY one"),
    ],
)
def test_names_keep_their_quotes(original: str, new: str, expected: str) -> None:
    assert in_own_words(original, new) == expected


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("drop index a", """-- Keep THIS\nset lock_timeout = '2S' on "B" now; -- and THIS"""),
        ("DROP INDEX a", """-- Keep THIS\nSET lock_timeout = '2S' ON "B" NOW; -- and THIS"""),
        ("Drop index a", """-- Keep THIS\nSET lock_timeout = '2S' ON "B" NOW; -- and THIS"""),
    ],
)
def test_keywords_of_another_statement_are_in_the_same_case(original: str, expected: str) -> None:
    assert in_own_case(original, """-- Keep THIS\nSET lock_timeout = '2S' ON "B" NOW; -- and THIS""") == expected


def test_a_block_of_code_is_not_changed() -> None:
    assert in_own_case("update t set a = 1", "DO $$\nBEGIN\nEND $$;") == "DO $$\nBEGIN\nEND $$;"


@pytest.mark.parametrize(
    ("runner", "name", "expected"),
    [
        ("refinery", "V2__orders.sql", "V3__notes.sql"),
        ("sqlx", "2__orders.sql", "3__notes.sql"),
        ("sqlx", "2_orders.sql", "3_notes.sql"),
        ("plain", "2-orders.sql", "3-notes.sql"),
        ("flyway", "V2__orders.sql", "V3__notes.sql"),
    ],
)
def test_a_new_name_has_the_separator_of_the_others(runner: str, name: str, expected: str) -> None:
    assert str(read_name(name, runner).with_version("3", "notes")) == expected
