"""What the examples in rules' documentation say is what PostgreSQL does, on the oldest and the newest that is found.

Every example runs. Those of the category locking are measured: the unsafe way takes the lock that its finding names, and rewrites or reads
the table meanwhile where the rule says so; the safe way does not. Where both lead to the same end, the schema is the same in the end.
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
from tests.support.linted import NEXT_MIGRATION, judge_sql
from tests.support.servers import each_installation

RULES = shipped_rules()
LOCKING = [rule for rule in RULES if rule.category == "locking"]
PARTITION = re.compile(r"\b(?:PARTITION OF|(?:ATTACH|DETACH) PARTITION)\b")
PARTITION_OF = re.compile(r"CREATE TABLE [^\n;]* PARTITION OF")
UNREADABLE = {"syntax-error", "unparsed-statement"}
VERSION = re.compile(r"PostgreSQL (\d\d)( or newer)?")

# What PostgreSQL does not do is the hazard itself, or one of them.
REFUSED = {
    "concurrently-in-transaction",
    "enum-value-used-in-transaction",
    "index-on-partitioned-concurrently",
    "refresh-not-concurrent",
    "required-column-added",
    "type-narrowed",
}

# Rules about locks that are taken, whether or not anything is read under them.
LOCK_ALONE = {
    "detach-not-concurrent",
    "disable-triggers",
    "drop-index-not-concurrent",
    "explicit-lock",
    "many-tables-locked",
    "partition-of-locks-parent",
}

ELSEWHERE = re.compile(r"\b(because|release)\b")

# Rules whose safe ways lead elsewhere.
ANOTHER_END = {
    "exclusion-builds-index": "nothing else builds that constraint",
    "explicit-lock": "a lock leaves nothing behind",
}


@pytest.fixture(scope="module", params=[*each_installation()[:1], *each_installation()[1:][-1:]])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with Server(request.param, {"random_page_cost": "1.1"}) as server:
        bench = Bench(server)
        yield bench
        bench.close()


def examples(rule: Rule, major: int) -> list[Example]:
    """The examples of a rule that this PostgreSQL understands, and that migsafe can read."""
    found = [block for block in page(rule.documentation).blocks if isinstance(block, Example) and block.safe is not None]
    return [example for example in found if _is_for(example, major) and not _unreadable(example)]


def _is_for(example: Example, major: int) -> bool:
    match = VERSION.search(example.heading)
    return match is None or major >= int(match[1])


def _unreadable(example: Example) -> bool:
    """What PostgreSQL does not understand either: a syntax error, a template, Python."""
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
            assert finding.lock is None or finding.lock in locks(finding, example, run), told(f"no {finding.lock}", example, run)
        is_refused = rule.name in REFUSED and run.error is not None
        if rule.name not in LOCK_ALONE | {"backfill-unbatched"} and not is_refused:
            assert any(works_under_lock(step) for step in run.steps), told("no work under a lock", example, run)
        if "rewrites" in rule.name:
            assert any(effect.rewrite or effect.rebuilt for step in run.steps for effect in step.effects), told("no rewrite", example, run)


@pytest.mark.parametrize("rule", LOCKING, ids=lambda rule: rule.name)
def test_the_safe_way_does_not(bench: Bench, rule: Rule) -> None:
    major = bench.server.installation.major
    for example in (example for example in examples(rule, major) if example.safe):
        run = run_of(bench, rule, example)
        assert not any(works_under_lock(step) for step in run.steps), told("work under a lock", example, run)


@pytest.mark.parametrize("rule", [rule for rule in LOCKING if rule.name not in ANOTHER_END], ids=lambda rule: rule.name)
def test_both_ways_lead_to_the_same_schema(bench: Bench, rule: Rule) -> None:
    """Each safe way leads where an unsafe one leads; unless it is safe for another reason (`Safe, because …`), or goes on with a release."""
    found = examples(rule, bench.server.installation.major)
    unsafe = [example for example in found if not example.safe]
    for safe in (example for example in found if example.safe and not ELSEWHERE.search(example.heading) and not on_its_own(example)):
        differences = [difference(bench, one, safe) for one in unsafe]
        if unsafe and all(differences):
            pytest.fail(f"{safe.heading}:\n{safe.code}\n\n" + "\n\n".join(differences), pytrace=False)


def run_of(bench: Bench, rule: Rule, example: Example) -> Run:
    return bench.run(example.code, measured=rule.category == "locking", years=years(example))


def years(example: Example) -> frozenset[int]:
    """The partitions of orders that an example takes for granted, where it is about a partitioned table that it does not make itself."""
    about = "partition" in example.heading or PARTITION.search(example.code)
    if not about or "PARTITION BY" in example.code:
        return frozenset()
    made = {int(year) for year in re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?orders_(20\d\d)", example.code)}
    return frozenset({int(year) for year in re.findall(r"\borders_(20\d\d)", example.code)} - made or {2023})


def on_its_own(example: Example) -> bool:
    """Whether an example creates what it is about."""
    return "CREATE TABLE" in PARTITION_OF.sub("", example.code)


def locks(finding: Finding, example: Example, run: Run) -> set[object]:
    """The locks that the statement of a finding took, or held, on the relations that it names."""
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
    """Whether a statement reads or rewrites a whole relation while its transaction stops reads or writes on one."""
    stops = any(_stops(effect) for effect in step.effects) or any(lock.blocks for lock in step.held.values())
    return stops and any(_works(effect) for effect in step.effects)


def _stops(effect: Effect) -> bool:
    """Whether an effect stops somebody else: nobody writes to a materialized view but another REFRESH."""
    return "reads" in effect.blocks if effect.kind == "materialized view" else bool(effect.blocks)


def _works(effect: Effect) -> bool:
    return effect.scan or effect.rewrite or bool(effect.rebuilt)


def difference(bench: Bench, unsafe: Example, safe: Example) -> str:
    """How the schemas differ that two ways lead to; names that only one of them has in its SQL, or none, are left out."""
    one, other = (_unnamed(bench.run(way.code, measured=True, years=years(safe) | years(unsafe)), unsafe, safe) for way in (unsafe, safe))
    lines = [f"  only the unsafe way: {found}" for found in sorted(one - other)]
    return "\n".join((*lines, *(f"  only the safe way: {found}" for found in sorted(other - one))))


def _unnamed(run: Run, *ways: Example) -> set[Object]:
    return {one if one.kind == "column" or all(one.name in way.code for way in ways) else one._replace(name="") for one in run.schema}


def told(what: str, example: Example, run: Run) -> str:
    """What was measured, for a person."""
    lines = [f"{step.sql}\n    {[*step.effects]}\n    held: {step.held}" for step in run.steps]
    return "\n".join((f"{what}: {example.heading}:", example.code, *lines))
