"""What PostgreSQL refuses in the form of a query: columns that are neither grouped nor determined by the groups (check_ungrouped_columns in
parse_agg.c), aggregate functions where there are no groups, and UNION of queries with different numbers or types of columns."""

from typing import Protocol

from migsafe.expressions.queries.shapes import Grouping, Ref, Shape
from migsafe.schema.objects import SYSTEM_COLUMNS, RelationKind
from migsafe.workload.lookups import Lookups
from migsafe.workload.scopes import BoundColumn, BoundSource, Level, Levels
from migsafe.workload.united_types import unmatched_types

_TABLES = (RelationKind.TABLE, RelationKind.PARTITIONED)
Key = tuple[int, str]
"""The number of an element of FROM, and the name of its column."""


class Names(Protocol):
    """The names of a query."""

    catalog: Lookups

    def find(self, ref: Ref, levels: Levels) -> tuple[BoundSource, BoundColumn] | None:
        """Returns the column of a reference with its element of FROM; None if it is not found."""


def refused_form(names: Names, shape: Shape, level: Level) -> tuple[str, str, str] | None:
    """Returns why PostgreSQL refuses the form of a query: the error code, the message, and what it is about; None if it does not."""
    if shape.aggregate_in and not level.outer:
        return "42803", f"aggregate functions are not allowed in {shape.aggregate_in}", shape.aggregate_in
    column = _ungrouped_column(names, shape, level)
    if column is not None:
        return "42803", f'column "{column}" must appear in the GROUP BY clause or be used in an aggregate function', column
    if _compares_json(names, shape, level):
        return "42883", "could not identify an equality operator for type json", "json"
    widths = [_width(branch) for branch in level.inner] if shape.kind == "set" else []
    if None not in widths and len(set(widths)) > 1:
        return "42601", f"each {shape.operator} query must have the same number of columns", shape.operator
    unmatched = unmatched_types(names.catalog, level) if shape.kind == "set" else None
    if unmatched is not None:
        return "42804", f"{shape.operator} types {unmatched[0]} and {unmatched[1]} cannot be matched", shape.operator
    return None


def _compares_json(names: Names, shape: Shape, level: Level) -> bool:
    """Whether DISTINCT, UNION or GROUP BY compares values of the type json, which has no equality."""
    compared = [column for _, column in level.outputs] if shape.distinct and not shape.distinct_on else []
    keys = shape.grouping.keys if shape.grouping is not None else ()
    compared += [found[1] for key in keys if (found := names.find(key, (level,))) is not None]
    types = (column.type for column in compared)
    return any(each is not None and each.name == "json" and each.schema is None and not each.dimensions for each in types)


def _width(level: Level) -> int | None:
    """Returns the number of output columns of a query; None if it is not known."""
    if level.shape.kind == "set":
        return _width(level.inner[0])
    if level.shape.kind == "values":
        return level.shape.width
    has_star = any(output.star for output in level.shape.outputs)
    return None if has_star and not level.complete else len(level.outputs)


def _ungrouped_column(names: Names, shape: Shape, level: Level) -> str | None:
    """Returns the first column that must appear in GROUP BY, with its element of FROM; None if there is none or not all names are known."""
    grouping = shape.grouping
    is_known = all(source.complete for source in level.sources) and not any(
        source.shape.join in ("right", "full") and (source.shape.using or source.shape.natural) for source in level.sources
    )
    if grouping is None or not is_known or (level.outer and not shape.has_group):
        return None
    return _Groups(names, shape, level, grouping).first()


class _Groups:
    def __init__(self, names: Names, shape: Shape, level: Level, grouping: Grouping) -> None:
        self.names, self.shape, self.level, self.grouping = names, shape, level, grouping
        self.keys: set[Key] = set()
        self.outputs = set(grouping.positions)
        self.mentioned = set(grouping.mentioned)

    def first(self) -> str | None:
        if not all(self._add(ref) for ref in self.grouping.keys):
            return None
        determined = {number for number in range(len(self.level.sources)) if self._is_determined(number)}
        for number, output in enumerate(self.shape.outputs):
            found = self._of_star(output.table, determined) if output.star else self._of_uses(number, determined)
            if found is not None:
                return found
        return self._of_uses(-1, determined)

    def _key(self, ref: Ref) -> Key | None:
        found = self.names.find(ref, (self.level,))
        if found is None:
            return None
        return next(number for number, source in enumerate(self.level.sources) if source is found[0]), ref.name

    def _add(self, ref: Ref) -> bool:
        """Adds a column of GROUP BY: one of FROM, else an output column. Returns False if it is not known."""
        key = self._key(ref)
        if key is not None:
            self.keys.add(key)
            return True
        position = next((number for number, output in enumerate(self.shape.outputs) if output.name == ref.name), None)
        if position is None or ref.table is not None:
            return False
        operand = self.shape.outputs[position].operand
        aliased = self._key(operand) if isinstance(operand, Ref) else None
        if aliased is not None:
            self.keys.add(aliased)
        self.outputs.add(position)
        self.mentioned |= {ref.name for ref in getattr(operand, "refs", ())}
        return True

    def _is_determined(self, number: int) -> bool:
        """Whether the primary key of a table is grouped, which determines its other columns."""
        source = self.level.sources[number]
        relation = source.relation
        if relation is None or relation.kind not in _TABLES:
            return False
        if source.shape.columns or not relation.complete:
            return True  # not known, so nothing is said
        columns = self.names.catalog.primary_key_columns(relation.oid)
        return bool(columns) and all((number, column) in self.keys for column in columns)

    def _of_uses(self, output: int, determined: set[int]) -> str | None:
        for use in self.grouping.uses:
            key = self._key(use.ref) if use.output == output and output not in self.outputs else None
            if key is None or (use.ref.name in self.mentioned and not use.is_whole):
                continue
            if self._is_missing(key, determined):
                return self._shown(key)
        return None

    def _of_star(self, table: str | None, determined: set[int]) -> str | None:
        for number, source in enumerate(self.level.sources):
            if table is not None and source.alias != table:
                continue
            for column in source.columns:
                key = (number, column)
                if (column not in source.hidden or table) and self._is_missing(key, determined):
                    return self._shown(key)
        return None

    def _is_missing(self, key: Key, determined: set[int]) -> bool:
        return key[0] not in determined and key not in self.keys and key[1] not in SYSTEM_COLUMNS

    def _shown(self, key: Key) -> str:
        return f"{self.level.sources[key[0]].alias}.{key[1]}"
