"""What rules say about the application's queries: what an operation is called, how often a query is sent, and the index that would serve it."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from migsafe.linting.facts.index_builds import index_by_partition
from migsafe.linting.facts.wording import command_name
from migsafe.linting.finding import NamedQuery
from migsafe.linting.judged_places import FilePlace
from migsafe.linting.rule import Context, Limits, PastOperation
from migsafe.patterns import lazy_pattern
from migsafe.prediction.predictor import Predictor
from migsafe.rendering.op_calls import as_op_calls
from migsafe.schema.default_names import free_relation_name
from migsafe.schema.indexes import index_beginning_with
from migsafe.schema.objects import SYSTEM_COLUMNS, Relation, RelationKind
from migsafe.schema.statistics import row_count
from migsafe.schema.volatility import volatility_of
from migsafe.sources import Lineage, Migration, Runner, Transaction
from migsafe.sql import operations as sql
from migsafe.sql.generation import create_index, join_migrations
from migsafe.sql.operations import Name
from migsafe.sql.operations.values import quoted
from migsafe.sql.statements import Statement, read
from migsafe.text import Span

if TYPE_CHECKING:
    from migsafe.linting.queries.change import QueryChange
    from migsafe.workload.assessment import CandidateIndex, TableAccess

_CHOSEN_BY_DEFAULT = "btree"
_CALL = lazy_pattern(r"\b(\w+)\(")
_STABLE = lazy_pattern(r"\bAS (?:DATE|TIME|TEXT|VARCHAR)|\bEXTRACT\(|\bINTERVAL\b|\bCURRENT_|\bLOCALTIME|\bSESSION_USER\b|\|\|", re.IGNORECASE)
"""What depends on settings, for some types: casts from and to times, their parts and sums, and `||` of something that is not text."""
_QUOTED = lazy_pattern(r'"([^"]+)"')
_TEXT_CAST = lazy_pattern(r'\(CAST\("([^"]+)" AS (?:TEXT|VARCHAR)\)\)')
_SAME_TEXT = frozenset(("uuid", "smallint", "integer", "bigint", "numeric", "boolean", "inet"))
_COMPARED = lazy_pattern(r'(?:^| AND )("[^"]+"|\w+) (?:IS NULL|IN \()')


def operation_words(at: Context, done: PastOperation) -> str:
    """Returns an operation in the words of SQL, with its objects: `DROP COLUMN note of orders`."""
    match done.operation:
        case sql.DropColumn(target=target, column=column):
            return f"DROP COLUMN {quoted(column)} of {target.name}"
        case sql.AddColumn(target=target, column=added):
            return f"ADD COLUMN {quoted(added.name)} to {target.name}"
        case sql.RenameColumn(target=target, column=column, new_name=new):
            return f"RENAME COLUMN {quoted(column)} TO {quoted(new)} of {target.name}"
        case sql.AlterColumnType(target=target, column=column, type=type_name):
            return f"ALTER COLUMN {quoted(column)} TYPE {type_name} of {target.name}"
        case sql.SetNotNull(target=target, column=column):
            return f"SET NOT NULL on {quoted(column)} of {target.name}"
        case sql.DropDefault(target=target, column=column):
            return f"DROP DEFAULT on {quoted(column)} of {target.name}"
        case sql.DropConstraint(target=target, constraint=constraint):
            return f"DROP CONSTRAINT {quoted(constraint)} of {target.name}"
        case sql.Drop(kind=kind, names=names):
            return f"DROP {kind.upper()} {', '.join(map(str, names))}"
        case sql.Rename(kind=kind, name=name, new_name=new):
            return f"ALTER {kind.upper()} {name} RENAME TO {quoted(new)}"
        case sql.SetSchema(kind=kind, name=name, schema=schema):
            return f"ALTER {kind.upper()} {name} SET SCHEMA {quoted(schema)}"
        case sql.CreateTable(table=name):
            return f"CREATE TABLE {name}"
        case sql.CreateView(view=name):
            return f"CREATE VIEW {name}"
        case sql.CreateFunction(kind=kind, function=name):
            return f"CREATE {kind.upper()} {name}"
    return command_name(at, done)


def sender(change: "QueryChange", at: Context) -> str:
    """Returns what sends a query, as the subject of a sentence."""
    if at.queries is None or not at.queries.workload.compared:
        return "the application"
    return "the running release" if at.queries.is_running(change.query) else "the new release"


def changes_by_release(at: Context) -> list["QueryChange"]:
    """Returns what the migration changes for queries, those of the running release first: one finding lists the others after the first."""
    changes = list(at.query_changes)
    if at.queries is not None and at.queries.workload.compared:
        queries = at.queries
        changes.sort(key=lambda change: not queries.is_running(change.query))
    return changes


def listed_name(change: "QueryChange", at: Context) -> str:
    """Returns a query in a list after one of the running release."""
    return f"{change.named} in the new release" if sender(change, at) == "the new release" else str(change.named)


def this_query(query: NamedQuery) -> str:
    """Returns a query in a message that is shown at its place."""
    return f"the query {query.name}" if query.name else "this query"


def how_often(query: NamedQuery) -> str:
    """Returns how often one request sends a query, as a part of a sentence that begins with a comma; empty if it is not known to repeat it."""
    return f", which one request sends up to {query.per_request} times" if query.per_request > 1 else ""


def is_known_small(at: Context, table: Name) -> bool:
    """Whether the table is known to have few rows."""
    rows = row_count(at.limits.rows, table) if at.limits.rows else None
    return rows is not None and rows < at.limits.small_table


def size_words(at: Context, table: Name) -> str:
    """Returns the row count of a table in parentheses, with a space before it; empty if it is not known."""
    rows = row_count(at.limits.rows, table) if at.limits.rows else None
    return f" (about {rows:,} row{'' if rows == 1 else 's'})" if rows is not None else ""


def lacks_index(at: Context, access: "TableAccess", *, with_values: bool = False) -> bool:
    """Whether a table access reads the whole table for a few rows, and the query would be cheap with an index: all other tables that it reads
    as a whole are known to be small. The columns of the system have no index. `with_values`: also if only executions with values for the
    query's optional conditions would be cheap."""
    if not access.candidates or (access.is_optional and not with_values):
        return False
    if any(each.mutable or SYSTEM_COLUMNS.intersection(each.keys) for each in access.candidates):
        return False
    return all(is_known_small(at, table) for table in access.beside)


def mutable_key(access: "TableAccess") -> str:
    """Returns why PostgreSQL builds no index that would serve a table access, as the end of a sentence; empty if it may build one."""
    for each in access.candidates:
        if each.mutable:
            return f"PostgreSQL builds no index on {', '.join(each.keys)}, because {each.mutable}"
    return ""


def conversion_words(access: "TableAccess") -> str:
    """Returns why the index of a table access is not used, as the end of a sentence; empty without a conversion of a column."""
    found = access.conversion
    if found is None:
        return ""
    return (
        f"it compares {quoted(found.column)} as {found.type}, and PostgreSQL converts the column, so that {shown_name(found.index)} is not used"
    )


def optional_words(access: "TableAccess") -> str:
    """Returns in which executions a table access lacks its index, with a space before it; empty if it does in all of them."""
    return " with values for the optional conditions" if access.is_optional else ""


def missing_index(access: "TableAccess") -> str:
    """Returns which indexes a table access lacks, as a sentence without a subject before it."""
    first, *others = map(_missing, access.candidates)
    return " and ".join((f"no index {first}", *(f"none {other}" for other in others)))


def _missing(candidate: "CandidateIndex") -> str:
    keys = ", ".join(candidate.keys)
    if candidate.predicate:
        return f"on {keys} contains only the rows where {candidate.predicate}"
    return f"begins with {keys}" if candidate.method == _CHOSEN_BY_DEFAULT else f"of type {candidate.method} covers {keys}"


def index_help(at: Context, table: Name, candidates: Sequence["CandidateIndex"], *, is_deployed: bool = False) -> str:
    """Returns the migration that creates indexes, as the runner in use needs it. `is_deployed`: the migration that creates the table is older
    than those that are judged, so it must stay as it is."""
    note, named = "", dict[str, sql.CreateIndex]()
    for candidate in candidates:
        changeable = [key for key in candidate.keys if _may_be_mutable(key, at.catalog.pg_version)]
        keys = [name for key in candidate.keys for name in _columns_of(key)] if changeable else candidate.keys
        if changeable:
            existing = _index_of(at, table, keys)
            if not all(_casts_immutably(at, table, key) for key in changeable):
                use = f"so that {existing} serves the query" if existing else "for example with a range, and index that"
                note = f"-- {changeable[0]} may not be IMMUTABLE, as an index needs it: compare the column itself,\n-- {use}:\n"
            elif existing:
                note = f"-- compare {keys[0]} without the cast, so that {existing} serves the query:\n"
            else:
                keys = list(candidate.keys)
            if existing:
                continue
        if not keys:
            continue
        op = _operation(table, candidate.method, keys, candidate.predicate)
        columns = [*(element.column or "expr" for element in op.elements), *_predicate_columns(candidate.predicate)]
        named[free_relation_name(at.catalog, at.resolve(table), columns, "idx", reserved_names=named).name] = op
    return note + _creation(at, table, named, is_deployed=is_deployed) if named else note.rstrip(":\n")


def _index_of(at: Context, table: Name, columns: Sequence[str]) -> Name | None:
    """Returns the name of an index that begins with the first of some columns."""
    relation = at.catalog.relation(table)
    if relation is None or not columns:
        return None
    first = next((column for column in relation.columns if quoted(column.name) == columns[0]), None)
    index = index_beginning_with(at.catalog, relation, first) if first is not None else None
    return index.name if index is not None else None


def index_help_after(
    migration: Migration, predictor: Predictor, runner: Runner, rows: Mapping[str, int], table: Name, candidates: Sequence["CandidateIndex"]
) -> str:
    """Returns the migration that creates indexes after the last one of a history, as the runner needs it. `predictor` has the database then,
    `rows` are the known row counts."""
    at = Context(migration, predictor, runner, Limits(rows=rows), Lineage())
    at.application_file = migration.up.file
    place = FilePlace(Span(0, 0))
    at.enter(Statement(1, place.span, (place,)), place, ())
    help = index_help(at, table, candidates)
    return as_op_calls(help, at.catalog, in_transaction=migration.up.transaction is Transaction.FILE) if at.is_script else help


def _creation(at: Context, table: Name, named: dict[str, sql.CreateIndex], *, is_deployed: bool) -> str:
    relation = at.catalog.relation(table)
    if at.is_new(table) and not is_deployed and row_count(at.limits.rows, at.resolve(table)) is None:
        where = f"-- in migration {at.migration.id}, which creates the table:\n" if at.application_file is not None else ""
        return where + "\n".join(f"{create_index(op, name)};" for name, op in named.items())
    if isinstance(relation, Relation) and relation.kind is RelationKind.PARTITIONED:
        return join_migrations(*(index_by_partition(at, op, name, relation) for name, op in named.items()))
    return at.outside_transaction("\n".join(f"{create_index(op, name, concurrently=True)};" for name, op in named.items()))


def _may_be_mutable(key: str, pg_version: int) -> bool:
    """Whether it is not certain that an index can have a key, because PostgreSQL allows only expressions that are IMMUTABLE."""
    if not key.startswith("("):
        return False
    calls = [name.lower() for name in _CALL.findall(key)]
    return _STABLE.search(key) is not None or any(volatility_of(Name(name), pg_version) not in ("immutable", None) for name in calls)


def _casts_immutably(at: Context, table: Name, key: str) -> bool:
    """Whether a key casts a column to text whose text form depends on no setting (measured on 15: CREATE INDEX accepts it)."""
    cast, relation = _TEXT_CAST.fullmatch(key), at.catalog.relation(table)
    column = relation.column(cast[1]) if cast is not None and relation is not None else None
    return column is not None and column.type is not None and not column.type.dimensions and column.type.name in _SAME_TEXT


def _columns_of(key: str) -> list[str]:
    """Returns the columns of a key; expressions have their columns in double quotes."""
    return [quoted(name) for name in dict.fromkeys(_QUOTED.findall(key))] if key.startswith("(") else [key]


def _predicate_columns(predicate: str) -> list[str]:
    """Returns the columns of a proposed predicate, for the name of its index: two states of a queue have different indexes."""
    return [name.strip('"') for name in _COMPARED.findall(predicate)]


def _operation(table: Name, method: str, keys: Sequence[str], predicate: str) -> sql.CreateIndex:
    using = f" USING {method}" if method != _CHOSEN_BY_DEFAULT else ""
    where = f" WHERE {predicate}" if predicate else ""
    op = next(iter(read(f"CREATE INDEX ON {shown_name(table)}{using} ({', '.join(keys)}){where}"))).operations[0]
    assert isinstance(op, sql.CreateIndex)
    return op


def shown_name(table: Name) -> Name:
    """Returns a table's name as people write it: without the usual schema."""
    return Name(table.name) if table.schema == "public" else table


def labels(queries: Sequence[NamedQuery]) -> list[str]:
    """Returns the names of queries, for the lists of findings."""
    return [str(query) for query in queries]
