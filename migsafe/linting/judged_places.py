"""What rules check besides operations of PostgreSQL: places in files, refused operations, the end of a migration, queries."""

from typing import TYPE_CHECKING

from migsafe.linting.finding import NamedQuery
from migsafe.schema.refusal import Refusal
from migsafe.sql.operations import Name, Operation

if TYPE_CHECKING:
    from migsafe.workload import Query
    from migsafe.workload.assessment import QueryAssessment


class FilePlace(Operation, frozen=True):
    """A place in the file that people edit, which rules can report. It is not an operation of PostgreSQL."""


class WorkloadQuery(FilePlace, frozen=True, kw_only=True):
    """A query of the current release at the end of the history, for the rules about queries. It is not an operation of PostgreSQL.

    `named` is how findings name it, `assessment` what it needs of the database. `is_new` if the running release does not send it,
    `before` is how often that sends it in one request. `new_tables` are the tables that it uses and that the judged migrations create,
    `reported` those for which another finding says that it lost its index.
    """

    query: "Query"
    named: NamedQuery
    assessment: "QueryAssessment"
    is_new: bool = False
    before: int = 0
    new_tables: frozenset[Name] = frozenset()
    reported: frozenset[Name] = frozenset()


class RefusedOperation(Operation, frozen=True):
    """An operation that PostgreSQL refuses, for the rules that report it. It is not an operation of PostgreSQL."""

    refusal: Refusal


class MigrationEnd(Operation, frozen=True):
    """The end of a migration, for rules that need the whole migration. It is not an operation of PostgreSQL."""
