"""Files of named queries: `-- name: get_user :one` of sqlc, `-- name: get-user^` of aiosql and yesql, `-- :name get-user :? :1` of HugSQL and
PugSQL. A file without names is read whole."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from migsafe.patterns import lazy_pattern
from migsafe.text import Script
from migsafe.workload.placeholders import Prepared, from_colons, from_sqlc
from migsafe.workload.query_names import NAME_LINE
from migsafe.workload.sources.found import Found, Piece, queries_of

_SUFFIXES = lazy_pattern(r"(?:<!|\*!|[!^$#*])$")
_DEFINES = lazy_pattern(r"^[ \t]*(?:CREATE|ALTER|DROP|GRANT|COMMENT\s+ON)\b", re.MULTILINE | re.IGNORECASE)
_COMMAND_OF_SQLC = lazy_pattern(r"\s*:(?:one|many|exec\w*|copyfrom|batch\w+)\b")
_SQLC_FUNCTION = lazy_pattern(r"\bsqlc\.(?:arg|narg|slice|embed)\s*\(|(?<![\w@<>&|~!#])@[A-Za-z_]")


def named_queries(script: Script, *, sqlc: bool = False, chosen: bool = True) -> Iterator[Found]:
    """Yields the queries of a file, and those that could not be read. `sqlc`: sqlc's configuration names the file. A file without names that
    was not `chosen` itself, only its folder, is left out if it creates or changes objects. Raises UnreadableError.
    """
    text = script.text
    heads = [] if "name" not in text.lower() and ":snip" not in text else list(NAME_LINE.finditer(text))
    if not heads:
        if not chosen and _DEFINES.search(text):
            return
        name = PurePosixPath(script.path).stem
        yield from queries_of(_piece(text, 0, name, sqlc=sqlc or bool(_SQLC_FUNCTION.search(text))), script)
        return
    for number, head in enumerate(heads):
        end = heads[number + 1].start() if number + 1 < len(heads) else len(text)
        start = head.end()
        if head["kind"].lower().endswith(":snip"):
            continue
        of_sqlc = sqlc or (head["kind"][0] != ":" and bool(_COMMAND_OF_SQLC.match(head["rest"])))
        body = text[start:end]
        if head[0].lstrip().startswith("/*") and "*/" not in head[0]:
            body = body[body.find("*/") + 2 :] if "*/" in body else ""
            start = end - len(body)
        piece = _piece(body, head.start(), _SUFFIXES.sub("", head["name"]), sqlc=of_sqlc)
        yield from queries_of(piece, script, is_sql=True)


def _piece(body: str, start: int, name: str, *, sqlc: bool) -> Piece:
    prepared = from_sqlc(body) if sqlc else from_colons(body) if ":" in body else Prepared(body)
    return Piece(text=prepared.text, start=start, name=name, hole=prepared.hole)
