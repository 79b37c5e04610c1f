"""The words by which an operation's objects are known to queries.

A query can only be affected by an operation if it mentions one of the operation's objects. Finding these queries by the words in their texts
is fast; what the operation means for them is found out by resolving them before and after it.
"""

from collections.abc import Iterable, Iterator

from migsafe.linting.facts.sql_words import words_of
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Relation
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name, Operation

Words = frozenset[str]

_RELATIONS = ("table", "foreign table", "view", "materialized view", "sequence")
_INSERT = "insert"
_CONFLICT = "conflict"
_JOIN = "join"


def harmed_words(op: Operation, catalog: Catalog) -> Iterator[Words]:
    """Yields the words of the queries that an operation may break, or may make slower: a query is one of them if it has all words of one of the
    sets. `catalog` is the database before the operation."""
    match op:
        case sql.DropColumn(target=target, column=column):
            for table in _tables(catalog, target.name):
                yield _words(table, column)
                yield _words(table, _INSERT)
        case sql.RenameColumn(target=target, column=column) | sql.AlterColumnType(target=target, column=column):
            yield from (_words(table, column) for table in _tables(catalog, target.name))
        case sql.AddColumn(target=target, column=column):
            if column.not_null or column.generated or column.identity or any(_demands(constraint) for constraint in column.constraints):
                yield from (_words(table, _INSERT) for table in _tables(catalog, target.name))
            yield _words(target.name.name, column.name, _JOIN)  # a name of another table's column may become ambiguous
        case (
            sql.SetNotNull(target=target)
            | sql.DropDefault(target=target)
            | sql.AddIdentity(target=target)
            | sql.SetIdentity(target=target)
            | sql.DropIdentity(target=target)
            | sql.DropExpression(target=target)
        ):
            yield from (_words(table, _INSERT) for table in _tables(catalog, target.name))
            if isinstance(op, sql.AddIdentity | sql.SetIdentity):
                yield _words(target.name.name, op.column)
        case sql.AddConstraint(target=target, constraint=constraint) if _demands(constraint):
            yield from (_words(table, _INSERT) for table in _tables(catalog, target.name))
        case sql.DropConstraint(target=target):
            yield from (_words(table) for table in _tables(catalog, target.name))
            relation = catalog.relation(target.name)
            if relation is not None:
                yield from (_words(name) for name in _sources(catalog, relation))
        case sql.Rename(kind=kind, name=name) | sql.SetSchema(kind=kind, name=name) if kind not in ("index", "constraint", "trigger"):
            yield _words(name.name)
        case sql.RenameConstraint(constraint=constraint):
            yield _words(constraint, _CONFLICT)
        case sql.Drop():
            yield from _dropped_words(op, catalog)
        case sql.CreateFunction(function=name) | sql.CreateView(view=name):
            yield _words(name.name)
        case sql.RenameEnumValue(value=value):
            yield _words(value)


def introduced_words(op: Operation, catalog: Catalog) -> Iterator[Words]:
    """Yields the words of the queries that may run after an operation and not before it."""
    match op:
        case sql.CreateTable(table=name) | sql.CreateTableAs(table=name):
            yield _words(name.name)
        case sql.CreateView(view=name) | sql.CreateMaterializedView(view=name) | sql.CreateSequence(sequence=name):
            yield _words(name.name)
        case sql.CreateFunction(function=name):
            yield _words(name.name)
        case sql.CreateEnum(type=name) | sql.CreateCompositeType(type=name) | sql.CreateDomain(domain=name):
            yield _words(name.name)
        case sql.AddColumn(target=target, column=column):
            yield _words(target.name.name, column.name)
        case sql.RenameColumn(target=target, new_name=new):
            yield _words(target.name.name, new)
        case sql.AlterColumnType(target=target, column=changed):
            yield _words(target.name.name, changed)
        case sql.Rename(new_name=new):
            yield _words(new)
        case sql.SetSchema(name=name):
            yield _words(name.name)
        case sql.AddEnumValue(value=value) | sql.RenameEnumValue(new_name=value):
            yield _words(value)
        case sql.CreateExtension():
            yield frozenset()
        case sql.CreateIndex(unique=True, table=name):
            yield _words(name.name, _CONFLICT)
        case sql.AddConstraint(target=target, constraint=constraint) if constraint.kind in (ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY):
            yield _words(target.name.name, _CONFLICT)


def _dropped_words(op: sql.Drop, catalog: Catalog) -> Iterator[Words]:
    for name in op.names:
        if op.kind == "index":
            index = catalog.index(name)
            table = catalog.get(index.table) if index is not None else None
            if isinstance(table, Relation):
                yield _words(table.name.name)
                yield from (_words(name) for name in _sources(catalog, table))
        elif op.kind == "schema":
            yield from (_words(relation.name.name) for relation in catalog.relations() if relation.name.schema == name.name)
            yield _words(name.name)
        elif op.kind == "extension":
            yield frozenset()
        else:
            yield _words(name.name)
            relation = catalog.relation(name) if op.kind in _RELATIONS else None
            if relation is not None and op.cascade:
                yield from (_words(other) for other in _readers(catalog, relation))


def _demands(constraint: sql.Constraint) -> bool:
    """Whether a constraint makes a column NOT NULL, or fills it."""
    return constraint.kind in (ConstraintKind.NOT_NULL, ConstraintKind.PRIMARY_KEY)


def _words(*names: str) -> Words:
    return frozenset(word for name in names for word in words_of(name))


def _tables(catalog: Catalog, name: Name) -> Iterator[str]:
    """Yields the names of a table and of those that inherit its columns."""
    yield name.name
    table = catalog.relation(name)
    if table is not None:
        yield from (child.name.name for child in catalog.descendants(table.oid))


def _sources(catalog: Catalog, table: Relation) -> Iterator[str]:
    """Yields the names by which queries also read the rows of a table: those of its parents, and of the views that read one of them."""
    waiting = [table]
    while waiting:
        relation = waiting.pop()
        yield from _readers(catalog, relation)
        parents = [parent for oid in relation.parents if isinstance(parent := catalog.get(oid), Relation)]
        yield from (parent.name.name for parent in parents)
        waiting += parents


def _readers(catalog: Catalog, relation: Relation) -> Iterable[str]:
    """Returns the names of the views that read a relation, directly or through others."""
    names: dict[str, None] = {}
    waiting = [relation.oid]
    while waiting:
        oid = waiting.pop()
        for view in catalog.dependents(oid, Relation):
            if oid in view.reads and view.name.name not in names:
                names[view.name.name] = None
                waiting.append(view.oid)
    return names
