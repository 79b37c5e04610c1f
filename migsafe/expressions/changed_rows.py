"""Whether a statement changes rows once more when it runs again: by the keys of the table that it writes to, and by what it writes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migsafe.expressions.recomputed_values import Changes
from migsafe.expressions.trees import parse_query
from migsafe.linting.reruns.paths import Named, relation
from migsafe.linting.reruns.touch import Act, Outcome, Touch
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Index, Relation
from migsafe.schema.volatility import volatility_of
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Operation, Query
from migsafe.sql.operations.values import quoted
from migsafe.text import Span

if TYPE_CHECKING:
    from sqlglot import exp

_NOT_A_KEY = re.compile(r"\b(?:null|default)\b", re.IGNORECASE)
_ONCE_MORE = "it adds its rows a second time"
_STOPS = "its rows are there already, and a unique key refuses them"
_EITHER = "its rows are there already, and come a second time unless a unique key refuses them"


def rows(op: Operation, text: str, catalog: Catalog) -> list[Touch]:
    """What an operation on rows does to its table. `text` is its SQL; empty where that is not known."""
    match op:
        case sql.Insert() | sql.Update() | sql.Delete() | sql.Merge():
            place = relation(op.table, catalog, "table")
        case sql.Copy(table=Name() as table, source=True):
            place = relation(table, catalog, "table")
        case _:
            return []
    found = [Touch(act=Act.NEEDS, path=place.path, what=place.what, error="undefined_table", words=text)]
    for read in () if isinstance(op, sql.Copy) else op.reads:
        other = relation(read, catalog, "table")
        found.append(Touch(act=Act.NEEDS, path=other.path, what=other.what, error="undefined_table", words=text))
    match op:
        case sql.Insert():
            again = _inserted(op, text, catalog)
        case sql.Update() | sql.Merge():
            again = _changed(op, text, catalog)
        case sql.Copy():
            again = _added(op.table, op.columns, None, catalog) if op.table is not None else None
        case _:
            again = None
    if isinstance(op, sql.Delete) and op.where is None and op.current_of is None and op.certain:
        found.append(Touch(act=Act.EMPTIES, path=place.path, what=place.what))
    if again is not None:
        found.append(_repeated(place, *again))
    return found


def _repeated(place: Named, why: str, outcome: Outcome) -> Touch:
    error = "unique_violation" if outcome is Outcome.FAILS else ""
    return Touch(act=Act.REPEATS, path=place.path, what=place.what, why=why, outcome=outcome, error=error)


def _tree(text: str) -> exp.Expr | None:
    # In a string that EXECUTE runs quotes are doubled.
    return (parse_query(Query(text, Span(0, 0))) or parse_query(Query(text.replace("''", "'"), Span(0, 0)))) if text else None


# INSERT


def _inserted(op: sql.Insert, text: str, catalog: Catalog) -> tuple[str, Outcome] | None:
    if any(catalog.resolve(read) == catalog.resolve(op.table) for read in op.reads):
        return None  # its query looks what is there already
    # Only these make a difference, and a large seed has many rows.
    tree = _tree(text) if op.calls or op.on_conflict == "update" or _NOT_A_KEY.search(text) else None
    if op.on_conflict == "update" and tree is not None:
        changed = _changes_on_conflict(op, tree, catalog)
        if changed is not None:
            return changed
    added = _added(op.table, op.columns, tree, catalog, default=op.source == "default")
    if op.on_conflict is None:
        return added
    return added if added is not None and added[1] is Outcome.TWICE else None


def _added(
    table: Name, columns: tuple[str, ...], tree: exp.Expr | None, catalog: Catalog, *, default: bool = False
) -> tuple[str, Outcome] | None:
    """What becomes of rows that are added again: a unique key that they give refuses them, else they are there twice."""
    found = catalog.relation(table)
    if found is None:
        return _EITHER, Outcome.EITHER
    given = _given(found, columns, tree, catalog.pg_version) if not default else set()
    if any(_is_given(index, found, given) for index in catalog.indexes(found.oid)):
        return _STOPS, Outcome.FAILS
    if not found.complete:
        return _EITHER, Outcome.EITHER
    return _ONCE_MORE, Outcome.TWICE


def _is_given(index: Index, table: Relation, given: set[str]) -> bool:
    names = [column.name if (column := table.numbered(number)) is not None else "" for key in index.keys for number in key.columns]
    return index.unique and all(name in given for name in names)


def _given(table: Relation, columns: tuple[str, ...], tree: exp.Expr | None, pg_version: int) -> set[str]:
    """The columns to which an INSERT gives values that are the same the next time, and not NULL."""
    names = list(columns or (column.name for column in table.columns if column.generated is None))
    values = _values(tree)
    if values is None:
        return set(names)
    first = values[: len(names)]
    return {name for name, value in zip(names, first, strict=False) if not _differs(value, pg_version)}


def _values(tree: exp.Expr | None) -> list[exp.Expr] | None:
    """What an INSERT gives to its columns, of VALUES the first row; None where that is not known."""
    from sqlglot import exp  # noqa: PLC0415  # costs more than the rest of the program's start

    if not isinstance(tree, exp.Insert):
        return None
    source = tree.expression
    if isinstance(source, exp.Values):
        row = source.expressions[0]
        return list(row.expressions) if isinstance(row, exp.Tuple) else [row]
    if isinstance(source, exp.Select) and not any(isinstance(one, exp.Star) for one in source.expressions):
        return [one.unalias() for one in source.expressions]
    return None


def _differs(value: exp.Expr, pg_version: int) -> bool:
    """Whether a value is another one each time, or one that no unique key refuses."""
    from sqlglot import exp  # noqa: PLC0415

    if isinstance(value, exp.Null) or (isinstance(value, exp.Var | exp.Column) and value.name.lower() == "default"):
        return True
    calls = (call.sql("postgres").partition("(")[0].lower() for call in value.find_all(exp.Func))
    return any(volatility_of(Name(name), pg_version) == "volatile" for name in calls)


def _changes_on_conflict(op: sql.Insert, tree: exp.Expr, catalog: Catalog) -> tuple[str, Outcome] | None:
    conflict = tree.args.get("conflict")
    assignments = _assignments(conflict.expressions if conflict is not None else [])
    changes = _changes(op.table, frozenset((op.table.name, _alias(tree))), assignments, catalog)
    return _said(changes.repeated(), op.table, catalog)


# UPDATE and MERGE


def _changed(op: sql.Update | sql.Merge, text: str, catalog: Catalog) -> tuple[str, Outcome] | None:
    from sqlglot import exp  # noqa: PLC0415

    tree = _tree(text) if not isinstance(op, sql.Update) or op.calls or _reads_its_own(op, text) else None
    if tree is None:
        return None
    target = frozenset((op.table.name, _alias(tree)))
    for update in tree.find_all(exp.Update):
        if isinstance(op, sql.Update) and update.this is not None and update.this.name.lower() != op.table.name:
            continue
        changes = _changes(op.table, target | {_alias(update)}, _assignments(update.expressions), catalog)
        where = update.args.get("where")
        if not changes.is_guarded(where.this if where is not None else None):
            said = _said(changes.repeated(), op.table, catalog)
            if said is not None:
                return said
    return None


def _reads_its_own(op: sql.Update, text: str) -> bool:
    """Whether one of the columns that are set may stand elsewhere, too."""
    return any(len(re.findall(rf"\b{re.escape(column)}\b", text, re.IGNORECASE)) > 1 for column in op.columns)


def _changes(table: Name, target: frozenset[str], assignments: list[tuple[str, exp.Expr]], catalog: Catalog) -> Changes:
    found = catalog.relation(table)
    json = {column.name for column in found.columns if column.type is not None and column.type.name == "jsonb"} if found is not None else ()
    return Changes(assignments, target, catalog.pg_version, frozenset(json))


def _alias(tree: exp.Expr) -> str:
    table = tree.this
    while table is not None and table.key == "schema":
        table = table.this
    return str(table.alias_or_name).lower() if table is not None else ""


def _assignments(expressions: list[exp.Expr]) -> list[tuple[str, exp.Expr]]:
    """The pairs of SET; `(a, b) = (x, y)` taken apart."""
    from sqlglot import exp  # noqa: PLC0415

    found: list[tuple[str, exp.Expr]] = []
    for one in expressions:
        if not isinstance(one, exp.EQ):
            continue
        left, right = one.this, one.expression
        if isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple):
            found += [(name.name.lower(), value) for name, value in zip(left.expressions, right.expressions, strict=False)]
        elif not isinstance(left, exp.Tuple):
            found.append((left.name.lower(), right))
    return found


def _said(columns: list[str], table: Name, catalog: Catalog) -> tuple[str, Outcome] | None:
    if not columns:
        return None
    return f"it changes {', '.join(map(quoted, columns))} of {catalog.resolve(table)} once more", Outcome.TWICE
