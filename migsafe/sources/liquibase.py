"""Liquibase's formatted SQL: `--liquibase formatted sql`, then changesets that begin with `--changeset author:id`.

Each changeset is a migration of its own, in a transaction unless it says `runInTransaction:false`; `--rollback` lines hold the way back
(docs.liquibase.com, SQL changelog format). Files come in the order of their names, which is that of includeAll.
"""

import re

from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.runner import Folder, MigrationFile, Runner, listed
from migsafe.text import Script, Span

_HEADER = re.compile(r"\A\s*--\s*liquibase\s+formatted\s+sql\b", re.IGNORECASE)
_CHANGESET = re.compile(
    r"^[ \t]*--\s*changeset\s+(?P<author>[^:\r\n]+):(?P<id>\"[^\"]+\"|\S+)(?P<attributes>[^\r\n]*)$", re.MULTILINE | re.IGNORECASE
)
_ROLLBACK = re.compile(r"^[ \t]*--[ \t]*rollback\b[ \t]?(?P<line>[^\r\n]*)$", re.MULTILINE | re.IGNORECASE)
_ROLLBACK_BLOCK = re.compile(r"/\*\s*liquibase\s+rollback\b(.*?)\*/", re.DOTALL | re.IGNORECASE)
_NO_TRANSACTION = re.compile(r"\brunInTransaction\s*:\s*\"?false", re.IGNORECASE)
_DATABASE = re.compile(r"\bdbms\s*:\s*\"?([^\s\"]+)", re.IGNORECASE)
_NOT_SQL = ("empty", "not required")


def _files(folder: Folder) -> list[MigrationFile]:
    return listed(folder, folder.sql_files)


def _read(file: MigrationFile) -> list[Migration]:
    text = file.up.text
    if not _HEADER.match(text):
        return [Migration(file.id, "liquibase", Half(file.up, (Span(0, len(text)),), Transaction.FILE))]
    heads = list(_CHANGESET.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    found = []
    for head, end in zip(heads, ends, strict=True):
        if not _for_postgresql(head["attributes"]):
            continue
        transaction = Transaction.NONE if _NO_TRANSACTION.search(head["attributes"]) else Transaction.FILE
        span = Span(head.start(), end)
        identity = head["author"].strip() + ":" + head["id"].strip('"')
        found.append(Migration(identity, "liquibase", Half(file.up, (span,), transaction), _down(file.up, span, transaction)))
    return found


def _for_postgresql(attributes: str) -> bool:
    named = _DATABASE.search(attributes)
    if named is None:
        return True
    databases = named[1].lower().split(",")
    return "postgresql" in databases or (all(name.startswith("!") for name in databases) and "!postgresql" not in databases)


def _down(script: Script, span: Span, transaction: Transaction) -> Half | None:
    chunks = [Span(*line.span("line")) for line in _ROLLBACK.finditer(script.text, span.start, span.end)]
    chunks += [Span(*block.span(1)) for block in _ROLLBACK_BLOCK.finditer(script.text, span.start, span.end)]
    written = [chunk for chunk in chunks if script.text[chunk.start : chunk.end].strip().lower() not in ("", *_NOT_SQL)]
    return Half(script, tuple(written), transaction) if written else None


LIQUIBASE = Runner(
    name="liquibase",
    title="Liquibase formatted SQL",
    recognises=lambda folder: folder.mentions(_HEADER),
    files=_files,
    read=_read,
    outside="put it into a changeset with `runInTransaction:false`",
)
