"""The columns that an expression uses, and the name of an index's column."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache

from migsafe.schema.objects import Column, Formula
from migsafe.sql.lexer import QUOTED, STRINGS, WORD, fold, token_spans
from migsafe.sql.operations import Expression

_BEFORE_TYPES = ("::", "collate", "as")


@lru_cache(8192)
def identifiers(sql: str) -> tuple[str, ...]:
    """Returns the identifiers in an expression or a query that may be columns: without functions, qualifiers and types, but with keywords."""
    names: dict[str, None] = {}
    pending, before, is_type = "", "", False
    for kind, text in (*_tokens(sql), (0, "")):
        # A word before a string is the type of a constant: date '2000-01-01'.
        if pending and text not in ("(", ".") and kind not in STRINGS:
            names[pending] = None
        word = _identifier(kind, text)
        if text != ".":
            # The name of a type or a collation may have a schema.
            is_type = before in _BEFORE_TYPES or (is_type and before == ".")
        pending = "" if is_type else word
        before = word or text
    return tuple(names)


def row_columns(sql: str) -> tuple[str, ...]:
    """Returns the columns in the WHEN condition of a trigger: only OLD and NEW have columns in it."""
    return tuple(dict.fromkeys(column for _, column in row_references(sql) if column != "*"))


def row_references(sql: str) -> tuple[tuple[str, str], ...]:
    """Returns the references to columns in the WHEN condition of a trigger: `old` or `new`, and the column or `*`."""
    words = [(_identifier(kind, text) or text) for kind, text in _tokens(sql)]
    return tuple((words[at], words[at + 2]) for at in range(len(words) - 2) if words[at] in ("old", "new") and words[at + 1] == ".")


def _identifier(kind: int, text: str) -> str:
    """Returns the name in a token; empty for a token without a name."""
    return fold(text) if kind == WORD else text[1:-1].replace('""', '"') if kind == QUOTED else ""


def formula(expression: Expression, columns: Iterable[Column]) -> Formula:
    """Returns the formula of an expression over these columns."""
    words = identifiers(expression.sql)
    return Formula(expression, tuple((column.number, column.name) for column in columns if column.name in words))


_AFTER_RELATION = frozenset(
    (
        *("where", "join", "left", "right", "full", "inner", "cross", "natural", "on", "using", "group", "order", "having", "limit"),
        *("offset", "union", "except", "intersect", "window", "for", "fetch", "tablesample", "select", "lateral"),
    )
)
"""The keywords that may follow a relation, where an alias could be."""


def columns_used(sql: str, relations: Mapping[str, Collection[str]]) -> set[tuple[str, str]]:
    """Returns the columns of some relations that a query uses: pairs of relation and column. `relations` has their columns, by name.

    A qualified column belongs to its alias; `alias.*` means all of them, a bare `*` all columns of the relations that the same SELECT reads. A
    bare column counts for every relation that has it and is read by its SELECT or by an enclosing one.
    """
    words = [(kind, fold(text) if kind == WORD else text[1:-1].replace('""', '"') if kind == QUOTED else text) for kind, text in _tokens(sql)]
    selects, around = _selects(words)
    aliases, read_in = _read(words, selects, relations)
    used: set[tuple[str, str]] = set()
    for at, (kind, word) in enumerate(words):
        qualifier = words[at - 2][1] if at > 1 and words[at - 1][1] == "." and words[at - 2][0] in (WORD, QUOTED) else None
        if kind in (WORD, QUOTED):
            owners = _visible(selects[at], around, read_in) if qualifier is None else aliases.get(qualifier, relations)
            used.update((owner, word) for owner in owners if word in relations[owner])
        elif word == "*" and qualifier is not None:
            # Another alias belongs to a WITH query or a sub-query, whose columns this loop meets inside that query.
            used.update((owner, column) for owner in aliases.get(qualifier, ()) for column in relations[owner])
        elif word == "*" and at > 0 and words[at - 1][1] in ("select", ",", "distinct", "all"):
            used.update((owner, column) for owner in read_in.get(selects[at], ()) for column in relations[owner])
    return used


def _visible(select: int, around: Mapping[int, int], read_in: Mapping[int, set[str]]) -> set[str]:
    """Returns the relations whose columns a query can name: its own, and those of the enclosing queries."""
    visible: set[str] = set()
    at: int | None = select
    while at is not None:
        visible |= read_in.get(at, set())
        at = around.get(at)
    return visible


def _selects(words: list[tuple[int, str]]) -> tuple[list[int], dict[int, int]]:
    """Returns for each token the beginning of its innermost query, and for each query the enclosing one."""
    innermost: list[int] = []
    around: dict[int, int] = {}
    inside = [-1]
    for at, (_, word) in enumerate(words):
        if word == "(":
            is_query = at + 1 < len(words) and words[at + 1][1] in ("select", "with", "values")
            if is_query:
                around[at] = inside[-1]
            inside.append(at if is_query else inside[-1])
        elif word == ")" and len(inside) > 1:
            inside.pop()
        innermost.append(inside[-1])
    return innermost, around


def _read(
    words: list[tuple[int, str]], selects: list[int], relations: Mapping[str, Collection[str]]
) -> tuple[dict[str, set[str]], dict[int, set[str]]]:
    """Returns the relations that each alias may mean (it may mean another one in a sub-query), and those that each query reads."""
    aliases: dict[str, set[str]] = {}
    read_in: dict[int, set[str]] = {}
    for at, (kind, word) in enumerate(words):
        if kind not in (WORD, QUOTED) or at == 0:
            continue
        if word in relations and words[at - 1][1] in ("from", "join", ",", ".", "only", "(", "lateral"):
            read_in.setdefault(selects[at], set()).add(word)
            aliases.setdefault(word, set()).add(word)
            following = at + 1 + (at + 1 < len(words) and words[at + 1][1] == "as")
            if following < len(words) and words[following][0] in (WORD, QUOTED) and words[following][1] not in _AFTER_RELATION:
                aliases.setdefault(words[following][1], set()).add(word)
        elif words[at - 1][1] == ")":
            aliases.setdefault(word, set())  # the alias of a sub-query, not of a relation
    return aliases, read_in


def has_subquery(sql: str) -> bool:
    """Whether an expression contains a query in parentheses."""
    before = ""
    for kind, text in _tokens(sql):
        word = fold(text) if kind == WORD else text
        if before == "(" and kind == WORD and word in ("select", "with"):
            return True
        before = word
    return False


_VALUES_WITHOUT_PARENTHESES = frozenset(
    """null true false default current_date current_time current_timestamp localtime localtimestamp current_user current_role session_user
    user system_user current_catalog current_schema""".split()
)


def is_column_reference(sql: str) -> bool:
    """Whether an expression is one name, which PostgreSQL can only read as that of a column."""
    words = list(_tokens(sql))
    return len(words) == 1 and (words[0][0] == QUOTED or (words[0][0] == WORD and fold(words[0][1]) not in _VALUES_WITHOUT_PARENTHESES))


def has_keyword(sql: str, word: str) -> bool:
    """Whether a query or an expression has a keyword outside parentheses."""
    depth = 0
    for kind, text in _tokens(sql):
        depth += (text == "(") - (text == ")")
        if depth == 0 and kind == WORD and fold(text) == word:
            return True
    return False


def not_nulls(sql: str) -> tuple[str, ...] | None:
    """Returns the columns that a condition requires to be not null; None if it requires anything else."""
    columns: list[str] = []
    condition: list[tuple[int, str]] = []
    for kind, text in (*_tokens(sql), (WORD, "and")):
        if text in ("(", ")"):
            continue
        if kind != WORD or fold(text) != "and":
            condition.append((kind, text))
            continue
        if len(condition) != 4 or condition[0][0] not in (WORD, QUOTED) or [fold(word) for _, word in condition[1:]] != ["is", "not", "null"]:
            return None
        subject = condition[0][1]
        columns.append(fold(subject) if condition[0][0] == WORD else subject[1:-1].replace('""', '"'))
        condition = []
    return tuple(columns)


def output_name(sql: str) -> str:
    """Returns PostgreSQL's name for the index column of an expression: the function that it calls, the column or the type that it casts
    to, else `expr` (FigureIndexColname in src/backend/parser/parse_target.c)."""
    return _named(list(_tokens(sql))) or "expr"


def _tokens(sql: str) -> Iterator[tuple[int, str]]:
    """Returns the tokens of an expression or a query: kind and text."""
    return ((kind, sql[start:end]) for kind, start, end in token_spans(sql))


def _named(words: list[tuple[int, str]]) -> str | None:
    while words and words[0][1] == "(" and _closing(words, 0) == len(words) - 1:
        words = words[1:-1]
    if not words:
        return None
    cast = _last_cast(words)
    if cast is not None:
        inner = _named(words[:cast])
        return inner or _type_name(words[cast + 1 :])
    names: list[str] = []
    at = 0
    while at < len(words) and words[at][0] in (WORD, QUOTED):
        kind, text = words[at]
        names.append(fold(text) if kind == WORD else text[1:-1].replace('""', '"'))
        if at + 1 < len(words) and words[at + 1][1] == ".":
            at += 2
            continue
        at += 1
        break
    if not names:
        return None
    if at == len(words):
        return names[-1]
    whole_call = words[at][1] == "(" and _closing(words, at) == len(words) - 1
    return names[-1] if whole_call else None


def _last_cast(words: list[tuple[int, str]]) -> int | None:
    """Returns the position of a cast of the whole expression: `::` that only a type follows."""
    depth = 0
    for at in range(len(words) - 1, 0, -1):
        text = words[at][1]
        depth += (text == ")") - (text == "(")
        if depth == 0 and text == "::":
            before = words[:at]
            single = len(before) == 1 or (before[0][1] == "(" and _closing(before, 0) == len(before) - 1) or _named_plain(before)
            return at if single else None
    return None


def _named_plain(words: list[tuple[int, str]]) -> bool:
    return _last_cast(words) is not None or _named(words) is not None


def _type_name(words: list[tuple[int, str]]) -> str | None:
    internal = {
        "int": "int4",
        "integer": "int4",
        "bigint": "int8",
        "smallint": "int2",
        "boolean": "bool",
        "decimal": "numeric",
        "real": "float4",
    }
    name = fold(words[0][1]) if words else ""
    return internal.get(name, name) or None


def _closing(words: list[tuple[int, str]], opening: int) -> int:
    depth = 0
    for at in range(opening, len(words)):
        text = words[at][1]
        depth += (text == "(") - (text == ")")
        if depth == 0:
            return at
    return len(words)
