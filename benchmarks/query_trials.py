"""Whether `migsafe replay` says of the queries of both releases what a server says, on the histories of real projects.

    python benchmarks/query_trials.py NAME=GIT:MIGRATIONS:QUERIES… [--migrations N] [--bindir DIR] [--superuser] [--verbose]

`GIT` is a git directory, `MIGRATIONS` and `QUERIES` are paths of HEAD in it. For N migrations that drop, rename or tighten something, the
queries of the commit before the one that added the migration are those of the running release, and the queries of that commit those of the new
release. Each migration is replayed after its history. Independently, every query is prepared with PREPARE before and after the migration in a
database of its own, and the two answers are compared. Migrations that break a query come first, then the latest ones.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.lock_truth import choose_installation
from benchmarks.query_breaks import extract, prepared_state, queries_at, tightens
from benchmarks.query_truth import Connection, migrations, run_migration
from migsafe.configuration import Configuration
from migsafe.errors import MigsafeError
from migsafe.library.plan import find_plan
from migsafe.library.replay import Replay, replay_plan
from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.queries.results import QueryResults
from migsafe.replaying.replay import ReplayOptions
from migsafe.replaying.seeding import same_for_every_table
from migsafe.replaying.servers.private import PrivateHost
from migsafe.replaying.servers.server import Server
from migsafe.sources import Half
from migsafe.workload.query import Query, Workload

_ROWS = 50


class Truth(Struct, frozen=True, kw_only=True):
    """What PREPARE says around one migration, which begins at `start` of a file: the SQLSTATE of each query before and after it, by
    fingerprint; empty for one that it accepts."""

    path: str
    start: int
    workload: Workload
    before: dict[str, str]
    after: dict[str, str]

    def broken(self) -> set[str]:
        """Returns the queries of the running release that the migration breaks."""
        return {query.fingerprint for query in self.workload.running if not self.before[query.fingerprint] and self.after[query.fingerprint]}

    def working(self) -> set[str]:
        """Returns the queries that PREPARE accepts only after the migration."""
        return {name for name, state in self.before.items() if state and not self.after[name]}


class Project:
    """A history with its queries in a git repository, extracted into a folder."""

    def __init__(self, argument: str, folder: Path) -> None:
        self.name, _, rest = argument.partition("=")
        self.git, self.migrations, self.queries = rest.split(":")
        self.folder = folder
        extract(self.git, "HEAD", [self.migrations], folder)
        self._read: dict[str, tuple[Query, ...]] = {}

    def truths(self, connection: Connection) -> Iterator[Truth]:
        """Runs the history, and yields what PREPARE says around each migration that tightens something."""
        for half in migrations(str(self.folder / self.migrations)):
            workload = self._workload(half) if tightens(half) else Workload()
            queries = {query.fingerprint: query for query in (*workload.running, *workload.queries)}
            before = {name: prepared_state(connection, query) for name, query in queries.items()}
            problem = run_migration(connection, half)
            if problem:
                print(f"    skipped: {problem[:160]}")
            elif workload.running:
                after = {name: prepared_state(connection, query) for name, query in queries.items()}
                yield Truth(path=half.script.path, start=_start(half), workload=workload, before=before, after=after)

    def _workload(self, half: Half) -> Workload:
        path = str(Path(half.script.path).resolve().relative_to(self.folder.resolve()))
        running = queries_at(self.git, path, "^", self.queries, self._read)
        return Workload(queries=queries_at(self.git, path, "", self.queries, self._read), running=running, compared=True)


class Comparison:
    """Compares replays with the truth."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.lines: list[str] = []

    def compare(self, truth: Truth, host: PrivateHost) -> None:
        """Replays a migration, and compares what it reports."""
        queries = ProjectQueries(truth.workload)
        plan = find_plan([truth.path], Configuration(), "replay")
        options = ReplayOptions(experiments=(), rows=same_for_every_table(_ROWS), probes=False, queries=queries)
        started = time.perf_counter()
        replay = replay_plan(plan, host, options, Budgets())
        seconds = time.perf_counter() - started
        results = next((each.queries for each in replay.replayed if _start(each.migration.up) == truth.start), None)
        if results is None:
            why = "; ".join(problem.message for problem in replay.verdict.problems) or "it failed"
            self.counts["migrations not replayed"] += 1
            self.lines.append(f"{Path(truth.path).name}: not replayed: {why[:200]}")
            return
        self._compare(truth, queries, results)
        self._describe(truth, replay, results, seconds)

    def _compare(self, truth: Truth, queries: ProjectQueries, results: QueryResults) -> None:
        reported = {each.query.fingerprint for each in results.broken}
        works = {each.query.fingerprint for each in results.working}
        self.counts["migrations"] += 1
        self.counts["queries"] += len(queries.all)
        self.counts["breaks on the server"] += len(truth.broken())
        self.counts["breaks reported"] += len(reported)
        self.counts["breaks with a statement"] += sum(each.statement is not None for each in results.broken)
        self.counts["breaks with another SQLSTATE"] += sum(
            truth.after.get(each.query.fingerprint, "") not in ("", each.failure.sqlstate) for each in results.broken
        )
        self.counts["differences: breaks"] += len(reported ^ truth.broken())
        self.counts["differences: works now"] += len(works ^ truth.working())
        self.counts["writes that break"] += len(results.broken_writes)
        self.counts["writes executed"] += results.written
        self.counts["writes not tried"] += sum(each.is_write for each in results.untried)
        for name in sorted(reported ^ truth.broken()):
            self.lines.append(f"    {'only reported' if name in reported else 'missed'}: {queries.named(queries.all[name])}")
        for name in sorted(works ^ truth.working()):
            self.lines.append(f"    {'only reported' if name in works else 'missed'} as working: {queries.named(queries.all[name])}")

    def _describe(self, truth: Truth, replay: Replay, results: QueryResults, seconds: float) -> None:
        per_thousand = results.prepare_ms * 1000 / max(results.total, 1)
        self.counts["milliseconds of preparing, in all"] += round(results.prepare_ms)
        self.lines.append(
            f"{Path(truth.path).name}: {results.total} queries, prepared in {results.prepare_ms:.0f} ms ({per_thousand:.0f} ms for 1,000); "
            f"{results.written} writes in {results.write_ms:.0f} ms; replay {seconds:.1f} s"
        )
        for finding in replay.verdict.findings:
            if finding.rule.startswith(("replay-query-breaks", "replay-write")):
                line = finding.script.position(finding.span.start).line
                self.lines.append(f"    {finding.severity.word} {finding.rule} line {line}: {finding.message[:420]}")
        for untried in results.untried:
            if untried.is_write:
                self.lines.append(f"    not executed: {untried.query}: {untried.reason[:200]}")


def _start(half: Half) -> int:
    """Returns where a migration begins in its file: Liquibase has several in one."""
    return half.chunks[0].start if half.chunks else 0


def compare(arguments: argparse.Namespace) -> None:
    """Runs the comparison for each project, and prints it."""
    total: Counter[str] = Counter()
    installation = choose_installation(arguments.bindir)
    print(installation)
    for argument in arguments.projects:
        comparison = Comparison()
        with tempfile.TemporaryDirectory() as extracted:
            project = Project(argument, Path(extracted))
            with Server(installation) as server:
                server.create_database("truth")
                with server.connect("truth") as connection:
                    truths = list(project.truths(connection))
            truths.reverse()
            truths.sort(key=lambda truth: not truth.broken())
            for truth in truths[: arguments.migrations]:
                # A server for each, because a history may create roles.
                with PrivateHost(installation, superuser=arguments.superuser) as host:
                    comparison.compare(truth, host)
        _print(project.name, comparison.counts)
        for line in comparison.lines if arguments.verbose else ():
            print(f"    {line}")
        total += comparison.counts
    _print("all projects", total)


def _print(title: str, counts: "Counter[str]") -> None:
    print(f"\n{title}")
    for name, count in counts.items():
        print(f"    {count:8,}  {name}", flush=True)


def main() -> int:
    """Reads the arguments, and runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("projects", nargs="+", metavar="NAME=GIT:MIGRATIONS:QUERIES")
    parser.add_argument("--migrations", type=int, default=5, help="how many migrations of each project (default: 5)")
    parser.add_argument("--bindir", type=Path, help="the folder of PostgreSQL's programs")
    parser.add_argument("--superuser", action="store_true", help="replay as a superuser")
    parser.add_argument("--verbose", action="store_true", help="show every migration and finding")
    arguments = parser.parse_args()
    try:
        compare(arguments)
    except MigsafeError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
