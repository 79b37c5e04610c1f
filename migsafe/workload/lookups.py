"""What a query asked the catalogue, so that its assessment is valid for as long as the answers are the same."""

from collections.abc import Callable, Collection
from typing import Any, Self

from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import is_absent_function
from migsafe.schema.known_objects import SYSTEM_SCHEMAS
from migsafe.schema.objects import Constraint, Function, Index, Object, Relation, Trigger, Type
from migsafe.sql.operations import Name, TypeName
from migsafe.workload.shapes import Shapes


class Lookups:
    """A catalogue that remembers what it was asked, with the shapes of queries. `still_holds` says whether another state of the database gives
    the same answers. `created` are the tables that the application creates itself; `keyless` is a table that is taken to have no primary
    key. `views` are the views that `binding` resolved for earlier queries, by their numbers; without `with_accesses`, the queries of
    views are not kept with the queries that read them."""

    def __init__(
        self,
        catalog: Catalog,
        shapes: Shapes,
        created: Collection[str] = (),
        *,
        keyless: int | None = None,
        views: dict[int, Any] | None = None,
        with_accesses: bool = True,
    ) -> None:
        self._catalog = catalog
        self._keyless = keyless
        self.views = views if views is not None else {}
        self.with_accesses = with_accesses
        self.shapes = shapes
        self._created = created
        self.pg_version = catalog.pg_version
        self._answers: dict[tuple[Any, ...], Any] = {} if keyless is None else {("primary key", keyless): ()}

    def _ask(self, *question: Any) -> Any:
        if question not in self._answers:
            self._answers[question] = _QUESTIONS[question[0]](self._catalog, *question[1:])
        return self._answers[question]

    def still_holds(self, catalog: Catalog) -> bool:
        """Whether a catalogue answers all questions in the same way."""
        return all(_is_same(_QUESTIONS[question[0]](catalog, *question[1:]), answer) for question, answer in self._answers.items())

    def part(self) -> Self:
        """Returns lookups in the same state of the database, for a part of the query. Their answers do not depend on the rest."""
        return type(self)(
            *(self._catalog, self.shapes, self._created), keyless=self._keyless, views=self.views, with_accesses=self.with_accesses
        )

    def include(self, part: Self) -> bool:
        """Adds the answers that a part depends on. Returns False if they no longer hold."""
        if not part.still_holds(self._catalog):
            return False
        self._answers.update(part._answers)
        return True

    def relation(self, name: Name) -> Relation | None:
        """Returns the table, view or sequence of this name."""
        relation: Relation | None = self._ask("relation", name)
        return relation

    def resolve(self, name: Name) -> Name:
        """Adds the schema in which PostgreSQL finds a relation."""
        resolved: Name = self._ask("resolve", name)
        return resolved

    def get(self, oid: int) -> Object | None:
        """Returns the object with this number."""
        found: Object | None = self._ask("get", oid)
        return found

    def indexes(self, table: int) -> tuple[Index, ...]:
        """Returns a relation's indexes."""
        indexes: tuple[Index, ...] = self._ask("indexes", table)
        return indexes

    def has_one_row(self, table: int) -> bool:
        """Whether a table has no room for two rows: all rows have the same key of a unique index, such as `((true))`."""
        return any(index.unique and index.predicate is None and not any(key.columns for key in index.keys) for index in self.indexes(table))

    def children(self, table: int) -> tuple[Relation, ...]:
        """Returns the tables that inherit from a table directly: its children, or its partitions."""
        children: tuple[Relation, ...] = self._ask("children", table)
        return children

    def triggers(self, table: int) -> tuple[Trigger, ...]:
        """Returns a relation's triggers."""
        triggers: tuple[Trigger, ...] = self._ask("triggers", table)
        return triggers

    def primary_key_columns(self, table: int) -> tuple[str, ...]:
        """Returns the columns of a table's primary key that determine the others; nothing if there is none, or if it can be deferred."""
        columns: tuple[str, ...] = self._ask("primary key", table)
        return columns

    def references(self, table: int) -> tuple[Constraint, ...]:
        """Returns a table's foreign keys."""
        references: tuple[Constraint, ...] = self._ask("references", table)
        return references

    def constraint(self, table: int, name: str) -> Constraint | None:
        """Returns a table's constraint of this name."""
        constraint: Constraint | None = self._ask("constraint", table, name)
        return constraint

    def type_of(self, name: TypeName) -> Type | None:
        """Returns the enum, domain or composite type, or for an array the one of its elements."""
        return self.type_named(Name(name.name, name.schema))

    def type_named(self, name: Name) -> Type | None:
        """Returns the enum, domain or composite type of this name."""
        found: Type | None = self._ask("type", name)
        return found

    def is_dropped_type(self, name: Name) -> bool:
        """Whether it is known that a type of this name was dropped."""
        return bool(self._ask("dropped type", name))

    def has_function_named(self, name: str) -> bool:
        """Whether a schema has a function of this name."""
        return bool(self._ask("function", name))

    def is_dropped_function(self, name: Name) -> bool:
        """Whether it is known that the last function of a name was dropped."""
        return bool(self._ask("dropped function", name))

    def functions_named(self, name: str) -> tuple[Function, ...]:
        """Returns the functions of this name in all schemas."""
        functions: tuple[Function, ...] = self._ask("functions", name)
        return functions

    def has_no_relation(self, name: Name) -> bool:
        """Whether it is certain that a query does not find a relation of this name. The application's search_path may differ from that of the
        migrations, so a relation of this name in another schema may be meant."""
        return str(name) not in self._created and bool(self._ask("no relation", name))

    def knows_all_functions(self) -> bool:
        """Whether a function that is not in the catalogue, and not one of PostgreSQL's, does not exist."""
        return bool(self._ask("no functions"))


def _is_same(answer: object, former: object) -> bool:
    if answer is former:
        return True
    if isinstance(answer, tuple) and isinstance(former, tuple) and not isinstance(answer, Name):
        return len(answer) == len(former) and all(new is old for new, old in zip(answer, former, strict=True))
    return not isinstance(answer, Object) and answer == former


def _is_dropped_type(catalog: Catalog, name: Name) -> bool:
    schemas = (name.schema,) if name.schema is not None else catalog.search_path
    return any(Name(name.name, schema) in catalog.dropped_types for schema in schemas)


def _has_no_relation(catalog: Catalog, name: Name) -> bool:
    if name.schema is None and any(relation.name.name == name.name for relation in catalog.relations()):
        return False
    if catalog.is_absent(name):
        return True
    # PostgreSQL's own extensions create no relations, except for views whose names begin with pg_.
    return catalog.from_beginning and catalog.resolve(name).schema not in SYSTEM_SCHEMAS and not catalog.has_other_functions


def _primary_key_columns(catalog: Catalog, oid: int) -> tuple[str, ...]:
    table, key = catalog.get(oid), catalog.primary_key(oid)
    if key is None or key.deferrable or not isinstance(table, Relation):
        return ()
    columns = [table.column_numbered(number) for number in key.columns]
    return tuple(column.name for column in columns if column is not None)


_QUESTIONS: dict[str, Callable[..., Any]] = {
    "relation": lambda catalog, name: catalog.relation(name),
    "resolve": lambda catalog, name: catalog.resolve(name),
    "get": lambda catalog, oid: catalog.get(oid),
    "indexes": lambda catalog, oid: tuple(catalog.indexes(oid)),
    "children": lambda catalog, oid: tuple(catalog.children(oid)),
    "primary key": _primary_key_columns,
    "references": lambda catalog, oid: tuple(each for each in catalog.constraints(oid) if each.references is not None),
    "triggers": lambda catalog, oid: tuple(catalog.triggers(oid)),
    "constraint": lambda catalog, oid, name: catalog.constraint(oid, name),
    "type": lambda catalog, name: catalog.type_named(name),
    "dropped type": _is_dropped_type,
    "dropped function": is_absent_function,
    "function": lambda catalog, name: catalog.has_function_named(name),
    "functions": lambda catalog, name: tuple(catalog.functions_named(name)),
    "no relation": _has_no_relation,
    "no functions": lambda catalog: not catalog.has_other_functions and (catalog.complete or catalog.from_beginning),
}
"""The questions that an assessment depends on. A catalogue answers with the same object for as long as it is unchanged."""
