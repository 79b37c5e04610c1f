"""The fixes of the migrations of a plan: they are applied in rounds, and each result is judged."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from migsafe.configuration import Configuration
from migsafe.errors import ConfigError
from migsafe.fixes.comments import edit_comments
from migsafe.fixes.diffs import unified_diff
from migsafe.fixes.edits import ChosenFix, Edits, FileChange, FixedMigration, LaterStep, NotFixed
from migsafe.fixes.explicit_locks import protecting_lock
from migsafe.fixes.settings import without_dead_settings
from migsafe.fixes.way import Way, read_way
from migsafe.fixes.writing import write_changes
from migsafe.library.fix_notes import reason_of_new_migrations, runner_notes
from migsafe.library.fix_results import HANGING, hazard, lost_change, more_findings, wrong_result
from migsafe.library.followed_history import FollowedHistory
from migsafe.library.lint import Track, judge_plan, without_baseline
from migsafe.library.plan import has_only_new_migrations
from migsafe.library.project import load_rulebook, make_renderer
from migsafe.linting.finding import Finding, Severity
from migsafe.linting.rulebook import shipped_rules
from migsafe.linting.verdict import Verdict, with_findings
from migsafe.prediction.predictor import Predictor
from migsafe.rendering.renderer import MemoryStore
from migsafe.session import sent_statements
from migsafe.sources import Migration, Plan
from migsafe.sources.alembic import ALEMBIC
from migsafe.sql.statements import Statement
from migsafe.text import Script

_MOST_ROUNDS = 60
_MOST_RUNS = 3


class Proof(Struct, frozen=True, kw_only=True):
    """What was measured of the migrations before and after fixes.

    `reason` is why the fixes are not proved, as the end of a sentence; empty if they are. `weaker` says which locks became weaker, one line for
    each relation. `server` is the version of the server. `emptied` are the tables without rows, because PostgreSQL rejects the generated ones,
    which its message, the `rejection`, says: for how long they are locked was not measured. `other_rows` is why the rows at the end were not
    compared, as the end of a sentence; empty if they are the same.
    """

    reason: str
    weaker: tuple[str, ...]
    server: str
    emptied: tuple[str, ...] = ()
    rejection: str = ""
    other_rows: str = ""

    def limits(self, wanted: int) -> Iterator[str]:
        """Yields what is not proved, a sentence each; `wanted` is the configured version of the server."""
        if self.other_rows:
            yield f"the rows at the end are not compared, because {self.other_rows}"
        if self.emptied:
            yield f"how long {', '.join(self.emptied)} would be locked is not proved, because generated rows are rejected: {self.rejection}"
        if self.server != f"PostgreSQL {wanted}":
            yield f"PostgreSQL {wanted} (`pg-version`) is not installed here, so nothing is proved about its locks"


class Fixes(Struct, kw_only=True):
    """What fixes do to the files of a project; nothing is written before `write` is called.

    `changes` are the edited and the new files, `applied` the findings whose fixes were applied. `refused` are findings with a fix that cannot
    be applied here, with the reasons; `unsafe` those whose fix is unsafe and was not allowed. `later` are steps for later deployments,
    `new_because` says why there are new migrations, `notes` what the runner needs after the files have changed.
    `before` and `verdict` are the verdicts before and after, `proof` is what a server proved of the fixes, if that was asked for.
    """

    changes: tuple[FileChange, ...]
    applied: tuple[Finding, ...]
    refused: tuple[NotFixed, ...]
    unsafe: tuple[Finding, ...]
    later: tuple[LaterStep, ...]
    new_because: str
    notes: tuple[str, ...]
    before: Verdict
    verdict: Verdict
    proof: Proof | None = None

    @property
    def scripts(self) -> dict[str, Script]:
        """The changed and the new files as scripts, by their absolute paths."""
        return {os.path.abspath(change.path): Script(change.path, change.after) for change in self.changes}  # noqa: PTH100  # links stay

    def diff(self) -> str:
        """Returns the changes as a unified diff."""
        return "".join(unified_diff(change) for change in self.changes)

    def write(self) -> None:
        """Writes all the changed and the new files, or none. Raises MigsafeError for a new file that exists by now, and for an edited one that
        is no longer as it was read, is read-only, or cannot be written."""
        write_changes(self.changes)


def require_new_migrations(plan: Plan, settings: Configuration) -> None:
    """Raises ConfigError if a whole history is to be fixed: a migration that a database has applied must stay as it is."""
    if not has_only_new_migrations(plan, settings):
        raise ConfigError(
            "it is not known which migrations are new, and one that a database has applied must stay as it is",
            "Name the new files, or use `--since origin/main`, `--changed`, or `start-after` in the configuration.",
        )


def fix_plan(
    plan: Plan,
    settings: Configuration,
    *,
    unsafe: bool = False,
    wanted: Callable[[Finding], bool] = lambda finding: True,
    track: Track = iter,
) -> Fixes:
    """Find the fixes of the migrations of a plan, until none is left; nothing is written.

    `unsafe` also applies fixes after which a failure or a second run leaves something else behind, or which need another deployment. `wanted`
    chooses among the findings that have a fix. `track` iterates over the migrations of each judgement, and may show the progress.
    """
    return _Fixing(plan, settings, unsafe, wanted, track).run()


class _Round(Struct):
    """One judgement of the migrations as they are so far."""

    plan: Plan
    verdict: Verdict
    migrations: dict[tuple[str, str], Migration]


class _Fixing:
    """Applies fixes in rounds, and judges the result after each."""

    def __init__(self, plan: Plan, settings: Configuration, unsafe: bool, wanted: Callable[[Finding], bool], track: Track) -> None:
        self.plan = plan
        self.settings = _with_refusals(settings)
        self.rules = {rule.name for rule in load_rulebook(settings).rules} if self.settings != settings else None
        """The rules that the configuration selects, if more of them judge the results."""
        self.renderings = MemoryStore()
        self.history = FollowedHistory()
        self.unsafe = unsafe
        self.wanted = wanted
        self.track = track
        self.changes: dict[str, FileChange] = {}
        self.applied: list[Finding] = []
        self.refused: dict[tuple[str, ...], str] = {}
        self.wrong: dict[tuple[str, ...], bool] = {}
        """The findings whose fixes would have a wrong result, and whether they were tried again after others."""
        self.fixed: set[tuple[str, ...]] = set()
        """The hazards whose fixes were applied; one that comes back because of another fix is not fixed again."""
        self.later: list[LaterStep] = []

    def run(self) -> Fixes:
        first = now = self._judged({})
        for _ in range(_MOST_RUNS):
            now = self._fixed(now)
            if not self.refused or not self.fixed:
                break
            # A second run would try them again.
            self.refused.clear()
            self.fixed.clear()
        more = more_findings(first.verdict, now.verdict, self.applied) if self.applied else ""
        if more:
            now = self._undone(first, more)
        left = now.verdict.findings
        changed = [change for change in self.changes.values() if change.before != change.after]
        return Fixes(
            changes=tuple(sorted(changed, key=lambda change: change.path)),
            applied=tuple(self.applied),
            refused=tuple(NotFixed(finding, self.refused[_key(finding)]) for finding in left if _key(finding) in self.refused),
            unsafe=tuple(each for each in left if each.fix and not self._is_allowed(each)),
            later=tuple(self.later),
            new_because=reason_of_new_migrations(self.plan, changed),
            notes=tuple(runner_notes(self.plan)) if changed else (),
            before=self._selected(first.verdict),
            verdict=self._selected(now.verdict),
        )

    def _fixed(self, now: _Round) -> _Round:
        """Applies fixes until there is nothing to apply, and returns the judgement of the result."""
        for _ in range(_MOST_ROUNDS):
            following = self._round(now) or self._tidied(now)
            if following is None:
                break
            now = following
        return now

    def _undone(self, first: _Round, reason: str) -> _Round:
        """Discards all fixes for a reason, and returns the judgement without them."""
        self.refused = {_key(finding): reason for finding in first.verdict.findings if finding.fix and self._is_allowed(finding)}
        self.changes, self.applied, self.later = {}, [], []
        return first

    def _tidied(self, now: _Round) -> _Round | None:
        """Removes the settings that the fixes of several rounds have added in vain, and returns the judgement without them; None if there are
        none, or if that brings a finding. An info may come: only the settings were between statements that can be one."""
        tidy = {path: without_dead_settings(change, now.migrations.values()) for path, change in self.changes.items()}
        if tidy == self.changes:
            return None
        following = self._judged(tidy)
        worse = (finding for finding in following.verdict.findings if finding.severity > Severity.INFO)
        if Counter(map(hazard, worse)) - Counter(map(hazard, now.verdict.findings)):
            return None
        self.changes = tidy
        return following

    def _selected(self, verdict: Verdict) -> Verdict:
        """Returns a verdict without the findings of rules that the configuration does not select."""
        if self.rules is None:
            return verdict
        of_rules = replace(verdict, rules=tuple(rule for rule in verdict.rules if rule.name in self.rules))
        return with_findings(of_rules, [finding for finding in verdict.unreduced if finding.rule in self.rules])

    def _judged(self, changes: Mapping[str, FileChange]) -> _Round:
        scripts = {path: Script(change.path, change.after) for path, change in changes.items()}
        plan = self.plan.edited(scripts) if scripts else self.plan
        migrations: dict[tuple[str, str], Migration] = {}

        def note(migration: Migration) -> None:
            migrations[migration.up.file.path, migration.id] = migration

        verdict = judge_plan(plan, self.settings, None, self.track, on_migration=note, renderings=self.renderings, history=self.history)
        if verdict.problems:
            self.history.forget()
        return _Round(plan, without_baseline(verdict, self.settings), migrations)

    def _round(self, now: _Round) -> _Round | None:
        """Applies fixes to the migrations, and returns the judgement of the result; None if there is nothing to apply."""
        while chosen := self._chosen(now):
            for some in (chosen, chosen[:1]):
                edits = self._edits(now, some)
                following = self._following(now, edits)
                if following is not None:
                    self._accept(edits)
                    return following
                if not edits.changes or len(some) == 1:
                    break
        return None

    def _following(self, now: _Round, edits: Edits) -> _Round | None:
        """Returns the judgement after edits; None if there are none, or if they are wrong: then a single one is refused."""
        for refused in edits.refused:
            self.refused[_key(refused.finding)] = refused.reason
        if not edits.changes:
            return None
        following = self._judged(self._merged(edits))
        wrong = wrong_result(now.verdict, following.verdict, edits.applied, self.fixed)
        wrong = wrong or lost_change(now.migrations, following.migrations, edits.later)
        keys = {_key(finding) for finding in edits.applied}
        if wrong and len(keys) == 1:
            (key,) = keys
            self.refused[key] = wrong
            self.wrong.setdefault(key, False)
        return None if wrong else following

    def _accept(self, edits: Edits) -> None:
        self.changes = self._merged(edits)
        self.applied += {_key(finding): finding for finding in edits.applied}.values()
        self.fixed.update(map(hazard, edits.applied))
        self.later += edits.later
        # The result may be right now, for example because the lock_timeout is set that it lacked.
        for key, tried_again in self.wrong.items():
            if not tried_again:
                self.refused.pop(key, None)
                self.wrong[key] = True
        # What was in the way of another fix of the same files may have left them.
        edited = {change.path for change in edits.changes}
        for key in [key for key in self.refused if key not in self.wrong and key[0] in edited]:
            del self.refused[key]

    def _merged(self, edits: Edits) -> dict[str, FileChange]:
        merged = dict(self.changes)
        for old, new in reversed(edits.renamed):
            change = merged.pop(os.path.abspath(old))  # noqa: PTH100
            merged[os.path.abspath(new)] = FileChange(new, None, change.after)  # noqa: PTH100
        for change in edits.changes:
            path = os.path.abspath(change.path)  # noqa: PTH100  # as the plan names them: links are not followed
            known = merged.get(path)
            merged[path] = FileChange(change.path, known.before if known is not None else change.before, change.after)
        return merged

    def _is_allowed(self, finding: Finding) -> bool:
        return self.unsafe or finding.fix_is_safe

    def _chosen(self, now: _Round) -> list[Finding]:
        """Returns the findings whose fixes may be applied, the worst first, and of equal ones the safe fixes first."""
        found = [
            finding
            for finding in now.verdict.findings
            if finding.fix and finding.migration and _key(finding) not in self.refused and self._is_allowed(finding) and self.wanted(finding)
        ]
        return sorted(found, key=lambda finding: (-finding.severity, not finding.fix_is_safe))

    def _edits(self, now: _Round, chosen: Sequence[Finding]) -> Edits:
        by_migration: dict[tuple[str, str], list[ChosenFix]] = {}
        comments: dict[str, list[tuple[Finding, str]]] = {}
        refused: list[NotFixed] = []
        for finding in chosen:
            place = (finding.script.path, finding.migration)
            way, statement = read_way(finding.fix), _statement(now.migrations.get(place), finding)
            if way is None:
                refused.append(NotFixed(finding, "its safe way leaves a decision to you"))
            elif way.comment is not None:
                comments.setdefault(finding.script.path, []).append((finding, way.comment))
            elif statement is None:
                refused.append(NotFixed(finding, "its statement is not in a migration that was judged"))
            elif reason := protecting_lock(now.migrations[place], statement, way):
                refused.append(NotFixed(finding, reason))
            else:
                by_migration.setdefault(place, []).extend(_fixes_of(finding, way, statement))
        some = (self._edit(now, place, _without_parts(fixes)) for place, fixes in by_migration.items())
        of_comments = (edit_comments(own[0][0].script, own) for own in comments.values())
        for edits in chain(some, of_comments):
            refused += edits.refused
            if edits.changes:
                return replace(edits, refused=tuple(refused))  # those of another file may concern the same files
        return Edits(refused=tuple(refused))

    def _edit(self, now: _Round, place: tuple[str, str], fixes: Sequence[ChosenFix]) -> Edits:
        created = frozenset(path for path, change in self.changes.items() if change.before is None)
        fixed = _in_history(now.plan, now.migrations[place], created)
        if fixed is None:
            return Edits(refused=tuple(NotFixed(each.finding, "its file is not a migration of a history") for each in fixes))
        if fixed.migration.runner == ALEMBIC.name:
            return self._edit_script(fixed, fixes)
        from migsafe.fixes.sql_files import edit_sql  # noqa: PLC0415

        return edit_sql(fixed, fixes)

    def _edit_script(self, fixed: FixedMigration, fixes: Sequence[ChosenFix]) -> Edits:
        from migsafe.fixes.alembic import edit_scripts  # noqa: PLC0415  # renders and edits Python

        predictor = Predictor(self.settings.pg_version)
        with make_renderer(self.settings, self.renderings) as renderer:
            # A downgrade that depends on what the database contains is not certain then, and left alone.
            migration = renderer.render_down(fixed.migration, predictor)
        return edit_scripts(replace(fixed, migration=migration), fixes, predictor.catalog)


def _without_parts(fixes: Sequence[ChosenFix]) -> list[ChosenFix]:
    """Returns the fixes without those of a statement that another fix replaces together with its own."""
    replaced = {span.start: fix for fix in fixes if fix.way.for_all for span in fix.finding.replaces if span.start != fix.statement.span.start}
    return [fix for fix in fixes if fix.statement.span.start not in replaced]


def _with_refusals(settings: Configuration) -> Configuration:
    """Returns a configuration whose rules say whether PostgreSQL would refuse the result of a fix, or it would never end, whatever the project
    selects."""
    names = (*(rule.name for rule in shipped_rules() if rule.refuses), "syntax-error", HANGING)
    select = tuple(dict.fromkeys((*settings.select, *names))) if settings.select else ()
    return replace(settings, select=select, ignore=tuple(name for name in settings.ignore if name not in names))


def _fixes_of(finding: Finding, way: Way, statement: Statement) -> Iterator[ChosenFix]:
    """Yields the fix of a finding, and those of the other actions of its statement for which it stands."""
    yield ChosenFix(finding, way, statement)
    for span, text in finding.other_fixes:
        other = read_way(text)
        if other is not None:
            yield ChosenFix(replace(finding, span=span, fix=text), other, statement)


def _statement(migration: Migration | None, finding: Finding) -> Statement | None:
    statements = sent_statements(migration.up) if migration is not None else ()
    return next((sent.statement for sent in statements if sent.statement.index == finding.statement), None)


def _in_history(plan: Plan, migration: Migration, created: frozenset[str]) -> FixedMigration | None:
    """Returns a migration with its file and its source."""
    path = migration.up.file.path
    if any(file.down is not None and file.down.path == path for source in plan.sources for file in source.files):
        return None  # the file of a downgrade that was named
    found = ((file, source) for source in plan.sources for file in source.files if file.up.path == path)
    file, source = next(found, (None, None))
    return FixedMigration(migration, file, source, created) if file is not None and source is not None else None


def _key(finding: Finding) -> tuple[str, ...]:
    """Returns what identifies a finding while its place changes."""
    return finding.script.path, finding.migration, *hazard(finding)
