"""Proofs of fixes: the migrations before and after run on a server, and must end in the same schema and rows, without stronger locks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec import Struct
from msgspec.structs import replace

from migsafe.cache.renderings import usual
from migsafe.configuration import Configuration
from migsafe.fixes.creations import created_by
from migsafe.fixes.downs import operations_of
from migsafe.fixes.edits import NotFixed
from migsafe.library.fixes import Fixes, Proof, fix_plan
from migsafe.library.plan import schema_script
from migsafe.library.project import make_renderer
from migsafe.linting.finding import Finding
from migsafe.lock import LockMode
from migsafe.patterns import lazy_pattern
from migsafe.replaying.end_state import EndState, row_differences, start_difference
from migsafe.replaying.experiments.contents import Schema, schema_differences
from migsafe.replaying.refusals import extension_missing_in
from migsafe.replaying.replay import ReplayedMigration, ReplayOptions, ReplayRun
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.private import PrivateHost
from migsafe.sources import Plan
from migsafe.sql.operations import Name
from migsafe.sql.operations.values import quoted
from migsafe.sql.statements import read

_ROWS = 1_000
_SHOWN = 3
_STRING = lazy_pattern(r"""["']([^"'\n]+)["']""")
_LONGEST = 300

OnProgress = Callable[[str], None]


class Locks(Struct, frozen=True):
    """The strongest blocking locks that migrations took on a relation that existed before: the strongest of all, and the strongest that was
    held for a time that grows with the rows; None without one."""

    any: LockMode | None = None
    long: LockMode | None = None

    def with_lock(self, mode: LockMode, *, grows: bool) -> "Locks":
        """Returns the strongest locks with one more."""
        return Locks(_stronger(self.any, mode), _stronger(self.long, mode) if grows else self.long)

    def is_stronger_than(self, other: "Locks") -> bool:
        """Whether one of the locks is stronger than that of the other."""
        return _stronger(self.any, other.any) != other.any or _stronger(self.long, other.long) != other.long

    def __str__(self) -> str:
        if self.any is None:
            return "nothing that blocks reads or writes"
        if self.long is None:
            return f"{self.any} for a moment"
        return f"{self.long} for a time that grows with its rows" + (f", {self.any} for a moment" if self.any != self.long else "")


def prove_fixes(plan: Plan, fixes: Fixes, settings: Configuration, host: Host, on_progress: OnProgress = lambda text: None) -> Proof:
    """Run the migrations of a plan on a server, as they are and with fixes, and compare the schemas, the rows and the locks.

    Each table that the migrations touch has a thousand generated rows. Steps for later deployments run at the end. Raises MigsafeError if there
    is no server.
    """
    return _try(plan, fixes, settings, host, on_progress)[0]


def _try(plan: Plan, fixes: Fixes, settings: Configuration, host: Host, on_progress: OnProgress) -> tuple[Proof, bool]:
    """Returns the proof of fixes, and whether the migrations fail as they are, so that nothing can be proved."""
    later = tuple(text for step in fixes.later for text in _statements(step.sql))

    def run_as_they_are() -> _Run:
        return _Run(plan, settings, host, (), on_progress)

    before = run_as_they_are()
    after = _Run(plan.edited(fixes.scripts), settings, host, later, on_progress)
    original = before.why_incomplete("the migrations as they are")
    locks, now = before.locks(), after.locks()
    reason = original or after.why_incomplete("the fixed migrations")
    if not before.emptied and after.emptied:
        reason = reason or f"only the fixed migrations fail on generated rows: {after.rejection}"
    changed = _changed_indexes(fixes)
    emptied = before.emptied | after.emptied
    unequal = "" if reason else _why_not_comparable(before, after)
    reason = reason or _schema_reason(before.ends, after.ends, changed)
    reason = reason or ("" if unequal else _row_reason(before.ends, after.ends, lambda: run_as_they_are().ends)) or _lock_reason(locks, now)
    weaker = tuple(_weaker({name: lock for name, lock in locks.items() if name not in emptied}, now)) if not reason else ()
    names = tuple(sorted(map(str, emptied)))
    server = f"PostgreSQL {host.major}"
    proof = Proof(reason=reason, weaker=weaker, server=server, emptied=names, rejection=before.rejection, other_rows=unequal)
    return proof, bool(original)


def proved_fixes(
    plan: Plan,
    settings: Configuration,
    host: Host,
    *,
    unsafe: bool = False,
    wanted: Callable[[Finding], bool] = lambda finding: True,
    on_progress: OnProgress = lambda text: None,
) -> Fixes:
    """Find the fixes of the migrations of a plan, and keep those that a server proves; the others are refused, with the reason. The result has
    the proof, unless nothing is left.

    If all together are not proved, the fixes of each rule are tried alone, and then all that are proved.
    """
    fixes = fix_plan(plan, settings, unsafe=unsafe, wanted=wanted)
    if not fixes.changes:
        return fixes
    proof, original_fails = _try(plan, fixes, settings, host, on_progress)
    if not proof.reason:
        return replace(fixes, proof=proof)
    rules = list(dict.fromkeys(finding.rule for finding in fixes.applied))
    reasons = dict.fromkeys(rules, proof.reason)
    for rule in rules if len(rules) > 1 and not original_fails else ():
        alone = fix_plan(plan, settings, unsafe=unsafe, wanted=_of_rule(rule, wanted))
        reasons[rule] = prove_fixes(plan, alone, settings, host, on_progress).reason if alone.changes else proof.reason
    some = fix_plan(plan, settings, unsafe=unsafe, wanted=lambda finding: not reasons.get(finding.rule, "") and wanted(finding))
    last = prove_fixes(plan, some, settings, host, on_progress) if some.changes else None
    if last is not None and last.reason:
        reasons |= {rule: reason or last.reason for rule, reason in reasons.items()}
        some, last = fix_plan(plan, settings, unsafe=unsafe, wanted=lambda finding: False), None
    given_up = (NotFixed(each, f"it is not proved: {reasons[each.rule]}") for each in fixes.applied if reasons[each.rule])
    return replace(some, refused=(*some.refused, *given_up), proof=last)


def _of_rule(rule: str, wanted: Callable[[Finding], bool]) -> Callable[[Finding], bool]:
    return lambda finding: finding.rule == rule and wanted(finding)


def _statements(sql: str) -> Iterator[str]:
    for statement in read(sql):
        yield sql[slice(*statement.span)]


@contextmanager
def _without_new_roles(host: Host) -> Iterator[None]:
    """Drops the roles that migrations create on a private server, so that they can run again: roles belong to all databases of a server."""
    if not isinstance(host, PrivateHost):
        yield
        return
    before = _roles(host)
    yield
    with host.server.connect() as connection:
        for role in _roles(host) - before:
            connection.execute(f"DROP OWNED BY {quoted(role)}; DROP ROLE {quoted(role)}".encode())


def _roles(host: PrivateHost) -> set[str]:
    with host.server.connect() as connection:
        return {str(name) for (name,) in connection.execute("SELECT rolname FROM pg_catalog.pg_roles").fetchall()}


class _Run:
    """One replay of a plan."""

    def __init__(self, plan: Plan, settings: Configuration, host: Host, later: tuple[str, ...], on_progress: OnProgress) -> None:
        options = ReplayOptions(
            experiments=(),
            rows=lambda table: _ROWS,
            probes=False,
            schema=schema_script(settings.schema),
            without_extensions=settings.without_extensions,
            renderer=make_renderer(settings, usual()),
            reads_end=True,
            afterwards=later,
        )
        run = ReplayRun(plan, host, options, on_progress)
        with _without_new_roles(host):
            self.replayed: list[ReplayedMigration] = list(run.migrations())
        self.problems = run.problems
        self.ends: list[EndState] = run.ends

    def why_incomplete(self, what: str) -> str:
        """Returns why not all migrations ran, as the end of a sentence; empty if they did."""
        for each in self.replayed:
            failure = each.recording.failure
            if failure is not None:
                return f"{what} fail on the server: {each.migration.up.file.path}: {_with_remedy(failure.message)}"
            if each.untried or each.left_out:
                return f"{what} could not be run whole: {each.untried or each.left_out[0].skip_reason}"
        return f"{what} could not be run: {_with_remedy(self.problems[0].message)}" if self.problems else ""

    @property
    def emptied(self) -> frozenset[Name]:
        """The tables without rows, because PostgreSQL rejects the generated ones."""
        return frozenset(name for each in self.replayed if each.emptying is not None for name in each.emptying.tables)

    @property
    def rejection(self) -> str:
        """PostgreSQL's message about the generated rows; empty if it accepts them."""
        return next((_first_line(each.emptying.message) for each in self.replayed if each.emptying is not None), "")

    def locks(self) -> dict[Name, Locks]:
        """Returns the strongest blocking locks on each relation that existed before its migration; one that the transaction holds while a later
        statement takes a time that grows with a table is held for long, too. For how long a table without rows is locked was not measured:
        its locks count as held for long."""
        found: dict[Name, Locks] = {}
        emptied = self.emptied

        def note(relation: Name, mode: LockMode, *, grows: bool) -> None:
            found[relation] = found.get(relation, Locks()).with_lock(mode, grows=grows)

        for each in self.replayed:
            measured = [effect for record in each.recording.statements for effect in record.measured_effects]
            new = {effect.effect.relation for effect in measured if effect.effect.new}
            for record in each.recording.statements:
                old = [effect for effect in record.measured_effects if not effect.effect.new]
                for effect in old:
                    if effect.effect.blocks:
                        note(effect.effect.relation, effect.effect.lock, grows=effect.grows_with_rows or effect.effect.relation in emptied)
                if any(effect.grows_with_rows for effect in old):
                    for relation, mode in record.held_before.items():
                        if mode.blocks and relation not in new:
                            note(relation, mode, grows=True)
        return found


def _with_remedy(message: str) -> str:
    """Returns the first line of an error, and what helps if the owner of the database lacks rights or the server an extension."""
    line = _first_line(message)
    if "permission denied" in line or "must be superuser" in line:
        return f"{line} (`--superuser` runs the migrations as a superuser)"
    missing = extension_missing_in(line)
    return f'{line} (`without-extensions = ["{missing}"]` in the configuration leaves it out)' if missing is not None else line


def _first_line(message: str) -> str:
    """Returns the first line of a message: that of a program may have thousands of characters."""
    line = message.partition("\n")[0]
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …"


def _changed_indexes(fixes: Fixes) -> set[str]:
    """Returns the names of the indexes that fixes create or omit on purpose."""
    rules = {rule.name for rule in fixes.before.rules if rule.changes_indexes}
    own = [finding for finding in fixes.applied if finding.rule in rules]
    texts = [(finding.fix, finding.script.text[slice(*finding.span)]) for finding in own]
    created = {creation.name.name for each in texts for creation in created_by(operations_of(each)) if creation.kind == "index"}
    # A call of a script names the index in one of its strings.
    calls = (text for finding, (_, text) in zip(own, texts, strict=True) if finding.script.path.endswith(".py"))
    return created | {name for text in calls for name in _STRING.findall(text)}


def _why_not_comparable(before: "_Run", after: "_Run") -> str:
    """Returns why the rows at the end cannot be compared, as the end of a sentence; empty if they can."""
    if before.emptied or after.emptied:
        return "generated rows are rejected"
    differ = (start_difference(old, new) for old, new in zip(before.ends, after.ends, strict=True))
    return next((f"{name} got another number of generated rows" for name in differ if name is not None), "")


def _row_reason(before: Sequence[EndState], after: Sequence[EndState], repeat: Callable[[], Sequence[EndState]]) -> str:
    """Returns how the rows differ, as the end of a sentence; empty if they do not, apart from what differs in each run."""
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        differences = row_differences(old, new, lambda number=number: repeat()[number])  # type: ignore[misc]
        if differences:
            return f"the rows at the end differ: {_joined(differences)}"
    return ""


def _schema_reason(before: Sequence[EndState], after: Sequence[EndState], changed: set[str]) -> str:
    """Returns how the schemas differ, as the end of a sentence; empty if they do not, or only in indexes that may have `changed`."""
    kept = {("index", quoted(name)) for name in changed}

    def without_changed(schema: Schema) -> Schema:
        return {key: text for key, text in schema.items() if (key[0], key[1].rpartition(".")[2]) not in kept}

    differences = [
        line
        for old, new in zip(before, after, strict=True)
        for line in schema_differences(without_changed(old.schema), without_changed(new.schema))
    ]
    return f"the schema at the end differs: {_joined(differences)}" if differences else ""


def _joined(differences: Sequence[str]) -> str:
    return f"{'; '.join(differences[:_SHOWN])}{' …' if len(differences) > _SHOWN else ''}"


def _lock_reason(before: Mapping[Name, Locks], after: Mapping[Name, Locks]) -> str:
    for name, locks in after.items():
        old = before.get(name, Locks())
        if locks.is_stronger_than(old):
            return f"{name} would be locked in {locks}, instead of {old}"
    return ""


def _weaker(before: Mapping[Name, Locks], after: Mapping[Name, Locks]) -> Iterator[str]:
    for name, locks in sorted(before.items(), key=lambda item: str(item[0])):
        now = after.get(name, Locks())
        if now != locks:
            yield f"{name}: {locks} before; {now} now"


def _stronger(one: LockMode | None, other: LockMode | None) -> LockMode | None:
    return max((mode for mode in (one, other) if mode is not None), default=None)
