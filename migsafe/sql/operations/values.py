"""The values in operations: names, types, expressions, queries."""

from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

from migsafe.sql.keywords import COLUMN_NAME, RESERVED, TYPE_OR_FUNCTION_NAME
from migsafe.text import Span

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_$")


@lru_cache(maxsize=4096)
def quoted(identifier: str) -> str:
    """Returns the identifier as it must be written in SQL: in double quotes if PostgreSQL would otherwise read something else.

    Template marks (`{{ … }}`, `${…}`) are not quoted, because the runner replaces them before it sends the statement.
    """
    if "{{" in identifier or "${" in identifier:
        return identifier
    plain = (
        identifier != ""
        and not identifier[0].isdigit()
        and identifier[0] != "$"
        and _PLAIN.issuperset(identifier)
        and identifier not in RESERVED
        and identifier not in COLUMN_NAME
        and identifier not in TYPE_OR_FUNCTION_NAME
    )
    return identifier if plain else '"' + identifier.replace('"', '""') + '"'


def unquoted(identifier: str) -> str:
    """Returns the identifier that SQL with or without double quotes names, as it is written."""
    return identifier[1:-1].replace('""', '"') if len(identifier) > 1 and identifier[0] == identifier[-1] == '"' else identifier


class Name(NamedTuple):
    """A name as PostgreSQL resolves it: in lower case unless it was quoted; `schema` is None if the statement names none."""

    name: str
    schema: str | None = None
    catalog: str | None = None

    def __str__(self) -> str:
        if self.catalog is None:
            return quoted(self.name) if self.schema is None else f"{quoted(self.schema)}.{quoted(self.name)}"
        return ".".join(quoted(part) for part in (self.catalog, self.schema, self.name) if part is not None)


_SQL_SYNTAX_NAMES = frozenset(
    (
        *("integer", "smallint", "bigint", "real", "double precision", "numeric", "boolean", "bit", "bit varying", "json"),
        *("character", "character varying", "interval", "timestamp with time zone", "timestamp without time zone"),
        *("time with time zone", "time without time zone"),
    )
)


class TypeName(Struct, frozen=True, kw_only=True):
    """A data type.

    `name` is the canonical name (`int` and `int4` are `integer`, `varchar` is `character varying`, `timestamptz` is `timestamp with time
    zone`). `modifiers` are the arguments in parentheses, as written; `dimensions` is the number of array brackets; `fields` are an
    interval's (`day to second`). `percent_type`: `table.column%TYPE`. `serial` keeps its name, because it also creates a sequence and a
    default; `char` is the one-byte type "char" of the system catalogues.
    """

    name: str
    schema: str | None = None
    modifiers: tuple[str, ...] = ()
    dimensions: int = 0
    setof: bool = False
    fields: str = ""
    percent_type: bool = False

    def __str__(self) -> str:
        text = self.name if self.schema is None and self.name in _SQL_SYNTAX_NAMES else quoted(self.name)
        text = text if self.schema is None else f"{quoted(self.schema)}.{text}"
        if self.modifiers:
            inside = f"({', '.join(self.modifiers)})"
            words = text.split(" ", 1)
            # timestamp(3) with time zone: the precision follows the first word
            after_first = self.schema is None and words[0] in ("timestamp", "time") and len(words) > 1
            text = f"{words[0]}{inside} {words[1]}" if after_first else text + inside
        if self.fields:
            text = f"{text} {self.fields}"
        return ("setof " if self.setof else "") + text + ("%type" if self.percent_type else "") + "[]" * self.dimensions


class Expression(Struct, frozen=True, kw_only=True):
    """An expression as written, with the functions that it calls and the relations that its sub-queries read.

    `migsafe.expressions.trees.parse_expression` returns its sqlglot tree. `span` is its place in the script.
    """

    sql: str
    span: Span
    calls: tuple[Name, ...] = ()
    reads: tuple[Name, ...] = ()


class Query(Struct, frozen=True, kw_only=True):
    """A SELECT, VALUES or TABLE as written, or a data-modifying statement in WITH or COPY.

    `reads` are its relations without those of its own WITH, `only` those of them that are always read with ONLY, `calls` its functions,
    `row_locks` the relations that FOR UPDATE, FOR SHARE etc. name (None without such a clause, empty if it locks all of them), `filtered`
    says whether the outermost SELECT has a WHERE, `whole` are the relations that are read without a WHERE or a LIMIT around them.
    `migsafe.expressions.trees.parse_query` returns its sqlglot tree.
    """

    sql: str
    span: Span
    reads: tuple[Name, ...] = ()
    calls: tuple[Name, ...] = ()
    row_locks: tuple[Name, ...] | None = None
    filtered: bool = False
    only: tuple[Name, ...] = ()
    whole: tuple[Name, ...] = ()


class Option(Struct, frozen=True):
    """One element of a list such as `WITH (fillfactor = 70)`: the name with its namespace (`toast.autovacuum_enabled`), the value as
    written, None if it has none."""

    name: str
    value: str | None = None


class _Certainty(Struct, frozen=True, kw_only=True):
    certain: bool = True
    caught: tuple[str, ...] = ()
    releases: tuple[int, ...] | None = None
    settings: tuple[tuple[str, str], ...] = ()


class Operation(_Certainty, frozen=True):
    """One effectful part of a statement.

    `span` is the place of the operation itself in the script: the `ADD COLUMN` inside a long ALTER TABLE, the line inside a DO block.
    `certain` is False if a branch, a loop or an exception handler of a DO block decides whether it runs at all. `caught` are the
    conditions that the exception handlers of its block catch, as written there: `duplicate_object`, `others`, `sqlstate '42710'`.
    `releases` are the PostgreSQL releases on which it runs, if a condition on the version of the server decides it; else None.
    `settings` are those of the function whose body it is in (CREATE FUNCTION … SET), which hold while the function runs.
    """

    span: Span
