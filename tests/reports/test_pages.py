"""The pages of replays and pre-mortems, in a real browser: in wide and narrow windows, light and dark."""

from pathlib import Path

import pytest

from migsafe.cli import main
from tests.support.browser import find_chromium, measure_page, take_screenshot
from tests.support.servers import any_installation

pytestmark = [pytest.mark.browser, pytest.mark.server]

HISTORY = """\
CREATE TABLE customers (id bigint PRIMARY KEY);
CREATE TABLE orders_of_the_customers_of_the_shop_that_has_grown_up (id bigint PRIMARY KEY, customer_id bigint, qty integer);
CREATE VIEW open_orders AS SELECT id, qty FROM orders_of_the_customers_of_the_shop_that_has_grown_up;
"""
CHANGE = """\
ALTER TABLE orders_of_the_customers_of_the_shop_that_has_grown_up
    ADD CONSTRAINT orders_of_the_customers_of_the_shop_customer_id_fkey
        FOREIGN KEY (customer_id) REFERENCES customers (id),
    ALTER COLUMN qty SET NOT NULL;
CREATE INDEX CONCURRENTLY orders_qty_idx ON orders_of_the_customers_of_the_shop_that_has_grown_up (qty, id, customer_id);
UPDATE orders_of_the_customers_of_the_shop_that_has_grown_up SET qty = 1 WHERE customer_id = 1;
BEGIN;
ALTER TABLE customers RENAME TO clients;
UPDATE orders_of_the_customers_of_the_shop_that_has_grown_up SET qty = 2;
COMMENT ON TABLE clients IS 'The lock of the first statement is held through weaker ones.';
COMMIT;
"""
QUERIES = """\
-- name: orders_of_a_customer_of_the_shop_that_has_grown_up
SELECT id, qty FROM orders_of_the_customers_of_the_shop_that_has_grown_up WHERE customer_id = :customer;
-- name: customer
SELECT id FROM customers WHERE id = :id;
"""
WINDOWS = (340, 1280)


@pytest.fixture(scope="module", params=["premortem", "replay", "rehearse"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    find_chromium()
    any_installation()
    folder = tmp_path_factory.mktemp("pages")
    (folder / "0001_shop.sql").write_text(HISTORY)
    (folder / "0002_a_change_with_a_name_that_is_too_long_for_a_narrow_window_by_far.sql").write_text(CHANGE)
    (folder / "stats.json").write_text('{"version": 1, "relations": {"public.orders_of_the_customers_of_the_shop_that_has_grown_up": 9000000}}')
    (folder / "queries.sql").write_text(QUERIES)
    (folder / "migsafe.toml").write_text('queries = ["queries.sql"]\n[slo]\nblocked = "1s"\nhold = "10s"\nrows-lost = 0\n')
    options = [f"--stats={folder / 'stats.json'}", f"--config={folder / 'migsafe.toml'}", "--rows=2000"]
    file = folder / "page.html"
    ways = {
        "premortem": ["--replay", "--format=html", f"--output={file}"],
        "replay": [f"--report={file}", "--load=1"],
        "rehearse": [f"--report={file}", f"--queries={folder / 'queries.sql'}"],
    }
    options += ways[request.param]
    assert main([str(request.param), str(next(folder.glob("0002*"))), *options]) in (0, 1)
    return file


@pytest.mark.parametrize("width", WINDOWS)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_is_cut_and_all_can_be_read(page: Path, width: int, dark: bool) -> None:
    measured = measure_page(page, width, dark=dark)
    assert (measured.wide <= 0, measured.cut, measured.faint) == (True, [], [])


def test_it_is_light_or_dark_as_the_reader_s_system_is(page: Path) -> None:
    light, dark = take_screenshot(page, 1280), take_screenshot(page, 1280, dark=True)
    assert (light.corner, dark.corner) == ((0xFF, 0xFF, 0xFF), (0x12, 0x16, 0x1C))
    assert min(light.lines, dark.lines) > 200
