"""Judging SQL that a test holds."""

import re
from collections.abc import Iterable
from textwrap import dedent

from migsafe.forecast import Forecast
from migsafe.histories import Stop
from migsafe.judge import Verdict, judge
from migsafe.rule import Rule
from migsafe.rulebook import Rulebook, shipped
from migsafe.sources import Half, Migration, Transaction
from migsafe.text import Script, Span

NEXT_MIGRATION = re.compile(r"^\s*-- next migration\n", re.MULTILINE)


def migration(sql: str, path: str = "0001_change.sql", runner: str = "plain") -> Migration:
    """One migration that holds this SQL, in a transaction unless the runner is none."""
    script = Script(path, sql)
    transaction = Transaction.STATEMENT if runner == "plain" else Transaction.FILE
    return Migration("0001", runner, Half(script, (Span(0, len(script.text)),), transaction))


def in_turn(migrations: Iterable[Migration], pg_version: int = 17) -> list[Stop]:
    """The migrations as one history, each to be judged."""
    forecast = Forecast(pg_version)
    return [Stop(one, forecast) for one in migrations]


def judged(sql: str, rules: list[Rule] | None = None, path: str = "0001_change.sql", runner: str = "plain") -> Verdict:
    """The verdict on SQL as one migration; as several where it says `-- next migration`."""
    pieces = NEXT_MIGRATION.split(dedent(sql))
    migrations = [migration(piece, path, runner) for piece in pieces]
    return judge(in_turn(migrations), Rulebook(shipped() if rules is None else rules), 17)


def found(sql: str) -> list[str]:
    """The names of the rules that report something in this SQL, in the order of reports."""
    return [finding.rule for finding in judged(sql).findings]
