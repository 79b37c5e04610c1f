"""Changes of all rows of a table, written so that they are made in batches."""

from migsafe.sql.lexer import DOLLAR_STRING, WORD, pattern_for
from migsafe.sql.operations import Name
from migsafe.sql.operations.values import quoted


def unfiltered(change: str) -> str:
    """An UPDATE or DELETE as it was written, without its own WHERE and RETURNING."""
    pattern, at, depth = pattern_for(change), 0, 0
    while (match := pattern.match(change, at)) is not None and match.lastindex is not None:
        kind = match.lastindex
        text = match[kind]
        if kind == WORD and depth == 0 and text.lower() in ("where", "returning"):
            return change[: match.start(kind)].rstrip()
        if match.end() == at:
            break
        depth += (text in ("(", "[")) - (text in (")", "]"))
        at = match.end() if kind != DOLLAR_STRING else change.find(text, match.end()) + len(text)
    return change.rstrip().rstrip(";")


def by_key(change: str, table: Name, key: str) -> str:
    """A DO block that makes a change without a filter, 10,000 rows a transaction, in the order of a key. Each row is changed once."""
    column = quoted(key)
    return "\n".join(
        (
            "DO $$",
            "DECLARE",
            f"    batch_start {table}.{column}%TYPE := (SELECT {column} FROM {table} ORDER BY {column} LIMIT 1);",  # noqa: S608
            f"    batch_end {table}.{column}%TYPE;",
            "BEGIN",
            "    WHILE batch_start IS NOT NULL LOOP",
            f"        batch_end := (SELECT {column} FROM {table} WHERE {column} >= batch_start ORDER BY {column} OFFSET 10000 LIMIT 1);",  # noqa: S608
            f"        {change}",
            f"            WHERE {column} >= batch_start AND (batch_end IS NULL OR {column} < batch_end);",
            "        COMMIT;",
            "        batch_start := batch_end;",
            "    END LOOP;",
            "END $$;",
        )
    )
