"""Changes of all rows of a table, written so that they are made in batches."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from migsafe.sql.lexer import COMMENT_START, DOLLAR_STRING, QUOTED, WORD, pattern_for
from migsafe.sql.operations import Name
from migsafe.sql.operations.values import quoted

_CHANGES = frozenset(("insert", "update", "delete", "merge"))


class Change(NamedTuple):
    """An UPDATE or DELETE as it was written, but without its own WHERE and RETURNING, its line breaks evened out.

    `target` is what its columns are qualified with where it joins other tables, else empty. `changes_more`: its WITH changes rows too, so that
    it must run once.
    """

    sql: str
    target: str
    with_changes_rows: bool


class _Token(NamedTuple):
    kind: int
    text: str
    depth: int
    gap: str


def without_filter(written: str) -> Change:
    """A change without its filter, ready to get another."""
    kept: list[_Token] = []
    for token in _tokens(written):
        if token.depth == 0 and token.kind == WORD and token.text.lower() in ("where", "returning"):
            break
        kept.append(token)
    words = [token.text.lower() if token.kind == WORD and token.depth == 0 else "" for token in kept]
    joins = "using" in words or "from" in words[words.index("set") :] if "set" in words else "using" in words
    end = words.index("set") if "set" in words else words.index("using") if "using" in words else len(kept)
    names = [token.text for token in kept[:end] if token.depth == 0 and token.kind in (WORD, QUOTED)]
    sql = "".join(_gap(token.gap) + token.text for token in kept).strip().removesuffix(";")
    inner = any(token.kind == WORD and token.depth and token.text.lower() in _CHANGES for token in kept)
    return Change(sql, names[-1] if joins and names else "", inner)


def _gap(between: str) -> str:
    """What stands between two tokens, without comments: a new line where it had one."""
    return "\n            " if "\n" in between else " " if between else ""


def _tokens(sql: str) -> Iterator[_Token]:
    pattern, at, depth = pattern_for(sql), 0, 0
    while at < len(sql) and (match := pattern.match(sql, at)) is not None and match.lastindex is not None:
        kind, text, end = match.lastindex, match[match.lastindex], match.end()
        if end == at or kind == COMMENT_START:
            break
        if kind == DOLLAR_STRING:
            end = sql.find(text, end) + len(text)
            text = sql[match.start(kind) : end]
        depth -= text in (")", "]")
        yield _Token(kind, text, depth, sql[at : match.start(kind)])
        depth += text in ("(", "[")
        at = end


def batched_by_key(change: Change, table: Name, key: Sequence[str]) -> str:
    """A DO block that makes a change of every row, 10,000 rows a transaction, in the order of a key, which may have several columns. Each row
    is changed once."""
    names = [quoted(name) for name in key]
    columns, first = ", ".join(names), names[0]
    start, end = (_row(f"{side}.{name}" for name in names) for side in ("batch_start", "batch_end"))
    row, qualified = _row(names), _row(f"{change.target}.{name}" if change.target else name for name in names)
    ordered = f"FROM {table} WHERE {row} >= {start} ORDER BY {columns}"
    return "\n".join(
        (
            "DO $$",
            "DECLARE",
            "    batch_start record;",
            "    batch_end record;",
            "BEGIN",
            f"    SELECT {columns} INTO batch_start FROM {table} ORDER BY {columns} LIMIT 1;",  # noqa: S608
            f"    WHILE batch_start.{first} IS NOT NULL LOOP",
            f"        SELECT {columns} INTO batch_end {ordered} OFFSET 10000 LIMIT 1;",
            f"        {change.sql}",
            f"            WHERE {qualified} >= {start} AND (batch_end.{first} IS NULL OR {qualified} < {end});",
            "        COMMIT;",
            "        batch_start := batch_end;",
            "    END LOOP;",
            "END $$;",
        )
    )


def _row(names: Iterable[str]) -> str:
    fields = tuple(names)
    return fields[0] if len(fields) == 1 else f"({', '.join(fields)})"
