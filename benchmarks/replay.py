"""The time to a replay's first statement, the cost of recording, compared with psql on the same server, and the cost of seeding.

    python benchmarks/replay.py [--migrations N] [--runs N] [--only starts|recording|seeding]

Two histories are generated. In the first one, each migration creates, fills and changes one table, in small statements; in the second one, few
statements fill, index, check, update and rewrite a table of 300,000 rows. One psql process runs all files. The contenders take turns, each time
on a new database. Each time is the fastest of the runs, because other load on the machine can only make a run slower; the factor is the median
of the runs. The player records, with its ledger and its lock monitor; the parts of what it adds to each small statement are timed, too. Probe
sessions are timed separately, because they wait for a fixed time before each migration.

Seeding is measured with 20 tables that have three foreign keys and an index for each of them, with several numbers of rows, and with 300 tables
of a hard shape: composite keys, a join table, CHECKs over several columns.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from migsafe.replaying.exchange import execute
from migsafe.replaying.instruments import Instruments, MigrationTask
from migsafe.replaying.recording.ledger import ENTRY, MARK
from migsafe.replaying.recording.lock_monitor import LockMonitor
from migsafe.replaying.recording.player import Player
from migsafe.replaying.seeding import Seeder, same_for_every_table
from migsafe.replaying.sending import send
from migsafe.replaying.servers.installations import Installation, find_installations
from migsafe.replaying.servers.private import PrivateHost
from migsafe.replaying.servers.server import Server
from migsafe.replaying.servers.time_limits import unlimited
from migsafe.session import sent_statements
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
_WORK = (
    "CREATE TABLE event (id bigint PRIMARY KEY, account int NOT NULL, kind text, size int, made timestamptz DEFAULT now());\n"
    "INSERT INTO event SELECT n, n % 1000, 'kind ' || n % 7, n FROM generate_series(1, 300000) AS n;\n",
    "CREATE INDEX event_account ON event (account, made);\nALTER TABLE event ADD CONSTRAINT event_size CHECK (size > 0);\n",
    "UPDATE event SET kind = upper(kind) WHERE id % 3 = 0;\nALTER TABLE event ALTER COLUMN kind SET NOT NULL;\n",
    "ALTER TABLE event ALTER COLUMN account TYPE bigint;\nDELETE FROM event WHERE id % 10 = 0;\n",
)
_HARD_TABLES = """\
CREATE TABLE tenant_{0} (id int PRIMARY KEY, owner int, name text NOT NULL UNIQUE);
CREATE TABLE project_{0} (tenant int REFERENCES tenant_{0}, id int, parent int, state text CHECK (state IN ('open', 'closed')), closed date,
    PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, parent) REFERENCES project_{0}, CHECK ((state = 'closed') = (closed IS NOT NULL)));
CREATE TABLE member_{0} (tenant int NOT NULL REFERENCES tenant_{0}, id int PRIMARY KEY, UNIQUE (tenant, id));
ALTER TABLE tenant_{0} ADD FOREIGN KEY (owner) REFERENCES member_{0};
CREATE TABLE assigned_{0} (tenant int, project int, member int, starts date NOT NULL, ends date, PRIMARY KEY (tenant, project, member),
    FOREIGN KEY (tenant, project) REFERENCES project_{0}, FOREIGN KEY (tenant, member) REFERENCES member_{0} (tenant, id),
    CHECK (ends > starts));
"""
_PARTS = {
    "  part: the statement": ("", ""),
    "  … in BEGIN and COMMIT": ("BEGIN;", "COMMIT"),
    "  … with WAL position and clock": ("BEGIN; EXECUTE mark;", "EXECUTE mark; COMMIT"),
    "  … with locks, files, counters": ("BEGIN; EXECUTE mark;", "EXECUTE entry; COMMIT"),
}
"""What the ledger adds to a statement, part by part. The rest of the time is that of the player."""
_CLOCK = "DO $$ BEGIN RAISE EXCEPTION '%', extract(epoch FROM clock_timestamp()); END $$;\n"


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--migrations", type=int, default=60)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", choices=("starts", "recording", "seeding"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.only in (None, "starts"):
            _measure_starts(Path(folder), options.runs)
        if options.only in (None, "recording"):
            _measure_recording(Path(folder), options.migrations, options.runs)
    if options.only in (None, "seeding"):
        _measure_seeding()


def _measure_seeding() -> None:
    """Print the time for filling tables."""
    with PrivateHost(_newest_installation()) as host:
        tables = "".join(_table_with_foreign_keys(number, 3) for number in range(20))
        print(f"\nSeeding 20 tables with 3 foreign keys each, on {host.title}; load average {os.getloadavg()[0]:.1f}")
        for rows in (10_000, 50_000, 100_000, 200_000):
            seconds, unfilled = _seed(host, tables, rows)
            print(f"  {rows:>9,} rows each{seconds:8.2f} s  {1e6 * seconds / (20 * rows):6.2f} µs a row{_named(unfilled)}")
        seconds, unfilled = _seed(host, "".join(_HARD_TABLES.format(number) for number in range(75)), 1000)
        print(f"  300 tables of hard shapes, 1,000 rows each{seconds:8.2f} s{_named(unfilled)}")


def _seed(host: PrivateHost, tables: str, rows: int) -> tuple[float, dict[str, str]]:
    host.create_database("seeding")
    with host.connect("seeding") as connection:
        connection.execute(tables.encode())
        seeder = Seeder(same_for_every_table(rows))
        started = time.perf_counter()
        seeder.seed(connection)
        seconds = time.perf_counter() - started
    host.drop_database("seeding")
    return seconds, seeder.unfilled


def _named(unfilled: dict[str, str]) -> str:
    return "".join(f"\n    {table}: {reason}" for table, reason in unfilled.items())


def _table_with_foreign_keys(number: int, most: int) -> str:
    """Returns the SQL of a table that references the tables before it, or itself where there are too few, and has an index for each key."""
    others = range(most)
    columns = "".join(f", other_{other} bigint REFERENCES thing_{max(number - 1 - other, 0)} (id)" for other in others)
    indexes = "".join(f"CREATE INDEX ON thing_{number} (other_{other});" for other in others)
    return (
        f"CREATE TABLE thing_{number} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY{columns}, name text NOT NULL, "
        f"amount numeric(10, 2), made timestamptz NOT NULL DEFAULT now());{indexes}"
    )


def _measure_recording(folder: Path, migrations: int, runs: int) -> None:
    small = _history(folder / "small", [_MIGRATION.format(number, max(number - 1, 1)) for number in range(1, migrations + 1)])
    work = _history(folder / "work", _WORK)
    with PrivateHost(_newest_installation()) as host:
        print(f"\n{migrations * 10} small statements in {migrations} migrations, on {host.title}; the fastest of {runs} runs")
        contenders = _contenders(folder / "small", small)
        for name, parts in _PARTS.items():
            contenders[name] = lambda server, database, parts=parts: _send_parts(server, database, small, parts)
        _compare(host, contenders, runs, migrations * 10)
        started = time.perf_counter()
        host.create_database("history")
        _run_with_probes(host, small)
        print(f"  {'with probe sessions':<34}{time.perf_counter() - started:8.3f} s")
        host.drop_database("history")
        print("\n8 statements that do work")
        _compare(host, _contenders(folder / "work", work), runs, 8)


_Contenders = dict[str, Callable[[Server, str], None]]


def _history(folder: Path, texts: Iterable[str]) -> Plan:
    folder.mkdir()
    for number, text in enumerate(texts, 1):
        (folder / f"{number:04}.sql").write_text(text)
    return find_migrations([str(folder)], SourceSettings())


def _contenders(folder: Path, plan: Plan) -> _Contenders:
    """Returns what runs a history, by name. The first one is the yardstick."""
    contenders: _Contenders = {"psql": lambda server, database: _psql(server, database, folder)} if shutil.which("psql") else {}
    contenders["sent, not recorded"] = lambda server, database: _send(server, database, plan)
    contenders["recorded"] = lambda server, database: _record(server, database, plan, one_session=True)
    contenders["recorded, prepared each time"] = lambda server, database: _record(server, database, plan, one_session=False)
    return contenders


def _compare(host: PrivateHost, contenders: _Contenders, runs: int, statements: int) -> None:
    """Run a history with each contender in turn, and print the times."""
    seconds: dict[str, list[float]] = {}
    for _ in range(runs):
        for name, run in contenders.items():
            host.create_database("history")
            started = time.perf_counter()
            run(host.server, "history")
            seconds.setdefault(name, []).append(time.perf_counter() - started)
            host.drop_database("history")
    yardstick = seconds[next(iter(contenders))]
    for name, took in seconds.items():
        # Each run is compared with the yardstick of the same round, because other load on the machine changes from round to round.
        times = median(run / first for run, first in zip(took, yardstick, strict=True))
        print(f"  {name:<34}{min(took):8.3f} s  {1000 * min(took) / statements:6.2f} ms a statement  {times:5.2f} times")


def _psql(server: Server, database: str, history: Path) -> None:
    command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(server.folder), "-p", "5432", "-U", "owner", "-d", database]
    for path in sorted(history.iterdir()):
        command += ["-f", str(path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


def _send(server: Server, database: str, plan: Plan) -> None:
    with closing(server.connect(database, user="owner")) as connection:
        for migration in plan.migrations:
            send(connection, migration.up)


def _send_parts(server: Server, database: str, plan: Plan, parts: tuple[str, str]) -> None:
    """Send the statements with a part of what recording adds, and without reading the results."""
    before, after = parts
    with closing(server.connect(database, user="owner")) as connection:
        execute(connection, f"PREPARE mark AS {MARK}; PREPARE entry AS {ENTRY}")
        for migration in plan.migrations:
            for sent in sent_statements(migration.up):
                span = sent.statement.span
                execute(connection, f"{before}{migration.up.script.text[span.start : span.end]}\n;{after}")


def _record(server: Server, database: str, plan: Plan, *, one_session: bool) -> None:
    """Record the history. Without `one_session`, the ledger is prepared again for each migration, as where the database is copied before it."""
    contents = ledger = None
    with (
        closing(server.connect(database, user="owner")) as worker,
        closing(server.connect(database)) as observer,
        closing(server.connect(database)) as counter,
        LockMonitor(observer, worker.info.backend_pid) as monitor,
    ):
        for migration in plan.migrations:
            player = Player(worker, monitor, counter, contents=contents, ledger=ledger)
            player.play(migration.up)
            contents, ledger = player.contents, player.ledger if one_session else None


def _run_with_probes(host: PrivateHost, plan: Plan) -> None:
    instruments = Instruments(host, unlimited)
    for migration in plan.migrations:
        instruments.run(MigrationTask(database="history", migration=migration, predictions=(), contents=instruments.contents))
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
