"""The order of migrations in a history, and what is wrong with it."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from migsafe.sources.lineage import Lineage, MigrationReference
from migsafe.sources.runner import MigrationFile


def with_ancestors(files: Sequence[MigrationFile], positions: Iterable[int]) -> set[int]:
    """Returns the given positions in a history, and the positions of all migrations that they depend on."""
    needed = set(positions)
    if any(file.parents is None for file in files):
        return set(range(max(needed, default=-1) + 1))
    by_version: dict[str, list[int]] = {}
    for position, file in enumerate(files):
        by_version.setdefault(file.id, []).append(position)
    waiting = list(needed)
    while waiting:
        for version in files[waiting.pop()].parents or ():
            parents = [position for position in by_version.get(version, ()) if position not in needed]
            needed.update(parents)
            waiting += parents
    return needed


def lineages(files: Sequence[tuple[MigrationFile, bool]], *, unique: bool) -> dict[str, Lineage]:
    """Returns the lineages of the selected migrations (those with True), by path.

    A problem of several migrations is reported for the last of them only. `unique`: the runner identifies migrations by version."""
    duplicates = _duplicates(files) if unique else {}
    by_path = {}
    for position, (file, selected) in enumerate(files):
        if not selected:
            continue
        lineage = file.lineage
        if lineage.other_heads or lineage.cycle:
            later = [following for following, also_selected in files[position + 1 :] if also_selected]
            paths = {following.up.path for following in later}
            if any(head.path in paths for head in lineage.other_heads):
                lineage = replace(lineage, other_heads=())
            if any(following.id in lineage.cycle for following in later):
                lineage = replace(lineage, cycle=())
        by_path[file.up.path] = replace(lineage, duplicate=duplicates.get(file.up.path))
    return by_path


def _duplicates(files: Sequence[tuple[MigrationFile, bool]]) -> dict[str, MigrationReference]:
    """Returns, by path, another migration with the same version."""
    downgrades = {file.down.path for file, _ in files if file.down}
    by_version: dict[str, list[tuple[MigrationFile, bool]]] = {}
    for file, selected in files:
        if file.up.path not in downgrades:
            by_version.setdefault(file.id, []).append((file, selected))
    duplicates = {}
    for version, alike in by_version.items():
        for position, (file, selected) in enumerate(alike):
            earlier = [first for first, _ in alike[:position]]
            history = [following for following, also_selected in alike[position + 1 :] if not also_selected]
            if selected and (earlier or history):
                duplicates[file.up.path] = MigrationReference(version, (earlier or history)[0].up.path)
    return duplicates
