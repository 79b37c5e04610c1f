"""How long rehearsals take, and what they say about the releases of real projects.

    python benchmarks/rehearsal.py copies [--sizes 0.1,1,4] [--bindir DIR]
    python benchmarks/rehearsal.py releases CLONE:MIGRATIONS:QUERIES REVISION… [--rows N] [--schema FILE] [--bindir DIR]

`copies` fills a database on disk with so many GB and rehearses one small migration with two queries: with generated rows, with `--template` (a
copy on its server) and with `--from` (pg_basebackup, into memory if there is room). It prints the seconds of the whole command. A
thin clone is not measured: it needs a Database Lab Engine.

`releases` rehearses the release since each REVISION of a project and prints the phases, the failures and the time. `CLONE` is a clone with the
commits since then, `MIGRATIONS` and `QUERIES` are paths in it, as in `migsafe.toml`, which is written there.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.lock_truth import choose_installation
from migsafe.replaying.servers.server import Server
from migsafe.replaying.servers.work_folders import work_folders

ROOT = Path(__file__).resolve().parent.parent

TABLE = "CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint NOT NULL, note text NOT NULL)"
ROWS_PER_GB = 1_000_000
FILL = "INSERT INTO orders SELECT n, n % 100000, repeat(md5(n::text), 27) FROM generate_series({first}, {last}) AS n"
MIGRATION = "ALTER TABLE orders ADD COLUMN paid boolean;\n"
QUERIES = """\
-- name: of_order
SELECT note FROM orders WHERE id = :id;
-- name: place!
INSERT INTO orders (id, customer, note) VALUES (:id, 1, 'x');
"""
MEMORY = "/dev/shm"  # where servers keep their data if there is room


def rehearse(folder: Path, *arguments: str) -> tuple[float, dict[str, Any], str]:
    """Runs `migsafe rehearse` in a folder; returns its seconds, its JSON and its errors."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "migsafe", "rehearse", *arguments, "--format", "json"]
    done = subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    errors = "\n".join(line for line in done.stderr.splitlines() if line.startswith("migsafe:"))
    return time.perf_counter() - start, json.loads(done.stdout) if done.stdout else {}, errors


def measure_copies(sizes: Sequence[float], bindir: Path | None) -> None:
    """Prints the seconds of a rehearsal with each kind of rows, for databases of some sizes."""
    installation = choose_installation(bindir)
    settings = {"fsync": "on", "full_page_writes": "on", "max_wal_senders": "4"}
    with tempfile.TemporaryDirectory() as name, Server(installation, settings) as server:
        folder = Path(name)
        for file, text in (("0001_orders.sql", TABLE + ";\n"), ("0002_paid.sql", MIGRATION), ("queries.sql", QUERIES)):
            (folder / file).write_text(text)
        (folder / "migsafe.toml").write_text('queries = ["queries.sql"]\n')
        with server.connect() as connection:
            connection.execute("CREATE DATABASE shop")
        rows = 0
        print(f"{'size':>8} {'generated':>10} {'template':>10} {'from':>10}")
        for size in sizes:
            with server.connect("shop") as connection:
                connection.execute(TABLE.replace("TABLE", "TABLE IF NOT EXISTS").encode())
                wanted = int(size * ROWS_PER_GB)
                connection.execute(FILL.format(first=rows + 1, last=wanted).encode())
                rows = wanted
                connection.execute("VACUUM ANALYZE orders")
                connection.execute("CHECKPOINT")
                [(actual,)] = connection.execute("SELECT pg_catalog.pg_database_size('shop') / 1e9").fetchall()
            dsn = f"host={server.folder} port=5432 user=postgres dbname="
            programs = ["--pg-bin", str(installation.bindir)]
            ways = (programs, ["--server", dsn + "postgres", "--template", "shop"], ["--from", dsn + "shop", *programs])
            seconds = []
            for way in ways:
                taken, report, errors = rehearse(folder, "0002_paid.sql", "--queries", "queries.sql", *way)
                if report.get("result") != "passed":
                    sys.exit(errors or json.dumps(report, indent=1))
                seconds.append(taken)
            print(f"{actual:6.1f} GB " + " ".join(f"{taken:8.1f} s" for taken in seconds), flush=True)


def rehearse_releases(project: str, revisions: Sequence[str], arguments: Sequence[str]) -> None:
    """Prints what a rehearsal says about the releases of a project."""
    clone, migrations, queries = project.split(":")
    settings = f"migrations = {json.dumps([migrations])}\nqueries = {json.dumps([queries])}\n"
    (Path(clone) / "migsafe.toml").write_text(settings)
    for revision in revisions:
        seconds, report, errors = rehearse(Path(clone), "--since", revision, *arguments)
        phases = report.get("phases", [])
        number = sum(len(phase["migrations"]) for phase in phases)
        known = report.get("queries", {"running": None, "new": None, "untried": []})
        print(f"{Path(clone).name} since {revision}: {report.get('result', 'error')}, {number} migrations, {seconds:.0f} s")
        print(f"  queries: {known['running']} running, {known['new']} new, {len(known['untried'])} could not be tried")
        for phase in phases:
            counts = {"migrations": len(phase["migrations"]), "failures": len(phase["failures"])}
            print(f"  {phase['phase']:<9} {phase['result']:<10} {', '.join(f'{count} {what}' for what, count in counts.items() if count)}")
            for failure in phase["failures"]:
                print(f"    {failure['rule']} {failure['path']}:{failure['line']} {failure['message'][:300]}")
        for text in (*report.get("remarks", ()), *filter(None, errors.splitlines())):
            print(f"  - {text[:300]}")


def main() -> None:
    """Runs the part that the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("copies", "releases"))
    parser.add_argument("project", nargs="?", default="")
    parser.add_argument("revisions", nargs="*")
    parser.add_argument("--sizes", default="0.1,1,4")
    parser.add_argument("--rows", default="10000")
    parser.add_argument("--schema")
    parser.add_argument("--without-extension", action="append", default=[])
    parser.add_argument("--bindir", type=Path)
    options = parser.parse_args()
    if options.part == "copies":
        work_folders(shutil.disk_usage(MEMORY).free if Path(MEMORY).exists() else 0)  # this process asks for more, so its server is on disk
        measure_copies([float(size) for size in options.sizes.split(",")], options.bindir)
        return
    arguments = ["--rows", options.rows]
    arguments += ["--schema", options.schema] if options.schema else []
    arguments += ["--pg-bin", str(options.bindir)] if options.bindir else []
    arguments += [part for name in options.without_extension for part in ("--without-extension", name)]
    rehearse_releases(options.project, options.revisions, arguments)


if __name__ == "__main__":
    main()
