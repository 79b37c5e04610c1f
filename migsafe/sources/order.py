"""What comes before what in a history, and what is odd about it."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from migsafe.sources.lineage import Lineage, MigrationReference
from migsafe.sources.runner import MigrationFile


def with_ancestors(files: Sequence[MigrationFile], places: Iterable[int]) -> set[int]:
    """The places of those files, in a history in its runner's order, that come before the files at the given places, and these places."""
    wanted = set(places)
    if any(file.parents is None for file in files):
        return set(range(max(wanted, default=-1) + 1))
    by_version: dict[str, list[int]] = {}
    for place, file in enumerate(files):
        by_version.setdefault(file.id, []).append(place)
    waiting = list(wanted)
    while waiting:
        for version in files[waiting.pop()].parents or ():
            new = [place for place in by_version.get(version, ()) if place not in wanted]
            wanted.update(new)
            waiting += new
    return wanted


def lineages(files: Sequence[tuple[MigrationFile, bool]], *, unique: bool) -> dict[str, Lineage]:
    """What is odd about the places of the migrations to judge (those with True), by path; what is odd about several of them is said of the
    last one alone. `unique`: their runner goes by versions."""
    twins = _twins(files) if unique else {}
    found = {}
    for place, (file, judged) in enumerate(files):
        if not judged:
            continue
        standing = file.lineage
        if standing.other_heads or standing.cycle:
            later = [other for other, also in files[place + 1 :] if also]
            paths = {other.up.path for other in later}
            if any(rival.path in paths for rival in standing.other_heads):
                standing = replace(standing, other_heads=())
            if any(other.id in standing.cycle for other in later):
                standing = replace(standing, cycle=())
        found[file.up.path] = replace(standing, duplicate=twins.get(file.up.path))
    return found


def _twins(files: Sequence[tuple[MigrationFile, bool]]) -> dict[str, MigrationReference]:
    """By path the others of the same version."""
    ways_back = {file.down.path for file, _ in files if file.down}
    same: dict[str, list[tuple[MigrationFile, bool]]] = {}
    for file, judged in files:
        if file.up.path not in ways_back:
            same.setdefault(file.id, []).append((file, judged))
    twins = {}
    for version, alike in same.items():
        for place, (file, judged) in enumerate(alike):
            others = [other for before, (other, also) in enumerate(alike) if before < place or (before > place and not also)]
            if judged and others:
                twins[file.up.path] = MigrationReference(version, others[0].up.path)
    return twins
