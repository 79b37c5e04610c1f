"""The database after the migrations so far, and how statements change it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from migsafe.schema.known_objects import FIRST_OF_TRIALS, TEMPORARY, A, KnownObjects
from migsafe.schema.objects import (
    Attached,
    Constraint,
    Function,
    Index,
    Object,
    OtherPrivileges,
    Publication,
    Relation,
    RelationKind,
    Type,
)
from migsafe.schema.origin import Origin
from migsafe.schema.refusal import Refusal
from migsafe.schema.release import ReleaseMembers
from migsafe.sql.operations import Name

_OTHER_KINDS: dict[type, str] = {Publication: "publication", Attached: "statistics", OtherPrivileges: "privileges"}

CatalogState = tuple[tuple[str, ...], bool, bool, bool, int, bool, Origin, ReleaseMembers]


class Catalog(KnownObjects):
    """The objects of a database, and how statements change them.

    Every change can be undone: `mark()` before, `undo(mark)` after. Objects are immutable values, so that a change costs the same however
    large the database is. If PostgreSQL would refuse a statement, the reason is added to `refusals`, and the statement is applied as if it had
    succeeded.
    """

    def new_oid(self) -> int:
        """Returns a number for a new object."""
        self._last += 1
        return self._last

    @property
    def last_oid(self) -> int:
        """The number of the newest object."""
        return self._last

    def relations_since(self, oid: int) -> list[Relation]:
        """Returns the relations that were created after the object with this number."""
        return [relation for number in range(oid + 1, self._last + 1) if isinstance(relation := self._objects.get(number), Relation)]

    def store(self, changed: Object) -> None:
        """Stores an object, in place of the former object with its number."""
        before = self._objects.get(changed.oid)
        if before is None or before.name != changed.name:
            if before is not None:
                self._forget_name(before)
            else:
                self._numbers.setdefault(type(changed), {})[changed.oid] = None
            self._add_name(changed)
        dependencies, former_dependencies = changed.dependencies(), before.dependencies() if before is not None else ()
        if dependencies != former_dependencies:
            for oid in former_dependencies:
                if oid not in dependencies:
                    self._journal.write(self._dependents, oid, tuple(number for number in self._dependents[oid] if number != changed.oid))
            for oid in dependencies:
                dependents = self._dependents.get(oid, ())
                if changed.oid not in dependents:
                    self._journal.write(self._dependents, oid, (*dependents, changed.oid))
        self._journal.write(self._objects, changed.oid, changed)

    def drop(self, oid: int) -> None:
        """Removes one object; those that depend on it must have been removed before."""
        before = self._objects.get(oid)
        if before is None:
            return
        for dependency in before.dependencies():
            dependents = self._dependents.get(dependency)
            if dependents:
                self._journal.write(self._dependents, dependency, tuple(number for number in dependents if number != oid))
        self._forget_name(before)
        self._journal.remove(self._objects, oid)
        if isinstance(before, Relation | Index) and self.certain:
            self._journal.write(self._absent, before.name, True)

    def change(self, changed: A, **fields: Any) -> A:
        """Stores an object with some fields changed, and returns it."""
        after = replace(changed, **fields)
        self.store(after)
        return after

    def add_schema(self, schema: str) -> None:
        """Adds a schema."""
        self._journal.write(self._schemas, schema, True)

    def drop_schema(self, schema: str) -> None:
        """Removes a schema; its objects must have been removed before."""
        if self.certain:
            self._journal.write(self._schemas, schema, False)
        else:
            self._journal.remove(self._schemas, schema)

    def mark_absent(self, name: Name) -> None:
        """Records that no relation has this name any more."""
        if self.certain and name not in self._relations:
            self._journal.write(self._absent, name, True)

    def note_possible_part(self, table: int, kind: str, name: str) -> None:
        """Records that a table may have a column, constraint, trigger, policy or rule that it does not have here; without a table, that a
        relation of the history may exist."""
        self._journal.write(self._possible_parts, (table, kind, name), True)

    def add_refusal(self, error: str, detail: str = "", help: str = "") -> None:
        """Records why PostgreSQL would refuse the operation that is being applied; the parameters are those of Refusal."""
        self.refusals.append(Refusal(error=error, detail=detail, help=help))

    def mark(self) -> int:
        """Returns a point to which `undo` can return."""
        return self._journal.mark

    def undo(self, mark: int) -> None:
        """Undoes the changes since the mark."""
        self._journal.undo(mark)

    def commit(self) -> None:
        """Makes all changes final: no earlier mark is valid any more."""
        self._journal.commit()
        self._committed = self._last

    def state(self) -> CatalogState:
        """Returns what is known about the database besides its objects, which `undo` does not restore."""
        return (
            self.search_path,
            self.path_is_set,
            self.complete,
            self.from_beginning,
            self.migration,
            self.certain,
            self.origin,
            self.release.members,
        )

    def restore_state(self, state: CatalogState) -> None:
        """Restores an earlier `state()`."""
        (
            self.search_path,
            self.path_is_set,
            self.complete,
            self.from_beginning,
            self.migration,
            self.certain,
            self.origin,
            self.release.members,
        ) = state

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Returns a context in which migrations may run on the database, and that restores the database when it is left. What they create has
        numbers that nothing else gets: neither the numbers of later objects nor an object that no longer exists depend on the trial."""
        state, last = self.state(), self._last
        lists, committed = (list(self.refusals), list(self.uncertain_oids)), self._committed
        self._last = max(last, self._last_of_trials)
        with self._journal.trial():
            try:
                yield
            finally:
                if last < FIRST_OF_TRIALS:
                    self._last, self._last_of_trials = last, self._last
                self.restore_state(state)
                self.refusals, self.uncertain_oids = lists
                self._committed = committed

    def mark_incomplete(self, named: Iterable[Relation] = (), *, may_create: bool = True) -> None:
        """Marks the `named` relations, or without any all relations, as not completely known, because opaque code may have changed them, and
        that it `may_create` others."""
        for relation in list(named) or list(self.relations()):
            # Even if the history has a materialized view as a whole, its columns are unknown.
            is_known = relation.complete or relation.kind is RelationKind.MATERIALIZED or bool(relation.removed_columns)
            if is_known:
                self.change(relation, complete=False, removed_columns=frozenset(), may_have_rows=True, emptied=0)
        if not may_create:
            return
        self.complete = self.from_beginning = False
        for absent in (self._absent, self.dropped_types, self.dropped_functions):
            for name in list(absent):
                self._journal.remove(absent, name)
        for schema in [name for name, exists in self._schemas.items() if not exists]:
            self._journal.remove(self._schemas, schema)

    def forget_dropped_functions(self) -> None:
        """Forgets which functions were dropped, because an extension may have created functions of the same names."""
        for name in list(self.dropped_functions):
            self._journal.remove(self.dropped_functions, name)

    def _add_name(self, added: Object) -> None:
        match added:
            case Relation() | Index():
                self._journal.write(self._relations, added.name, added.oid)
                schemas = self._schemas_of.get(added.name.name, ())
                if added.name.schema not in schemas:
                    self._journal.write(self._schemas_of, added.name.name, (*schemas, added.name.schema))
                if added.name.schema == TEMPORARY:
                    self._journal.write(self._temporary, added.oid, True)
                self._journal.remove(self._absent, added.name)
            case Constraint():
                self._journal.write(self._constraints, added.name, (*self._constraints.get(added.name, ()), added.oid))
            case Function():
                self._journal.write(self._functions, added.name, (*self._functions.get(added.name, ()), added.oid))
                self._journal.remove(self.dropped_functions, added.name)
            case _ if isinstance(added, Type):
                self._journal.write(self._types, added.name, added.oid)
                self._journal.remove(self.dropped_types, added.name)
            case Publication() | Attached(kind="statistics") | OtherPrivileges():
                self._journal.write(self._others, (_OTHER_KINDS[type(added)], added.name), added.oid)

    def _forget_name(self, removed: Object) -> None:
        match removed:
            case Relation() | Index():
                if self._remove_if(self._relations, removed.name, removed.oid):
                    schemas = tuple(each for each in self._schemas_of[removed.name.name] if each != removed.name.schema)
                    self._journal.write(self._schemas_of, removed.name.name, schemas)
                self._journal.remove(self._temporary, removed.oid)
            case Constraint():
                self._journal.write(
                    self._constraints, removed.name, tuple(oid for oid in self._constraints[removed.name] if oid != removed.oid)
                )
            case Function():
                self._journal.write(self._functions, removed.name, tuple(oid for oid in self._functions[removed.name] if oid != removed.oid))
                if self.certain:
                    self._journal.write(self.dropped_functions, removed.name, True)
            case _ if isinstance(removed, Type):
                self._remove_if(self._types, removed.name, removed.oid)
                if self.certain:
                    self._journal.write(self.dropped_types, removed.name, True)
            case Publication() | Attached(kind="statistics") | OtherPrivileges():
                self._remove_if(self._others, (_OTHER_KINDS[type(removed)], removed.name), removed.oid)

    def _remove_if(self, table: dict[Any, Any], key: Any, oid: int) -> bool:
        # In a contradictory history, another object may have got the name since.
        is_its_own: bool = table.get(key) == oid
        if is_its_own:
            self._journal.remove(table, key)
        return is_its_own
