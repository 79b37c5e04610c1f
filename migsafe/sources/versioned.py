"""Folders named by versions, with scripts in each: `0.21/00__name.sql`, `v1.2/manifest.json` with `v1.2/name.sql`, `7/01_name.up.sql`; and
`12-name/up.sql`.

Several programs apply their own migrations in this way. Versions are sorted by their numbers (v1.9 before v1.10). If a folder has a
manifest.json with `SchemaUpdateCqlFiles`, that is the list of files, in order (temporalio/temporal
tools/common/schema/updatetask.go, which sends statement by statement); otherwise files are sorted by name, and whether the program runs each
file in one transaction is unknown.
"""

from msgspec.structs import replace

from migsafe.errors import MigsafeError
from migsafe.patterns import lazy_pattern
from migsafe.sources.assumed_transactions import read_unknown
from migsafe.sources.folders import NUMBER_AND_NAME
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Migration, Transaction
from migsafe.sources.pairs import read_pair
from migsafe.sources.plain import plain_files
from migsafe.sources.runner import Folder, MigrationFile, Runner, natural_key

VERSION = lazy_pattern(r"[vV]?\d+(?:\.\d+)*$")


class _VersionedFile(MigrationFile, frozen=True):
    """A file of migrations, and whether a manifest lists it."""

    is_listed: bool = False


def _files(folder: Folder) -> list[MigrationFile]:
    migrations: list[MigrationFile] = []
    for version in sorted(_versions(folder), key=lambda name: natural_key(name.lstrip("vV"))):
        try:
            inner = folder.subfolder(version)
        except MigsafeError:
            continue
        if NUMBER_AND_NAME.match(version):
            down = inner.script("down.sql") if "down.sql" in inner.files else None
            migrations.append(_VersionedFile(version, inner.script("up.sql"), down))
            continue
        listed = [_VersionedFile(name, inner.script(name), is_listed=True) for name in _manifest(inner)] or plain_files(inner)
        migrations += [replace(file, id=f"{version}/{file.up.path.rpartition('/')[2].removesuffix('.sql')}") for file in listed]
    return migrations


def _versions(folder: Folder) -> list[str]:
    """Returns the names of the folders that contain migrations."""
    return [name for name in folder.folders if VERSION.match(name) or (NUMBER_AND_NAME.match(name) and folder.has_file(name, "up.sql"))]


def _recognises(folder: Folder) -> bool:
    """Recognises names with a point; plain numbers only if there are several, and no scripts beside them."""
    names = _versions(folder)
    is_clear = any("." in name for name in names) or (len(names) > 1 and not folder.sql_files)
    return is_clear and bool(_files(folder))


def _manifest(folder: Folder) -> list[str]:
    if "manifest.json" not in folder.files:
        return []
    import json  # noqa: PLC0415  # only these folders need it

    try:
        names = json.loads(folder.script("manifest.json").text).get("SchemaUpdateCqlFiles", [])
    except (MigsafeError, ValueError, AttributeError):
        return []
    return [name for name in names if name in folder.files]


def _read(file: MigrationFile) -> list[Migration]:
    is_listed = isinstance(file, _VersionedFile) and file.is_listed
    return read_pair(file, "versioned", Transaction.STATEMENT) if is_listed else read_unknown(file, "versioned")


VERSIONED = Runner(
    name="versioned",
    title="folders named by versions",
    default_transaction=Transaction.STATEMENT,
    recognises=_recognises,
    files=_files,
    read=_read,
    outside_transaction_advice="run it outside the runner's transaction",
    retry_advice="run the migration again, from the statement that failed",
    connection_advice="in the environment of psql, `PGOPTIONS='-c lock_timeout=2s'`",
    searches_subfolders=True,
    # The version of the schema is one value, and only later folders run.
    late=LateHandling.SKIPS,
)
