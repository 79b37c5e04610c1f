"""The database as the migrations so far have left it, and what is not known of it."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from msgspec.structs import replace

from migsafe.schema.journal import Journal
from migsafe.schema.objects import (
    Attached,
    Constraint,
    Function,
    Index,
    Object,
    Publication,
    Relation,
    RelationKind,
    Trigger,
    Type,
)
from migsafe.sql.operations import ConstraintKind, Name, TypeName

TEMPORARY = "pg_temp"
SYSTEM_SCHEMAS = frozenset(("pg_catalog", "information_schema", "pg_toast"))

A = TypeVar("A", bound=Object)


class Catalog:
    """The objects of a database, after PostgreSQL's system catalogues.

    There are three states of knowledge about a relation. It *exists as known*: `relation()` finds it (its `complete` says whether all of it
    is known). It *does not exist*: `is_absent()`. Or it is *unknown*: neither; no migration made it, or something opaque may have changed
    it. Where `complete` is True (a dump was the start), what is not known does not exist.

    Every change can be undone: `mark()` before, `undo(mark)` after. Objects are values, so that a change costs no more than what changes.
    What contradicts the history is written to `refusals`, as the end of a sentence, and the later statement is believed.
    """

    def __init__(self, pg_version: int) -> None:
        self.pg_version = pg_version
        self.search_path: tuple[str, ...] = ("public",)
        self.complete = False
        self.migration = 0
        self.certain = True
        self.refusals: list[str] = []
        self.uncertain_oids: list[int] = []
        self._objects: dict[int, Object] = {}
        self._mentioned: dict[int, tuple[int, ...]] = {}
        self._relations: dict[Name, int] = {}
        self._types: dict[Name, int] = {}
        self._functions: dict[Name, tuple[int, ...]] = {}
        self._constraints: dict[Name, tuple[int, ...]] = {}
        self._others: dict[tuple[str, Name], int] = {}
        self._schemas: dict[str, bool] = {"public": True}
        self._absent: dict[Name, bool] = {}
        self._temporary: dict[int, bool] = {}
        self._journal = Journal()
        self._last = 0

    # What there is

    def __getitem__(self, oid: int) -> Object:
        return self._objects[oid]

    def get(self, oid: int) -> Object | None:
        """The object of a number; None once it was dropped."""
        return self._objects.get(oid)

    def require(self, kind: type[A], oid: int) -> A:
        """The object of a number, which is of this kind."""
        found = self._objects[oid]
        assert isinstance(found, kind)
        return found

    def resolve(self, name: Name) -> Name:
        """A relation's name with the schema in which PostgreSQL finds it; that of the first schema in search_path for an unknown one."""
        if name.schema is not None:
            return name if name.catalog is None else Name(name.name, name.schema)
        for schema in (TEMPORARY, *self.search_path) if self._temporary else self.search_path:
            found = Name(name.name, schema)
            if found in self._relations:
                return found
        if name.name.startswith("pg_"):
            return Name(name.name, "pg_catalog")
        return self.in_first_schema(name)

    def in_first_schema(self, name: Name) -> Name:
        """The name under which CREATE makes an object."""
        if name.schema is not None:
            return Name(name.name, name.schema)
        return Name(name.name, self.search_path[0] if self.search_path else "public")

    def relation(self, name: Name) -> Relation | None:
        """The table, view or sequence of a name."""
        found = self._find(name)
        return found if isinstance(found, Relation) else None

    def index(self, name: Name) -> Index | None:
        """The index of a name."""
        found = self._find(name)
        return found if isinstance(found, Index) else None

    def _find(self, name: Name) -> Object | None:
        oid = self._relations.get(self.resolve(name))
        return None if oid is None else self._objects[oid]

    def is_taken(self, name: Name) -> bool:
        """Whether a relation or an index has this name."""
        return name in self._relations

    def is_absent(self, name: Name) -> bool:
        """Whether it is known that no relation and no index has this name."""
        resolved = self.resolve(name)
        if resolved in self._relations or resolved.schema in SYSTEM_SCHEMAS:
            return False
        return resolved in self._absent or self.complete or resolved.schema == TEMPORARY

    def has_constraint_named(self, name: Name) -> bool:
        """Whether a constraint of any table in the schema has this name."""
        return bool(self._constraints.get(name))

    def relations(self) -> Iterator[Relation]:
        """All tables, views and sequences."""
        return (found for found in self._objects.values() if isinstance(found, Relation))

    def dependents(self, oid: int, kind: type[A]) -> list[A]:
        """The objects of a kind that rest on another."""
        return [found for one in self._mentioned.get(oid, ()) if isinstance(found := self._objects[one], kind)]

    def temporary_relations(self) -> list[Relation]:
        """The tables, views and sequences that go with the connection."""
        return [found for oid in self._temporary if isinstance(found := self._objects[oid], Relation)]

    def constraints(self, table: int) -> list[Constraint]:
        """A table's own constraints."""
        return [found for found in self.dependents(table, Constraint) if found.table == table]

    def constraint(self, table: int, name: str) -> Constraint | None:
        """A table's constraint of a name."""
        for found in self.constraints(table):
            if found.name.name == name:
                return found
        return None

    def referencing(self, table: int) -> list[Constraint]:
        """The foreign keys that refer to a table, its own included."""
        return [found for found in self.dependents(table, Constraint) if found.references == table]

    def indexes(self, table: int) -> list[Index]:
        """A relation's indexes."""
        return self.dependents(table, Index)

    def triggers(self, table: int) -> list[Trigger]:
        """A relation's triggers."""
        return [found for found in self.dependents(table, Trigger) if found.table == table]

    def children(self, table: int) -> list[Relation]:
        """The tables that inherit from a table directly, its partitions."""
        return [found for found in self.dependents(table, Relation) if table in found.parents]

    def descendants(self, table: int) -> list[Relation]:
        """The tables below a table in its inheritance or partition tree, each once, parents first."""
        found: dict[int, Relation] = {}
        waiting = [table]
        while waiting:
            for child in self.children(waiting.pop(0)):
                if child.oid not in found:
                    found[child.oid] = child
                    waiting.append(child.oid)
        return list(found.values())

    def default_partition(self, table: int) -> Relation | None:
        """A partitioned table's default partition."""
        for child in self.children(table):
            if child.bound is not None and child.bound.kind == "default":
                return child
        return None

    def primary_key(self, table: int) -> Constraint | None:
        """A table's primary key."""
        for found in self.constraints(table):
            if found.kind is ConstraintKind.PRIMARY_KEY:
                return found
        return None

    def is_new(self, relation: Relation | None) -> bool:
        """Whether this migration has created the relation and put no rows into it since."""
        return relation is not None and relation.created_in == self.migration and not relation.may_have_rows

    def type_of(self, name: TypeName) -> Type | None:
        """The enum, domain or composite type of a name, its array brackets left aside."""
        return self.type_named(Name(name.name, name.schema))

    def type_named(self, name: Name) -> Type | None:
        """The enum, domain or composite type of a name."""
        for schema in (name.schema,) if name.schema is not None else self.search_path:
            oid = self._types.get(Name(name.name, schema))
            if oid is not None:
                return self._objects[oid]  # type: ignore[return-value]  # only types get there
        return None

    def functions(self, name: Name) -> list[Function]:
        """The functions of a name, whatever their arguments."""
        for schema in (name.schema,) if name.schema is not None else self.search_path:
            oids = self._functions.get(Name(name.name, schema))
            if oids:
                return [self.require(Function, oid) for oid in oids]
        return []

    def object_named(self, kind: str, name: Name) -> Object | None:
        """The object of another kind (`publication`, `statistics`…) of a name."""
        oid = self._others.get((kind, name))
        return None if oid is None else self._objects[oid]

    def objects_of(self, kind: type[A]) -> list[A]:
        """All objects of a kind."""
        return [found for found in self._objects.values() if isinstance(found, kind)]

    def has_schema(self, schema: str) -> bool:
        """Whether a migration has created the schema."""
        return schema in self._schemas

    # Changing it

    def new_oid(self) -> int:
        """A number for another object."""
        self._last += 1
        return self._last

    @property
    def last_oid(self) -> int:
        """The number given last."""
        return self._last

    def relations_since(self, oid: int) -> list[Relation]:
        """The relations that got their numbers after another."""
        return [found for number in range(oid + 1, self._last + 1) if isinstance(found := self._objects.get(number), Relation)]

    def store(self, changed: Object) -> None:
        """Take in an object, in the place of the one that had its number."""
        before = self._objects.get(changed.oid)
        if before is None or before.name != changed.name:
            if before is not None:
                self._forget_name(before)
            self._take_name(changed)
        mentioned, was_mentioned = changed.dependencies(), before.dependencies() if before is not None else ()
        if mentioned != was_mentioned:
            for oid in was_mentioned:
                if oid not in mentioned:
                    self._journal.write(self._mentioned, oid, tuple(one for one in self._mentioned[oid] if one != changed.oid))
            for oid in mentioned:
                already = self._mentioned.get(oid, ())
                if changed.oid not in already:
                    self._journal.write(self._mentioned, oid, (*already, changed.oid))
        self._journal.write(self._objects, changed.oid, changed)

    def drop(self, oid: int) -> None:
        """Let go of one object; those that rest on it must have gone before."""
        before = self._objects.get(oid)
        if before is None:
            return
        for mentioned in before.dependencies():
            others = self._mentioned.get(mentioned)
            if others:
                self._journal.write(self._mentioned, mentioned, tuple(one for one in others if one != oid))
        self._forget_name(before)
        self._journal.remove(self._objects, oid)
        if isinstance(before, Relation | Index) and self.certain:
            self._journal.write(self._absent, before.name, True)

    def change(self, changed: A, **fields: Any) -> A:
        """Take in an object with some of its fields changed; gives the object as it is now."""
        after = replace(changed, **fields)
        self.store(after)
        return after

    def add_schema(self, schema: str) -> None:
        """Take in a schema."""
        self._journal.write(self._schemas, schema, True)

    def drop_schema(self, schema: str) -> None:
        """Let go of a schema; its objects must have gone before."""
        self._journal.remove(self._schemas, schema)

    def mark_absent(self, name: Name) -> None:
        """Note that a relation's former name is free."""
        if self.certain and name not in self._relations:
            self._journal.write(self._absent, name, True)

    def add_refusal(self, why: str) -> None:
        """Note that PostgreSQL would refuse what is being applied."""
        self.refusals.append(why)

    def mark(self) -> int:
        """A point to which `undo` can go back."""
        return self._journal.mark

    def undo(self, mark: int) -> None:
        """Go back to what was known at a mark."""
        self._journal.undo(mark)

    def commit(self) -> None:
        """Make everything final: no mark given so far can be gone back to."""
        self._journal.commit()

    def mark_incomplete(self, concerns: Callable[[Relation], bool] = lambda _: True) -> None:
        """Know no longer that all of some relations is known: something opaque may have changed them."""
        for relation in list(self.relations()):
            # Of a materialized view that is whole in the history only the columns are not known.
            if (relation.complete or relation.kind is RelationKind.MATERIALIZED) and concerns(relation):
                self.change(relation, complete=False, may_have_rows=True)
        self.complete = False
        for name in list(self._absent):
            self._journal.remove(self._absent, name)

    def _take_name(self, one: Object) -> None:
        match one:
            case Relation() | Index():
                self._journal.write(self._relations, one.name, one.oid)
                if one.name.schema == TEMPORARY:
                    self._journal.write(self._temporary, one.oid, True)
                if one.name in self._absent:
                    self._journal.remove(self._absent, one.name)
            case Constraint():
                self._journal.write(self._constraints, one.name, (*self._constraints.get(one.name, ()), one.oid))
            case Function():
                self._journal.write(self._functions, one.name, (*self._functions.get(one.name, ()), one.oid))
            case _ if isinstance(one, Type):
                self._journal.write(self._types, one.name, one.oid)
            case Publication():
                self._journal.write(self._others, ("publication", one.name), one.oid)
            case Attached(kind="statistics"):
                self._journal.write(self._others, ("statistics", one.name), one.oid)

    def _forget_name(self, one: Object) -> None:
        match one:
            case Relation() | Index():
                self._remove_if(self._relations, one.name, one.oid)
                self._journal.remove(self._temporary, one.oid)
            case Constraint():
                self._journal.write(self._constraints, one.name, tuple(oid for oid in self._constraints[one.name] if oid != one.oid))
            case Function():
                self._journal.write(self._functions, one.name, tuple(oid for oid in self._functions[one.name] if oid != one.oid))
            case _ if isinstance(one, Type):
                self._remove_if(self._types, one.name, one.oid)
            case Publication():
                self._remove_if(self._others, ("publication", one.name), one.oid)
            case Attached(kind="statistics"):
                self._remove_if(self._others, ("statistics", one.name), one.oid)

    def _remove_if(self, table: dict[Any, Any], key: Any, oid: int) -> None:
        # A contradictory history may have given the name to another object since.
        if table.get(key) == oid:
            self._journal.remove(table, key)


def is_table(relation: Relation) -> bool:
    """Whether a relation holds rows of its own, or its partitions do."""
    return relation.kind in (RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.FOREIGN)
