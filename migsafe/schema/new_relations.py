"""Which relations a migration has created itself: empty and unseen, so that nothing waits for them and no size makes them slow."""

from migsafe.sql.operations import (
    AttachPartition,
    Copy,
    CreateMaterializedView,
    CreateTable,
    CreateTableAs,
    Discard,
    Drop,
    Insert,
    Merge,
    Name,
    Operation,
    Persistence,
    Rename,
    ResetVariable,
    SetSchema,
    SetVariable,
)

_DEFAULT_PATH = ("public",)
_TEMPORARY = "pg_temp"
_RELATIONS = frozenset(("table", "foreign table", "materialized view"))


class NewRelations:
    """What the migration has created up to the statement at hand, and where its unqualified names lead."""

    __slots__ = ("_gone", "_new", "_passing", "_search_path")

    def __init__(self) -> None:
        self._search_path: tuple[str, ...] = _DEFAULT_PATH
        self._new: set[Name] = set()
        self._gone: set[Name] = set()
        self._passing: list[Name] = []

    def resolve(self, name: Name) -> Name:
        """The name with the schema in which PostgreSQL finds it, `public` when nothing says otherwise."""
        if name.schema is not None:
            return Name(name.name, name.schema)
        if self._new:
            for schema in (_TEMPORARY, *self._search_path):
                found = Name(name.name, schema)
                if found in self._new:
                    return found
        return self._in_first_schema(name)

    def is_new(self, name: Name) -> bool:
        """Whether the migration created the relation and has put no rows into it since."""
        return self.resolve(name) in self._new

    def follow(self, operation: Operation) -> None:
        """Take in what an operation does, after it has been judged."""
        match operation:
            case CreateTable(table=name):
                self._create(operation, name, operation.if_not_exists, operation.persistence)
            case CreateTableAs(table=name):
                self._create(operation, name, operation.if_not_exists, operation.persistence)
                if operation.with_data:
                    self._fill(name)
            case CreateMaterializedView(view=name):
                self._create(operation, name, operation.if_not_exists)
            case Insert(table=name, source="query") | Merge(table=name) | Copy(table=Name() as name, source=True):
                self._fill(name)
            case AttachPartition(target=target, partition=partition):
                if not self.is_new(partition):
                    self._fill(target.name)
            case Drop(kind=kind, names=names) if kind in _RELATIONS:
                for name in names:
                    self._leave(operation, name)
            case Rename(kind=kind, name=name, new_name=new_name) if kind in _RELATIONS:
                self._move(operation, name, Name(new_name, self.resolve(name).schema))
            case SetSchema(kind=kind, name=name, schema=schema) if kind in _RELATIONS:
                self._move(operation, name, Name(name.name, schema))
            case SetVariable(variable="search_path", value=value):
                self._search_path = _DEFAULT_PATH if value is None else _schemas(value)
            case ResetVariable(variable="search_path" | None) | Discard(what="all"):
                self._search_path = _DEFAULT_PATH

    def end_statement(self) -> None:
        """Forget what a branch of a DO block may have created: after the block nobody knows whether it was this migration."""
        if self._passing:
            self._new.difference_update(self._passing)
            self._passing.clear()

    def _in_first_schema(self, name: Name) -> Name:
        return Name(name.name, self._search_path[0] if self._search_path else _DEFAULT_PATH[0])

    def _create(self, operation: Operation, name: Name, if_not_exists: bool, persistence: Persistence = Persistence.PERMANENT) -> None:
        if persistence is Persistence.TEMPORARY:
            created = Name(name.name, _TEMPORARY)
        else:
            created = Name(name.name, name.schema) if name.schema is not None else self._in_first_schema(name)
            if if_not_exists and created not in self._gone:
                return
            self._gone.discard(created)
        self._new.add(created)
        if not operation.certain:
            self._passing.append(created)

    def _fill(self, name: Name) -> None:
        # A temporary relation stays unseen, however many rows it holds.
        found = self.resolve(name)
        if found.schema != _TEMPORARY:
            self._new.discard(found)

    def _leave(self, operation: Operation, name: Name) -> None:
        left = self.resolve(name)
        self._new.discard(left)
        if operation.certain:
            self._gone.add(left)

    def _move(self, operation: Operation, name: Name, to: Name) -> None:
        was_new = self.is_new(name)
        self._leave(operation, name)
        if was_new:
            self._new.add(to)
            if not operation.certain:
                self._passing.append(to)


def _schemas(value: str) -> tuple[str, ...]:
    """The schemas of a search_path in which relations of a migration can stand."""
    items = (item.strip() for item in value.split(","))
    names = (item[1:-1].replace('""', '"') if item.startswith('"') else item for item in items)
    return tuple(name for name in names if name and name not in ("$user", "pg_catalog", _TEMPORARY))
