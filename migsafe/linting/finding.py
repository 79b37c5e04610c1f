"""Findings and their severities."""

import re
from enum import Enum, IntEnum

from msgspec import Struct

from migsafe.lock import LockMode
from migsafe.patterns import lazy_pattern
from migsafe.sql.operations import Name
from migsafe.text import Script, Span

_TO_DECIDE = lazy_pattern(r"…|^-- (?:for example, )?replace |^-- or, ", re.MULTILINE)
_TO_DO = lazy_pattern(r"^(?!--)|^-- (?:in place of this comment:|next migration from this statement on|without this statement)", re.MULTILINE)
"""SQL, or one of the instructions that need none."""

_DEPLOYMENT_FIRST = lazy_pattern(r"-- (?:when .*:$|deploy a release )", re.MULTILINE)


class Severity(IntEnum):
    """How severe a finding is; a greater value is worse."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    @property
    def word(self) -> str:
        """`info`, `warning` or `error`."""
        return self.name.lower()


class KnownObject(Struct, frozen=True):
    """A table or an index of the simulated database: its number there, None if that is not certain, and its name with the schema."""

    oid: int | None
    name: Name


class NamedQuery(Struct, frozen=True):
    """A query as findings and reports name it: its name (empty without one), the place that contains or sends it (an empty path and line 0
    without one), and how often one request sends it at most (0 if that was not recorded)."""

    fingerprint: str
    name: str = ""
    path: str = ""
    line: int = 0
    per_request: int = 0

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.path else ""
        if self.name and place:
            return f"{self.name} ({place})"
        return self.name or place or f"query {self.fingerprint[:12]}"


class Harm(Enum):
    """What a migration does to a query."""

    BREAKS = "breaks"
    LOSES_INDEX = "loses index"
    INSERT_FAILS = "insert fails"
    LACKS_INDEX = "lacks index"
    """The migration creates the table that a known query reads, without the index that would serve it."""
    NEEDS = "needs"
    """The query runs only after the migration: no harm, but an order of deployment."""


class QueryProblem(Struct, frozen=True):
    """A problem that a query must still have at the end of the history, so that a finding about it is reported. `of_types` if it
    is that PostgreSQL has no operator or function for the types of its operands."""

    fingerprint: str
    harm: Harm
    table: Name | None = None
    column: str = ""
    of_types: bool = False


class Finding(Struct, frozen=True, kw_only=True):
    """One hazard that a rule found.

    `message` says what happens and why it lasts. `help` is the safe way: SQL to paste, with instructions in its comments. `span` is the place
    of the operation in `script`, `statement` the number of its statement in the migration, counted from 1. `relations` are the affected ones,
    as `schema.name`; `lock` is the strongest lock that the operation takes on one of them, None if locks are not the hazard.

    `subject` is what the finding is about, in a list of several; empty if the message shows in what they differ. `condition` is the end of
    the message if the finding does not hold on all paths through a script. Findings of a rule with the same `cause` are one in a run, because
    one change of the project resolves all of them. `in_body` if the operation is one of those that the statement, a DO block, runs. `places`
    are the places of all findings that a report shows as this one, and empty if it is alone; `more` is the number of equal findings of the file
    that it stands for. It is `resolved` if one of the objects in `while_exist` does not exist after the last migration of the run, if the
    foreign key with the number `while_unserved` does not, or has an index then, if all the columns in `while_unanalyzed` were analyzed or do
    not exist, or if the queries no longer have the `query_problem`; reports leave it out. `queries` are the application's queries that the
    finding is about, and `use_words` the part of the message that names those that use an object. A finding at the place of a query has no
    migration. `fix` is the safe way that `lint --fix` applies: SQL with the marks
    that `migsafe.fixes.way` reads, also for an Alembic script; empty if the rule has none. `fix_is_safe` if it needs no `--unsafe-fixes`.
    `replaces` are the places of the statements that a fix for several of them replaces, `other_fixes` those of the other actions of the
    statement that this finding stands for, each with its place. `others` counts the later statements with the same hazard, if the rule reports
    the first one only.
    """

    rule: str
    category: str
    severity: Severity
    message: str
    help: str
    script: Script
    span: Span
    migration: str
    statement: int
    relations: tuple[str, ...] = ()
    lock: LockMode | None = None
    subject: str = ""
    condition: str = ""
    cause: str = ""
    in_body: bool = False
    places: tuple[Span, ...] = ()
    more: int = 0
    while_exist: tuple[KnownObject, ...] = ()
    while_unserved: int | None = None
    while_unanalyzed: tuple[tuple[int, int], ...] = ()
    queries: tuple[NamedQuery, ...] = ()
    query_problem: QueryProblem | None = None
    use_words: str = ""
    fix: str = ""
    fix_is_safe: bool = False
    replaces: tuple[Span, ...] = ()
    other_fixes: tuple[tuple[Span, str], ...] = ()
    others: int = 0
    resolved: bool = False

    @property
    def is_fixable(self) -> bool:
        """Whether `lint --fix` can probably edit the statement: its fix leaves no decision, and needs no deployment before it."""
        has_steps = bool(self.fix and self.migration) and _TO_DO.search(self.fix) is not None
        is_complete = has_steps and not leaves_decision(self.fix)
        return is_complete and not self.in_body and _DEPLOYMENT_FIRST.match(self.fix) is None


def leaves_decision(way: str) -> bool:
    """Whether a safe way, other than that of a comment, has something that its reader must fill in or choose."""
    return _TO_DECIDE.search(way) is not None
