"""What a query needs of a database: the relations and columns it uses, why it fails, the indexes that serve it."""

from msgspec import Struct

from migsafe.sql.operations import Name


class UsedRelation(Struct, frozen=True, kw_only=True):
    """A relation that a query uses. `columns` are the columns that it names; `all_columns` if it uses whole rows (`*`) as well. A relation may
    be both read and written; an INSERT reads its target only if it returns or compares columns."""

    oid: int
    name: Name
    columns: frozenset[str] = frozenset()
    all_columns: bool = False
    is_read: bool = False
    is_written: bool = False


class Failure(Struct, frozen=True, kw_only=True):
    """Why PostgreSQL rejects a query on the schema: the SQLSTATE, its message, and the object in question (`relation` and `column` if they are
    known, `name` is that of a missing relation, function or type)."""

    code: str
    message: str
    name: str
    relation: int | None = None


class Filter(Struct, frozen=True, kw_only=True):
    """A condition on one table: the column or expression, the operator (`=`, `in`, `like`, …), and what it is compared with: `parameter`,
    `constant`, `column` (of another table), `query`, or `expression`."""

    subject: str
    operator: str
    compared_with: str


class CandidateIndex(Struct, frozen=True, kw_only=True):
    """An index that would serve a table: its method, its keys as SQL, and the predicate of a partial index, as SQL; empty if it has all rows.
    `mutable` says why PostgreSQL does not build it, because the result of a key is not immutable; empty if nothing is known against it."""

    method: str
    keys: tuple[str, ...]
    mutable: str = ""
    predicate: str = ""


class Conversion(Struct, frozen=True, kw_only=True):
    """A comparison for which PostgreSQL converts a column to another type, so that it does not use the `index` on the column."""

    column: str
    type: str
    index: Name


class TableAccess(Struct, frozen=True, kw_only=True):
    """A reading of one table. `index` is the index that serves it; None without one. `candidates` are the indexes that would serve it, if
    PostgreSQL reads the whole table for a few rows of it: one, or of an OR all that its parts lack. `is_unindexed` if they can be built, and
    the query would be cheap with them: `beside` are the other tables that it reads as a whole in any case. A table without index and candidates
    is read as a whole on purpose, or its filters select too many rows for an index; or a `conversion` keeps PostgreSQL from using its index.
    If it `is_optional`, the candidates serve it only in executions with values for the optional conditions of the query."""

    oid: int
    name: Name
    alias: str
    filters: tuple[Filter, ...] = ()
    index: Name | None = None
    is_unindexed: bool = False
    candidates: tuple[CandidateIndex, ...] = ()
    beside: tuple[Name, ...] = ()
    conversion: Conversion | None = None
    is_optional: bool = False


class InsertProblem(Struct, frozen=True, kw_only=True):
    """Why an INSERT or UPDATE fails when it runs, although PostgreSQL prepares it. `kind` is `omits` (a NOT NULL column without default),
    `null` (it writes NULL into a NOT NULL column) or `generated` (it writes a column that is always generated)."""

    kind: str
    oid: int
    table: Name
    column: str


class QueryAssessment(Struct, frozen=True, kw_only=True):
    """What a query needs of a database. `kind` is `select`, `insert`, `update`, `delete`, `merge` or `values`.

    `failure` is None if the query runs, or if it is not certain that it fails. `unresolved` says why the query is not understood; empty if all
    of it is. `uncertain` says what is not known of the schema, so that a failure is not certain; empty if all of it is known.
    `unknown_types` are the types that it names and no migration creates; other parts of the project may.
    `repeated_output` is the name of two output columns that are columns of relations; None if there are none.
    """

    kind: str
    relations: tuple[UsedRelation, ...] = ()
    failure: Failure | None = None
    unresolved: str = ""
    uncertain: str = ""
    accesses: tuple[TableAccess, ...] = ()
    insert_problems: tuple[InsertProblem, ...] = ()
    unknown_types: frozenset[str] = frozenset()
    repeated_output: str | None = None

    @property
    def is_resolved(self) -> bool:
        """Whether everything that the query names was found, or is known not to exist."""
        return not self.unresolved and not self.uncertain
