"""A custom runner, as the configuration describes it."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Half, Migration, Transaction, whole_script
from migsafe.sources.runner import Folder, MigrationFile, Runner, natural_key, recorded_name, subfolders, version_of
from migsafe.sources.sections import DOWN, UP
from migsafe.text import Script, Span


class CustomRunner(Struct, frozen=True):
    """The configuration of a custom runner."""

    files: Annotated[
        str, Meta(description="A glob of the migrations below each folder of `migrations`; `**/` matches folders of any depth.")
    ] = "*.sql"
    order: Annotated[
        Literal["name", "number", "file-name", "file-number"],
        Meta(
            description="How the migrations are ordered: by name, or with the numbers in the names compared as numbers; `file-name` and "
            "`file-number` do not compare the names of folders, so that several folders are one history."
        ),
    ] = "number"
    down: Annotated[
        str | None, Meta(description="A glob of the names of down files, each of which belongs to the file with the same number.")
    ] = None
    up_marker: Annotated[
        str | None, Meta(description="A regular expression of the line that begins the upgrade, if one file contains both directions.")
    ] = None
    down_marker: Annotated[
        str | None, Meta(description="A regular expression of the line that begins the downgrade, if one file contains both directions.")
    ] = None
    transaction: Annotated[
        Literal["file", "query", "statement"],
        Meta(
            description="What the runner does with a migration: it runs it in one transaction, sends it as one query, or runs each "
            "statement in its own transaction."
        ),
    ] = "file"
    no_transaction: Annotated[str | None, Meta(description="A glob of the names of files that run outside a transaction.")] = None
    no_transaction_marker: Annotated[
        str | None, Meta(description="A regular expression of the line in a file that turns the transaction off.")
    ] = None
    out_of_order: Annotated[
        Literal["applies", "skips", "refuses", "unknown"],
        Meta(description="What the runner does with a new migration that sorts before one that has run."),
    ] = "unknown"


def custom_runner(configuration: CustomRunner) -> Runner:
    """Returns the runner that a configuration describes."""
    default = Transaction(configuration.transaction)
    return Runner(
        name="custom",
        title="the runner that the configuration describes",
        default_transaction=default,
        recognises=lambda folder: bool(_files(configuration, folder)),
        files=lambda folder: _files(configuration, folder),
        read=lambda file: _read(configuration, default, file),
        outside_transaction_advice=_outside(configuration),
        retry_advice="run the migrations again",
        searches_subfolders=True,
        record=recorded_name,
        late=LateHandling(configuration.out_of_order),
    )


def _outside(configuration: CustomRunner) -> str:
    if configuration.no_transaction_marker:
        return f"give it a line that matches `{configuration.no_transaction_marker}`"
    if configuration.no_transaction:
        return f"name its file so that it matches `{configuration.no_transaction}`"
    return "run it outside the runner's transaction"


def glob_pattern(pattern: str) -> str:
    """Returns a regular expression for a glob of paths: `**/` matches any folders, `*` and `?` match within a name."""
    parts = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(parts.get(piece) or re.escape(piece) for piece in re.split(r"(\*\*/|\*\*|\*|\?)", pattern) if piece)


def _is_named_like(path: str, pattern: str) -> bool:
    """Whether the last parts of a path, as many as the glob has, match the glob."""
    return re.search(rf"(?:^|/){glob_pattern(pattern)}$", path) is not None


def _files(configuration: CustomRunner, folder: Folder) -> list[MigrationFile]:
    wanted = glob_pattern(configuration.files)
    start = len(folder.join("x")) - 1
    scripts: dict[str, Script] = {}
    for inner in (folder, *(subfolders(folder) if "/" in configuration.files else ())):
        for name in inner.files:
            script = inner.script(name)
            if re.fullmatch(wanted, script.path[start:]):
                scripts[script.path[start:]] = script
    names = sorted(scripts, key=_ORDERS[configuration.order])
    downs = {_version(name): name for name in names if configuration.down and _is_named_like(name, configuration.down)}
    down_names = set(downs.values())
    return [
        MigrationFile(_version(name), scripts[name], scripts[downs[_version(name)]] if _version(name) in downs else None)
        for name in names
        if name not in down_names
    ]


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]


_ORDERS: dict[str, Callable[[str], Any]] = {
    "name": str,
    "number": natural_key,
    "file-name": lambda path: (_file_name(path), path),
    "file-number": lambda path: (natural_key(_file_name(path)), path),
}


def _version(name: str) -> str:
    return version_of(_file_name(name))


def _read(configuration: CustomRunner, default: Transaction, file: MigrationFile) -> list[Migration]:
    down = _half(configuration, default, file.down) if file.down else None
    if configuration.up_marker is None and configuration.down_marker is None:
        return [Migration(file.id, "custom", _half(configuration, default, file.up), down)]
    ups, downs = _sections(configuration, file.up)
    if not ups and not downs:
        return [Migration(file.id, "custom", _half(configuration, default, file.up), down)]
    transaction = _transaction(configuration, default, file.up)
    return [Migration(file.id, "custom", Half(file.up, ups, transaction), Half(file.up, downs, transaction) if downs else down)]


def _sections(configuration: CustomRunner, script: Script) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Returns the spans of both halves. If there is only a down marker, the text before the first one is the upgrade."""
    text = script.text
    marks: list[tuple[int, str]] = [] if configuration.up_marker else [(0, UP)]
    for pattern, half in ((configuration.up_marker, UP), (configuration.down_marker, DOWN)):
        if pattern:
            marks += [(match.start(), half) for match in re.finditer(pattern, text, re.MULTILINE)]
    marks.sort()
    ends = [*(start for start, _ in marks), len(text)][1:]
    pieces = [(half, Span(start, end)) for (start, half), end in zip(marks, ends, strict=True)]
    return tuple(span for half, span in pieces if half == UP), tuple(span for half, span in pieces if half == DOWN)


def _half(configuration: CustomRunner, default: Transaction, script: Script) -> Half:
    return whole_script(script, _transaction(configuration, default, script))


def _transaction(configuration: CustomRunner, default: Transaction, script: Script) -> Transaction:
    if configuration.no_transaction and _is_named_like(script.path, configuration.no_transaction):
        return Transaction.NONE
    if configuration.no_transaction_marker and re.search(configuration.no_transaction_marker, script.text, re.MULTILINE):
        return Transaction.NONE
    return default
