"""How correct the rules about queries are, on the queries of real projects and on real servers.

    python benchmarks/queries.py indexes NAME=MIGRATIONS:QUERIES… [--rows N] [--bindir DIR] [--verbose]
    python benchmarks/queries.py trials NAME=MIGRATIONS:QUERIES… [--rows N] [--bindir DIR] [--verbose]
    python benchmarks/queries.py loses NAME=MIGRATIONS:QUERIES… [--rows N] [--bindir DIR] [--verbose]
    python benchmarks/queries.py breaks NAME=GIT:MIGRATIONS:QUERIES… [--bindir DIR] [--verbose]

`MIGRATIONS` is the folder of a history, `QUERIES` a file or folder that `queries` in the configuration could name. `GIT` is a git directory, in
which the two are paths of HEAD.

`indexes` builds the final schema and fills its tables. A query is un-indexed if its generic plan costs more than 1,000 and falls more than
tenfold when an index is really built: on each column that the query names of a table that is read as a whole, and those that migsafe proposes.
A page of 20 rows stands for the parameters of LIMIT and OFFSET; with `--generic-limit`, a tenth of the rows, as generic plans assume.
The benchmark compares the queries that migsafe calls un-indexed with these, and prints the share of queries that were resolved. Queries of
tables that could not be filled are left out. Generated values say nothing about some conditions, with or without an index: columns that queries
compare with literals receive these values, and those of a state or a type keep few (`seeded_literals.py`); indexes on columns that are only
tested for NULL, or for being before or after a known value such as `now()`, do not count. A search for rows in a whole table that EXISTS or
LIMIT ends is counted in full, because no row may have the value, and expressions have statistics, as with an index on them. With `--as-seeded`,
only the indexes of tests for NULL are left out.

`trials` does what `migsafe replay` does after the last migration, for all queries. Each index that it reports is then created as the report
says, and the queries that it names must use it. It prints how many of the linter's warnings (query-without-index) are confirmed.

`loses` drops each index of the final schema in turn. A query loses it if its generic plan then costs 500 and half as much more, and is ten
times as expensive or reads the table as a whole, which it did not do before. Queries with optional conditions (`$1 IS NULL OR a = $1`) are
also planned for values, as PostgreSQL does. A query that fails without the index (ON CONFLICT, GROUP BY) does not count. The benchmark
compares these with the queries that query-loses-index names for a last migration that drops the index.

`breaks` runs the history, and before and after each migration that drops, renames or tightens something it prepares every query of the commit
before the one that added the migration. The server's answer is compared with migsafe's, for each pair of query and migration.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.index_reports import ReportedIndexes
from benchmarks.index_truth import IndexTruth, Judgement, Measured, Project
from benchmarks.lock_truth import choose_installation
from benchmarks.lost_indexes import LostIndexes
from benchmarks.query_breaks import Breaks, History, extract
from benchmarks.query_truth import migrations, seeded_database
from benchmarks.seeded_literals import fill_literals
from migsafe.errors import MigsafeError
from migsafe.prediction.predictor import Predictor
from migsafe.replaying.servers.server import Server
from migsafe.schema.catalog import Catalog


def final_catalog(folder: str, version: int) -> Catalog:
    """Returns the database after a history, which began with an empty one."""
    return final_predictor(folder, version).catalog


def final_predictor(folder: str, version: int) -> Predictor:
    """Returns the predictor after a history, which began with an empty database."""
    predictor = Predictor(version)
    predictor.begin_history(from_first_migration=True)
    for half in migrations(folder):
        predictor.apply(half)
    return predictor


def compare_indexes(arguments: argparse.Namespace) -> int:
    """Runs the comparison of un-indexed queries; returns the exit status."""
    total: Counter[str] = Counter()
    with Server(choose_installation(arguments.bindir), {"max_wal_size": "8GB"}) as server:
        print(server.installation)
        for number, argument in enumerate(arguments.projects):
            started = time.perf_counter()
            project = Project(argument)
            catalog = final_catalog(project.migrations, server.major)
            judgement = Judgement(project, catalog, as_seeded=arguments.as_seeded)
            stored = arguments.truth / f"{project.name}.json" if arguments.truth is not None else None
            if stored is not None and stored.exists():
                measured = msgspec.json.decode(stored.read_bytes(), type=Measured)
            else:
                change = None if arguments.as_seeded else partial(fill_literals, queries=project.queries, catalog=catalog)
                with seeded_database(server, project.migrations, f"project{number}", arguments.rows, change) as (connection, unfilled):
                    truth = IndexTruth(project, connection, catalog, usual_page=not arguments.generic_limit, as_seeded=arguments.as_seeded)
                    measured = Measured(truth.measure(), unfilled)
                server.drop_database(f"project{number}")
                if stored is not None:
                    stored.write_bytes(msgspec.json.encode(measured))
            judgement.compare(measured)
            total += judgement.counts
            _print_indexes(str(project), judgement.counts, time.perf_counter() - started)
            for confusion in judgement.confusions if arguments.verbose else ():
                print(f"    {confusion}", flush=True)
    _print_indexes("all projects", total, 0.0)
    return 0


def _print_indexes(title: str, counts: "Counter[str]", seconds: float) -> None:
    right, false = counts["un-indexed, called un-indexed"], counts["fine, called un-indexed"]
    missed = counts["un-indexed, called fine"]
    print(f"\n{title}" + (f" ({seconds:.0f} s)" if seconds else ""))
    print(f"    {_percent(counts['resolved'], counts['queries'])} of {counts['queries']} queries resolved, {counts['judged']} judged")
    print(f"    precision {_percent(right, right + false)} ({false} wrong), recall {_percent(right, right + missed)} ({missed} missed)")
    for name, count in sorted(counts.items()):
        print(f"    {count:6,}  {name}")


def compare_breaks(arguments: argparse.Namespace) -> int:
    """Runs the comparison of broken queries; returns the exit status."""
    total: Counter[str] = Counter()
    with Server(choose_installation(arguments.bindir)) as server:
        print(server.installation)
        for number, argument in enumerate(arguments.projects):
            started = time.perf_counter()
            name, _, rest = argument.partition("=")
            git, folder, queries = rest.split(":")
            with tempfile.TemporaryDirectory() as extracted:
                extract(git, "HEAD", [folder], Path(extracted))
                breaks = Breaks(History(name=name, git=git, migrations=folder, queries=queries), server, Path(extracted))
                breaks.compare(f"history{number}")
            total += breaks.counts
            _print_breaks(name, breaks.counts, time.perf_counter() - started)
            for difference in breaks.differences if arguments.verbose else ():
                print(f"    {difference}", flush=True)
    _print_breaks("all histories", total, 0.0)
    return 0


def _print_breaks(title: str, counts: "Counter[str]", seconds: float) -> None:
    same = _percent(counts["pairs with the same answer"], counts["pairs"])
    print(f"\n{title}: the same answer for {same} of {counts['pairs']:,} pairs" + (f" ({seconds:.0f} s)" if seconds else ""))
    for name, count in sorted(counts.items()):
        print(f"    {count:6,}  {name}", flush=True)


def compare_losses(arguments: argparse.Namespace) -> int:
    """Drops each index of projects, and compares the queries that lose it with those that the rule names; returns the exit status."""
    total: Counter[str] = Counter()
    with Server(choose_installation(arguments.bindir), {"max_wal_size": "8GB"}) as server:
        print(server.installation)
        for number, argument in enumerate(arguments.projects):
            project = Project(argument)
            with (
                tempfile.TemporaryDirectory() as folder,
                seeded_database(server, project.migrations, f"loss{number}", arguments.rows) as (connection, unfilled),
            ):
                losses = LostIndexes(
                    project.migrations, project.queries_at, project.queries, final_catalog(project.migrations, server.major), Path(folder)
                )
                losses.compare(connection, unfilled)
            server.drop_database(f"loss{number}")
            total += losses.counts
            _print_losses(str(project), losses.counts)
            for confusion in losses.confusions if arguments.verbose else ():
                print(f"    {confusion}", flush=True)
    _print_losses("all projects", total)
    return 0


def _print_losses(title: str, counts: "Counter[str]") -> None:
    right, false, missed = counts["lost, called lost"], counts["kept, called lost"], counts["lost, called kept"]
    print(f"\n{title}: precision {_percent(right, right + false)} ({false} wrong), recall {_percent(right, right + missed)} ({missed} missed)")
    for name, count in sorted(counts.items()):
        print(f"    {count:6,}  {name}", flush=True)


def compare_trials(arguments: argparse.Namespace) -> int:
    """Tries indexes for all queries of projects, and verifies what is reported; returns the exit status."""
    total: Counter[str] = Counter()
    with Server(choose_installation(arguments.bindir), {"max_wal_size": "8GB"}) as server:
        print(server.installation)
        for number, argument in enumerate(arguments.projects):
            name, _, rest = argument.partition("=")
            folder, _, queries = rest.partition(":")
            with seeded_database(server, folder, f"trial{number}", arguments.rows) as (connection, _):
                trial = ReportedIndexes(connection, final_predictor(folder, server.major), queries)
            server.drop_database(f"trial{number}")
            total += trial.counts
            _print_trials(name, trial.counts)
            for line in trial.lines if arguments.verbose else ():
                print(f"    {line}", flush=True)
    _print_trials("all projects", total)
    return 1 if total["indexes that are not used"] else 0


def _print_trials(title: str, counts: "Counter[str]") -> None:
    print(f"\n{title}: {_percent(counts['warnings confirmed'], counts['warnings of the linter'])} of the linter's warnings confirmed")
    for name, count in counts.items():
        print(f"    {count:6,}  {name}", flush=True)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def main() -> int:
    """Reads the arguments, and runs a comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("comparison", choices=("indexes", "trials", "loses", "breaks"))
    parser.add_argument("projects", nargs="+", metavar="NAME=MIGRATIONS:QUERIES")
    parser.add_argument("--rows", type=int, default=100_000, help="rows of each table (default: 100,000)")
    parser.add_argument("--truth", type=Path, help="a folder where the server's answers are stored, and read again by later runs")
    parser.add_argument("--generic-limit", action="store_true", help="for indexes: plan LIMIT $1 for a tenth of the rows, not for 20")
    parser.add_argument("--as-seeded", action="store_true", help="for indexes: leave all columns as they were generated")
    parser.add_argument("--bindir", type=Path, help="the folder of PostgreSQL's programs")
    parser.add_argument("--verbose", action="store_true", help="show every difference")
    arguments = parser.parse_args()
    try:
        compare = {"indexes": compare_indexes, "trials": compare_trials, "loses": compare_losses, "breaks": compare_breaks}
        return compare[arguments.comparison](arguments)
    except MigsafeError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
