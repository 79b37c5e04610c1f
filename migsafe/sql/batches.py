"""SQL that changes all rows of a table in batches."""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from migsafe.sql.lexer import COMMENT_START, DOLLAR_STRING, QUOTED, WORD, pattern_for
from migsafe.sql.operations import Name
from migsafe.sql.operations.values import quoted

_CHANGES = frozenset(("insert", "update", "delete", "merge"))


class Change(NamedTuple):
    """An UPDATE or DELETE without its WHERE and RETURNING, with normalized line breaks.

    `target` qualifies its columns where it joins other tables, and is empty otherwise. `with_clause_writes`: its WITH also changes rows, so it
    must run only once. `where` is its condition, empty without one.
    """

    sql: str
    target: str
    with_clause_writes: bool
    where: str = ""


class Token(NamedTuple):
    """A token with the number of brackets around it, and the `gap` before it: white space and comments."""

    kind: int
    text: str
    depth: int
    gap: str


def without_filter(change: str) -> Change:
    """Return a change without its filter, so that another filter can follow."""
    tokens: list[Token] = []
    where: list[Token] = []
    part: list[Token] | None = tokens
    for token in tokens_of(change):
        word = token.text.lower() if token.depth == 0 and token.kind == WORD else ""
        if word in ("where", "returning"):
            part = where if word == "where" else None
        elif part is not None:
            part.append(token)
    words = [token.text.lower() if token.kind == WORD and token.depth == 0 else "" for token in tokens]
    joins = "using" in words or "from" in words[words.index("set") :] if "set" in words else "using" in words
    end = words.index("set") if "set" in words else words.index("using") if "using" in words else len(tokens)
    names = [token.text for token in tokens[:end] if token.depth == 0 and token.kind in (WORD, QUOTED)]
    sql = _with_normalized_gaps(tokens)
    with_clause_writes = any(token.kind == WORD and token.depth and token.text.lower() in _CHANGES for token in tokens)
    return Change(sql, names[-1] if joins and names else "", with_clause_writes, _with_normalized_gaps(where))


def _with_normalized_gaps(tokens: Sequence[Token]) -> str:
    """Return the text of tokens without comments, its lines indented as those of a loop, and as far from each other as they were."""
    indents = [len(_last_line(token.gap)) for token in tokens[1:] if "\n" in token.gap]
    least = min(indents, default=0)

    def gap(token: Token) -> str:
        return f"\n            {' ' * (len(_last_line(token.gap)) - least)}" if "\n" in token.gap else " " if token.gap else ""

    return "".join(gap(token) + token.text for token in tokens).strip().removesuffix(";")


def _last_line(gap: str) -> str:
    return re.sub(r".*(?:\n|\*/)", "", gap, flags=re.DOTALL).expandtabs(4)


def reads_what_it_changes(change: str, table: Name, columns: Collection[str]) -> bool:
    """Return whether an UPDATE may read the `columns` that it changes in other rows of its table, or a DELETE (without `columns`) other rows:
    in batches, later ones would read what earlier ones have changed."""
    tokens = [token for token in tokens_of(change) if token.kind in (WORD, QUOTED) or token.text == "."]
    names = [token.text.lower() if token.kind == WORD else token.text.strip('"') for token in tokens]
    own = [number for number, name in enumerate(names) if name == table.name and names[number + 1 : number + 2] != ["."]]
    if len(own) < 2:
        return False
    return not columns or any(names.count(column) > 1 for column in columns)


def until_second_row(insert: str) -> str:
    """Return an INSERT with only the first of several rows in VALUES, without what follows them; any other text unchanged."""
    in_values, end = False, 0
    for token in tokens_of(insert):
        end += len(token.gap) + len(token.text)
        if token.depth == 0 and in_values and token.text != "(":
            return insert[:end] if token.text == ")" else insert
        in_values = in_values or (token.depth == 0 and token.kind == WORD and token.text.lower() == "values")
    return insert


def tokens_of(sql: str) -> list[Token]:
    """Return the tokens of a statement, up to a comment that is not closed."""
    found: list[Token] = []
    pattern, offset, depth = pattern_for(sql), 0, 0
    while offset < len(sql) and (match := pattern.match(sql, offset)) is not None and match.lastindex is not None:
        kind, text, end = match.lastindex, match[match.lastindex], match.end()
        if end == offset or kind == COMMENT_START:
            break
        if kind == DOLLAR_STRING:
            end = sql.find(text, end) + len(text)
            text = sql[match.start(kind) : end]
        depth -= text in (")", "]")
        found.append(Token(kind, text, depth, sql[offset : match.start(kind)]))
        depth += text in ("(", "[")
        offset = end
    return found


def batched_by_key(change: Change, table: Name, key: Sequence[str], *, filtered: bool = False) -> str:
    """Return a DO block that changes every row once, 10,000 rows in each transaction, in the order of a key with one or more columns.
    `filtered`: the change keeps its own filter, too."""
    names = [quoted(name) for name in key]
    columns, first = ", ".join(names), names[0]
    start, end = (_row(f"{side}.{name}" for name in names) for side in ("batch_start", "batch_end"))
    row, qualified = _row(names), _row(f"{change.target}.{name}" if change.target else name for name in names)
    own = f" AND ({change.where})" if filtered and change.where else ""
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
            f"            WHERE {qualified} >= {start} AND (batch_end.{first} IS NULL OR {qualified} < {end}){own};",
            "        COMMIT;",
            "        batch_start := batch_end;",
            "    END LOOP;",
            "END $$;",
        )
    )


def _row(names: Iterable[str]) -> str:
    fields = tuple(names)
    return fields[0] if len(fields) == 1 else f"({', '.join(fields)})"
