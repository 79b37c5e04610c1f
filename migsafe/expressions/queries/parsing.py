"""The text of a query as sqlglot can read it."""

from sqlglot import exp

from migsafe.expressions.queries.collecting import NotUnderstoodError
from migsafe.expressions.queries.operands import Operands
from migsafe.expressions.queries.reading import read_condition, read_query
from migsafe.expressions.queries.shapes import Condition, Operand, Shape, UnreadShape
from migsafe.expressions.trees import parse_expression, parse_statement
from migsafe.sql.lexer import PARAMETER, pattern_for
from migsafe.sql.operations import Expression


def query_shape(text: str) -> Shape | UnreadShape:
    """Returns the shape of a query, or why it has none."""
    tree = parse_statement(_spaced(text))
    if tree is None:
        return UnreadShape(reason="sqlglot cannot read the query")
    try:
        return read_query(tree)
    except NotUnderstoodError as error:
        return UnreadShape(reason=str(error))
    except RecursionError:
        return UnreadShape(reason="the query is nested too deeply")


def condition_shape(expression: Expression) -> Condition | None:
    """Returns the predicate of an index; None if sqlglot cannot read it."""
    tree = parse_expression(expression)
    return None if tree is None or tree.find(exp.Query) is not None else read_condition(tree)


def operand_shape(expression: Expression) -> Operand | None:
    """Returns the expression of an index; None if sqlglot cannot read it."""
    tree = parse_expression(expression)
    return None if tree is None or tree.find(exp.Query) is not None else Operands({}).operand(tree)


def _spaced(text: str) -> str:
    """Returns a query with a space after each parameter: sqlglot reads `$1,$` in `$1,$2` as the beginning of a dollar-quoted string."""
    if "$" not in text:
        return text
    pieces: list[str] = []
    written = at = 0
    pattern = pattern_for(text)
    while (match := pattern.match(text, at)) is not None and match.lastindex is not None and match.end() > at:
        at = match.end()
        if match.lastindex == PARAMETER:
            pieces.append(text[written:at])
            written = at
    return " ".join((*pieces, text[written:]))
