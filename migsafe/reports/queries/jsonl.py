"""The file of queries that the configuration's `queries` may name: without what the schema says of them."""

from migsafe.library.queries import QueryList
from migsafe.terminal.display import Display
from migsafe.workload.document import document_text


def report(queries: QueryList, display: Display) -> str:
    """Returns the text of the file."""
    return document_text(listed.query for listed in queries.queries)
