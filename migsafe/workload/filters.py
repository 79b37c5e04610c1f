"""The conditions on a table, as people read them."""

from migsafe.expressions.queries.shapes import Nested, Parameter, Ref, Value
from migsafe.workload.needs import Filter
from migsafe.workload.proposals import as_key
from migsafe.workload.terms import Term


def filter_of(term: Term) -> Filter:
    """Returns the condition of a term."""
    match term.value:
        case Parameter():
            compared = "parameter"
        case Value():
            compared = "constant"
        case Nested():
            compared = "query"
        case Ref():
            compared = "column"
        case None:
            compared = ""
        case _:
            compared = "expression"
    return Filter(subject=as_key(term.subject), operator=term.operator, compared_with=compared)
