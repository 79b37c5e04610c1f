"""Indexes that a migration drops and that a later one of its indexes replaces."""

from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from migsafe.linting.rule import Context
from migsafe.schema.default_names import default_index_name
from migsafe.schema.indexes import same_key, same_predicate, sketched
from migsafe.schema.objects import Index
from migsafe.sources import Transaction
from migsafe.sql.generation import create_index, join_migrations
from migsafe.sql.operations import ConstraintKind, CreateIndex, Drop, DropConstraint, Name
from migsafe.sql.operations.values import quoted
from migsafe.sql.statements import Statement


class DroppedIndex(Struct, frozen=True):
    """An index that is not new, and the position of the operation that drops it, or its constraint."""

    position: int
    index: Index


class DroppedIndexes(Struct):
    """A rule's record of the indexes that were dropped and not yet replaced."""

    dropped: list[DroppedIndex] = []


class BuiltFirst(NamedTuple):
    """The safe way: the new index is built before the old one is dropped. `fix` is empty if it leaves a decision; `replaces` are the
    statements in whose place it is, none if the old one's does something else, too."""

    help: str
    fix: str
    replaces: tuple[Statement, ...]


def record_dropped(op: Drop | DropConstraint, at: Context) -> None:
    """Adds the indexes that an operation drops to the current rule's record."""
    indexes = [index for index in _dropped(op, at) if not at.is_new(at.catalog[index.table].name)]
    at.state(DroppedIndexes).dropped.extend(DroppedIndex(at.position, index) for index in indexes)


def _dropped(op: Drop | DropConstraint, at: Context) -> Iterator[Index]:
    """Yields the indexes that an operation drops, also that of a constraint."""
    if isinstance(op, Drop):
        found = [at.catalog.index(name) for name in op.names] if op.kind == "index" else []
        yield from (index for index in found if index is not None)
        return
    table = at.catalog.relation(op.target.name)
    constraint = at.catalog.constraint(table.oid, op.constraint) if table is not None else None
    if constraint is not None and constraint.index is not None and constraint.kind in (ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY):
        index = at.catalog[constraint.index]
        assert isinstance(index, Index)
        yield index


def replaced_by(op: CreateIndex, at: Context, *, in_transaction: bool) -> list[DroppedIndex]:
    """Returns the dropped indexes that an index replaces: those of its transaction, or the others."""
    table = at.catalog.relation(op.table)
    created = sketched(at.catalog, table, op) if table is not None else None
    if created is None:
        return []
    return [
        each
        for each in at.state(DroppedIndexes).dropped
        if _replaces(op, created, each.index) and _is_in_transaction(each.position, at) is in_transaction
    ]


def _is_in_transaction(position: int, at: Context) -> bool:
    done = at.past[position]
    return done.transaction is not None and done.transaction == at.session.transaction


def _replaces(op: CreateIndex, created: Index, old: Index) -> bool:
    """Whether an index replaces a dropped one: it has its name, or one of the two begins with the keys of the other."""
    if created.table != old.table:
        return False
    same_keys = all(same_key(new, old_key) for new, old_key in zip(created.keys, old.keys, strict=False))
    return op.name == old.name.name or (created.method == old.method and same_keys)


def built_first(op: CreateIndex, at: Context, dropped: DroppedIndex) -> BuiltFirst:
    """Returns the safe way to replace a dropped index."""
    old, name = dropped.index, op.name or default_index_name(op, at.catalog)
    drop, statement = at.past[dropped.position].operation, at.past[dropped.position].statement
    assert isinstance(drop, Drop | DropConstraint)
    names = drop.names if isinstance(drop, Drop) else (drop.constraint,)
    is_alone = not drop.cascade and len(names) == 1 and sum(past.statement == statement for past in at.past) == 1
    if isinstance(drop, Drop) and name is not None and _is_equal(op, old, at):
        rename = f"ALTER INDEX {_own_name(drop, old)} RENAME TO {quoted(name)};"
        return BuiltFirst(
            help=f"-- {old.name.name} has the same keys: instead of dropping it, rename it, which takes a moment:\n{rename}",
            fix=f"-- in place of all of them:\n{rename}" if is_alone else "",
            replaces=(statement, at.statement) if is_alone else (),
        )
    # What needs a transaction, or may have one.
    inside, again = [], []
    if name == old.name.name:
        name = f"{name}_new"
        inside = again = [f"ALTER INDEX {Name(name, op.table.schema)} RENAME TO {quoted(old.name.name)};"]
    if isinstance(drop, DropConstraint):
        table = f"ALTER TABLE {drop.target.name} DROP CONSTRAINT"
        inside, again = [f"{table} {quoted(drop.constraint)};", *inside], [f"{table} IF EXISTS {quoted(drop.constraint)};", *again]
    outside = [f"{create_index(op, name, concurrently=True)};"]
    # A second run must find its way, whatever the first one left.
    left_over = [f"DROP INDEX CONCURRENTLY IF EXISTS {Name(name, op.table.schema)};"] if name and not at.is_alone_outside else []
    outside_again = [*left_over, *outside]
    if isinstance(drop, Drop):
        own = _own_name(drop, old)
        outside = [*outside, f"-- when it is built:\nDROP INDEX CONCURRENTLY {own};"]
        outside_again = [*outside_again, f"DROP INDEX CONCURRENTLY IF EXISTS {own};"]
    elif inside:
        inside[0] = f"-- when it is built:\n{inside[0]}"
    return BuiltFirst(
        help=_migrations(at, outside, inside),
        fix="-- in place of all of them:\n" + _migrations(at, outside_again, again) if is_alone else "",
        replaces=(statement, at.statement) if is_alone else (),
    )


def _own_name(drop: Drop, index: Index) -> Name:
    """Returns the name of an index as the statement that drops it writes it."""
    return next((each for each in drop.names if each.name == index.name.name), index.name)


def _is_equal(op: CreateIndex, old: Index, at: Context) -> bool:
    """Whether an index differs from a dropped one by its name only."""
    table = at.catalog.relation(op.table)
    created = sketched(at.catalog, table, op) if table is not None else None
    if created is None or created.table != old.table or op.name in (None, old.name.name) or op.options or op.tablespace or op.only:
        return False
    is_certain = old.valid and old.parent is None and op.certain and same_predicate(created, old)
    return is_certain and replace(created, oid=old.oid, name=old.name, predicate=None) == replace(old, predicate=None)


def _migrations(at: Context, outside: list[str], inside: list[str]) -> str:
    """Returns statements that run outside a transaction, and what follows them: in a migration of its own where the runner begins a transaction
    for each file, because runners refuse statements of both kinds in one file."""
    if inside and at.migration.up.transaction is Transaction.FILE and not at.is_script:
        return join_migrations(at.outside_transaction("\n".join(outside)), "\n".join(inside))
    return at.outside_transaction("\n".join((*outside, *inside)))
