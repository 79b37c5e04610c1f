"""The shapes of queries and of the expressions of indexes, each read once."""

from functools import lru_cache

from migsafe import expressions
from migsafe.expressions.queries.shapes import Condition, Operand, Shape, UnreadShape
from migsafe.sql.operations import Expression
from migsafe.text import Span


@lru_cache(16384)
def shape_of(text: str) -> Shape | UnreadShape:
    """Returns the shape of a query, which depends on its text only."""
    return expressions.query_shape(text)


@lru_cache(1024)
def index_operand(sql: str) -> Operand | None:
    """Returns the expression of an index's key; None if sqlglot cannot read it."""
    return expressions.operand_shape(Expression(sql=sql, span=Span(0, 0)))


@lru_cache(1024)
def index_condition(sql: str) -> Condition | None:
    """Returns the predicate of an index; None if sqlglot cannot read it."""
    return expressions.condition_shape(Expression(sql=sql, span=Span(0, 0)))
