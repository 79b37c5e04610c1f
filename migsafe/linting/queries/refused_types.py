"""Operators and functions that PostgreSQL does not have for the types of a query's operands.

The names of a query resolve whatever the types are (`migsafe.workload.binding`). What the types decide is found as in the statements of
migrations (`migsafe.prediction.refusals`), and with parameters. It takes sqlglot's tree, so only queries whose types may change are looked at.
"""

from migsafe import expressions
from migsafe.prediction.refusals.calls import refuse_calls
from migsafe.prediction.refusals.operands import refuse_operands
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Relation
from migsafe.schema.query_tables import table_columns
from migsafe.sql import operations as sql
from migsafe.sql.operations import TypeName
from migsafe.text import Span
from migsafe.workload import Query
from migsafe.workload.assessment import Failure, QueryAssessment, assess_for_application

_CODES = {"operator does not exist": "42883", "function ": "42883", "op ANY/ALL": "42809", "argument of ": "42804"}
"""The SQLSTATEs of messages, by their beginnings."""
_MATCHED = " cannot be matched"


def refused_types(query: Query, catalog: Catalog, assessment: QueryAssessment) -> Failure | None:
    """Returns what PostgreSQL does not have for the types of a query's operands, with the search_path of the application's sessions; None if
    nothing is known. `assessment` is that of the query in this state of the database."""
    if assessment.failure is not None or not assessment.is_resolved or catalog.has_other_functions:
        return None
    if not (catalog.complete or catalog.from_beginning):
        return None
    failure: list[Failure] = []

    def assess(_: Query, catalog: Catalog) -> QueryAssessment:
        failure.extend(filter(None, (_refused(query.text, catalog, assessment),)))
        return assessment

    assess_for_application(query, catalog, assess)
    return failure[0] if failure else None


def _refused(text: str, catalog: Catalog, assessment: QueryAssessment) -> Failure | None:
    readable = expressions.readable_query(text)
    query = sql.Query(sql=readable, span=Span(0, len(readable)))
    for use in expressions.refused_uses(query, lambda name: table_columns(catalog, name)):
        if not use.function or not catalog.has_function_named(use.function):
            return Failure(code=use.code, message=use.message, name=use.function)
    refusal = refuse_calls(catalog, query) or refuse_operands(catalog, query, readable, lambda: _columns(catalog, assessment))
    if refusal is None:
        return None
    code = next((code for beginning, code in _CODES.items() if refusal.error.startswith(beginning)), "")
    code = "42804" if refusal.error.endswith(_MATCHED) else code
    # Constants of a recorded text are masked: their values say nothing.
    return Failure(code=code, message=refusal.error, name="") if code else None


def _columns(catalog: Catalog, assessment: QueryAssessment) -> list[tuple[str, TypeName | None]]:
    """Returns the columns of the relations that a query uses."""
    relations = [catalog.get(used.oid) for used in assessment.relations]
    return [(column.name, column.type) for relation in relations if isinstance(relation, Relation) for column in relation.columns]
