"""MyBatis Migrations: `scripts/<number>_<name>.sql`, with `-- //@UNDO` between the halves.

As in mybatis/migrations: the number is a decimal, and a script runs only if its number is greater than the last one that ran
(UpOperation.java); bootstrap.sql creates what existed before the first script, and onabort.sql runs after an error (FileMigrationLoader.java).
A script is one transaction unless `auto_commit=true` is set in environments/<name>.properties; then each statement is, or the script with
`send_full_script=true`, because the JDBC driver sends it as one pipeline (ScriptRunner.java). The mark is a line that begins with `--` or `//`,
then `//`, then `@UNDO` (MigrationReader.java).
"""

import re
from decimal import Decimal
from pathlib import Path

from migsafe.patterns import lazy_pattern
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.project_files import files_in, readable_text
from migsafe.sources.runner import Folder, MigrationFile, Runner
from migsafe.text import Span

_UNDO = lazy_pattern(r"^[ \t]*(?:--|//)[ \t]*//[ \t]*@UNDO[^\r\n]*\r?\n?", re.MULTILINE)
_NAME = lazy_pattern(r"(\d+(?:\.\d+)?)(?:_.*)?\.sql")
_BOOTSTRAP = "bootstrap.sql"
_ENVIRONMENTS = "environments"
_SETTING = r"^[ \t]*{key}[ \t]*[=:][ \t]*true\b"
_AUTO_COMMIT = lazy_pattern(_SETTING.format(key="auto_commit"), re.MULTILINE)
_FULL_SCRIPT = lazy_pattern(_SETTING.format(key="send_full_script"), re.MULTILINE)


class MyBatisFile(MigrationFile, frozen=True, kw_only=True):
    """A script, with how its environments send it."""

    transaction: Transaction


def _files(folder: Folder) -> list[MigrationFile]:
    transaction = _transaction(folder)
    numbers = {name: match[1] for name in folder.sql_files if (match := _NAME.fullmatch(name)) is not None}
    names = sorted(numbers, key=lambda name: (Decimal(numbers[name]), name))
    files: list[MigrationFile] = [MyBatisFile(numbers[name], folder.script(name), transaction=transaction) for name in names]
    if _BOOTSTRAP in folder.files:
        files.insert(0, MyBatisFile("bootstrap", folder.script(_BOOTSTRAP), transaction=transaction))
    return files


def _transaction(folder: Folder) -> Transaction:
    home = Path(folder.path or ".").absolute().parent
    texts = [readable_text(Path(entry.path)) or "" for entry in files_in(home / _ENVIRONMENTS) if entry.name.endswith(".properties")]
    chosen = next((text for text in texts if _AUTO_COMMIT.search(text)), None)
    if chosen is None:
        return Transaction.FILE
    return Transaction.QUERY if _FULL_SCRIPT.search(chosen) else Transaction.STATEMENT


def _read(file: MigrationFile) -> list[Migration]:
    text = file.up.text
    transaction = file.transaction if isinstance(file, MyBatisFile) else Transaction.FILE
    undo = _UNDO.search(text)
    up = Half(file.up, (Span(0, undo.start() if undo is not None else len(text)),), transaction)
    down = Half(file.up, (Span(undo.end(), len(text)),), transaction) if undo is not None else None
    return [Migration(file.id, "mybatis", up, down)]


MYBATIS = Runner(
    name="mybatis",
    title="MyBatis Migrations",
    default_transaction=Transaction.FILE,
    recognises=lambda folder: folder.mentions(_UNDO),
    files=_files,
    read=_read,
    outside_transaction_advice=(
        "apply it by itself from an environment of its own with `auto_commit=true` (environments/….properties, `migrate up 1 --env=…`)"
    ),
    retry_advice="run `migrate up` again",
    connection_advice="in environments/….properties, `url=jdbc:postgresql://…?options=-c%20lock_timeout=2s`",
    unique_versions=True,
    late=LateHandling.SKIPS,
)
