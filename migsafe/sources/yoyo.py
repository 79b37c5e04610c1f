"""yoyo: `name.sql` with an optional `name.rollback.sql`.

As in yoyo-migrations 9.0 yoyo/migrations.py: files are sorted by name, but each comes after those that its `-- depends:` names
(topological_sort); comments `-- depends:` and `-- transactional:` count at the top, before the first statement
(parse_metadata_from_sql_comments). Statements are sent one by one in a transaction, which `-- transactional: false` switches off for both
halves (process_steps).
"""

import re
from heapq import heapify, heappop, heappush

from migsafe.errors import UnreadableError
from migsafe.patterns import lazy_pattern
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Migration, Transaction
from migsafe.sources.pairs import read_pair
from migsafe.sources.runner import Folder, MigrationFile, Runner

_ROLLBACK = ".rollback.sql"
_DIRECTIVE = lazy_pattern(r"^\s*--\s*(transactional|depends)\s*:[ \t]*([^\r\n]*)", re.MULTILINE)


def _files(folder: Folder) -> list[MigrationFile]:
    migrations = {}
    for name in folder.sql_files:
        if not name.endswith(_ROLLBACK):
            stem = name.removesuffix(".sql")
            down = folder.script(stem + _ROLLBACK) if stem + _ROLLBACK in folder.files else None
            migrations[stem] = MigrationFile(stem, folder.script(name), down)
    return [
        migrations[stem]
        for stem in _in_order(list(migrations), {stem: _directives(file).get("depends", "").split() for stem, file in migrations.items()})
    ]


def _in_order(names: list[str], depends: dict[str, list[str]]) -> list[str]:
    """Returns the names so that each follows its dependencies, otherwise sorted; those in a cycle of dependencies come last."""
    position = {name: index for index, name in enumerate(names)}
    pending = {name: {dependency for dependency in depends[name] if dependency in position} - {name} for name in names}
    after: dict[str, list[str]] = {}
    for name, dependencies in pending.items():
        for dependency in dependencies:
            after.setdefault(dependency, []).append(name)
    ready = [position[name] for name in names if not pending[name]]
    heapify(ready)
    ordered: list[str] = []
    while ready:
        ready_name = names[heappop(ready)]
        ordered.append(ready_name)
        for name in after.get(ready_name, ()):
            pending[name].remove(ready_name)
            if not pending[name]:
                heappush(ready, position[name])
    return ordered + [name for name in names if pending[name]]


def _directives(file: MigrationFile) -> dict[str, str]:
    """Returns the directives at the top of a script; none if it cannot be read: that is reported when its statements are read."""
    try:
        text = file.up.text
    except UnreadableError:
        return {}
    if "--" not in text:
        return {}
    directives: dict[str, str] = {}
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("--"):
            break
        match = _DIRECTIVE.match(line)
        if match:
            directives[match[1]] = f"{directives.get(match[1], '')} {match[2]}".strip()
    return directives


def _read(file: MigrationFile) -> list[Migration]:
    outside = _directives(file).get("transactional", "").lower() == "false"
    return read_pair(file, "yoyo", Transaction.NONE if outside else Transaction.FILE)


def _recognises(folder: Folder) -> bool:
    return any(name.endswith(_ROLLBACK) for name in folder.sql_files) or any(
        _directives(MigrationFile("", folder.script(name))) for name in folder.sql_files[-1:]
    )


YOYO = Runner(
    name="yoyo",
    title="yoyo",
    default_transaction=Transaction.FILE,
    recognises=_recognises,
    files=_files,
    read=_read,
    outside_transaction_advice="begin it with `-- transactional: false`",
    # Applies every migration that is not recorded (yoyo/backends, to_apply).
    late=LateHandling.APPLIES,
    retry_advice="run `yoyo apply` again",
)
