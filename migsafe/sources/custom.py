"""A home-made runner, as the configuration describes it."""

import fnmatch
import re

from msgspec import Struct

from migsafe.sources.migration import Half, Migration, Transaction, whole
from migsafe.sources.runner import Folder, MigrationFile, Runner, by_number, version_of
from migsafe.sources.sections import UP
from migsafe.text import Script, Span


class CustomRunner(Struct, frozen=True):
    """What a configuration says of a home-made runner.

    `files` is a glob of the migrations' file names; `order` is `name` or `number`; `down` a glob of those among them that take a migration
    back, which belong to the file with the same number; `up_marker` and `down_marker` are regular expressions of the lines that begin the
    halves where one file holds both; `transaction` is what the runner does with a migration (`file`, `query`, `statement`);
    `no_transaction` is a glob of file names, `no_transaction_marker` a regular expression of a line, that switch it off.
    """

    files: str = "*.sql"
    order: str = "number"
    down: str | None = None
    up_marker: str | None = None
    down_marker: str | None = None
    transaction: str = "file"
    no_transaction: str | None = None
    no_transaction_marker: str | None = None


def custom_runner(description: CustomRunner) -> Runner:
    """The runner that a configuration describes."""
    return Runner(
        name="custom",
        title="the runner that the configuration describes",
        recognises=lambda folder: any(fnmatch.fnmatch(name, description.files) for name in folder.files),
        files=lambda folder: _files(description, folder),
        read=lambda file: _read(description, file),
        outside=_outside(description),
    )


def _outside(description: CustomRunner) -> str:
    if description.no_transaction_marker:
        return f"give it a line that matches `{description.no_transaction_marker}`"
    if description.no_transaction:
        return f"name its file so that it matches `{description.no_transaction}`"
    return "run it outside the runner's transaction"


def _files(description: CustomRunner, folder: Folder) -> list[MigrationFile]:
    names = [name for name in folder.files if fnmatch.fnmatch(name, description.files)]
    names.sort(key=by_number if description.order == "number" else None)
    downs = {version_of(name): name for name in names if description.down and fnmatch.fnmatch(name, description.down)}
    taken = set(downs.values())
    return [
        MigrationFile(version_of(name), folder.script(name), folder.script(downs[version_of(name)]) if version_of(name) in downs else None)
        for name in names
        if name not in taken
    ]


def _read(description: CustomRunner, file: MigrationFile) -> list[Migration]:
    down = _half(description, file.down) if file.down else None
    if description.up_marker is None and description.down_marker is None:
        return [Migration(file.id, "custom", _half(description, file.up), down)]
    ups, downs = _sections(description, file.up)
    transaction = _transaction(description, file.up)
    below = Half(file.up, downs, transaction) if downs else down
    return [Migration(file.id, "custom", Half(file.up, ups, transaction), below)]


def _sections(description: CustomRunner, script: Script) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """The pieces of either half. What stands before the first marker is up where only a down marker is known."""
    text = script.text
    marks: list[tuple[int, str]] = [] if description.up_marker else [(0, UP)]
    for pattern, half in ((description.up_marker, "up"), (description.down_marker, "down")):
        if pattern:
            marks += [(match.start(), half) for match in re.finditer(pattern, text, re.MULTILINE)]
    marks.sort()
    ends = [at for at, _ in marks[1:]] + [len(text)]
    pieces = [(half, Span(at, end)) for (at, half), end in zip(marks, ends, strict=True)]
    return tuple(span for half, span in pieces if half == UP), tuple(span for half, span in pieces if half != UP)


def _half(description: CustomRunner, script: Script) -> Half:
    return whole(script, _transaction(description, script))


def _transaction(description: CustomRunner, script: Script) -> Transaction:
    name = script.path.replace("\\", "/").rsplit("/", 1)[-1]
    if description.no_transaction and fnmatch.fnmatch(name, description.no_transaction):
        return Transaction.NONE
    if description.no_transaction_marker and re.search(description.no_transaction_marker, script.text, re.MULTILINE):
        return Transaction.NONE
    return Transaction(description.transaction)
