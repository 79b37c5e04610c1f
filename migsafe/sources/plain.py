"""Plain .sql files, run in the order of their numbers as `psql -f` does: each statement its own transaction.

psql's documentation, -f and --single-transaction: without the latter every command is committed by itself.
"""

from collections import Counter

from migsafe.patterns import lazy_pattern
from migsafe.sources.assumed_transactions import UnknownFile, read_unknown, with_evidence
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Migration, Transaction
from migsafe.sources.runner import Folder, MigrationFile, Runner, natural_key, recorded_name, version_of

NUMBERED = lazy_pattern(r"[vV]?\d")
_NUMBERED_AFTER_WORD = lazy_pattern(r"([A-Za-z]+[_.-])\d")
_DOWN = lazy_pattern(r"[._-]down\.sql$")


def plain_files(folder: Folder) -> list[UnknownFile]:
    """Returns the files of a folder in the order of their numbers. If most of them have one, perhaps after the same word, those without are not
    migrations (a dump of the schema, a seed, a draft)."""
    names = folder.sql_files
    numbered = [name for name in names if NUMBERED.match(name)] or _numbered_after_a_word(names)
    chosen = sorted(numbered if len(numbered) * 2 > len(names) else names, key=natural_key)
    downs = {up: name for name in chosen if (up := _up_of(name, names)) is not None}
    down_names = set(downs.values())
    ups = [name for name in chosen if name not in down_names]
    versions = Counter(version_of(name) for name in ups)
    return with_evidence(
        UnknownFile(
            version_of(name) if versions[version_of(name)] == 1 else name.removesuffix(".sql"),
            folder.script(name),
            folder.script(downs[name]) if name in downs else None,
            # The order of names without numbers is that of the files, and says nothing about when each was applied.
            late=None if NUMBERED.match(name) else LateHandling.APPLIES,
        )
        for name in ups
    )


def _numbered_after_a_word(names: list[str]) -> list[str]:
    """Returns the names that begin with the most frequent word before a number, as in `migration_0012_notes.sql`."""
    words = {name: match[1] for name in names if (match := _NUMBERED_AFTER_WORD.match(name))}
    [(common, _)] = Counter(words.values()).most_common(1) or [("", 0)]
    return [name for name in names if words.get(name) == common]


def _up_of(name: str, names: list[str]) -> str | None:
    """Returns the file that a `.down.sql`, `_down.sql` or `-down.sql` undoes; None for a name that is not that of a down file."""
    down = _DOWN.search(name)
    if not down:
        return None
    up = name[: down.start() + 1] + "up.sql"
    if up in names or name[down.start()] == ".":
        return up
    return None


def _read(file: MigrationFile) -> list[Migration]:
    return read_unknown(file, "plain")


PLAIN = Runner(
    name="plain",
    title="plain SQL, as psql -f runs it",
    default_transaction=Transaction.STATEMENT,
    recognises=lambda folder: bool(folder.sql_files),
    files=lambda folder: list(plain_files(folder)),
    read=_read,
    outside_transaction_advice="run it outside the runner's transaction",
    record=recorded_name,
    retry_advice="run the migration again, from the statement that failed",
    connection_advice="in the environment of psql, `PGOPTIONS='-c lock_timeout=2s'`",
)
