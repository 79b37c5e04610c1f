"""What INSERT, UPDATE, DELETE, MERGE and COPY do to the rows of a table, and whether a second run changes rows again."""

import re
from typing import NamedTuple

from migsafe import expressions
from migsafe.linting.reruns.object_use import Action, ObjectUse, Outcome
from migsafe.linting.reruns.paths import NamedObject, relation_named
from migsafe.patterns import lazy_pattern
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Index, Relation
from migsafe.sql import operations as sql
from migsafe.sql.batches import until_second_row
from migsafe.sql.operations import Name, Operation
from migsafe.sql.operations.values import quoted

_NOT_A_KEY = lazy_pattern(r"\b(?:null|default)\b", re.IGNORECASE)


class _Repetition(NamedTuple):
    """What a second run does, as the end of a sentence, and whether it fails."""

    why: str
    outcome: Outcome


_ADDS_TWICE = _Repetition("it adds its rows a second time", Outcome.TWICE)
_FAILS = _Repetition("its rows already exist, and a unique key refuses them", Outcome.FAILS)
_EITHER = _Repetition("its rows already exist, and are added again unless a unique key refuses them", Outcome.EITHER)


def row_uses(op: Operation, text: str, catalog: Catalog) -> list[ObjectUse]:
    """Returns what an operation on rows does to its table. `text` is its SQL, empty if it is unknown."""
    match op:
        case sql.Insert() | sql.Update() | sql.Delete() | sql.Merge():
            table = relation_named(op.table, catalog, "table")
        case sql.Copy(table=Name() as table_name, source=True):
            table = relation_named(table_name, catalog, "table")
        case _:
            return []
    uses = [_need(table, text)]
    uses += [_need(relation_named(read, catalog, "table"), text) for read in (() if isinstance(op, sql.Copy) else op.reads)]
    match op:
        case sql.Insert():
            repetition = _repeated_insert(op, text, catalog)
        case sql.Update() | sql.Merge():
            repetition = _repeated_change(op, text, catalog)
        case sql.Copy():
            repetition = _added_again(op.table, op.columns, None, catalog) if op.table is not None else None
        case _:
            repetition = None
    if isinstance(op, sql.Delete) and op.where is None and op.current_of is None and op.certain:
        uses.append(ObjectUse(action=Action.EMPTIES, path=table.path, label=table.label))
    if repetition is not None:
        why, outcome = repetition
        error = "unique_violation" if outcome is Outcome.FAILS else ""
        uses.append(ObjectUse(action=Action.REPEATS, path=table.path, label=table.label, reason=why, outcome=outcome, error=error))
    return uses


def _need(table: NamedObject, text: str) -> ObjectUse:
    return ObjectUse(action=Action.REQUIRES, path=table.path, label=table.label, error="undefined_table", sql=text)


# INSERT


def _repeated_insert(op: sql.Insert, text: str, catalog: Catalog) -> _Repetition | None:
    if any(catalog.resolve(read) == catalog.resolve(op.table) for read in op.reads):
        return None  # its query checks which rows already exist
    if op.on_conflict == "update":
        changed = _changed_again(op, text, catalog)
        if changed is not None:
            return changed
    # Parsing is expensive. Only these make the keys differ, and only a unique index has keys.
    differs = bool(op.calls) or op.on_conflict == "update" or _NOT_A_KEY.search(text) is not None
    matters = differs and op.source != "default" and _has_unique_index(op.table, catalog)
    positions = expressions.repeated_positions(until_second_row(text), catalog.pg_version) if matters and text else None
    added = _added_again(op.table, op.columns, positions, catalog, default=op.source == "default")
    if op.on_conflict is None:
        return added
    return added if added is not None and added.outcome is Outcome.TWICE else None


def _added_again(
    table: Name, columns: tuple[str, ...], positions: set[int] | None, catalog: Catalog, *, default: bool = False
) -> _Repetition | None:
    """Returns what happens to rows that are added again: a unique key on the same values rejects them, otherwise they are duplicated.

    `positions` are those of the values that are the same on each run; None where all of them may be.
    """
    relation = catalog.relation(table)
    if relation is None:
        return _EITHER
    names = columns or tuple(column.name for column in relation.columns if column.generated is None)
    repeated = set() if default else {name for position, name in enumerate(names) if positions is None or position in positions}
    if any(_is_unique_on(index, relation, repeated) for index in catalog.indexes(relation.oid)):
        return _FAILS
    return _ADDS_TWICE if relation.complete else _EITHER


def _has_unique_index(table: Name, catalog: Catalog) -> bool:
    relation = catalog.relation(table)
    return relation is not None and any(index.unique for index in catalog.indexes(relation.oid))


def _is_unique_on(index: Index, table: Relation, columns: set[str]) -> bool:
    """Whether an index is unique and all its key columns are in `columns`."""
    names = [column.name if (column := table.column_numbered(number)) is not None else "" for key in index.keys for number in key.columns]
    return index.unique and all(name in columns for name in names)


# UPDATE and MERGE


def _repeated_change(op: sql.Update | sql.Merge, text: str, catalog: Catalog) -> _Repetition | None:
    if isinstance(op, sql.Update) and not op.calls and not _may_read_assigned_column(op, text):
        return None
    return _changed_again(op, text, catalog)


def _may_read_assigned_column(op: sql.Update, text: str) -> bool:
    """Whether an assigned column occurs more than once in the statement."""
    return any(len(re.findall(rf"\b{re.escape(column)}\b", text, re.IGNORECASE)) > 1 for column in op.columns)


def _changed_again(op: sql.Insert | sql.Update | sql.Merge, text: str, catalog: Catalog) -> _Repetition | None:
    columns = expressions.columns_changed_again(op, text, catalog) if text else []
    if not columns:
        return None
    return _Repetition(f"it changes {', '.join(map(quoted, columns))} of {catalog.resolve(op.table)} again", Outcome.TWICE)
