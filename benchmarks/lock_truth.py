"""How correct the predictions are on whole histories: runs every migration below the folders on a real server and compares.

    python benchmarks/lock_truth.py FOLDER… [--bindir DIR] [--apart] [--verbose]

A history runs in an empty database, in order, each migration as its runner sends it. For each statement and each relation that existed
before it, the benchmark compares the strongest lock, if it is at least SHARE UPDATE EXCLUSIVE, and whether the table was rewritten. It does
not compare scans, because most tables of a history are empty. A lock that the transaction holds already cannot be measured again, so a
prediction that is not stronger than the held lock counts as correct. --apart runs each statement in a separate transaction, which holds no
locks before it.

A migration that fails is rolled back and skipped, and so are the migrations that depend on it. What a history needs and does not create (roles,
schemas, extensions, the table of the runner) is created as in a replay.
"""

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from migsafe.errors import MigsafeError
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.prediction.predictor import Predictor
from migsafe.prediction.record_tables import add_platform, add_record_table
from migsafe.prediction.statement_prediction import StatementPrediction
from migsafe.replaying.recording.measurement import Measurement
from migsafe.replaying.recording.nontransactional import measure_nontransactional
from migsafe.replaying.refusals import failure_of
from migsafe.replaying.repairs import Repairs
from migsafe.replaying.sending import set_up
from migsafe.replaying.servers.host import Host
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
_BOUNDARIES = (sql.Begin, sql.Commit, sql.Savepoint, sql.Release)
_STEERING = (*_BOUNDARIES, sql.Rollback, sql.RollbackTo, sql.TwoPhase, sql.SetVariable, sql.ResetVariable, sql.Discard)


class SentStatement(NamedTuple):
    """A statement that the server ran, with its measured effects; None if they were not measured."""

    statement: Statement
    first: bool
    last: bool
    measured: Measurement | None


class Report:
    """The results of the comparison."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.differences: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}
        self.failures: list[str] = []

    def add_difference(self, pattern: str, example: str) -> None:
        """Record a statement whose prediction differs from its measurement."""
        self.differences[pattern] += 1
        self.examples.setdefault(pattern, []).append(example)


class _Host:
    """The server, as the repairs of a replay see it."""

    start_database = None

    def __init__(self, server: Server) -> None:
        self.connect = self.connect_as_migrator = server.connect

    def create_role(self, name: str) -> bool:
        """Creates a role."""
        with self.connect() as connection:
            connection.execute(f"CREATE ROLE {Name(name)}".encode())
        return True


class History:
    """A history that is replayed: its database and its predictor."""

    def __init__(self, server: Server, source: Source, report: Report, *, apart: bool) -> None:
        self.server = server
        self.source = source
        self.report = report
        self.apart = apart
        with server.connect() as connection:
            [timezone] = connection.execute("SHOW TimeZone").fetchone() or [None]
        self.predictor = Predictor(server.installation.major, timezone)
        # The database is created empty, so it contains only what the migrations created.
        self.predictor.catalog.complete = True

    def replay(self) -> None:
        """Replay the whole history."""
        self.server.create_database(_DATABASE)
        try:
            steps = list(self.source.steps())
            self._repairs = Repairs(cast("Host", _Host(self.server)))
            self._repairs.begin_history(step.migration.up.script.text for step in steps)
            for number, step in enumerate(steps, 1):
                _progress(f"{self.source.path}: {number}/{len(steps)}")
                self._replay_migration(step.migration.up)
        finally:
            self.server.drop_database(_DATABASE)

    def _replay_migration(self, half: Half) -> None:
        """Run a migration, after creating what it needs, and compare."""
        self.report.counts["migrations"] += 1
        while True:
            try:
                with self.server.connect(_DATABASE) as connection:
                    self._meter = StatementMeter(connection)
                    sent_list = list(self._run(connection, half))
                break
            except psycopg.Error as error:
                if not self._repairs.repair(failure_of(error), half, (_DATABASE,)):
                    self.report.counts["migrations that failed and were skipped"] += 1
                    self.report.failures.append(f"{half.script.path}: {_short(str(error).partition(chr(10))[0])}")
                    return
        self._repairs.note_schemas(half)
        add_record_table(self.predictor.catalog, half)
        add_platform(self.predictor.catalog, half)
        self.predictor.begin(half.transaction, setup=half.setup)
        for sent in sent_list:
            predicted = self.predictor.predict_statement(sent.statement, first=sent.first, last=sent.last)
            if sent.measured is not None:
                self._compare(half, predicted, sent.measured)
        self.predictor.finish()

    def _run(self, connection: "psycopg.Connection[Any]", half: Half) -> Iterator[SentStatement]:
        """Send a migration's statements as its runner does."""
        set_up(connection, half)
        wraps = half.transaction is Transaction.FILE and not self.apart
        if wraps:
            connection.execute("BEGIN")
        for statement, first, last in sent_statements(half):
            text = half.script.text[statement.span.start : statement.span.end]
            query = half.transaction is Transaction.QUERY and not (first and last) and not self.apart
            if query and first:
                connection.execute("BEGIN")
            yield SentStatement(statement, first, last, self._send(connection, statement, text, half.script.text))
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
        return self._measure_nontransactional(connection, text)

    def _measure_nontransactional(self, connection: "psycopg.Connection[Any]", text: str) -> Measurement | None:
        """Measure a statement that cannot run in a transaction; returns None if it needs the settings of this connection."""
        try:
            return measure_nontransactional(self.server, _DATABASE, text, scans=False)
        except psycopg.Error:
            connection.execute(text.encode())
            return None

    def _compare(self, half: Half, predicted: StatementPrediction, measured: Measurement) -> None:
        under, over = _differences(predicted.effects, measured)
        counts = self.report.counts
        counts["statements compared"] += 1
        counts["statements exact"] += not under and not over and predicted.refusal is None
        counts["statements under-predicted"] += bool(under)
        counts["statements over-predicted"] += bool(over)
        counts["statements predicted to be refused"] += predicted.refusal is not None
        if not (under or over or predicted.refusal):
            return
        if not predicted.understood:
            counts["statements that differ and that migsafe did not understand"] += 1
        line = half.script.position(predicted.statement.span.start).line
        text = half.script.text[predicted.statement.span.start : predicted.statement.span.end]
        words = [*(f"under: {difference}" for difference in under), *(f"over: {difference}" for difference in over)]
        words += [f"refused: {predicted.refusal}"] if predicted.refusal else []
        self.report.add_difference(
            f"{_kind(predicted)}: {_pattern(words)}",
            f"{half.script.path}:{line}: {_short(text)}\n        " + "\n        ".join(words),
        )


def _differences(predicted: tuple[Effect, ...], measured: Measurement) -> tuple[list[str], list[str]]:
    """Returns the effects that were predicted too weak, and those that were predicted too strong."""
    ours = {effect.relation: effect for effect in predicted if effect.relation.schema != "pg_temp"}
    real = {effect.relation: effect for effect in measured.effects if effect.relation.schema != "pg_temp"}
    under, over = [], []
    for name in sorted(ours.keys() | real.keys(), key=str):
        our_lock, real_lock, held = _lock(ours.get(name)), _lock(real.get(name)), measured.held_before.get(name)
        difference = f"{name}: measured {real_lock or 'nothing'}, predicted {our_lock or 'nothing'}"
        if real_lock is not None and (our_lock is None or our_lock < real_lock):
            under.append(difference)
        elif our_lock is not None and (real_lock is None or real_lock < our_lock) and not (held is not None and held >= our_lock):
            over.append(difference)
        rewritten = [effect is not None and effect.rewrite for effect in (real.get(name), ours.get(name))]
        if rewritten[0] != rewritten[1]:
            (under if rewritten[0] else over).append(f"{name}: {'rewritten' if rewritten[0] else 'not rewritten'}")
    return under, over


def _lock(effect: Effect | None) -> LockMode | None:
    return effect.lock if effect is not None and effect.lock >= _FROM else None


def _kind(predicted: StatementPrediction) -> str:
    return " + ".join(dict.fromkeys(type(operation).__name__ for operation, _ in predicted.operations))[:_SHOWN]


def _pattern(words: list[str]) -> str:
    """Returns the differences without the names of relations."""
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
    failed = now["migrations that failed and were skipped"]
    note = f"   {failed} of {now['migrations']} migrations failed" if failed else ""
    note = "   does not replay" if failed and failed == now["migrations"] else note
    print(f"{now['statements exact']:6,} of {now['statements compared']:6,} exact   {folder}{note}", flush=True)
    for problem in plan.problems:
        print(f"        {problem.message}")


def choose_installation(bindir: Path | None) -> Installation:
    """Returns the requested PostgreSQL, or the newest one that has the contrib extensions."""
    if bindir is not None:
        return inspect_installation(bindir)
    installations = sorted(find_installations(), key=lambda installation: (not installation.embedded, installation.major))
    if not installations:
        raise MigsafeError("no PostgreSQL on this machine", "Use --bindir to give the folder of its programs.")
    return installations[-1]


def main() -> int:
    """Replay, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--bindir", type=Path, help="the folder of PostgreSQL's programs; the default is the newest PostgreSQL on this machine")
    parser.add_argument("--apart", action="store_true", help="run each statement in a separate transaction")
    parser.add_argument("--verbose", action="store_true", help="show every example of a pattern, and every migration that failed")
    arguments = parser.parse_args()
    report = Report()
    started = time.perf_counter()
    try:
        with Server(choose_installation(arguments.bindir)) as server:
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
    for title, count in sorted(report.counts.items()):
        print(f"{count:9,}  {title}")
    compared, exact = report.counts["statements compared"], report.counts["statements exact"]
    print(f"{100 * exact / compared if compared else 100:9.3f}  % exact   ({seconds:.1f} s)")
    if verbose and report.failures:
        print("\nSkipped:", *report.failures, sep="\n      ")
    for pattern, count in report.differences.most_common():
        print(f"\n{count:6}  {pattern}")
        for example in report.examples[pattern] if verbose else report.examples[pattern][:1]:
            print(f"      {example}")


if __name__ == "__main__":
    sys.exit(main())
