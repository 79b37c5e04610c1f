"""Queries assessed on a schema of a few statements."""

from migsafe.prediction.predictor import Predictor
from migsafe.schema.catalog import Catalog
from migsafe.sources import Half, Transaction
from migsafe.text import Script, Span
from migsafe.workload.assessment import QueryAssessment, assess
from migsafe.workload.query import Query


def catalog_of(sql: str, *, pg_version: int = 17, from_beginning: bool = True) -> Catalog:
    """Returns the database after some statements, the first of its history."""
    predictor = Predictor(pg_version)
    predictor.begin_history(from_first_migration=from_beginning)
    predictor.apply(Half(Script("0001.sql", sql), (Span(0, len(sql)),), Transaction.STATEMENT))
    return predictor.catalog


def assessed(text: str, catalog: Catalog, *parameters: str | None) -> QueryAssessment:
    """Returns the assessment of a query."""
    return assess(Query(text=text, fingerprint=text, parameters=parameters), catalog)
