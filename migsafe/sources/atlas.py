"""Atlas: `<version>_<name>.sql` files with an `atlas.sum`.

Order by file name (ariga/atlas sql/migrate/dir.go, LocalDir.Files). Each file runs in a transaction, its statements sent one by one;
`-- atlas:txmode none` switches it off (cmd/atlas/internal/cmdapi/migrate.go, modeFor); then Atlas records each statement, and a run after a
failure begins with the one that failed (sql/migrate/migrate.go, Executor.Execute: `stmts[r.Applied:]`). The directive counts only among the
comment lines at the very top, with an empty line after them (dir.go, LocalFile.comments); without that line Atlas ignores it. A file that
begins with `-- atlas:txtar` contains several parts: `-- migration.sql --` is the upgrade, `-- down.sql --` the downgrade.
"""

import re

from migsafe.patterns import lazy_pattern
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.runner import Folder, MigrationFile, Runner, single_file_migrations
from migsafe.text import Span

_DIRECTIVE = lazy_pattern(r"^--[ \t]*atlas:(?:txmode|txtar|nolint|delimiter|checkpoint)\b", re.MULTILINE)
_TOP = lazy_pattern(r"(?:(?:--|#)[^\n]*(?:\n|\Z))+(?=[ \t]*\r?\n|\Z)")
_TXMODE_NONE = lazy_pattern(r"^[ -~]*atlas:txmode +none\s*$", re.MULTILINE)
_PART = lazy_pattern(r"^-- (\S+) --[ \t]*\r?$", re.MULTILINE)


def _read(file: MigrationFile) -> list[Migration]:
    text = file.up.text
    top = _TOP.match(text)
    transaction = Transaction.NONE if top and _TXMODE_NONE.search(top[0]) else Transaction.FILE
    parts = {"migration.sql": Span(0, len(text))}
    if top and "atlas:txtar" in top[0]:
        marks = list(_PART.finditer(text))
        ends = [*(mark.start() for mark in marks), len(text)][1:]
        parts |= {mark[1]: Span(mark.end(), end) for mark, end in zip(marks, ends, strict=True)}
    resumes = transaction is Transaction.NONE
    up = Half(file.up, (parts["migration.sql"],), transaction, resumes=resumes)
    down = Half(file.up, (parts["down.sql"],), transaction, resumes=resumes) if "down.sql" in parts else None
    return [Migration(file.id, "atlas", up, down)]


def _files(folder: Folder) -> list[MigrationFile]:
    return single_file_migrations(folder, folder.sql_files)


ATLAS = Runner(
    name="atlas",
    title="Atlas",
    default_transaction=Transaction.FILE,
    recognises=lambda folder: bool(folder.sql_files) and ("atlas.sum" in folder.files or folder.mentions(_DIRECTIVE)),
    files=_files,
    read=_read,
    outside_transaction_advice="begin it with `-- atlas:txmode none` and an empty line",
    # `migrate apply` refuses files that were added out of order, unless `exec-order` is set (atlasexec; ariga/atlas issue 2833).
    late=LateHandling.REFUSES,
    retry_advice="run `atlas migrate apply` again",
)
