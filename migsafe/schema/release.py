"""What the migrations of a release have made before the current one: the running release knows none of it."""

import re
from typing import NamedTuple

from migsafe.schema.journal import Journal
from migsafe.sql.operations import AddColumn, Name

ColumnKey = tuple[int, int]
"""A column: the number of its relation, and its own, which a renaming does not change."""

GroupedName = tuple[str, Name]
"""A qualified name, and the group of objects that share their names."""


class ReleaseMembers(NamedTuple):
    """The numbers of the migrations of a release so far; `in_release`: the current migration belongs to it, so that they are its own."""

    migrations: frozenset[int] = frozenset()
    in_release: bool = False


class Release:
    """A record of what the migrations of a release have made and removed.

    Names that an object had before the release, and that the release gave to another one, are those that the running release uses: they are
    never new. A transaction that is rolled back takes its part of the record back, through the catalogue's journal. Outside of a release,
    nothing is recorded: each migration is one of its own.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.members = ReleaseMembers()
        self._names: dict[GroupedName, bool] = {}
        """The names that were introduced; True if by a CREATE, False if by a renaming."""
        self._added: dict[ColumnKey, AddColumn] = {}
        self._renamed: dict[ColumnKey, bool] = {}
        self._updated: dict[int, bool] = {}
        self._former_names: dict[GroupedName, bool] = {}
        self._former_columns: dict[tuple[int, str], bool] = {}

    def begin(self, migration: int, *, in_release: bool) -> None:
        """Begins a migration, which belongs to the release or not."""
        migrations = self.members.migrations
        self.members = ReleaseMembers(migrations | {migration} if in_release else migrations, in_release)

    @property
    def is_known(self) -> bool:
        """Whether the current migration belongs to a release of which more is known than this migration."""
        return self.members.in_release

    def contains(self, created_in: int, name: Name) -> bool:
        """Whether an earlier migration of the release created a relation, under a name that no older object had."""
        members = self.members
        return members.in_release and created_in in members.migrations and ("relation", name) not in self._former_names

    def made(self, created_in: int) -> bool:
        """Whether an earlier migration of the release created a relation, whatever its name was before."""
        return self.members.in_release and created_in in self.members.migrations

    def introduced(self, name: GroupedName, *, created: bool = False) -> bool:
        """Whether the release has introduced a name; `created`: not by renaming an older object."""
        how = self._names.get(name) if self.members.in_release and name not in self._former_names else None
        return how is not None and (how or not created)

    def added_column(self, column: ColumnKey, name: str) -> AddColumn | None:
        """Returns the ADD COLUMN of the release that certainly added a column."""
        is_known = self.members.in_release and (column[0], name) not in self._former_columns
        return self._added.get(column) if is_known else None

    def has_renamed(self, column: ColumnKey, name: str) -> bool:
        """Whether the release gave a column its name, so that the running release does not know it."""
        return self.members.in_release and column in self._renamed and (column[0], name) not in self._former_columns

    def has_updated(self, relation: int) -> bool:
        """Whether an UPDATE of the release changed rows of a relation."""
        return self.members.in_release and relation in self._updated

    def record_name(self, name: GroupedName, *, created: bool) -> None:
        """Records that a name was introduced."""
        self._journal.write(self._names, name, created or self._names.get(name, False))

    def record_former_name(self, name: GroupedName) -> None:
        """Records that an object lost a name; one that the release itself introduced is not a former name."""
        if name not in self._names:
            self._journal.write(self._former_names, name, True)

    def record_added(self, column: ColumnKey, addition: AddColumn) -> None:
        """Records that an ADD COLUMN has certainly added a column."""
        self._journal.write(self._added, column, addition)

    def record_renamed(self, column: ColumnKey) -> None:
        """Records that a column got another name."""
        self._journal.write(self._renamed, column, True)

    def record_former_column(self, column: ColumnKey, name: str) -> None:
        """Records that a column lost its name; one that the release itself added or renamed has no former name."""
        if column not in self._added and column not in self._renamed:
            self._journal.write(self._former_columns, (column[0], name), True)

    def record_updated(self, relation: int) -> None:
        """Records that an UPDATE changed rows of a relation."""
        self._journal.write(self._updated, relation, True)


def names_in_body(name: str, code: str) -> bool:
    """Whether the body of a function reads or writes a relation of this name."""
    use = rf'\b(?:from|join|into|update)\s+(?:only\s+)?(?:"?\w+"?\s*\.\s*)?"?{re.escape(name)}\b'
    return name in code and re.search(use, code, re.IGNORECASE) is not None
