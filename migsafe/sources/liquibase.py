"""Liquibase's formatted SQL: `--liquibase formatted sql`, then changesets that begin with `--changeset author:id`.

Directives as in liquibase/liquibase liquibase-standard AbstractFormattedChangeLogParser.java. Each changeset is a separate migration. Its
statements are sent one by one in a transaction unless it says `runInTransaction:false`; with `splitStatements:false` it is sent whole, and
the JDBC driver makes one pipeline of it. `--rollback` lines and `/* liquibase rollback … */` blocks contain the downgrade. Changesets for
another `dbms`, and those with `ignore:true`, do not run.

Files run in the order in which changelogs in XML, YAML or JSON name them; those that none names do not run, unless a name was not found.
Without a changelog they are sorted by name. A plain .sql file is one changeset.
"""

import re

from migsafe.patterns import lazy_pattern
from migsafe.sources.lineage import LateHandling
from migsafe.sources.liquibase_changelog import CHANGELOGS, included_scripts, is_changelog
from migsafe.sources.migration import Half, Migration, Transaction, whole_script
from migsafe.sources.runner import EditHandling, Folder, MigrationFile, Runner, natural_key, subfolders, version_of
from migsafe.text import Script, Span

_HEADER = lazy_pattern(r"^\s*--\s*liquibase\s*formatted", re.IGNORECASE | re.MULTILINE)
_CHANGESET = lazy_pattern(
    r"^[ \t]*--[ \t]*changeset[ \t]+(?P<author>\"[^\"]+\"|[^:\r\n]+):[ \t]*(?P<id>\"[^\"]+\"|\S+)(?P<attributes>[^\r\n]*)",
    re.MULTILINE | re.IGNORECASE,
)
_ROLLBACK = lazy_pattern(r"^[ \t]*--[ \t]*rollback (?P<sql>[^\r\n]*)", re.MULTILINE | re.IGNORECASE)
_ROLLBACK_BLOCK = lazy_pattern(r"^[ \t]*/\*[ \t]*liquibase[ \t]*rollback[ \t]*\r?$(?P<sql>.*?)\*/", re.DOTALL | re.MULTILINE | re.IGNORECASE)
_NO_ROLLBACK = lazy_pattern(r"\s*(?:not required|empty|\Z)|.*changesetid", re.IGNORECASE)
_VALID_CHECKSUM = lazy_pattern(r"^[ \t]*--[ \t]*validCheckSum\b", re.MULTILINE | re.IGNORECASE)
_DOWN_FOLDERS = ("rollback", "rollbacks")


def _attribute(attributes: str, name: str) -> str | None:
    match = re.search(rf"\b{name}:(\"[^\"]*\"|\S+)", attributes, re.IGNORECASE)
    return match[1].strip('"') if match else None


def _recognises(folder: Folder) -> bool:
    return folder.mentions(_HEADER) or _has_changelog(folder)


def _has_changelog(folder: Folder) -> bool:
    """Whether a folder contains a changelog in another format, and .sql files below it."""
    changelogs = [name for name in folder.files if name.endswith(CHANGELOGS)]
    return any(is_changelog(folder, name) for name in changelogs[:3]) and bool(_sorted_files(folder))


def _files(folder: Folder) -> list[MigrationFile]:
    included = included_scripts(folder)
    known = {script.path for script in included.scripts}
    others = [script for script in _sorted_files(folder) if script.path not in known] if not (known and included.complete) else []
    return [MigrationFile(version_of(script.path.rpartition("/")[2]), script) for script in (*included.scripts, *others)]


def _sorted_files(folder: Folder) -> list[Script]:
    scripts = [
        inner.script(name)
        for inner in (folder, *subfolders(folder))
        if inner is folder or inner.path.rpartition("/")[2].lower() not in _DOWN_FOLDERS
        for name in inner.sql_files
    ]
    return sorted(scripts, key=lambda script: natural_key(script.path))


def _read(file: MigrationFile) -> list[Migration]:
    text = file.up.text
    if not _HEADER.search(text):
        return [Migration(file.id, "liquibase", whole_script(file.up, Transaction.FILE))]
    heads = list(_CHANGESET.finditer(text))
    ends = [*(head.start() for head in heads), len(text)][1:]
    return [_changeset(file.up, head, Span(head.start(), end)) for head, end in zip(heads, ends, strict=True) if _runs(head["attributes"])]


def _runs(attributes: str) -> bool:
    if (_attribute(attributes, "ignore") or "").lower() == "true":
        return False
    databases = [name for name in (_attribute(attributes, "dbms") or "all").lower().split(",") if name]
    wanted = [name for name in databases if name[0] != "!"]
    return "!postgresql" not in databases and (not wanted or "all" in wanted or "postgresql" in wanted)


def _changeset(script: Script, head: re.Match[str], span: Span) -> Migration:
    attributes = head["attributes"]
    transaction = Transaction.FILE
    if (_attribute(attributes, "runInTransaction") or "").lower() == "false":
        whole_query = (_attribute(attributes, "splitStatements") or "").lower() == "false"
        transaction = Transaction.QUERY if whole_query else Transaction.NONE
    up = Half(script, _between(script.text, span, _attribute(attributes, "endDelimiter")), transaction)
    author, identity = (head[group].strip().strip('"') for group in ("author", "id"))
    may_change = any((_attribute(attributes, name) or "").lower() == "true" for name in ("runOnChange", "runAlways"))
    may_change = may_change or _VALID_CHECKSUM.search(script.text, *span) is not None
    return Migration(f"{author}:{identity}", "liquibase", up, _down(script, span, transaction), may_change=may_change)


def _between(text: str, span: Span, delimiter: str | None) -> tuple[Span, ...]:
    """Returns the spans between delimiters other than `;`; a delimiter is a regular expression that matches at the end of a line."""
    if not delimiter or delimiter in (";", r"\;"):
        return (span,)
    try:
        pattern = re.compile(rf"(?:{delimiter})[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)
    except re.error:
        pattern = re.compile(rf"{re.escape(delimiter)}[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)
    first = text.find("\n", span.start, span.end)
    pieces, start = [], span.start if first < 0 else first
    for match in pattern.finditer(text, start, span.end):
        pieces.append(Span(start, match.start()))
        start = match.end()
    return (*pieces, Span(start, span.end))


def _down(script: Script, span: Span, transaction: Transaction) -> Half | None:
    """Returns the downgrade; each `--rollback` line is a separate chunk."""
    spans = [Span(*match.span("sql")) for pattern in (_ROLLBACK, _ROLLBACK_BLOCK) for match in pattern.finditer(script.text, *span)]
    chunks = tuple(chunk for chunk in sorted(spans) if not _NO_ROLLBACK.match(script.text[chunk.start : chunk.end]))
    return Half(script, chunks, transaction) if chunks else None


LIQUIBASE = Runner(
    name="liquibase",
    title="Liquibase formatted SQL",
    default_transaction=Transaction.FILE,
    recognises=_recognises,
    files=_files,
    read=_read,
    outside_transaction_advice="put it into a changeset with `runInTransaction:false`",
    retry_advice="run `liquibase update` again",
    connection_advice="in the URL of the database, `?options=-c%20lock_timeout=2s`",
    searches_subfolders=True,
    # Each changeset runs once, wherever it stands; checksums are validated. The path is part of its identity (RanChangeSet.java): one that has
    # moved is a new one, and one that is gone is not looked for.
    late=LateHandling.APPLIES,
    edited=EditHandling.REFUSES,
    renamed=EditHandling.IGNORES,
    record=lambda file: file.up.path,
    record_table="""CREATE TABLE databasechangelog (id varchar(255) NOT NULL, author varchar(255) NOT NULL, filename varchar(255) NOT NULL,
        dateexecuted timestamp NOT NULL, orderexecuted integer NOT NULL, exectype varchar(10) NOT NULL, md5sum varchar(35),
        description varchar(255), comments varchar(255), tag varchar(255), liquibase varchar(20), contexts varchar(255), labels varchar(255),
        deployment_id varchar(10))""",
)
