"""The help of every unsafe example, followed as the users of each kind of runner do, is clean at warning and above for all rules, runs on a
server with rows, and ends in the schema of the unsafe way."""

import re
from collections.abc import Iterator

import pytest

from migsafe.linting.finding import Finding, Severity
from migsafe.linting.rule import Rule
from migsafe.replaying.servers.server import Server
from migsafe.sources import Transaction
from tests.rules.followed_helps import NEW_MIGRATION, FollowedExample, followed_examples, unsafe_examples
from tests.rules.followed_scripts import FollowedScripts, OpenRenderer
from tests.rules.help_bench import HelpBench
from tests.rules.runner_files import Kind, leaves_transaction
from tests.rules.test_examples import RULES, name
from tests.support.servers import newest

OTHER_ENDS = {
    "add-column-rewrites": (r"column public.orders.gross is bigint v \(qty \* 2\)", "a virtual column needs no rewrite"),
    "ambiguous-overload": (r"function public.shipping_cost\(integer\) is missing", "one of the two functions is dropped"),
    "autovacuum-off": (r"relation public.orders is .*autovacuum_vacuum_scale_factor", "autovacuum stays on"),
    "column-takes-others-along": (r"index public.orders_placed_at_idx still exists", "the index that is still needed is created again"),
    "definer-search-path": (r"function public.count_orders\(\) is .* SET search_path TO", "the function gets a search_path"),
    "domain-constraint-validates": (r"price_positive is CHECK .* \(not validated\)", "its validation would hold the same locks"),
    "drop-index-uncovers-foreign-key": (r"index public.orders_customer_id_idx still exists", "an index of the foreign key stays"),
    "foreign-key-without-index": (r"index public.orders_customer_id_idx still exists", "the foreign key gets its index"),
    "grants-lost": (r"relation public.late_orders is .*clerk=r/postgres", "the grants are kept"),
    "published-without-identity": (r"relation public.visitors is r p f", "the table gets a replica identity"),
    "rename-column": (r"index public.orders_note_idx is missing", "the author creates the index that the help names"),
    "replica-identity-changed": (r"relation public.orders is r p f", "the table gets another identity before its index is dropped"),
    "sequence-ends-early": (r"sequence public.letters_number_seq is bigint", "the sequence gets the type of its column"),
    "type-change-rewrites": (r"public\.orders\.qty\b|qty_new|public\.items\.line\b|line_new", "another column has the new type"),
    "type-narrowed": (r"column public.notes.line is .*\(50\)|notes_line_check", "a CHECK limits the values instead of the type"),
}
"""For rules whose help is to end in another schema, a regular expression of each difference, and the reason."""

WRAPPED = (Transaction.FILE, Transaction.QUERY)
OUTSIDE_ONLY = re.compile(r"^(?:CREATE (?:UNIQUE )?INDEX CONCURRENTLY|DROP INDEX CONCURRENTLY|REINDEX .*CONCURRENTLY|VACUUM)\b", re.MULTILINE)

each_rule = pytest.mark.parametrize("rule", RULES, ids=name)
each_kind = pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name.lower())


@pytest.fixture(scope="module", params=newest())
def bench(request: pytest.FixtureRequest) -> Iterator[HelpBench]:
    with Server(request.param) as server:
        yield HelpBench(server)


@pytest.fixture(scope="module")
def renderer() -> Iterator[OpenRenderer]:
    renderer = OpenRenderer()
    yield renderer
    renderer.close()


@each_kind
@each_rule
def test_the_help_is_clean(rule: Rule, kind: Kind) -> None:
    for followed in followed_examples(rule, kind, 17):
        assert _texts(followed.remaining()) == [], followed.text


@pytest.mark.parametrize("kind", [Kind.DBMATE, Kind.FLYWAY, Kind.PRISMA], ids=lambda kind: kind.name.lower())
@each_rule
def test_a_help_says_how_to_leave_the_runners_transaction(rule: Rule, kind: Kind) -> None:
    for example in unsafe_examples(rule, 17):
        followed = FollowedExample(example, kind)
        for finding in followed.found:
            for piece in NEW_MIGRATION.split(finding.help):
                inside = finding.script in [each.up.script for each in followed.unsafe if each.up.transaction in WRAPPED]
                inside = inside and OUTSIDE_ONLY.search(finding.script.text) is None  # such a statement alone is outside already
                assert not (inside and OUTSIDE_ONLY.search(piece)) or leaves_transaction(piece), finding.help


@pytest.mark.server
@each_rule
def test_the_help_runs_and_ends_in_the_same_schema(bench: HelpBench, rule: Rule) -> None:
    for kind in Kind:
        for followed in followed_examples(rule, kind, bench.server.major):
            differences = bench.compare(followed, followed.end_key())
            assert _unexpected(rule, differences) == [], f"{kind}\n{followed.text}"


@pytest.mark.server
@pytest.mark.process
@each_rule
def test_the_help_works_under_the_default_environment_of_alembic(
    bench: HelpBench, rule: Rule, renderer: OpenRenderer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for example in [each.example for each in followed_examples(rule, Kind.PSQL, bench.server.major)]:
        followed = FollowedScripts(example, tmp_path_factory.mktemp("alembic") / "migrations", renderer)
        if followed.has_help:
            assert _texts(followed.remaining()) == [], followed.text
            assert _unexpected(rule, bench.compare(followed, followed)) == [], followed.text


def _texts(findings: list[Finding]) -> list[str]:
    return [f"{finding.rule}: {finding.message}" for finding in findings if finding.severity > Severity.INFO]


def _unexpected(rule: Rule, differences: list[str]) -> list[str]:
    expected, _ = OTHER_ENDS.get(rule.name, ("^$", ""))
    return [each for each in differences if not re.search(expected, each)]
