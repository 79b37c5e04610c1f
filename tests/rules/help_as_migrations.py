"""The helps of the rules' unsafe examples as migrations, for each kind of runner."""

import re
from collections.abc import Iterator
from textwrap import dedent
from typing import NamedTuple

from msgspec.structs import replace

from migsafe.linting.finding import Finding
from migsafe.linting.judge import judge
from migsafe.linting.rule import Limits, Rule
from migsafe.linting.rulebook import Rulebook, shipped_rules
from migsafe.prediction.history import SelectedMigration
from migsafe.prediction.predictor import Predictor
from migsafe.sources import Migration, Transaction
from migsafe.sql.statements import read
from tests.rules.example_runs import SCHEMA
from tests.rules.test_advice import pasted
from tests.rules.test_examples import examples, judging
from tests.support.linted import NAMED_SCRIPT, NEXT_MIGRATION, migration

KINDS = {
    "statement": Transaction.STATEMENT,
    "file": Transaction.FILE,
}
"""How a runner sends a migration: each statement in its own transaction (psql), or each file in one, with a mark that turns that off."""

OUTSIDE = re.compile(r"-- (?:.*, )?in a migration that runs outside a transaction: ")

TO_DECIDE = {
    "ambiguous-overload": "it drops a function, which drop-object reports so that somebody checks who calls it",
    "drop-database-or-schema": "it drops an empty schema, which drop-object reports",
    "drop-index-uncovers-foreign-key": "its index has the keys of the one that the flagged statement drops afterwards",
    "foreign-key-without-index": "the index belongs into the migration that creates the table",
    "published-without-identity": "it offers REPLICA IDENTITY FULL, whose cost replica-identity-changed reports",
    "unnamed-object": "it gives the index of the statement another name; the usual schema has an index on that column already",
}
"""Rules whose help another rule reports, with the reason."""


class AppliedHelp(NamedTuple):
    """The migrations before a finding, and those of its help."""

    rule: Rule
    history: list[str]
    migrations: list[str]
    pg_version: int


def applied_helps(rule: Rule, kind: str) -> Iterator[AppliedHelp]:
    """Yields the helps of a rule's unsafe SQL examples that have statements, for one kind of runner."""
    for parameters in [] if rule.name in TO_DECIDE else examples("Unsafe"):
        owner, sql, pg_version = parameters.values
        if owner != rule or NAMED_SCRIPT.match(str(sql)):
            continue
        assert isinstance(pg_version, int)
        pieces = NEXT_MIGRATION.split(dedent(str(sql)))
        if not _is_refused([SCHEMA, *pieces], kind, pg_version, rule):
            pieces = [SCHEMA, *pieces]
        for finding in _findings([as_sent(piece, kind) for piece in pieces], [rule], pg_version, rule):
            migrations = pasted(finding)
            # An ellipsis stands for what the author of the migration must decide.
            if migrations and "…" not in "".join(map(_uncommented, migrations)):
                history = pieces[:-1]
                if _is_refused([*history, *migrations], kind, pg_version, rule):
                    history = history[1:] if history[:1] == [SCHEMA] else history
                yield AppliedHelp(rule, history, migrations, pg_version)


def _uncommented(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))


def _is_refused(pieces: list[str], kind: str, pg_version: int, rule: Rule) -> bool:
    """Whether PostgreSQL would refuse an example after the usual schema, which has such objects already."""
    failures = [each for each in shipped_rules() if each.refuses]
    texts = set(pieces[1:])
    findings = _findings([as_sent(piece, kind) for piece in pieces], failures, pg_version, rule)
    return any(finding.script.text in texts for finding in findings)


def judged(applied: AppliedHelp, kind: str) -> list[Finding]:
    """Returns what the rules report about the migrations of a help."""
    history = [as_sent(piece, kind) for piece in applied.history]
    sent = [as_sent(piece, kind) for piece in applied.migrations]
    findings = _findings([*history, *sent], judging(applied.rule), applied.pg_version, applied.rule)
    texts = {each.up.script.text for each in sent}
    return [finding for finding in findings if finding.script.text in texts]


def as_sent(text: str, kind: str) -> Migration:
    """Returns a migration as the runner sends it; one that says so runs outside a transaction."""
    transaction = Transaction.STATEMENT if OUTSIDE.search(text) else KINDS[kind]
    sent = migration(text)
    return replace(sent, up=replace(sent.up, transaction=transaction))


def _findings(migrations: list[Migration], rules: list[Rule], pg_version: int, rule: Rule) -> list[Finding]:
    predictor = Predictor(pg_version)
    limits = Limits() if rule.category == "timeouts" else Limits(lock_timeout=2000)
    selected = [SelectedMigration(each, predictor) for each in migrations]
    return judge(selected, Rulebook(rules), pg_version, limits=limits).findings


def statements_of(text: str) -> list[str]:
    """Returns the statements of a migration."""
    return [text[statement.span.start : statement.span.end] for statement in read(text)]
