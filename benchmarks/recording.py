"""What recording a test suite costs.

    python benchmarks/recording.py [--rounds N] [--tests N]

The tests of the shop's application (`fixtures/shop_application`: Flask, SQLAlchemy and psycopg) run again and again in this process, in rounds:
a block without recording, one with the recorder of `--migsafe-record`, and one without it. Other load on the machine changes the elapsed time
more than recording does, so that the processor time of the tests' thread is compared: that of the fastest blocks, because other load can only
make a block slower, and the median within the rounds. The difference of the blocks without recording shows how far the figures can be trusted.
A first test of each block is not counted: in a suite, each statement and each place that sends it is new only once.

`in a test` are the tests as they are: each makes an application, sends its requests and ends. `in requests` are GETs of one application only,
each of which sends one statement or more: no suite does less beside its statements.
"""

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from migsafe.replaying.servers.installations import find_installations
from migsafe.replaying.servers.server import Server
from migsafe.workload.recording.session import Session

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
SKUS = ["tea", "cup", "kettle", "milk", "sugar", "spoon"]
GETS_OF_A_TEST = 5


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--tests", type=int, default=3, help="tests in a block (default: 3)")
    options = parser.parse_args()
    sys.path.insert(0, str(FIXTURES / "shop_application"))
    installation = max(find_installations(), key=lambda found: (not found.embedded, found.major))
    with Server(installation) as server, server.connect() as connection:
        for path in sorted((FIXTURES / "shop").glob("*.sql")):
            connection.execute(path.read_bytes())
        url = f"postgresql+psycopg://postgres@/postgres?host={server.folder}&port={connection.info.port}"
        print(f"Processor time of the tests, on {installation}; {options.rounds} rounds of three blocks of {options.tests} tests")
        for name, test in (("in requests", _requests), ("in a test", _whole_test)):
            _compare(name, options, lambda test=test: test(connection, url))


def _compare(name: str, options: argparse.Namespace, test: Callable[[], None]) -> None:
    """Runs the blocks, and prints how much more time those with recording take."""
    _block(test, options.tests, recorded=True)
    plain, recorded, again = [], [], []
    for _ in range(options.rounds):
        plain.append(_block(test, options.tests, recorded=False))
        recorded.append(_block(test, options.tests, recorded=True))
        again.append(_block(test, options.tests, recorded=False))
    least = min(*plain, *again)
    paired = median(100 * (2 * with_it / (first + second) - 1) for first, with_it, second in zip(plain, recorded, again, strict=True))
    fastest, differ = 100 * (min(recorded) / least - 1), 100 * abs(min(again) / min(plain) - 1)
    print(f"  {name:<12}{1000 * least / options.tests:8.2f} ms a test; recording adds {fastest:.1f} % (fastest blocks)", end="")
    print(f", {paired:.1f} % (median of the rounds); the fastest blocks without it differ by {differ:.1f} %", flush=True)


def _block(test: Callable[[], None], tests: int, *, recorded: bool) -> float:
    """Runs a number of tests; returns the processor time of this thread."""
    gc.collect()
    if not recorded:
        test()
        started = time.thread_time()
        for _ in range(tests):
            test()
        return time.thread_time() - started
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "queries.jsonl"
        path.touch()
        session = Session(FIXTURES / "shop_application")
        session.open(path)
        try:
            test()
            started = time.thread_time()
            for _ in range(tests):
                session.recorder.start_test()
                test()
                session.recorder.end_test()
            seconds = time.thread_time() - started
            assert session.recorder.seen > 0
            return seconds
        finally:
            session.close()


def _whole_test(connection: "psycopg.Connection[Any]", url: str) -> None:
    """What the tests of the shop do."""
    app, client, order = _shop(connection, url)
    assert [item["sku"] for item in client.get(f"/orders/{order}").json["items"]] == SKUS
    assert client.get("/warehouses/demand/tea").json == {"reserved": 1}
    assert client.post(f"/orders/{order}/packed").json == {"packed": len(SKUS)}
    assert client.get(f"/orders/{order}/recommendations").json["tea"] == ["kettle", "cup"]
    app.extensions["engine"].dispose()


_kept: list[tuple[Any, Any, int]] = []


def _requests(connection: "psycopg.Connection[Any]", url: str) -> None:
    """Requests of one application that send statements."""
    if not _kept:
        _kept.append(_shop(connection, url))
    _, client, order = _kept[0]
    for _ in range(GETS_OF_A_TEST):
        assert client.get(f"/orders/{order}/recommendations").status_code == 200
        assert client.get(f"/orders/{order}").status_code == 200


def _shop(connection: "psycopg.Connection[Any]", url: str) -> tuple[Any, Any, int]:
    """Returns the application, its client and an order, in an empty shop."""
    from shop import create_app  # noqa: PLC0415  # found in the fixture's folder

    connection.execute("TRUNCATE customers, orders, items, recommendations RESTART IDENTITY")
    connection.execute("INSERT INTO recommendations (sku, other_sku, orders) VALUES ('tea', 'cup', 7), ('tea', 'kettle', 9)")
    app = create_app(url)
    client = app.test_client()
    customer = client.post("/customers", json={"email": "Ada@example.com"}).json["id"]
    return app, client, client.post("/orders", json={"customer": customer, "skus": SKUS}).json["id"]


if __name__ == "__main__":
    main()
