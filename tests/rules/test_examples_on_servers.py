"""The examples in the rules' documentation do on a server what the rules say, on the oldest and the newest PostgreSQL found.

Every example runs. The examples of the category locking are measured: the unsafe example takes the lock that its finding names, and rewrites or
scans the table meanwhile if the rule says so; the safe example does not. If both have the same purpose, they end in the same schema.
"""

import re
from collections.abc import Iterator

import psycopg
import pytest

from migsafe.documentation.page import Example, page
from migsafe.linting.finding import Finding
from migsafe.linting.rule import Rule
from migsafe.linting.rulebook import shipped_rules
from migsafe.prediction.effects.effect import Effect
from migsafe.replaying.servers.server import Server
from tests.rules.example_runs import Bench, Object, Run, Step
from tests.support.compared import HEADING
from tests.support.linted import NEXT_MIGRATION, judge_sql
from tests.support.queries import on_server
from tests.support.servers import oldest_and_newest

pytestmark = pytest.mark.server

RULES = shipped_rules()
LOCKING = [rule for rule in RULES if rule.category == "locking"]
PARTITION = re.compile(r"\b(?:PARTITION OF|(?:ATTACH|DETACH) PARTITION)\b")
PARTITION_OF = re.compile(r"CREATE TABLE [^\n;]* PARTITION OF")
UNREADABLE = {"syntax-error", "unparsed-statement"}
VERSION = re.compile(r"PostgreSQL (\d\d)( or newer)?")

# Rules whose unsafe examples PostgreSQL refuses.
REFUSED = {
    "concurrently-in-transaction",
    "enum-value-used-in-transaction",
    "index-on-partitioned-concurrently",
    "insert-breaks",
    "invalid-function-body",
    "pending-trigger-events",
    "query-breaks",
    "query-loses-index",
    "query-without-index",
    "refresh-not-concurrent",
    "required-column-added",
    "statement-fails",
    "type-narrowed",
}

# Rules about locks alone: nothing needs to be scanned under them.
LOCK_ALONE = {
    "detach-not-concurrent",
    "disable-triggers",
    "drop-index-not-concurrent",
    "explicit-lock",
    "many-tables-locked",
    "partition-of-locks-parent",
}

ELSEWHERE = re.compile(r"\b(because|release)\b")

# Rules whose safe examples end in another schema.
ANOTHER_END = {
    "exclusion-builds-index": "nothing else builds that constraint",
    "explicit-lock": "a lock leaves nothing behind",
}


@pytest.fixture(scope="module", params=oldest_and_newest())
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with Server(request.param, {"random_page_cost": "1.1"}) as server:
        bench = Bench(server)
        yield bench
        bench.close()


def examples(rule: Rule, major: int) -> list[Example]:
    """Returns the examples of a rule that this PostgreSQL version supports and that migsafe can read."""
    found = [block for block in page(rule.documentation).blocks if isinstance(block, Example) and block.safe is not None]
    # A history at two revisions is nothing to run.
    scripts = [example for example in found if HEADING.match(example.code) is None]
    return [example for example in scripts if _is_for(example, major) and not _unreadable(example)]


def _is_for(example: Example, major: int) -> bool:
    match = VERSION.search(example.heading)
    return match is None or major >= int(match[1])


def _unreadable(example: Example) -> bool:
    """Whether PostgreSQL cannot run an example: a syntax error, a template, Python."""
    foreign = "{{" in example.code or "def upgrade" in example.code
    return foreign or not UNREADABLE.isdisjoint(finding.rule for finding in judge_sql(example.code).findings)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_examples_run(bench: Bench, rule: Rule) -> None:
    found = examples(rule, bench.server.installation.major)
    errors = {example: run_of(bench, rule, example).error for example in found}
    for example, error in errors.items():
        assert error is None or (rule.name in REFUSED and not example.safe), f"{error}\n{example.heading}:\n{example.code}"
    assert rule.name not in REFUSED or any(errors.values()), "PostgreSQL does not refuse it"


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.name == "syntax-error"], ids=lambda rule: rule.name)
def test_what_migsafe_calls_a_syntax_error_is_one(bench: Bench, rule: Rule) -> None:
    for block in page(rule.documentation).blocks:
        if isinstance(block, Example) and block.safe is False:
            assert isinstance(bench.run(block.code).error, psycopg.errors.SyntaxError)


@pytest.mark.parametrize("rule", LOCKING, ids=lambda rule: rule.name)
def test_the_unsafe_way_does_what_its_finding_says(bench: Bench, rule: Rule) -> None:
    for example in (example for example in examples(rule, bench.server.installation.major) if not example.safe):
        run = run_of(bench, rule, example)
        findings = [finding for finding in judge_sql(example.code).findings if finding.rule == rule.name]
        for finding in findings:
            assert finding.lock is None or finding.lock in locks(finding, example, run), measured_text(f"no {finding.lock}", example, run)
        is_refused = rule.name in REFUSED and run.error is not None
        if rule.name not in LOCK_ALONE | {"backfill-unbatched"} and not is_refused:
            assert any(works_under_lock(step) for step in run.steps), measured_text("no work under a lock", example, run)
        if "rewrites" in rule.name:
            assert any(effect.rewrite or effect.rebuilt for step in run.steps for effect in step.effects), measured_text(
                "no rewrite", example, run
            )


@pytest.mark.parametrize("rule", LOCKING, ids=lambda rule: rule.name)
def test_the_safe_way_does_not(bench: Bench, rule: Rule) -> None:
    major = bench.server.installation.major
    for example in (example for example in examples(rule, major) if example.safe):
        run = run_of(bench, rule, example)
        assert not any(works_under_lock(step) for step in run.steps), measured_text("work under a lock", example, run)


@pytest.mark.parametrize("rule", [rule for rule in LOCKING if rule.name not in ANOTHER_END], ids=lambda rule: rule.name)
def test_both_ways_lead_to_the_same_schema(bench: Bench, rule: Rule) -> None:
    """Each safe example ends in the schema of an unsafe one, unless it is safe for another reason (`Safe, because …`) or continues with a
    release."""
    found = examples(rule, bench.server.installation.major)
    unsafe = [example for example in found if not example.safe]
    for safe in (example for example in found if example.safe and not ELSEWHERE.search(example.heading) and not on_its_own(example)):
        differences = [difference(bench, one, safe) for one in unsafe]
        if unsafe and all(differences):
            pytest.fail(f"{safe.heading}:\n{safe.code}\n\n" + "\n\n".join(differences), pytrace=False)


def test_the_index_of_a_finding_serves_the_query(bench: Bench) -> None:
    rule = next(rule for rule in RULES if rule.name == "query-without-index")
    for example in (example for example in examples(rule, bench.server.installation.major) if not example.safe):
        help = next(finding.help for finding in judge_sql(example.code).findings if finding.rule == rule.name)
        assert bench.run(on_server(example.code, rule.name, help)).error is None


def run_of(bench: Bench, rule: Rule, example: Example) -> Run:
    return bench.run(on_server(example.code, rule.name), measured=rule.category == "locking", years=years(example))


def years(example: Example) -> frozenset[int]:
    """Returns the partitions of orders that an example about a partitioned table expects and does not create itself."""
    about = "partition" in example.heading or PARTITION.search(example.code)
    if not about or "PARTITION BY" in example.code:
        return frozenset()
    made = {int(year) for year in re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?orders_(20\d\d)", example.code)}
    return frozenset({int(year) for year in re.findall(r"\borders_(20\d\d)", example.code)} - made or {2023})


def on_its_own(example: Example) -> bool:
    """Whether an example creates the table that it is about."""
    return "CREATE TABLE" in PARTITION_OF.sub("", example.code)


def locks(finding: Finding, example: Example, run: Run) -> set[object]:
    """Returns the locks that the statement of a finding took or held on the relations of the finding."""
    text = finding.script.text
    numbers = [number for number, piece in enumerate(NEXT_MIGRATION.split(example.code)) if piece == text]
    found: set[object] = set()
    for step in run.steps:
        if step.migration in numbers and step.statement == finding.statement:
            found |= {effect.lock for effect in step.effects if not finding.relations or str(effect.relation) in finding.relations}
            found |= {lock for name, lock in step.held.items() if not finding.relations or str(name) in finding.relations}
            found |= {effect.index_lock for effect in step.effects}
    return found


def works_under_lock(step: Step) -> bool:
    """Whether a statement scans or rewrites a relation while its transaction blocks reads or writes of one."""
    stops = any(_stops(effect) for effect in step.effects) or any(lock.blocks for lock in step.held.values())
    return stops and any(_works(effect) for effect in step.effects)


def _stops(effect: Effect) -> bool:
    """Whether an effect blocks other sessions. Only another REFRESH writes to a materialized view."""
    return "reads" in effect.blocks if effect.kind == "materialized view" else bool(effect.blocks)


def _works(effect: Effect) -> bool:
    return effect.scan or effect.rewrite or bool(effect.rebuilt)


def difference(bench: Bench, unsafe: Example, safe: Example) -> str:
    """Returns the differences between the final schemas of two examples, without the names that are not in the SQL of both."""
    one, other = (_unnamed(bench.run(way.code, measured=True, years=years(safe) | years(unsafe)), unsafe, safe) for way in (unsafe, safe))
    lines = [f"  only the unsafe way: {found}" for found in sorted(one - other)]
    return "\n".join((*lines, *(f"  only the safe way: {found}" for found in sorted(other - one))))


def _unnamed(run: Run, *ways: Example) -> set[Object]:
    return {one if one.kind == "column" or all(one.name in way.code for way in ways) else one._replace(name="") for one in run.schema}


def measured_text(what: str, example: Example, run: Run) -> str:
    """Returns the measurement as the text of a failed assertion."""
    lines = [f"{step.sql}\n    {[*step.effects]}\n    held: {step.held}" for step in run.steps]
    return "\n".join((f"{what}: {example.heading}:", example.code, *lines))
