"""The unsafe examples of the rules as migrations, and the migrations that the author writes who follows the helps of their findings."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from textwrap import dedent
from typing import NamedTuple

from psycopg import Connection

from migsafe.fixes.way import read_way
from migsafe.linting.finding import Finding
from migsafe.linting.judge import judge
from migsafe.linting.rule import Limits, Rule
from migsafe.linting.rulebook import Rulebook, shipped_rules
from migsafe.linting.suppressions import ABOUT_SUPPRESSIONS
from migsafe.prediction.history import SelectedMigration
from migsafe.prediction.predictor import Predictor
from migsafe.replaying.sending import Refused, send
from migsafe.session import Command, runner_steps
from migsafe.sources import Migration
from migsafe.sql.operations import Begin, Commit
from migsafe.sql.statements import Statement, read
from tests.rules.example_runs import OBSTACLES, PARTITIONED, SCHEMA
from tests.rules.runner_files import Kind, leaves_transaction, migrations_of
from tests.rules.test_examples import examples, judging
from tests.support.compared import HEADING
from tests.support.linted import NAMED_SCRIPT, NEXT_MIGRATION

_DEPLOYMENTS = r"when .*in a separate migration:|deploy a release .*|then deploy .*"
NEW_DEPLOYMENT = re.compile(rf"(?:--|#) (?:{_DEPLOYMENTS})\n")
NEW_MIGRATION = re.compile(
    r"^(?:--|#) next (?:migration|revision)\n"
    rf"|^(?=(?:--|#) (?:outside a transaction, too:|.*in a migration that runs outside a transaction: .*|{_DEPLOYMENTS})\n)",
    re.MULTILINE,
)
"""Where a help says that another deployment begins, or another migration."""

BEFORE = re.compile(r"^(?:--|#) (?:or )?(?:before this statement|check the rows before|first(?:, unless| create))", re.MULTILINE)
AFTER = re.compile(r"^(?:--|#) (?:after COMMIT|after this statement|.*in the same (?:transaction|migration)\b)", re.MULTILINE)
LAST = re.compile(r"^(?:--|#) (?:at the end of the migration|in the same transaction, after it is created again)", re.MULTILINE)
"""The first words of a help whose statements the author adds before or after the flagged statement, which stays."""
LINE_ABOVE = re.compile(r"with this line above it:\n((?:--|#) migsafe: ignore.*)")
ALL = re.compile(r"(?:--|#) in place of all of them")
COMMENTED = re.compile(r"^(?:--|#) (?=(?:(?:ALTER|CREATE|DROP) .*;|op\..*)$)", re.MULTILINE)
"""The last statements of a help that the author checks first."""
STATEMENT_AS_IT_IS = re.compile(r"\n(?:--|#) then the statement as it is:\n")
DEFAULT = 17
TO_FILL_IN = re.compile(r"…|^(?:--|#) (?:for example, )?replace ", re.MULTILINE)
PARTITION = re.compile(r"PARTITION OF|TACH PARTITION")

ADDITIONS = ("foreign-key-without-index",)
"""Rules whose help is evidently a statement to add."""
ABOUT_BLOCKS = ("concurrently-in-transaction", "nested-transaction", "transaction-not-closed")
"""Rules whose examples keep their BEGIN and COMMIT in a runner's transaction."""


class Example(NamedTuple):
    """An unsafe example of a rule on a database: the migrations before its findings, and those with them."""

    rule: Rule
    setup: str
    history: tuple[str, ...]
    unsafe: tuple[str, ...]
    pg_version: int

    def findings(self, migrations: Iterable[Migration], rules: list[Rule]) -> list[Finding]:
        """Returns what rules report in migrations after the setup."""
        predictor = database(self.setup, self.pg_version)
        with predictor.trial():
            return findings_of(migrations, rules, self.rule, predictor)


class FollowedExample:
    """An unsafe example as the users of a kind of runner have it, and the migrations that they write by the helps."""

    def __init__(self, example: Example, kind: Kind) -> None:
        self.example = example
        self.history = _files(example.history, kind, 1)
        self.unsafe = _files(example.unsafe, kind, 2)
        self.found = found = example.findings([*self.history, *self.unsafe], [example.rule])
        # tests/fixes follows the helps that are fixes.
        by_hand = [each for each in found if read_way(each.fix) is None]
        in_block = kind.wraps and example.rule.name not in ABOUT_BLOCKS
        texts = [
            followed(text, [each for each in by_hand if each.script.text.endswith(text)], leave_out_block=in_block) for text in example.unsafe
        ]
        self.has_help = any(text is not None for text in texts)
        pieces = [piece for text, own in zip(texts, example.unsafe, strict=True) for piece in (text if text is not None else [own])]
        self.safe = _files(pieces, kind, 3)

    @property
    def text(self) -> str:
        """Returns the files that the author writes."""
        return "\n".join(f"-- {each.up.file.path}\n{each.up.file.text}" for each in self.safe)

    def prepare(self, connection: "Connection[tuple[object, ...]]") -> None:
        """Runs the history."""
        run_migrations(connection, self.history)

    def run(self, connection: "Connection[tuple[object, ...]]") -> str:
        """Runs the files that the author writes; returns the error with which PostgreSQL refuses one."""
        return run_migrations(connection, self.safe)

    def end_key(self) -> object:
        """Returns what the files send, by which equal ways are known; a single statement is its own transaction anyway."""
        return tuple(map(sent_by, self.safe))

    def remaining(self) -> list[Finding]:
        """Returns the findings of all rules in the files that the author writes."""
        findings = self.example.findings([*self.history, *self.safe], judging(self.example.rule))
        paths = {each.up.file.path for each in self.safe}
        # A project of Flyway that builds indexes CONCURRENTLY already has the setting that this needs.
        has_setting = any("CONCURRENTLY" in text for text in self.example.unsafe)
        return [each for each in findings if each.script.path in paths and not (has_setting and each.rule == "runner-blocks-concurrent")]


def _files(texts: Iterable[str], kind: Kind, part: int) -> list[Migration]:
    return [file for number, text in enumerate(texts) for file in migrations_of(text, kind, 100 * part + number)]


@cache
def followed_examples(rule: Rule, kind: Kind, pg_version: int) -> list[FollowedExample]:
    """Returns the unsafe examples of a rule for which the help can be followed without a decision."""
    return [each for each in (FollowedExample(example, kind) for example in unsafe_examples(rule, pg_version)) if each.has_help]


@cache
def unsafe_examples(rule: Rule, pg_version: int) -> list[Example]:
    """Returns the unsafe SQL examples of a rule that this release of PostgreSQL runs."""
    found = []
    for owner, sql, needed in (parameters.values for parameters in examples("Unsafe")):
        assert isinstance(sql, str)
        assert isinstance(needed, int)
        is_sql = not NAMED_SCRIPT.match(sql) and not HEADING.match(sql)
        if owner == rule and is_sql and (needed <= pg_version or DEFAULT in (needed, pg_version)):
            found.append(_example(rule, sql, pg_version if needed == DEFAULT else needed))
    return found


def _example(rule: Rule, sql: str, pg_version: int) -> Example:
    pieces = tuple(NEXT_MIGRATION.split(dedent(sql)))
    reported = {each.script.text for each in findings_of(_files(pieces, Kind.PSQL, 1), [rule], rule, Predictor(pg_version))}
    first = next((number for number, piece in enumerate(pieces) if piece in reported), len(pieces) - 1)
    return Example(rule, setup_of(sql, pieces, pg_version), pieces[:first], pieces[first:], pg_version)


@cache
def database(setup: str, pg_version: int) -> Predictor:
    """Returns the database after a setup. Use it in a trial."""
    predictor = Predictor(pg_version)
    for text in (SCHEMA, setup):
        for migration in migrations_of(text, Kind.PSQL):
            predictor.apply(migration.up)
    return predictor


def setup_of(sql: str, pieces: tuple[str, ...], pg_version: int) -> str:
    """Returns what changes the usual schema into the one that an example expects: without the objects that it creates."""
    setup = ""
    if PARTITION.search(sql) and "PARTITION BY" not in sql:
        setup = PARTITIONED
        for year in sorted(set(re.findall(r"\b(?:DETACH PARTITION|FROM|ON) orders_(20\d\d)", sql))):
            setup += f"CREATE TABLE orders_{year} PARTITION OF orders FOR VALUES FROM ('{year}-01-01') TO ('{int(year) + 1}-01-01');\n"
        for year in sorted(set(re.findall(r"ATTACH PARTITION orders_(20\d\d)", sql))):
            setup += f"CREATE TABLE orders_{year} (LIKE orders);\n"
    refusing = [rule for rule in shipped_rules() if rule.refuses]
    while True:
        with database(setup, pg_version).trial():
            sent = [each for piece in pieces for each in migrations_of(piece, Kind.PSQL)]
            refused = findings_of(sent, refusing, refusing[0], database(setup, pg_version))
        more = [line for finding in refused for line in _obstacles(finding.message) if line not in setup]
        if not more:
            return setup
        setup += "".join(more)


def _obstacles(message: str) -> list[str]:
    """Returns the statements that remove the object because of which PostgreSQL refuses a statement."""
    error = message.partition("refuses this statement: ")[2]
    for pattern, commands in OBSTACLES:
        match = pattern.match(error)
        if match is not None:
            # Of two commands that drop a relation, one is for the other kind.
            other = "DROP TABLE" if match[1].endswith("idx") else "DROP INDEX"
            return [f"{each.format(*match.groups())};\n" for each in commands if not each.startswith(other)]
    return []


def findings_of(migrations: Iterable[Migration], rules: list[Rule], rule: Rule, predictor: Predictor) -> list[Finding]:
    """Returns what rules report in migrations; a lock_timeout is in effect, except in the examples of the rules about timeouts."""
    limits = Limits() if rule.category == "timeouts" else Limits(lock_timeout=2000)
    selected = [SelectedMigration(each, predictor) for each in migrations]
    # A suppression is unused only where the rule that it names has run.
    book = Rulebook(shipped_rules() if rule.name in ABOUT_SUPPRESSIONS else rules)
    names = {each.name for each in rules}
    found = judge(selected, book, predictor.catalog.pg_version, limits=limits).findings
    return [finding for finding in found if finding.rule in names]


def followed(text: str, findings: Iterable[Finding], *, leave_out_block: bool) -> list[str] | None:
    """Returns the migrations that an author writes in place of one with findings, by their helps; None if no help can be followed unchanged.

    `leave_out_block`: the runner's transaction is that of the migration."""
    helps = {finding.statement: help_of(finding) for finding in findings if is_applicable(finding.help)}
    if not helps:
        return None
    pasted = "\n".join(helps.values())
    several = NEW_MIGRATION.search(pasted) is not None or leaves_transaction(pasted)
    parts: list[str] = []
    last: list[str] = []
    for statement, own in statements_of(text):
        control = isinstance(statement.operations[0], Begin | Commit)
        help_ = helps.get(statement.index)
        if control and (several or leave_out_block):
            continue
        if isinstance(statement.operations[0], Commit):
            parts += [*last, own]
            last = []
        elif help_ is None:
            # A help that moves or combines statements contains them.
            parts += [] if own.strip() in pasted or ALL.match(pasted) else [own]
        elif LAST.search(help_):
            parts.append(own)
            last.append(help_)
        else:
            parts.append(with_help(help_, own))
    return pieces("\n".join([*parts, *last]))


def help_of(finding: Finding) -> str:
    """Returns the help of a finding, with the place of its statements if it does not say that."""
    comment = "#" if "op." in finding.help else "--"
    return f"{comment} after this statement:\n{finding.help}" if finding.rule in ADDITIONS else finding.help


def pieces(text: str) -> list[str]:
    """Returns the migrations of a text, without those that are only comments."""
    return [piece.strip() + "\n" for piece in NEW_MIGRATION.split(text) if any(True for _ in read(piece))]


def is_applicable(help_: str) -> bool:
    """Whether a help has statements, or a line for the file, that need no decision of the author."""
    if LINE_ABOVE.search(help_) is not None:
        return True
    code = [line for line in COMMENTED.sub("", help_).splitlines() if line.strip() and not line.lstrip().startswith(("--", "#"))]
    return bool(code) and TO_FILL_IN.search(help_) is None


def with_help(help_: str, own: str) -> str:
    """Returns what the author writes in place of a flagged statement, which may stay before or after the statements of the help."""
    above = LINE_ABOVE.search(help_)
    if above is not None:
        return f"{above[1]}\n{own}"
    # What follows a statement that runs outside a transaction belongs to another migration.
    end = "\n-- next migration\n" if leaves_transaction(NEW_MIGRATION.split(help_)[-1]) else "\n"
    as_it_is = STATEMENT_AS_IT_IS.search(help_)
    if as_it_is is not None:
        return f"{help_[: as_it_is.start()]}\n{own}"
    if BEFORE.search(help_):
        return f"{help_}{end}{own}"
    if AFTER.search(help_):
        return f"{own}\n{help_}{end}"
    return f"{COMMENTED.sub('', help_)}{end}"


def statements_of(text: str) -> Iterator[tuple[Statement, str]]:
    """Yields the statements of a script, each with the comments before it."""
    start = 0
    for statement in read(text):
        yield statement, f"{text[start : statement.span.end].lstrip('; ').strip()};"
        start = statement.span.end


def sent_by(migration: Migration) -> tuple[object, ...]:
    """Returns the commands and statements that a migration sends; a single statement is its own transaction anyway."""
    begun = [False]
    steps: list[object] = []
    for step in runner_steps(migration.up, lambda: begun[0]):
        if isinstance(step, Command):
            begun[0] = step is Command.BEGIN
            steps.append(step)
        else:
            steps.append(migration.up.script.text[step.statement.span.start : step.statement.span.end])
    return tuple(steps[1:2] if len(steps) == 3 and isinstance(steps[0], Command) else steps)


def run_migrations(connection: "Connection[tuple[object, ...]]", migrations: list[Migration]) -> str:
    """Runs migrations as their runner does; returns the error with which PostgreSQL refuses one."""
    for migration in migrations:
        try:
            send(connection, migration.up)
        except Refused as refused:
            return str(refused)
    return ""
