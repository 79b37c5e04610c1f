"""pop (Buffalo's soda) and Ory's popx: `1_name.up.sql`, `1_name.postgres.up.sql`, `1_name.autocommit.up.sql`.

Names, the choice between the scripts for one version and the order are those of ory/hydra oryx/popx/match.go and migration_info.go
(compareMigration, sortAndFilter: the version as text; a script for PostgreSQL takes precedence over one for every database). A migration is
sent as a whole in a transaction (gobuffalo/pop migrator.go, UpTo, and file_migrator.go; oryx/popx/migrator.go); with `.autocommit.`
it is sent as one query.
"""

from migsafe.patterns import lazy_pattern
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Migration, Transaction
from migsafe.sources.pairs import read_pair
from migsafe.sources.runner import Folder, MigrationFile, Runner

_NAME = lazy_pattern(r"(\d+)_([^.]+)(\.[a-z0-9]+)?(\.autocommit)?\.(up|down)\.(sql|fizz)$")
_POSTGRESQL = (".postgres", ".postgresql", ".pg")
_INFIXES = frozenset((*_POSTGRESQL, ".autocommit", ".mysql", ".mariadb", ".sqlite", ".sqlite3", ".cockroach", ".cockroachdb"))


def _recognises(folder: Folder) -> bool:
    matches = (_NAME.match(name) for name in folder.files)
    return any(match and (match[3] in _INFIXES or match[4] or match[6] == "fizz") for match in matches)


def _files(folder: Folder) -> list[MigrationFile]:
    chosen: dict[tuple[str, str], str] = {}
    for name in folder.sql_files:
        match = _NAME.match(name)
        if match and match[3] in (None, ".autocommit", *_POSTGRESQL):
            key = (match[1], match[5])
            if key not in chosen or match[3] in _POSTGRESQL:
                chosen[key] = name
    return [
        MigrationFile(version, folder.script(name), folder.script(chosen[version, "down"]) if (version, "down") in chosen else None)
        for (version, half), name in sorted(chosen.items())
        if half == "up"
    ]


def _read(file: MigrationFile) -> list[Migration]:
    return read_pair(file, "pop", Transaction.QUERY if ".autocommit." in file.up.path else Transaction.FILE, one_query=True)


POP = Runner(
    name="pop",
    title="pop",
    default_transaction=Transaction.FILE,
    recognises=_recognises,
    files=_files,
    read=_read,
    outside_transaction_advice="name its file `….autocommit.up.sql` (popx) and leave only this statement in it",
    one_statement_outside=True,
    # Applies every migration whose version is not recorded (migrator.go, UpTo).
    late=LateHandling.APPLIES,
    retry_advice="run the migrations again",
)
