"""The relations of a database and their rows, kept up to date from statement to statement."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from migsafe.replaying.recording.snapshot import Index, Relation, Snapshot
from migsafe.sql.operations import Name

_TEMPORARY = "pg_temp"
_Value = TypeVar("_Value")


class Contents:
    """The relations, indexes and rows of each table that a connection sees, by oid.

    Reading them from the catalogue takes longer than most statements, so the ledger updates them: `begin` marks the start of a transaction,
    and `roll_back` returns to it.
    """

    def __init__(self, snapshot: Snapshot, rows: Mapping[int, int]) -> None:
        self.relations: dict[int, Relation] = dict(snapshot.relations)
        self.indexes: dict[int, Index] = dict(snapshot.indexes)
        self.rows: dict[int, int] = dict(rows)
        self._indexes_of: dict[int, set[int]] = {}
        for index in self.indexes.values():
            self._indexes_of.setdefault(index.table, set()).add(index.oid)
        self.begin()

    def begin(self) -> None:
        """Notes that a transaction begins."""
        self._relations_before: dict[int, Relation | None] = {}
        self._indexes_before: dict[int, Index | None] = {}
        self._rows_before: dict[int, int | None] = {}

    def begin_session(self) -> None:
        """Notes that a new session begins: the temporary relations of an earlier one have gone."""
        for relation in [relation for relation in self.relations.values() if relation.name.schema == _TEMPORARY]:
            del self.relations[relation.oid]
            for index in self.indexes_of(relation.oid):
                del self.indexes[index.oid]
        self.begin()

    def roll_back(self) -> None:
        """Returns to the start of the transaction."""
        for oid, relation in self._relations_before.items():
            _put(self.relations, oid, relation)
        for oid, index in self._indexes_before.items():
            _put(self.indexes, oid, index)
        for oid, count in self._rows_before.items():
            _put(self.rows, oid, count)
        self.begin()

    def update(self, relations: Mapping[int, Relation | None], indexes: Mapping[int, Index | None], rows: Mapping[int, int]) -> None:
        """Notes new and changed relations, indexes and numbers of rows, and with None those that were dropped."""
        for oid, relation in relations.items():
            before = self.relations.get(oid)
            if before != relation:
                self._relations_before.setdefault(oid, before)
                _put(self.relations, oid, relation)
        for oid, index in indexes.items():
            old = self.indexes.get(oid)
            if old != index:
                self._indexes_before.setdefault(oid, old)
                _put(self.indexes, oid, index)
                if index is not None:
                    self._indexes_of.setdefault(index.table, set()).add(oid)
        for oid, count in rows.items():
            self._rows_before.setdefault(oid, self.rows.get(oid))
            self.rows[oid] = count

    def replace(self, snapshot: Snapshot) -> None:
        """Replaces the relations and indexes by those of a snapshot."""
        relations: dict[int, Relation | None] = dict.fromkeys(self.relations)
        indexes: dict[int, Index | None] = dict.fromkeys(self.indexes)
        self.update({**relations, **snapshot.relations}, {**indexes, **snapshot.indexes}, {})

    def snapshot(self) -> Snapshot:
        """Returns all relations and indexes."""
        return Snapshot(dict(self.relations), dict(self.indexes))

    def part(self, oids: Iterable[int]) -> Snapshot:
        """Returns the relations with these oids and their indexes."""
        relations = {oid: self.relations[oid] for oid in sorted(oids) if oid in self.relations}
        indexes = {index: self.indexes[index] for oid in relations for index in sorted(self._indexes_of.get(oid, ())) if index in self.indexes}
        return Snapshot(relations, indexes)

    def indexes_of(self, table: int) -> list[Index]:
        """Returns the indexes of a table."""
        return [self.indexes[oid] for oid in self._indexes_of.get(table, ()) if oid in self.indexes]

    def name_before(self, oid: int) -> Name | None:
        """Returns the name that a relation had when the transaction began, by which other sessions know it; None if it is new."""
        relation = self._relations_before.get(oid, self.relations.get(oid))
        return relation.name if relation is not None else None


def _put(values: dict[int, _Value], oid: int, value: _Value | None) -> None:
    if value is None:
        values.pop(oid, None)
    else:
        values[oid] = value
