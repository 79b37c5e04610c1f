"""What a history leaves unknown: objects from before its first migration, and what opaque code has created or dropped."""

from msgspec import Struct
from msgspec.structs import replace

from migsafe.sources.migration import UnsureNames
from migsafe.sql.operations import Name


class Origin(Struct, frozen=True):
    """Whether a relation that no migration created may exist nevertheless.

    `made_all`: the history is read from its first migration, and no opaque code can have created a relation. CREATE … IF NOT EXISTS of an
    unknown relation then creates it. `part_way` is the number of the migration that uses a relation before any migration has created one, so
    that there are earlier ones; 0 if none does. `older_names` are the relations that it and later ones use without having created them.
    `older_schemas` are the schemas whose relations the history uses without having created any: those of a platform or of another
    application. `opaque_until` is the newest object that existed when opaque code last ran, which may have dropped it. `possible_names` are the
    names of relations that opaque code may have created, in any schema. `unsure_names` are the names of constraints that a naming convention
    decides, which may be newer than the constraints, or is not known.
    """

    made_all: bool = False
    part_way: int = 0
    older_names: frozenset[Name] = frozenset()
    older_schemas: frozenset[str] = frozenset()
    opaque_until: int = 0
    possible_names: frozenset[str] = frozenset()
    unsure_names: UnsureNames = UnsureNames.NONE

    def after_unknown_relations(self) -> "Origin":
        """Returns the origin after code that may have created any relation."""
        return replace(self, made_all=False, part_way=0)

    def excludes(self, name: Name) -> bool:
        """Whether an unknown relation of this qualified name cannot exist."""
        return self.excludes_schema(name.schema) and name.name not in self.possible_names

    def excludes_schema(self, schema: str | None) -> bool:
        """Whether no unknown relation of this schema existed before the history."""
        return self.made_all and schema not in self.older_schemas

    def presumes_absent(self, name: Name, migration: int) -> bool:
        """Whether an unknown relation of this qualified name is hardly older than the migration of this number, although the history begins
        part-way: that shows in an earlier migration, and no statement has used the relation. IF NOT EXISTS then only lets the migration run
        twice."""
        is_used = name in self.older_names or name.schema in self.older_schemas or name.name in self.possible_names
        return 0 < self.part_way < migration and not is_used
