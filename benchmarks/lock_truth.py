"""How true the predictions are on whole histories: every migration below the folders, run on a real server and foreseen beside it.

    python benchmarks/lock_truth.py FOLDER… [--bindir DIR] [--apart] [--verbose]

A history runs in a database of its own, in order, each migration as its runner sends it. Compared are, for each statement and each relation
that was there before it, the strongest lock from SHARE UPDATE EXCLUSIVE up, and whether the table was rewritten. Scans are not: the tables are
as the history leaves them, most of them empty. What the transaction holds already leaves no trace when it is asked for again, so that a
prediction up to that counts as right; --apart runs each statement in a transaction of its own, where nothing is held.

A migration that fails is rolled back and left out, with what depends on it. Roles that a history takes for granted are made.
"""

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from migsafe.errors import MigsafeError
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.prediction.predictor import Predictor, StatementPrediction
from migsafe.replaying.recording.measurement import Measurement
from migsafe.replaying.recording.nontransactional import measure_nontransactional
from migsafe.replaying.servers.installations import Installation, find_installations, inspect_installation
from migsafe.replaying.servers.server import Server
from migsafe.session import sent_statements
from migsafe.sources import Half, Source, Transaction, find_migrations
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name
from migsafe.sql.statements import Statement
from tests.support.statement_meter import StatementMeter

_SHOWN = 200
_FROM = LockMode.SHARE_UPDATE_EXCLUSIVE
_DATABASE = "history"
_ROLE = re.compile(r'role "(.+)" does not exist')
_BOUNDARIES = (sql.Begin, sql.Commit, sql.Savepoint, sql.Release)
_STEERING = (*_BOUNDARIES, sql.Rollback, sql.RollbackTo, sql.TwoPhase, sql.SetVariable, sql.ResetVariable, sql.Discard)


class Ran(NamedTuple):
    """A statement that the server took, with what it did; None where that was not measured."""

    statement: Statement
    first: bool
    last: bool
    measured: Measurement | None


class Report:
    """What has been compared so far."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.differences: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}
        self.failures: list[str] = []

    def differ(self, pattern: str, example: str) -> None:
        """Note a statement of which the two sides say different things."""
        self.differences[pattern] += 1
        self.examples.setdefault(pattern, []).append(example)


class History:
    """A history as it is replayed: a database, and its forecast."""

    def __init__(self, server: Server, source: Source, report: Report, *, apart: bool) -> None:
        self.server = server
        self.source = source
        self.report = report
        self.apart = apart
        self.forecast = Predictor(server.installation.major)
        # The database is made empty: what no migration made is not there.
        self.forecast.catalog.complete = True

    def replay(self) -> None:
        """Replay it all."""
        self.server.create_database(_DATABASE)
        try:
            steps = list(self.source.steps())
            for number, step in enumerate(steps, 1):
                _progress(f"{self.source.path}: {number}/{len(steps)}")
                self._migrate(step.migration.up)
        finally:
            self.server.drop_database(_DATABASE)

    def _migrate(self, half: Half) -> None:
        """Run a migration, making the roles that it misses, and compare."""
        self.report.counts["migrations"] += 1
        for _ in range(20):
            try:
                with self.server.connect(_DATABASE) as connection:
                    self._meter = StatementMeter(connection)
                    ran = list(self._run(connection, half))
                break
            except psycopg.Error as error:
                missing = _ROLE.search(str(error))
                if missing is None:
                    self.report.counts["migrations that failed and were left out"] += 1
                    self.report.failures.append(f"{half.script.path}: {_short(str(error).partition(chr(10))[0])}")
                    return
                with self.server.connect() as connection:
                    connection.execute(f"CREATE ROLE {Name(missing[1])}".encode())
        self.forecast.begin(half.transaction)
        for one in ran:
            foreseen = self.forecast.predict_statement(one.statement, first=one.first, last=one.last)
            if one.measured is not None:
                self._compare(half, foreseen, one.measured)
        self.forecast.finish()

    def _run(self, connection: "psycopg.Connection[Any]", half: Half) -> Iterator[Ran]:
        """Send a migration's statements as its runner does."""
        wraps = half.transaction is Transaction.FILE and not self.apart
        if wraps:
            connection.execute("BEGIN")
        for statement, first, last in sent_statements(half):
            text = half.script.text[statement.span.start : statement.span.end]
            query = half.transaction is Transaction.QUERY and not (first and last) and not self.apart
            if query and first:
                connection.execute("BEGIN")
            yield Ran(statement, first, last, self._send(connection, statement, text, half.script.text))
            if query and last:
                connection.execute("COMMIT")
        if wraps:
            connection.execute("COMMIT")

    def _send(self, connection: "psycopg.Connection[Any]", statement: Statement, text: str, script: str) -> Measurement | None:
        match statement.operations[0]:
            case sql.PsqlCommand():
                return None
            case sql.Begin() | sql.Commit() | sql.Savepoint() | sql.Release() if self.apart:
                return None
            case operation if isinstance(operation, _STEERING):
                connection.execute(text.encode())
                return None
            case sql.Copy(data=data) if data is not None:
                with connection.cursor().copy(text.encode()) as copy:
                    copy.write(script[data.start : data.end])
                return None
        try:
            return self._meter.measure(text)
        except psycopg.errors.ActiveSqlTransaction:
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                raise
        return self._outside(connection, text)

    def _outside(self, connection: "psycopg.Connection[Any]", text: str) -> Measurement | None:
        """A statement that no transaction takes; unmeasured if it needs the settings of this connection."""
        try:
            return measure_nontransactional(self.server, _DATABASE, text, scans=False)
        except psycopg.Error:
            connection.execute(text.encode())
            return None

    def _compare(self, half: Half, foreseen: StatementPrediction, measured: Measurement) -> None:
        under, over = _differences(foreseen.effects, measured)
        counts = self.report.counts
        counts["statements compared"] += 1
        counts["statements exact"] += not under and not over and foreseen.refusal is None
        counts["statements under-predicted"] += bool(under)
        counts["statements over-predicted"] += bool(over)
        counts["statements taken for refused"] += foreseen.refusal is not None
        if not (under or over or foreseen.refusal):
            return
        if not foreseen.understood:
            counts["statements that differ and were said not to be understood"] += 1
        line = half.script.position(foreseen.statement.span.start).line
        text = half.script.text[foreseen.statement.span.start : foreseen.statement.span.end]
        words = [*(f"under: {one}" for one in under), *(f"over: {one}" for one in over)]
        words += [f"refused: {foreseen.refusal}"] if foreseen.refusal else []
        self.report.differ(
            f"{_kind(foreseen)}: {_pattern(words)}",
            f"{half.script.path}:{line}: {_short(text)}\n        " + "\n        ".join(words),
        )


def _differences(predicted: tuple[Effect, ...], measured: Measurement) -> tuple[list[str], list[str]]:
    """Where the prediction falls short of what happened, and where it goes beyond it."""
    ours = {effect.relation: effect for effect in predicted if effect.relation.schema != "pg_temp"}
    real = {effect.relation: effect for effect in measured.effects if effect.relation.schema != "pg_temp"}
    under, over = [], []
    for name in sorted(ours.keys() | real.keys(), key=str):
        our, its, held = _lock(ours.get(name)), _lock(real.get(name)), measured.held_before.get(name)
        words = f"{name}: measured {its or 'nothing'}, foreseen {our or 'nothing'}"
        if its is not None and (our is None or our < its):
            under.append(words)
        elif our is not None and (its is None or its < our) and not (held is not None and held >= our):
            over.append(words)
        rewritten = [effect is not None and effect.rewrite for effect in (real.get(name), ours.get(name))]
        if rewritten[0] != rewritten[1]:
            (under if rewritten[0] else over).append(f"{name}: {'rewritten' if rewritten[0] else 'not rewritten'}")
    return under, over


def _lock(effect: Effect | None) -> LockMode | None:
    return effect.lock if effect is not None and effect.lock >= _FROM else None


def _kind(foreseen: StatementPrediction) -> str:
    return " + ".join(dict.fromkeys(type(operation).__name__ for operation, _ in foreseen.operations))[:_SHOWN]


def _pattern(words: list[str]) -> str:
    """The differences without the names."""
    return "; ".join(dict.fromkeys(re.sub(r"^(under|over): .*?: ", r"\1: ", re.sub(r"^(refused): .*", r"\1", word)) for word in words))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _progress(words: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{words[-100:]}")
        sys.stderr.flush()


def _replay(server: Server, folder: str, report: Report, *, apart: bool) -> None:
    before = report.counts.copy()
    plan = find_migrations([folder])
    for source in plan.sources:
        History(server, source, report, apart=apart).replay()
    _progress("")
    now = report.counts - before
    failed = now["migrations that failed and were left out"]
    note = f"   {failed} of {now['migrations']} migrations failed" if failed else ""
    note = "   does not replay" if failed and failed == now["migrations"] else note
    print(f"{now['statements exact']:6,} of {now['statements compared']:6,} exact   {folder}{note}", flush=True)
    for problem in plan.problems:
        print(f"        {problem.message}")


def _chosen(bindir: Path | None) -> Installation:
    """The PostgreSQL to run on: the one asked for, or the newest that brings contrib extensions."""
    if bindir is not None:
        return inspect_installation(bindir)
    found = sorted(find_installations(), key=lambda one: (not one.embedded, one.major))
    if not found:
        raise MigsafeError("no PostgreSQL on this machine", "--bindir names the folder of its programs.")
    return found[-1]


def main() -> int:
    """Replay, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--bindir", type=Path, help="the folder of PostgreSQL's programs; else the newest that is found")
    parser.add_argument("--apart", action="store_true", help="run each statement in a transaction of its own")
    parser.add_argument("--verbose", action="store_true", help="show every example of a pattern, and every migration that failed")
    arguments = parser.parse_args()
    report = Report()
    started = time.perf_counter()
    try:
        with Server(_chosen(arguments.bindir)) as server:
            print(server.installation)
            for folder in arguments.folders:
                _replay(server, folder, report, apart=arguments.apart)
    except MigsafeError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        _progress("interrupted\n")
    _print(report, time.perf_counter() - started, verbose=arguments.verbose)
    return 1 if report.counts["statements under-predicted"] else 0


def _print(report: Report, seconds: float, *, verbose: bool) -> None:
    print()
    for words, count in sorted(report.counts.items()):
        print(f"{count:9,}  {words}")
    compared, exact = report.counts["statements compared"], report.counts["statements exact"]
    print(f"{100 * exact / compared if compared else 100:9.3f}  % exact   ({seconds:.1f} s)")
    if verbose and report.failures:
        print("\nLeft out:", *report.failures, sep="\n      ")
    for pattern, count in report.differences.most_common():
        print(f"\n{count:6}  {pattern}")
        for example in report.examples[pattern] if verbose else report.examples[pattern][:1]:
            print(f"      {example}")


if __name__ == "__main__":
    sys.exit(main())
