"""refinery: `V1__name.sql`, or `U1__name.sql` for a version that may be applied after later ones.

As in rust-db/refinery refinery_core/src/util.rs (STEM_RE) and runner.rs: migrations come in the order of their versions, each is sent as one
query in a transaction of its own (drivers/tokio_postgres.rs, batch_execute), and no directive switches that off. Checksums of migrations that
have run are compared (verify_migrations). Files of Rust code are left out.

Flyway has names of the same form, so a folder is refinery's if a Cargo.toml above it mentions refinery.
"""

from migsafe.patterns import lazy_pattern
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Migration, Transaction, whole_script
from migsafe.sources.project_files import mentioned_above
from migsafe.sources.runner import EditHandling, Folder, MigrationFile, PsqlSyntax, Runner

_NAME = lazy_pattern(r"[UV](\d+(?:\.\d+)?)__(\w+)\.sql")


def _recognises(folder: Folder) -> bool:
    return any(map(_NAME.fullmatch, folder.sql_files)) and mentioned_above(folder, "Cargo.toml", "refinery")


def _files(folder: Folder) -> list[MigrationFile]:
    found = [(match[1], name) for name in folder.sql_files if (match := _NAME.fullmatch(name))]
    return [MigrationFile(version, folder.script(name)) for version, name in sorted(found, key=lambda each: (_number(each[0]), each[1]))]


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _read(file: MigrationFile) -> list[Migration]:
    return [Migration(file.id, "refinery", whole_script(file.up, Transaction.FILE, one_query=True))]


REFINERY = Runner(
    name="refinery",
    title="refinery",
    default_transaction=Transaction.FILE,
    recognises=_recognises,
    files=_files,
    read=_read,
    outside_transaction_advice="refinery cannot do this: run the statement with psql first, and let the migration do nothing if it is done",
    psql_syntax=PsqlSyntax.SENT_UNLESS_USED,
    retry_advice="run the migrations again",
    unique_versions=True,
    # A late V version is an error unless `abort_missing` is false, a late U version is applied.
    late=LateHandling.UNKNOWN,
    edited=EditHandling.REFUSES,
)
