"""The cost of recording, compared with psql, which runs the same migrations on the same server; and the time to a replay's first statement.

    python benchmarks/replay.py [--migrations N] [--runs N]

The history is generated: each migration creates, fills and changes one table, in small statements. One psql process runs all files. The
contenders take turns, each time on a new database. Each figure is the fastest of the runs, because other load on the machine can only make a
run slower. The player records, with its ledger and its lock monitor. Probe sessions are timed separately, because they wait for a fixed time
before each migration.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from migsafe.replaying.instruments import Instruments, MigrationTask
from migsafe.replaying.recording.lock_monitor import LockMonitor
from migsafe.replaying.recording.player import Player
from migsafe.replaying.sending import send
from migsafe.replaying.servers.installations import Installation, find_installations
from migsafe.replaying.servers.private import PrivateHost
from migsafe.replaying.servers.server import Server
from migsafe.replaying.servers.time_limits import unlimited
from migsafe.sources import Plan, SourceSettings, find_migrations

_MIGRATION = """\
CREATE TABLE thing_{0} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, other bigint, made timestamptz DEFAULT now());
CREATE INDEX thing_{0}_name ON thing_{0} (name);
ALTER TABLE thing_{0} ADD COLUMN size integer NOT NULL DEFAULT 0;
ALTER TABLE thing_{0} ADD CONSTRAINT thing_{0}_size CHECK (size >= 0);
ALTER TABLE thing_{0} ADD CONSTRAINT thing_{0}_other FOREIGN KEY (other) REFERENCES thing_{1} (id);
INSERT INTO thing_{0} (name) SELECT 'name ' || n FROM generate_series(1, 20) AS n;
UPDATE thing_{0} SET size = length(name);
ALTER TABLE thing_{0} ALTER COLUMN other SET DEFAULT 1;
COMMENT ON TABLE thing_{0} IS 'a thing';
DROP INDEX thing_{0}_name;
"""
_CLOCK = "DO $$ BEGIN RAISE EXCEPTION '%', extract(epoch FROM clock_timestamp()); END $$;\n"


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--migrations", type=int, default=60)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _measure_starts(Path(folder), options.runs)
        _measure_recording(Path(folder), options.migrations, options.runs)


def _measure_recording(folder: Path, migrations: int, runs: int) -> None:
    history = folder / "history"
    history.mkdir()
    for number in range(1, migrations + 1):
        (history / f"{number:04}.sql").write_text(_MIGRATION.format(number, max(number - 1, 1)))
    plan = find_migrations([str(history)], SourceSettings())
    psql = shutil.which("psql")
    contenders: dict[str, Callable[[Server, str], None]] = {"psql": lambda server, database: _psql(server, database, history)} if psql else {}
    contenders |= {"sent, not recorded": lambda server, database: _send(server, database, plan)}
    contenders |= {"recorded": lambda server, database: _record(server, database, plan)}
    best: dict[str, float] = {}
    with PrivateHost(_newest_installation()) as host:
        print(f"\n{migrations * 10} small statements in {migrations} migrations, on {host.title}; the fastest of {runs} runs")
        for _ in range(runs):
            for name, run in contenders.items():
                host.create_database("history")
                started = time.perf_counter()
                run(host.server, "history")
                best[name] = min(best.get(name, float("inf")), time.perf_counter() - started)
                host.drop_database("history")
        started = time.perf_counter()
        host.create_database("history")
        _run_with_probes(host, plan)
        with_probes = time.perf_counter() - started
    yardstick = best[next(iter(contenders))]
    for name, seconds in best.items():
        print(f"  {name:<22}{seconds:8.3f} s  {1000 * seconds / (migrations * 10):6.2f} ms a statement  {seconds / yardstick:5.2f} times")
    print(f"  {'with probe sessions':<22}{with_probes:8.3f} s")


def _psql(server: Server, database: str, history: Path) -> None:
    command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(server.folder), "-p", "5432", "-U", "owner", "-d", database]
    for path in sorted(history.iterdir()):
        command += ["-f", str(path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


def _send(server: Server, database: str, plan: Plan) -> None:
    with closing(server.connect(database, user="owner")) as connection:
        for migration in plan.migrations:
            send(connection, migration.up)


def _record(server: Server, database: str, plan: Plan) -> None:
    rows: dict[int, int] = {}
    with (
        closing(server.connect(database, user="owner")) as worker,
        closing(server.connect(database)) as observer,
        closing(server.connect(database)) as counter,
        LockMonitor(observer, worker.info.backend_pid) as monitor,
    ):
        for migration in plan.migrations:
            player = Player(worker, monitor, counter, rows=rows)
            player.play(migration.up)
            rows = dict(player.rows)


def _run_with_probes(host: PrivateHost, plan: Plan) -> None:
    instruments = Instruments(host, unlimited)
    for migration in plan.migrations:
        instruments.run(MigrationTask(database="history", migration=migration, predictions=(), rows=instruments.rows or None))
    instruments.disconnect()


def _measure_starts(folder: Path, runs: int) -> None:
    """Print the time to the first statement and the server's share of it: without a cached cluster, and then with one."""
    (folder / "0001.sql").write_text(_CLOCK)
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    print("Time from the start of the command to its first statement")
    cold = _first_statement(folder, environment)
    warm = min(_first_statement(folder, environment) for _ in range(runs))
    print(f"  cold {cold:6.3f} s\n  warm {warm:6.3f} s, the fastest of {runs} runs")
    installation = _newest_installation()
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        with Server(installation):
            seconds.append(time.perf_counter() - started)
    print(f"  the server's share, warm {min(seconds):6.3f} s")


def _newest_installation() -> Installation:
    """Returns the newest PostgreSQL, preferably one that is not a Python package, because those lack the contrib extensions."""
    return max(find_installations(), key=lambda installation: (not installation.embedded, installation.major))


def _first_statement(folder: Path, environment: dict[str, str]) -> float:
    command = [sys.executable, "-m", "migsafe", "replay", "--rows", "0", "--check", "none", "--format", "json", str(folder / "0001.sql")]
    started = time.time()
    run = subprocess.run(command, env=environment, cwd=Path(__file__).resolve().parent.parent, capture_output=True, text=True, check=False)
    return float(json.loads(run.stdout)["migrations"][0]["failed"]) - started


if __name__ == "__main__":
    main()
