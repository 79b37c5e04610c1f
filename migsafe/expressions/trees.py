"""sqlglot's trees of expressions, queries and data types.

The grammar in `migsafe.sql` knows where an expression begins and ends, which functions it calls and which relations it reads. A tree is built
only for a question that needs more. sqlglot's own parser is called and never subclassed: its compiled build (sqlglotc) rejects subclasses
that are made at run time.
"""

import re
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

from migsafe.patterns import lazy_pattern
from migsafe.sql.operations import Expression, Query, TypeName

TYPE_NAMES = {
    "SMALLINT": "smallint",
    "INT": "integer",
    "BIGINT": "bigint",
    "DECIMAL": "numeric",
    "DOUBLE": "double precision",
    "FLOAT": "real",
    "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMPTZ": "timestamp with time zone",
    "VARCHAR": "character varying",
}
"""PostgreSQL's names of types that sqlglot calls otherwise."""

DIALECT = Dialect.get_or_raise("postgres")
"""sqlglot makes a dialect again for each call that names it."""
_OVERRIDING = lazy_pattern(r"\bOVERRIDING\s+(?:SYSTEM|USER)\s+VALUE\b", re.IGNORECASE)
_CACHED = 4096


def parse_expression(expression: Expression) -> exp.Expr | None:
    """Return the tree of an expression; None where sqlglot cannot read valid SQL."""
    return _expression(expression.sql)


def parse_query(query: Query) -> exp.Expr | None:
    """Return the tree of a query; None where sqlglot cannot read valid SQL."""
    return _statement(query.sql)


def parse_statement(text: str) -> exp.Expr | None:
    """Return the tree of a statement on rows; None where sqlglot cannot read it, and for an empty text."""
    if not text:
        return None
    # sqlglot does not know the clause, which decides about the values of identity columns only.
    text = _OVERRIDING.sub(" ", text) if "verriding" in text or "VERRIDING" in text else text
    # In a string that EXECUTE runs, quotes are doubled.
    return _statement(text) or _statement(text.replace("''", "'"))


def parse_type(type_name: TypeName) -> exp.Expr | None:
    """Return the tree of a data type; None where sqlglot cannot read valid SQL."""
    return _type(str(type_name))


def type_sql(to: exp.Expr) -> str:
    """Return a data type as sqlglot writes it. Most types are only a name, and are written once."""
    if isinstance(to, exp.DataType) and not any(value for key, value in to.args.items() if key != "this"):
        return _bare_type(to.this)
    return to.sql(dialect=DIALECT)


@lru_cache(256)
def _bare_type(kind: object) -> str:
    return exp.DataType(this=kind).sql(dialect=DIALECT)


def folded_name(identifier: exp.Expr) -> str:
    """Return a name as PostgreSQL folds it: in lower case, unless it is quoted."""
    return str(identifier.name) if identifier.args.get("quoted") else str(identifier.name).lower()


def folded_table(column: exp.Expr) -> str:
    """Return the name before the dot of a column as PostgreSQL folds it; empty without one."""
    table = column.args.get("table")
    return folded_name(table) if table is not None else ""


def folded_alias(table: exp.Expr) -> str:
    """Return the name by which a statement calls a table as PostgreSQL folds it: its alias, or its own name."""
    alias = table.args.get("alias")
    name = alias.this if isinstance(alias, exp.TableAlias) else alias if alias is not None else table.this
    return folded_name(name) if isinstance(name, exp.Identifier) else str(table.alias_or_name).lower()


@lru_cache(_CACHED)
def _expression(sql: str) -> exp.Expr | None:
    # The expression becomes an output column, because `into=` has no entry for "any expression".
    tree = _statement(f"SELECT {sql}")
    return tree.expressions[0] if tree is not None and len(tree.expressions) == 1 else None


@lru_cache(_CACHED)
def _statement(sql: str) -> exp.Expr | None:
    try:
        tree = sqlglot.parse_one(sql, read=DIALECT)
    except (SqlglotError, RecursionError):
        return None
    return None if isinstance(tree, exp.Command) else tree


@lru_cache(_CACHED)
def _type(sql: str) -> exp.Expr | None:
    try:
        return exp.DataType.build(sql, dialect=DIALECT, udt=True)
    except (SqlglotError, ValueError):
        return None
