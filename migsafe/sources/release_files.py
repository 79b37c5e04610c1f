"""Which migrations of a history are deployed in one release."""

from collections.abc import Sequence

from migsafe.sources.lineage import MergedState
from migsafe.sources.migration import Migration
from migsafe.sources.runner import MigrationFile


def paths_of_release(files: Sequence[tuple[MigrationFile, bool]]) -> frozenset[str]:
    """Returns the paths of named files that are one release: the last selected ones, as long as no other migration stands between them. A file
    that undoes a migration is not deployed. All files of a history were deployed over years, as those of its folder."""
    if all(selected for _, selected in files):
        return frozenset()
    downs = {file.down.path for file, _ in files if file.down is not None}
    paths: set[str] = set()
    for file, selected in reversed(files):
        if file.up.path in downs:
            continue
        if selected:
            paths.add(file.up.path)
        elif paths:
            break
    return frozenset(paths)


def is_new(migration: Migration, merged: MergedState | None) -> bool:
    """Whether a migration in a file that was added or changed since a revision of git has not been deployed. `merged` is what the file
    contained then, if it stands at the revision: an edited, renamed or squashed migration has been deployed in another form, but a file of many
    migrations may have got new ones."""
    return merged is None or (
        bool(merged.before) and not merged.renamed_from and not merged.gone and all(old.id != migration.id for old in merged.before)
    )
