"""How true the predictions are on whole histories: every statement is predicted, run on a real server, and compared.

    python benchmarks/lock_truth.py FOLDER… [--bindir DIR] [--show N]

Each folder's migrations run in their runner's order and transactions on a server of their own, empty at first, which the prediction knows.
Compared are, for every relation that was there before the statement, the strongest lock from SHARE UPDATE EXCLUSIVE up, and whether its
rows were rewritten. A lock that the transaction holds already leaves no trace, so that predicting it again is no mistake. Not compared are

- statements that the server refuses: a history whose extensions the server lacks loses them and what rests on them;
- statements that run outside any transaction (CONCURRENTLY, VACUUM), whose locks are gone when they end: tests/effects measures those;
- statements of which migsafe itself says that not all can be known (SQL that is built while it runs). They are counted.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from migsafe.effects.blocks import alone
from migsafe.errors import MigsafeError
from migsafe.forecast import Forecast, Foreseen
from migsafe.lock import LockMode
from migsafe.replay.binaries import Installation, installation, installations
from migsafe.replay.recorder import Measurement, measure
from migsafe.replay.server import Server
from migsafe.session import sent
from migsafe.sources import Half, Transaction, find
from migsafe.sql import operations as sql
from migsafe.sql.statements import Statement

if TYPE_CHECKING:
    from psycopg import Connection

_STEERING = (sql.Begin, sql.Commit, sql.Rollback, sql.Savepoint, sql.RollbackTo, sql.Release, sql.TwoPhase, sql.SetTransaction)
_SHOWN = 160


@dataclass
class Truth:
    """What comparing one history came to. `differences` are the statements that are not exact, with both sides."""

    name: str
    counts: Counter[str] = field(default_factory=Counter)
    differences: list[tuple[str, str, str, str]] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)

    @property
    def compared(self) -> int:
        """The statements that were compared."""
        return self.counts["exact"] + self.counts["differ"]

    @property
    def share(self) -> float:
        """The exact ones among them, in percent."""
        return 100 * self.counts["exact"] / self.compared if self.compared else 100.0


class Replay:
    """One history on one server, with its prediction beside it."""

    def __init__(self, server: Server, truth: Truth) -> None:
        self.truth = truth
        self.server = server
        self.forecast = Forecast(server.installation.major, timezone="UTC")
        self.forecast.catalog.complete = True

    def migration(self, half: Half) -> None:
        """Run a migration on a connection of its own, statement by statement."""
        self.forecast.begin(half.transaction)
        with self.server.connect("history") as connection:
            for statement, first, last in sent(half):
                self._statement(connection, half, statement, first, last)
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                connection.execute("COMMIT" if half.transaction is Transaction.FILE else "ROLLBACK")
        self.forecast.finish()

    def _statement(self, connection: "Connection[Any]", half: Half, statement: Statement, first: bool, last: bool) -> None:
        text = half.script.text[statement.span.start : statement.span.end]
        if isinstance(statement.operations[0], sql.PsqlCommand):
            return
        in_transaction = half.transaction is Transaction.FILE or (half.transaction is Transaction.QUERY and not (first and last))
        is_idle = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        if in_transaction and is_idle and not isinstance(statement.operations[0], _STEERING):
            connection.execute("BEGIN")
        try:
            measured = self._run(connection, statement, text)
        except psycopg.Error as error:
            self.truth.counts["refused by the server"] += 1
            self.truth.refusals[str(error).partition("\n")[0][:_SHOWN]] += 1
            if connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR:
                connection.execute("ROLLBACK")
            return
        foreseen = self.forecast.follow(statement, first=first, last=last)
        self._compare(half, statement, text, foreseen, measured)
        if half.transaction is Transaction.QUERY and last and connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            connection.execute("COMMIT")

    def _run(self, connection: "Connection[Any]", statement: Statement, text: str) -> Measurement | None:
        """Run a statement; what it did, None where that cannot be measured. Raises psycopg.Error, with the transaction as it was before."""
        first = statement.operations[0]
        if isinstance(first, sql.Copy) and first.endpoint == "stdin":
            raise psycopg.DataError("COPY FROM STDIN is left out")
        if isinstance(first, _STEERING):
            connection.execute(text.encode())
            return None
        if any(alone(operation, self.forecast.catalog) for operation in statement.operations):
            connection.execute(text.encode())
            return None
        try:
            with _savepoint(connection):
                return measure(connection, text, scans=False)
        except psycopg.errors.ActiveSqlTransaction:
            connection.execute(text.encode())
            return None

    def _compare(self, half: Half, statement: Statement, text: str, foreseen: Foreseen, measured: Measurement | None) -> None:
        if measured is None:
            self.truth.counts["not measured"] += 1
            return
        if not foreseen.understood:
            self.truth.counts["said to be unknown"] += 1
            return
        under, over = _differences(foreseen, measured)
        if not under and not over and foreseen.refused is None:
            self.truth.counts["exact"] += 1
            return
        self.truth.counts["differ"] += 1
        self.truth.counts["under-predicted"] += bool(under)
        self.truth.counts["over-predicted"] += bool(over)
        place = f"{half.script.path}:{half.script.position(statement.span.start).line}"
        if foreseen.refused is not None:
            self.truth.counts["said to be refused"] += 1
            over = [*over, f"refused: {foreseen.refused}"]
        self.truth.differences.append((place, " ".join(text.split())[:_SHOWN], ", ".join(under), ", ".join(over)))


def _differences(foreseen: Foreseen, measured: Measurement) -> tuple[list[str], list[str]]:
    """What was measured and not predicted, and what was predicted and not measured."""
    least = LockMode.SHARE_UPDATE_EXCLUSIVE
    real = {str(one.relation): one for one in measured.effects if one.relation.schema != "pg_temp" and not _is_temporary(str(one.relation))}
    said = {str(one.relation): one for one in foreseen.effects if one.relation.schema != "pg_temp"}
    held = {str(name): lock for name, lock in measured.held.items()}
    under: list[str] = []
    over: list[str] = []
    for name in sorted(real.keys() | said.keys()):
        mine, its = said.get(name), real.get(name)
        my_lock = mine.lock if mine is not None else None
        its_lock = its.lock if its is not None else None
        if held.get(name) is not None and held[name] >= (its_lock or held[name]) and held[name] >= (my_lock or held[name]):
            my_lock = its_lock = None
        if its_lock is not None and its_lock >= least and (my_lock is None or my_lock < its_lock):
            under.append(f"{its_lock} on {name}")
        if my_lock is not None and my_lock >= least and (its_lock is None or its_lock < my_lock):
            over.append(f"{my_lock} on {name}")
        my_rewrite, its_rewrite = mine is not None and mine.rewrite, its is not None and its.rewrite
        if my_rewrite != its_rewrite:
            (over if my_rewrite else under).append(f"rewrite of {name}")
    return under, over


def _is_temporary(name: str) -> bool:
    return name.startswith(("pg_temp_", '"pg_temp_'))


@contextmanager
def _savepoint(connection: "Connection[Any]") -> Iterator[None]:
    """Keep a statement that fails from ending the transaction that it runs in."""
    if connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
        yield
        return
    connection.execute("SAVEPOINT before_statement")
    try:
        yield
    except psycopg.Error:
        connection.execute("ROLLBACK TO SAVEPOINT before_statement")
        raise
    connection.execute("RELEASE SAVEPOINT before_statement")


def replay(folder: str, chosen: Installation) -> Truth:
    """Replay the histories below a folder, and compare."""
    truth = Truth(Path(folder).name)
    plan = find([folder])
    for source in plan.sources:
        with Server(chosen) as server:
            server.create_database("history")
            replaying = Replay(server, truth)
            for step in source.steps():
                replaying.migration(step.migration.up)
    return truth


def show(truth: Truth, most: int) -> None:
    """Print a line for a history, and what differs in it."""
    others = {name: number for name, number in truth.counts.items() if name not in ("exact", "differ") and number}
    print(f"{truth.name:24}{truth.counts['exact']:>7} of {truth.compared:>6} exact {truth.share:8.2f} %   {_listed(others)}")
    for error, number in truth.refusals.most_common(2):
        print(f"    {number:>5}  the server: {error}")
    for place, text, under, over in truth.differences[:most]:
        print(f"    {place}: {text}")
        for label, what in (("not foreseen", under), ("only foreseen", over)):
            if what:
                print(f"        {label}: {what}")


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items())


def main() -> None:
    """Read the arguments, replay, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--bindir", type=Path, help="PostgreSQL's programs; without it, the first that is found")
    parser.add_argument("--show", type=int, default=10, help="differences to show for each history")
    arguments = parser.parse_args()
    try:
        chosen = installation(arguments.bindir) if arguments.bindir else installations()[0]
    except (MigsafeError, IndexError) as error:
        sys.exit(str(error) or "no PostgreSQL is found")
    print(f"PostgreSQL {chosen.version}")
    total, started = Truth("all"), time.perf_counter()
    for number, folder in enumerate(arguments.folders, 1):
        if sys.stderr.isatty():
            print(f"\r{number} of {len(arguments.folders)}: {folder}\x1b[K", end="\r", file=sys.stderr)
        try:
            truth = replay(folder, chosen)
        except MigsafeError as error:
            print(f"{folder}: {error}", file=sys.stderr)
            continue
        show(truth, arguments.show)
        total.counts += truth.counts
    show(total, 0)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
