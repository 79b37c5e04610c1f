"""A history compared with the same history at a revision of git: what has been added too early, changed, renamed or removed since."""

import os
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct
from msgspec.structs import replace

from migsafe.errors import MigsafeError
from migsafe.paths import relative_path
from migsafe.sources.lineage import LateHandling, LatePlace, MergedState, MigrationReference
from migsafe.sources.migration import Migration
from migsafe.sources.past_folder import PastFolder
from migsafe.sources.runner import EditHandling, MigrationFile, Runner
from migsafe.sources.statement_texts import differ_in_comments_only, have_same_sql, sends_sql
from migsafe.text import Script

if TYPE_CHECKING:
    from migsafe.sources.git import Comparison

PastFiles = Mapping[str, Script]
"""The files of a folder at a revision, by their paths relative to it."""


class HistoryChanges(Struct, frozen=True, kw_only=True):
    """What has changed in a history since a revision of git.

    By the paths of files: those that come too late, and those that existed at the revision and may have changed. `gone` is one entry for all
    that no longer exist, with the script of the first of these.
    """

    late: Mapping[str, LatePlace] = {}
    merged: Mapping[str, MergedState] = {}
    gone: MergedState | None = None
    gone_script: Script | None = None


class Past(Struct, frozen=True, kw_only=True):
    """The files of a history at a revision: at the commit `base` that the current branch left, and at the revision itself (`tip`).

    `folder` is the folder of the history now, to which the paths are relative; `revision` the name of the revision for people.
    """

    revision: str
    folder: str
    base: PastFiles
    tip: PastFiles

    def unchanged_files(self, files: Iterable[MigrationFile]) -> frozenset[str]:
        """Returns the paths of the files that are as they were, except for comments and layout, unless a runner applies the file again: also in
        a folder that has been renamed."""
        before = {_absolute(script.path): script for script in self.base.values()}
        return frozenset(
            file.up.path
            for file in files
            if (old := before.get(_absolute(file.up.path))) is not None
            and (_text(file.up) == _text(old) or (not file.repeatable and differ_in_comments_only(old, file.up)))
        )


def past_of(comparison: "Comparison", folder: str, files: Sequence[MigrationFile]) -> Past:
    """Returns the files of a history at the revision of a comparison; those of the folder from which its files were moved, if it did not
    exist."""
    base: dict[str, Script] = {}
    tip: dict[str, Script] = {}
    for outer in _folders(files, folder):
        prefix = "" if outer == folder else f"{outer}/"
        base |= {prefix + name: script for name, script in comparison.scripts(outer).items()}
        tip |= {prefix + name: script for name, script in comparison.scripts(outer, tip=True).items()}
    former = comparison.former_folder(folder, [file.up.path for file in files]) if not base else None
    if former is not None:
        base, tip = (_moved(comparison.scripts(former, tip=late), folder) for late in (False, True))
    return Past(revision=comparison.revision, folder=folder, base=base, tip=tip)


def _moved(scripts: PastFiles, folder: str) -> dict[str, Script]:
    """Returns the files of a former folder as those of the folder now, without those that have stayed in the former one."""
    moved = {name: script for name, script in scripts.items() if not Path(script.path).exists()}
    return {name: Script(_join(folder, name), script.text) for name, script in moved.items()}


def _absolute(path: str) -> str:
    return os.path.abspath(path)  # noqa: PTH100  # resolve() asks the file system for each part of each path


def _join(folder: str, name: str) -> str:
    return name if folder in ("", ".") else f"{folder.rstrip('/')}/{name}"


def _text(script: Script) -> str | None:
    try:
        return script.text
    except MigsafeError:
        return None


class _Comparing:
    """The migrations of a history now (`files`), and at the two commits."""

    def __init__(self, runner: Runner, files: Sequence[MigrationFile], past: Past) -> None:
        self.runner = runner
        self.revision = past.revision
        self.files = [file for file in files if not file.repeatable]
        self.base = [file for file in _listed(runner, past.folder, past.base) if not file.repeatable]
        self.tip = [file for file in _listed(runner, past.folder, past.tip) if not file.repeatable]
        self.records = {runner.record(file): file for file in self.files}
        self.by_ordinal = {file.ordinal: file for file in self.files}
        self.old = {runner.record(file): file for file in self.base}
        known = {*self.old, *map(runner.record, self.tip)}
        old_paths = {_absolute(file.up.path) for file in self.base}
        self.new = [file for file in self.files if runner.record(file) not in known and _absolute(file.up.path) not in old_paths]
        self.past = past

    @property
    def title(self) -> str:
        """The name of the runner for people; empty if it is not known."""
        return "" if self.runner.name in ("plain", "custom") else self.runner.title

    @property
    def is_graph(self) -> bool:
        """Whether the migrations name their parents."""
        return all(file.parents is not None for file in self.files)


def history_changes(runner: Runner, files: Sequence[MigrationFile], changed: Callable[[MigrationFile], bool], past: Past) -> HistoryChanges:
    """Returns what has changed in a history. `changed` says whether a file differs from the commit that the current branch left."""
    comparing = _Comparing(runner, files, past)
    merged, gone = _merged(comparing, changed)
    late = _late_in_graph(comparing) if comparing.is_graph else _late(comparing)
    # A migration that was renamed is reported as that, wherever it stands now.
    late = {path: place for path, place in late.items() if path not in merged}
    if not gone:
        return HistoryChanges(late=late, merged=merged)
    references = tuple(MigrationReference(file.id, file.up.path) for file in gone)
    refuses = (runner.renamed or runner.edited) is EditHandling.REFUSES
    state = MergedState(revision=past.revision, runner=comparing.title, gone=references, refuses=refuses)
    replacement = _replacement(comparing, gone, late)
    if replacement is None:
        return HistoryChanges(late=late, merged=merged, gone=state, gone_script=gone[0].up)
    # Migrations that are replaced by one are one change, whatever its version.
    late = {path: place for path, place in late.items() if path != replacement.up.path}
    before = tuple(migration for file in gone for migration in _migrations(runner, file))
    return HistoryChanges(late=late, merged={**merged, replacement.up.path: replace(state, before=before)})


def _replacement(comparing: _Comparing, gone: Sequence[MigrationFile], late: Mapping[str, LatePlace]) -> MigrationFile | None:
    """Returns the new migration that replaces those that are gone: the first one, if it replaces all or precedes those that remain."""
    if not comparing.new or (len(gone) < len(comparing.old) and comparing.new[0].up.path not in late):
        return None
    return comparing.new[0]


def _listed(runner: Runner, folder: str, files: PastFiles) -> list[MigrationFile]:
    if not files:
        return []
    try:
        return runner.past_files(files.values()) if runner.past_files is not None else runner.files(PastFolder(folder, files))
    except MigsafeError:
        return []


def _merged(comparing: _Comparing, changed: Callable[[MigrationFile], bool]) -> tuple[dict[str, MergedState], list[MigrationFile]]:
    """Returns the files that stand at the revision and may differ, by path, and the migrations that are gone."""
    runner = comparing.runner
    by_version = {file.id: file for file in comparing.files}
    paths = {_absolute(file.up.path) for file in comparing.files}
    merged: dict[str, MergedState] = {}
    gone: list[MigrationFile] = []

    def state(before: tuple[Migration, ...] = (), renamed_from: str = "") -> MergedState:
        handling = (runner.renamed or runner.edited) if renamed_from else runner.edited
        return MergedState(
            revision=comparing.revision,
            runner=comparing.title,
            before=before,
            renamed_from=renamed_from,
            refuses=handling is EditHandling.REFUSES,
            runs_again=bool(renamed_from) and runner.renamed is EditHandling.IGNORES,
        )

    for record, before in comparing.old.items():
        file = comparing.records.get(record) or (comparing.by_ordinal.get(before.ordinal) if before.ordinal is not None else None)
        if file is not None:
            if changed(file):
                merged[file.up.path] = _with_lost(comparing, file, state(_past(runner, file, before)))
            continue
        if _is_empty(runner, before) or _is_beside(before, paths):
            continue
        renamed = next((each for each in comparing.new if have_same_sql(before.up, each.up)), None)
        if renamed is None:
            gone.append(before)
        else:
            merged[renamed.up.path] = state(_past(runner, renamed, before), renamed_from=before.up.path)
    if len(gone) == 1 and (same := by_version.get(gone[0].id) or _of_same_ids(comparing, gone[0])) is not None and same in comparing.new:
        # One whose name and SQL have changed; several that are gone are replaced by a new one.
        merged[same.up.path] = state(renamed_from=gone.pop().up.path)
    return merged, gone


def _of_same_ids(comparing: _Comparing, before: MigrationFile) -> MigrationFile | None:
    """Returns the new file whose migrations have the ids of those of a file that is gone, for a runner to which a path is part of an id."""
    ids = [migration.id for migration in _migrations(comparing.runner, before)] if comparing.runner.renamed else []
    if not ids:
        return None
    return next((file for file in comparing.new if [migration.id for migration in _migrations(comparing.runner, file)] == ids), None)


def _with_lost(comparing: _Comparing, file: MigrationFile, state: MergedState) -> MergedState:
    """Returns what a file contained, with those of its migrations that are in no file any more. One that stands in another file now is reported
    there, if it is another one to the runner."""
    now = _migrations(comparing.runner, file)
    lost = [migration for migration in state.before if all(each.id != migration.id for each in now) and sends_sql(migration.up)]
    if not now or not lost:
        return state
    elsewhere = {migration.id for other in comparing.files for migration in _migrations(comparing.runner, other)}
    references = tuple(MigrationReference(migration.id, file.up.path) for migration in lost if migration.id not in elsewhere)
    return replace(state, lost=references, first=now[0].id)


def _is_beside(before: MigrationFile, paths: Container[str]) -> bool:
    """Whether a file still exists, but not as one of the history, whose files have these `paths`: in a folder that the runner does not read."""
    path = _absolute(before.up.path)
    return path not in paths and os.path.exists(path)


def _is_empty(runner: Runner, before: MigrationFile) -> bool:
    """Whether a file contains no SQL, so that nothing is lost with it."""
    return runner.suffix == ".sql" and not any(sends_sql(migration.up) for migration in _migrations(runner, before))


def _past(runner: Runner, file: MigrationFile, before: MigrationFile) -> tuple[Migration, ...]:
    """Returns the migrations that a file contained, read as those of the file are."""
    return tuple(_migrations(runner, file.with_text(Script(file.up.path, before.up.text))))


def _migrations(runner: Runner, file: MigrationFile) -> list[Migration]:
    try:
        return runner.read(file)
    except MigsafeError:
        return []


def _late(comparing: _Comparing) -> dict[str, LatePlace]:
    """Returns the new migrations that a runner finds before one that stands at the revision, by path."""
    runner = comparing.runner
    handling = {file.up.path: file.late or runner.late for file in comparing.new}
    if all(each is LateHandling.APPLIES for each in handling.values()):
        return {}
    # What the branch has removed does not count; what the revision has added since the branch left does.
    removed = comparing.old.keys() - comparing.records.keys()
    merged = [file for file in comparing.tip if runner.record(file) not in removed]
    places = _places(comparing)
    late = {}
    for file in comparing.new:
        later = [other for other in merged if _comes_after(other, file, places, existing=runner.record(other) in comparing.records)]
        if later and handling[file.up.path] is not LateHandling.APPLIES:
            last = max(later, key=lambda other: places.get(_absolute(other.up.path), 0))
            late[file.up.path] = LatePlace(
                revision=comparing.revision,
                later=MigrationReference(last.id, last.up.path),
                handling=handling[file.up.path],
                runner=comparing.title,
                reason="same" if last.id == file.id else "order",
            )
    return late


def _comes_after(other: MigrationFile, file: MigrationFile, places: Mapping[str, int], *, existing: bool) -> bool:
    if other.ordinal is not None and file.ordinal is not None:
        return other.ordinal >= file.ordinal
    if other.id == file.id:
        # Two migrations of one version that exist both are reported as that.
        return not existing
    return places.get(_absolute(other.up.path), -1) > places.get(_absolute(file.up.path), -1)


def _places(comparing: _Comparing) -> dict[str, int]:
    """Returns the places in the runner's order, by absolute path, of the files and of those that only the revision has."""
    known = {_absolute(file.up.path) for file in comparing.files}
    if all(_absolute(file.up.path) in known for file in comparing.tip):
        return {_absolute(file.up.path): place for place, file in enumerate(comparing.files)}
    folder = comparing.past.folder or "."
    own = {relative_path(file.up.path, folder): file.up for file in comparing.files}
    listed = _listed(comparing.runner, comparing.past.folder, {**comparing.past.tip, **own})
    return {_absolute(file.up.path): place for place, file in enumerate(listed)}


def _late_in_graph(comparing: _Comparing) -> dict[str, LatePlace]:
    """Returns the new revisions before which, or beside which, another one stands at the revision of git, by path."""
    fresh = {file.id for file in comparing.new}
    existing = {file.id for file in comparing.files}
    elsewhere = [file for file in comparing.tip if file.id not in existing and file.id not in comparing.old]
    late = {}
    for file in comparing.new:
        inserted = next((other for other in comparing.files if other.id not in fresh and file.id in _parents(other)), None)
        parents = [parent for parent in _parents(file) if parent not in fresh]
        rival = next((other for other in elsewhere if not _parents(other).isdisjoint(parents)), None)
        if inserted is not None:
            late[file.up.path] = _graph_place(inserted, comparing, "inserted")
        elif rival is not None:
            late[file.up.path] = _graph_place(rival, comparing, "branch", parent=next(each for each in parents if each in _parents(rival)))
    return late


def _parents(file: MigrationFile) -> frozenset[str]:
    return frozenset(file.parents or ())


def _graph_place(other: MigrationFile, comparing: _Comparing, reason: Literal["inserted", "branch"], parent: str = "") -> LatePlace:
    reference = MigrationReference(other.id, other.up.path)
    handling = LateHandling.SKIPS if reason == "inserted" else LateHandling.REFUSES
    return LatePlace(revision=comparing.revision, later=reference, handling=handling, runner=comparing.title, reason=reason, parent=parent)


def _folders(files: Iterable[MigrationFile], folder: str) -> list[str]:
    """Returns the folder of a history, and those of its files that are not below it."""
    home = _absolute(folder or ".")
    outside = {path.rpartition("/")[0] or "." for path in (file.up.path for file in files) if not _is_below(_absolute(path), home)}
    return [folder, *sorted(outside)]


def _is_below(path: str, folder: str) -> bool:
    """Whether an absolute path is a folder or below it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
