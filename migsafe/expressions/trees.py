"""sqlglot's trees of expressions, queries and types, for those who need to look inside.

The grammar says where an expression begins and ends, what it calls and what it reads; most questions need no more, and sqlglot takes a
fifth of a second to import. So a tree is made when somebody asks for it. sqlglot's stock parser is called, never subclassed: its compiled
build (sqlglotc) refuses subclasses made at run time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from migsafe.sql.operations import Expression, Query, TypeName

if TYPE_CHECKING:
    from sqlglot import exp

_DIALECT = "postgres"
_CACHED = 4096


def parse_expression(expression: Expression) -> exp.Expr | None:
    """The tree of an expression; None where sqlglot cannot read what PostgreSQL can."""
    return _expression(expression.sql)


def parse_query(query: Query) -> exp.Expr | None:
    """The tree of a query; None where sqlglot cannot read what PostgreSQL can."""
    return _query(query.sql)


def parse_type(type_name: TypeName) -> exp.Expr | None:
    """The tree of a data type; None where sqlglot cannot read what PostgreSQL can."""
    return _type(str(type_name))


@lru_cache(_CACHED)
def _expression(sql: str) -> exp.Expr | None:
    # As an output column, because into=… has no entry for "any expression".
    tree = _query(f"SELECT {sql}")
    return tree.expressions[0] if tree is not None and len(tree.expressions) == 1 else None


@lru_cache(_CACHED)
def _query(sql: str) -> exp.Expr | None:
    import sqlglot  # noqa: PLC0415  # costs more than the rest of the program's start
    from sqlglot import exp  # noqa: PLC0415
    from sqlglot.errors import SqlglotError  # noqa: PLC0415

    try:
        tree = sqlglot.parse_one(sql, read=_DIALECT)
    except (SqlglotError, RecursionError):
        return None
    return None if isinstance(tree, exp.Command) else tree


@lru_cache(_CACHED)
def _type(sql: str) -> exp.Expr | None:
    from sqlglot import exp  # noqa: PLC0415
    from sqlglot.errors import SqlglotError  # noqa: PLC0415

    try:
        return exp.DataType.build(sql, dialect=_DIALECT, udt=True)
    except (SqlglotError, ValueError):
        return None
