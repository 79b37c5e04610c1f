"""What is known about the database after the migrations so far: its objects by number and by name, and what does not exist."""

from collections.abc import Iterator
from typing import TypeVar

from migsafe.schema.column_statistics import ColumnStatistics
from migsafe.schema.column_uses import QueryAnalyser
from migsafe.schema.inserted_keys import InsertedKeys
from migsafe.schema.inserted_rows import InsertedRows
from migsafe.schema.journal import Journal
from migsafe.schema.objects import (
    Constraint,
    Function,
    Index,
    Object,
    Relation,
    Trigger,
    Type,
)
from migsafe.schema.origin import Origin
from migsafe.schema.query_columns import QueryTyper
from migsafe.schema.refusal import Refusal
from migsafe.schema.release import Release, names_in_body
from migsafe.schema.role_names import RoleNames
from migsafe.sql.operations import ConstraintKind, CreateExtension, CreateFunction, Name, Operation, TypeName
from migsafe.text import MARK_START

TEMPORARY = "pg_temp"
SYSTEM_SCHEMAS = frozenset(("pg_catalog", "information_schema", "pg_toast"))
FIRST_OF_TRIALS = 2**40
"""The number after which the objects of trials are numbered; no history has as many objects."""

A = TypeVar("A", bound=Object)


class KnownObjects:
    """The objects of a database, modelled on PostgreSQL's system catalogues, and what is known about them: `Catalog` changes them.

    A relation is in one of three states. It *exists*: `relation()` returns it, and its `complete` says whether all of it is known. It *does
    not exist*: `is_absent()`. Or it is *unknown*, neither of the two: no migration created it, or opaque code may have changed it. If the
    catalogue's own `complete` is True (the history starts with a dump), a relation that is not known does not exist.
    """

    def __init__(self, pg_version: int) -> None:
        self.pg_version = pg_version
        self.analyse_query: QueryAnalyser | None = None
        self.type_query: QueryTyper | None = None
        self.search_path: tuple[str, ...] = ("public",)
        self.complete, self.from_beginning, self.path_is_set = False, False, False
        """`path_is_set`: the session itself has set its search_path; otherwise that of the role, the database or the URL of the connection may
        apply. `from_beginning`: whether the history began with an empty database, as far as it is known: nothing has used a relation that no
        migration made. Programs that ask for an object that no migration made are then told that it does not exist."""
        self.origin = Origin()
        self.migration, self.is_restored = 0, False
        """Whether the migration is a dump that is being restored."""
        self.in_release = False
        """Whether the next migration belongs to a release whose earlier migrations are known; otherwise it is one of its own."""
        self.runs_again = False
        """Whether the runner runs the migration again when it changes: then what it creates may be there from the last run."""
        self.recreated: frozenset[Name] = frozenset()
        """The names, as written, that the migration drops IF EXISTS, and gives to a relation or an index afterwards."""
        self.created_extensions = dict[str, CreateExtension]()
        self.created_relations, self.created_functions = dict[Name, Operation](), dict[Name, CreateFunction]()
        """The extensions that the migration creates, by name, and the tables, views and functions that it certainly creates, by names as
        written."""
        self.certain = True
        self.keeps_existing = False
        """Whether a CREATE of an object that exists changes nothing: a branch has checked before, or a handler catches the error."""
        self.has_other_functions = False
        """Whether an extension that PostgreSQL does not bring along has been created, by the history or outside of it: its functions are not
        known."""
        self.refusals: list[Refusal] = []
        self.notes_refusals = True
        """Whether anything asks for `refusals`; finding some of them takes long."""
        self.uncertain_oids: list[int] = []
        self._objects: dict[int, Object] = {}
        self._numbers: dict[type[Object], dict[int, None]] = {}
        """The numbers of the objects of each class, also of those that no longer exist: most questions are about one class, and few objects
        are of it."""
        self._dependents: dict[int, tuple[int, ...]] = {}
        self._relations, self._schemas_of = dict[Name, int](), dict[str, tuple[str | None, ...]]()
        """The relations and indexes, and the schemas in which there is one of each unqualified name."""
        self._types, self._functions = dict[Name, int](), dict[Name, tuple[int, ...]]()
        self._constraints: dict[Name, tuple[int, ...]] = {}
        self._others: dict[tuple[str, Name], int] = {}
        self._schemas: dict[str, bool] = {"public": True}
        self._absent, self.dropped_types, self.dropped_functions = dict[Name, bool](), dict[Name, bool](), dict[Name, bool]()
        self._temporary, self._possible_parts = dict[int, bool](), dict[tuple[int, str, str], bool]()
        self.row_types: set[int] = set()
        """The relations whose row type a column has, or once had: undoing a change leaves them here."""
        self.called_by_dropped: set[str] = set()
        """The names of functions that dropped views, columns, constraints and indexes called: undoing a DROP leaves them here."""
        self.altered_functions: set[str] = set()
        """The names of functions of extensions that got another volatility: undoing an ALTER FUNCTION leaves them here."""
        self._journal = journal = Journal()
        self.inserted_keys, self.inserted_rows = InsertedKeys(journal), InsertedRows(journal)
        self.roles, self.release, self.statistics = RoleNames(journal), Release(journal), ColumnStatistics(journal)
        self._last = self._committed = 0
        self._last_of_trials = FIRST_OF_TRIALS

    def __getitem__(self, oid: int) -> Object:
        return self._objects[oid]

    def get(self, oid: int) -> Object | None:
        """Returns the object with this number; None if it was dropped."""
        return self._objects.get(oid)

    def require(self, kind: type[A], oid: int) -> A:
        """Returns the object with this number, which must be of this kind."""
        required = self._objects[oid]
        assert isinstance(required, kind)
        return required

    def resolve(self, name: Name) -> Name:
        """Adds the schema in which PostgreSQL finds a relation; for an unknown relation, the first schema of search_path."""
        if name.schema is not None:
            return name if name.catalog is None else Name(name.name, name.schema)
        oid = self._found_by_path(name.name)
        if oid is not None:
            return self._objects[oid].name
        if name.name.startswith("pg_"):
            return Name(name.name, "pg_catalog")
        return self.in_first_schema(name)

    def _found_by_path(self, name: str) -> int | None:
        """Returns the relation or index that an unqualified name finds. A search_path that is not in the migrations, for example that of the
        role, finds the only relation of this name that an earlier migration has created."""
        for schema in (TEMPORARY, *self.search_path) if self._temporary else self.search_path:
            # A tuple equals the Name of its parts, and is made faster.
            oid: int | None = self._relations.get((name, schema, None))  # type: ignore[call-overload]
            if oid is not None:
                return oid
        if self.path_is_set or not (self.origin.made_all or self.complete):
            return None
        namesake = self.namesake(name)
        if namesake is None or self.in_first_schema(Name(name)) in self._absent:
            return None
        made = self.get(namesake.table) if isinstance(namesake, Index) else namesake
        return namesake.oid if isinstance(made, Relation) and 0 < made.created_in < self.migration else None

    def namesake(self, name: str) -> Relation | Index | None:
        """Returns the only relation or index of this name, in any schema."""
        schemas = self._schemas_of.get(name, ())
        found = self._objects[self._relations[Name(name, schemas[0])]] if len(schemas) == 1 and schemas[0] != TEMPORARY else None
        return found if isinstance(found, Relation | Index) else None

    def namesakes(self, name: str) -> list[Relation]:
        """Returns the relations of this name in all schemas, without temporary ones."""
        found = (self._objects[self._relations[Name(name, schema)]] for schema in self._schemas_of.get(name, ()) if schema != TEMPORARY)
        return [each for each in found if isinstance(each, Relation)]

    def in_first_schema(self, name: Name) -> Name:
        """Returns the qualified name under which CREATE creates an object."""
        if name.schema is not None:
            return Name(name.name, name.schema)
        return Name(name.name, self.search_path[0] if self.search_path else "public")

    def relation(self, name: Name) -> Relation | None:
        """Returns the table, view or sequence of this name."""
        relation = self._find(name)
        return relation if isinstance(relation, Relation) else None

    def index(self, name: Name) -> Index | None:
        """Returns the index of this name."""
        index = self._find(name)
        return index if isinstance(index, Index) else None

    def _find(self, name: Name) -> Object | None:
        if name.schema is None:
            oid = self._found_by_path(name.name)
        else:
            oid = self._relations.get(name if name.catalog is None else Name(name.name, name.schema))
        return None if oid is None else self._objects[oid]

    @property
    def has_no_schemas(self) -> bool:
        """Whether the session has emptied its search_path: no unqualified name finds an object that a migration created."""
        return self.path_is_set and not self.search_path

    def is_taken(self, name: Name) -> bool:
        """Whether a relation or an index has this name."""
        return name in self._relations

    def is_absent(self, name: Name) -> bool:
        """Whether it is known that no relation and no index has this name."""
        resolved = self.resolve(name)
        if name.schema is None and self.has_no_schemas and resolved.schema not in SYSTEM_SCHEMAS:
            return self._found_by_path(name.name) is None
        if resolved in self._relations or resolved.schema in SYSTEM_SCHEMAS or (resolved.schema or "").startswith(MARK_START):
            return False  # a schema that is not known may be one of the others
        return resolved in self._absent or self.complete or resolved.schema == TEMPORARY

    def may_have_part(self, table: int, kind: str, name: str) -> bool:
        """Whether a table may have a part of this kind and name that it does not have here: it prevented a DROP."""
        return (table, kind, name) in self._possible_parts

    def is_never_found(self, name: Name) -> bool:
        """Whether DROP … IF EXISTS certainly finds no relation and no index: none exists, or no earlier migration has made one and the
        statement only makes room for one that this migration creates. A first migration may be the only one that is known."""
        makes_room = name in self.recreated and self.migration > 1 and not self.runs_again
        return self.is_absent(name) or (makes_room and self.is_free(self.in_first_schema(name)))

    def is_free(self, name: Name) -> bool:
        """Whether a CREATE with IF NOT EXISTS or OR REPLACE certainly creates a relation of this qualified name."""
        return name not in self._relations and (self.is_absent(name) or self.origin.excludes(name))

    def has_constraint_named(self, name: Name) -> bool:
        """Whether a constraint of any table in the schema has this name."""
        return bool(self._constraints.get(name))

    def relations(self) -> Iterator[Relation]:
        """All tables, views and sequences."""
        objects = self._objects
        return (relation for oid in self._numbers.get(Relation, ()) if isinstance(relation := objects.get(oid), Relation))

    def dependents(self, oid: int, kind: type[A]) -> list[A]:
        """Returns the objects of this kind that depend on an object."""
        numbers = self._dependents.get(oid)
        if not numbers:
            return []
        return [dependent for number in numbers if isinstance(dependent := self._objects[number], kind)]

    def temporary_relations(self) -> list[Relation]:
        """The temporary tables, views and sequences, which end with the connection."""
        return [relation for oid in self._temporary if isinstance(relation := self._objects[oid], Relation)]

    def constraints(self, table: int) -> list[Constraint]:
        """Returns a table's own constraints."""
        return [constraint for constraint in self.dependents(table, Constraint) if constraint.table == table]

    def constraint(self, table: int, name: str) -> Constraint | None:
        """Returns a table's constraint of this name."""
        return next((constraint for constraint in self.constraints(table) if constraint.name.name == name), None)

    def foreign_keys_to(self, table: int) -> list[Constraint]:
        """Returns the foreign keys that refer to a table, including its own."""
        return [constraint for constraint in self.dependents(table, Constraint) if constraint.references == table]

    def indexes(self, table: int) -> list[Index]:
        """Returns a relation's indexes."""
        return self.dependents(table, Index)

    def triggers(self, table: int) -> list[Trigger]:
        """Returns a relation's triggers."""
        return [trigger for trigger in self.dependents(table, Trigger) if trigger.table == table]

    def children(self, table: int) -> list[Relation]:
        """Returns the tables that inherit from a table directly: its children, or its partitions."""
        return [child for child in self.dependents(table, Relation) if table in child.parents]

    def descendants(self, table: int) -> list[Relation]:
        """Returns the tables below a table in its inheritance or partition tree, each once, parents first."""
        descendants: dict[int, Relation] = {}
        waiting = [table]
        while waiting:
            for child in self.children(waiting.pop(0)):
                if child.oid not in descendants:
                    descendants[child.oid] = child
                    waiting.append(child.oid)
        return list(descendants.values())

    def default_partition(self, table: int) -> Relation | None:
        """Returns a partitioned table's default partition."""
        return next((child for child in self.children(table) if child.bound is not None and child.bound.kind == "default"), None)

    def primary_key(self, table: int) -> Constraint | None:
        """Returns a table's primary key."""
        return next((constraint for constraint in self.constraints(table) if constraint.kind is ConstraintKind.PRIMARY_KEY), None)

    def is_created_now(self, relation: Relation | None) -> bool:
        """Whether the current migration has certainly created the relation."""
        return relation is not None and relation.created_in == self.migration and not relation.may_be_older

    def is_new(self, relation: Relation | None) -> bool:
        """Whether no other session uses the relation: the current migration has created it, and has put no rows into it, or has not yet
        committed the transaction that created it; or it, or an earlier migration of the release, has created it, whatever rows the release has
        put into it, and no older object uses it. Nothing uses a database while a dump is restored."""
        if relation is None or relation.may_be_older:
            return False
        is_unseen = self.is_created_now(relation) and (not relation.may_have_rows or relation.oid > self._committed or self.is_restored)
        return is_unseen or (self.release.contains(relation.created_in, relation.name) and not self._is_used_by_older(relation))

    def _is_used_by_older(self, relation: Relation) -> bool:
        """Whether statements of the running release reach a relation of the release: an older view reads it, a foreign key on older columns
        references it, or an older function, or that of a trigger on an older table, names it."""
        if any(self._is_older(reader.oid) for reader in self.dependents(relation.oid, Relation) if relation.oid in reader.reads):
            return True
        if any(self._is_on_older_columns(key) for key in self.foreign_keys_to(relation.oid)):
            return True
        functions = [each for each in self.objects_of(Function) if each.code is not None and names_in_body(relation.name.name, each.code)]
        return any(
            not self.release.introduced(("routine", function.name))
            or any(trigger.function == function.oid and self._is_older(trigger.table) for trigger in self.objects_of(Trigger))
            for function in functions
        )

    def _is_older(self, oid: int) -> bool:
        relation = self.get(oid)
        return isinstance(relation, Relation) and not self.release.contains(relation.created_in, relation.name)

    def _is_on_older_columns(self, key: Constraint) -> bool:
        table = self.get(key.table)
        if not isinstance(table, Relation) or not self._is_older(table.oid):
            return False
        columns = [column for number in key.columns if (column := table.column_numbered(number)) is not None]
        return all(self.release.added_column((table.oid, column.number), column.name) is None for column in columns)

    def is_empty(self, relation: Relation | None) -> bool:
        """Whether the current migration has created the relation, or the current transaction has truncated it, and has put no rows into it."""
        if relation is None:
            return False
        return relation.emptied > self._committed or (self.is_created_now(relation) and not relation.may_have_rows)

    def type_of(self, name: TypeName) -> Type | None:
        """Returns the enum, domain or composite type, or for an array the one of its elements."""
        return self.type_named(Name(name.name, name.schema))

    def type_named(self, name: Name) -> Type | None:
        """Returns the enum, domain or composite type of this name."""
        for schema in (name.schema,) if name.schema is not None else self.search_path:
            oid = self._types.get(Name(name.name, schema))
            if oid is not None:
                return self._objects[oid]  # type: ignore[return-value]  # only types get there
        if name.schema is None and not self.path_is_set and self._types:
            namesakes = [oid for known, oid in self._types.items() if known.name == name.name]
            if len(namesakes) == 1:
                return self._objects[namesakes[0]]  # type: ignore[return-value]
        return None

    def functions(self, name: Name) -> list[Function]:
        """Returns the functions of this name, with any arguments."""
        for schema in (name.schema,) if name.schema is not None else self.search_path:
            oids = self._functions.get(Name(name.name, schema))
            if oids:
                return [self.require(Function, oid) for oid in oids]
        return []

    def has_function_named(self, name: str) -> bool:
        """Whether a schema has a function of this name."""
        return any(oids and function.name == name for function, oids in self._functions.items())

    def functions_named(self, name: str) -> list[Function]:
        """Returns the functions of this name in all schemas."""
        return [self.require(Function, oid) for function, oids in self._functions.items() if function.name == name for oid in oids]

    def object_named(self, kind: str, name: Name) -> Object | None:
        """Returns the object of another kind (`publication`, `statistics`) and of this name."""
        oid = self._others.get((kind, name))
        return None if oid is None else self._objects[oid]

    def objects_of(self, kind: type[A]) -> list[A]:
        """Returns all objects of this class, or of all classes (Object)."""
        numbers = self._objects if kind is Object else self._numbers.get(kind, ())
        return [stored for oid in numbers if isinstance(stored := self._objects.get(oid), kind)]

    def has_schema(self, schema: str) -> bool:
        """Whether a migration has created the schema."""
        return self._schemas.get(schema, False)

    def is_dropped_schema(self, schema: str) -> bool:
        """Whether a migration has certainly dropped the schema, and none has created it since."""
        return self._schemas.get(schema) is False
