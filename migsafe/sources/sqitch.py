"""Sqitch: the changes of `sqitch.plan`, with `deploy/<change>.sql` and `revert/<change>.sql`.

As in the manual (sqitch-configuration, sqitch-rework): the plan gives the order, one change on a line before its dependencies, and
lines that begin with `@` are tags. A change that occurs again was reworked: the scripts of the earlier one have a tag in their names, the
first of those between the two that gives a file; the tags of later changes are tried first (App::Sqitch::Plan::Change, `path_segments`).
psql runs each script, so its own BEGIN and COMMIT decide.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from migsafe.errors import UnreadableError
from migsafe.patterns import lazy_pattern
from migsafe.sources.migration import Migration, Transaction
from migsafe.sources.pairs import read_pair
from migsafe.sources.runner import Folder, MigrationFile, Runner
from migsafe.text import Script

_PLAN = "sqitch.plan"
_SETTINGS = "sqitch.conf"
_SCRIPT_FOLDERS = ("deploy", "revert", "verify")
_CHANGE = lazy_pattern(r"[ \t]*\+?[ \t]*(?P<name>[^\s@%#+-][^\s@]*)")
_TAG = lazy_pattern(r"[ \t]*@(?P<name>\S+)")
_OTHER_ENGINE = lazy_pattern(r"^[ \t]*engine[ \t]*=[ \t]*(?!pg\b)\w", re.MULTILINE)


def _project(folder: Folder) -> Folder | None:
    """Returns the folder of the plan, if this folder is it or contains scripts of its changes."""
    home = folder
    if Path(folder.path or ".").absolute().name in _SCRIPT_FOLDERS:
        above = Path(folder.path).parent if Path(folder.path).name else Path("..")
        home = Folder(above.as_posix()) if (above / _PLAN).is_file() else folder
    is_project = _PLAN in home.files and "deploy" in home.folders
    return home if is_project and not _is_for_another_database(home) else None


def _is_for_another_database(home: Folder) -> bool:
    """Whether the nearest sqitch.conf names another engine than PostgreSQL's."""
    conf = next((path / _SETTINGS for path in home.self_and_parents() if (path / _SETTINGS).is_file()), None)
    try:
        return conf is not None and bool(_OTHER_ENGINE.search(Script(str(conf)).text))
    except UnreadableError:
        return False


def _history_folders(folder: Folder) -> list[Folder]:
    home = _project(folder)
    return [home] if home is not None else []


def _files(folder: Folder) -> list[MigrationFile]:
    """Returns the changes that have a deploy script, in the order of the plan. Raises UnreadableError."""
    return [_file(folder, name) for name in _changes(folder) if folder.has_file("deploy", f"{name}.sql")]


def _problems(folder: Folder) -> list[UnreadableError]:
    """Returns the changes of the plan without a deploy script, with which Sqitch stops. A plan without any script has them elsewhere
    (`deploy_dir`, `extension`)."""
    changes = _changes(folder)
    missing = [name for name in changes if not folder.has_file("deploy", f"{name}.sql")]
    if len(missing) == len(changes):
        return []
    return [
        UnreadableError(
            f"{folder.join('deploy', f'{name}.sql')}: there is no such file, although {_PLAN} has the change {name}",
            "Add the script, or remove the change from the plan: `sqitch deploy` stops there.",
        )
        for name in missing
    ]


def _changes(folder: Folder) -> list[str]:
    """Returns the names of the changes' scripts, without the suffix, in the order of the plan. Raises UnreadableError."""
    changes: list[str] = []
    tags: list[list[str]] = []
    latest: dict[str, int] = {}
    for line in folder.script(_PLAN).text.splitlines() if _PLAN in folder.files else ():
        if match := _TAG.match(line):
            if tags:
                tags[-1].append(match["name"])
        elif match := _CHANGE.match(line):
            name = match["name"]
            if name in latest:
                changes[latest[name]] = _reworked(folder, name, tags[latest[name] :])
            latest[name] = len(changes)
            changes.append(name)
            tags.append([])
    return changes


def _reworked(folder: Folder, change: str, tags: list[list[str]]) -> str:
    """Returns the name of the scripts of a reworked change. `tags` are those of the changes from it to the one that reworks it."""
    names = [f"{change}@{tag}" for tagged in reversed(tags) for tag in tagged]
    return next((name for name in names if folder.has_file("deploy", f"{name}.sql")), names[0] if names else change)


def _file(folder: Folder, change: str) -> MigrationFile:
    down = folder.script("revert", f"{change}.sql") if folder.has_file("revert", f"{change}.sql") else None
    return MigrationFile(change, folder.script("deploy", f"{change}.sql"), down)


def _past_files(scripts: Iterable[Script]) -> list[MigrationFile]:
    return [MigrationFile(Path(script.path).stem, script) for script in scripts if "deploy" in Path(script.path).parts]


def _read(file: MigrationFile) -> list[Migration]:
    return read_pair(file, "sqitch", Transaction.STATEMENT)


SQITCH = Runner(
    name="sqitch",
    title="Sqitch",
    default_transaction=Transaction.STATEMENT,
    recognises=lambda folder: _project(folder) is not None,
    files=_files,
    read=_read,
    outside_transaction_advice="leave out its BEGIN and COMMIT",
    searches_subfolders=True,
    history_folders=_history_folders,
    past_files=_past_files,
    problems=_problems,
    retry_advice="run `sqitch deploy` again",
    connection_advice="in the environment of sqitch, `PGOPTIONS='-c lock_timeout=2s'`",
)
