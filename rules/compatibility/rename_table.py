"""Renaming a table breaks the running release.

The rename takes a moment, but from then on every statement of the old release that names the table fails until the release is replaced.
Create a simple view under the old name in the same transaction: it passes SELECT, INSERT, UPDATE and DELETE on to the table. A view that lacks
a column of the table, or whose rows cannot be changed, is reported, too, unless the application's queries are known, which are judged on it.
Drop the view when no release uses the old name. If another table gets the old name in the same transaction, nothing fails, but the
running release reads and writes other rows than before: this is reported as a warning. A new table that is filled while the old one is locked,
by LOCK TABLE or by the rename itself, has the same rows and is not reported, unless it lacks a column of the old one.

Unsafe:
    ALTER TABLE orders RENAME TO purchases;

Safe:
    BEGIN;
    ALTER TABLE orders RENAME TO purchases;
    CREATE VIEW orders AS SELECT * FROM purchases;
    COMMIT;

See: https://www.postgresql.org/docs/current/sql-createview.html#SQL-CREATEVIEW-UPDATABLE-VIEWS
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe import expressions
from migsafe.linting.facts.ownership import NameAbsence, is_created_here, is_name_created_here, name_absence
from migsafe.linting.facts.query_uses import KnownUse, use_of_relations
from migsafe.linting.facts.wording import deployments, join_names, once_released
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.lock import LockMode
from migsafe.prediction.refusals.new_tables import is_read_only_view
from migsafe.schema.objects import Relation, RelationKind, is_table
from migsafe.schema.query_tables import known_columns
from migsafe.sql.operations import Call, Do, Insert, LockTable, Name, OpaqueCode, Rename


class _Renamed(Struct, frozen=True):
    """A rename: its position, the table's old name, the queries that use it, and the names of its columns, if they are known."""

    position: int
    old: Name
    use: KnownUse
    columns: tuple[str, ...] = ()


_STOP_WRITES = ("SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE")


class _State(Struct):
    renamed: list[_Renamed] = []


@rule(category="compatibility", severity=Severity.ERROR, fix="unsafe", unsafe_because="a part of it needs another deployment")
def rename_table(op: Rename | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record each renamed table, and report it at the end of the migration unless its transaction gave the old name to another object."""
    if isinstance(op, Rename):
        if _is_known_table(op, at):
            table = at.catalog.relation(op.name)
            columns = tuple(column.name for column in table.columns) if table is not None and table.complete else ()
            at.state(_State).renamed.append(_Renamed(at.position, at.resolve(op.name), use_of_relations(at, (op.name,)), columns))
        return
    swapped: set[int] = set()
    for renamed in at.state(_State).renamed:
        successor = _successor(at, renamed.position, renamed.old)
        if successor is not None:
            swapped.add(successor)
            yield _swapped(at, successor, renamed.old)
    for renamed in at.state(_State).renamed:
        position, old, use = renamed.position, renamed.old, renamed.use
        done = at.past[position]
        renaming: Rename = done.operation  # type: ignore[assignment]  # the recorded operations are of this type
        name = renaming.name
        absence = name_absence(at, position, "table", name)
        if absence is NameAbsence.NONE:
            yield from _replaced_by_view(at, renamed)
            yield from _replaced_by_new_table(at, renamed)
        if absence is NameAbsence.NONE or position in swapped:
            continue
        new = Name(renaming.new_name, name.schema)
        view = f"CREATE VIEW {name} AS SELECT * FROM {new};"  # noqa: S608  # it is written down, not run
        yield at.finding(
            done,
            f"{old} becomes {Name(new.name, old.schema)}: every statement of the running release that names {name} fails"
            + (", until another object has that name" if absence is NameAbsence.TEMPORARY else "")
            + use.words,
            help=(
                deployments(f"the new name, a view under the old one, and a release that uses only {new}", "DROP VIEW") + "BEGIN;\n"
                f"ALTER TABLE {name} RENAME TO {Name(new.name)};\n"
                f"{view}\n"
                "COMMIT;\n" + once_released(f"no running release names {name}", "drop-object") + f"DROP VIEW {name};"
            ),
            relations=(old,),
            lock=LockMode.ACCESS_EXCLUSIVE,
            severity=use.severity,
            queries=use.queries,
            use_words=use.words if use.queries else "",
        )


def _replaced_by_view(at: Context, renamed: _Renamed) -> Iterator[Finding]:
    """Reports a view that takes the old name of a table, and does not pass everything on to it."""
    view = at.catalog.relation(renamed.old)
    if view is None or view.kind not in (RelationKind.VIEW, RelationKind.MATERIALIZED) or at.queries is not None:
        return
    known = known_columns(at.catalog, view)
    names = {column.name for column in known} if known is not None else set(renamed.columns)
    missing = [column for column in renamed.columns if column not in names]
    if missing:
        them = "it" if len(missing) == 1 else "them"
        problem = f"without {join_names([Name(name) for name in missing])}: every statement of the running release that names {them} fails"
    elif view.kind is RelationKind.MATERIALIZED or is_read_only_view(at.catalog, view, expressions.query_shape):
        problem = "whose rows cannot be changed: every INSERT, UPDATE and DELETE of the running release fails"
    else:
        return
    kind = "view" if view.kind is RelationKind.VIEW else "materialized view"
    yield at.finding(
        at.past[renamed.position],
        f"{renamed.old} is replaced by a {kind} {problem}",
        help="-- a view with all columns, under their old names, of one table: without DISTINCT, GROUP BY, LIMIT, UNION and joins",
        relations=(renamed.old,),
        lock=LockMode.ACCESS_EXCLUSIVE,
        fix="",
    )


def _replaced_by_new_table(at: Context, renamed: _Renamed) -> Iterator[Finding]:
    """Reports a table of the migration that takes the old name of a table, unless it has certainly all rows of the old one."""
    old, table = renamed.old, at.catalog.relation(renamed.old)
    if table is None or not is_table(table) or table.name != old:
        return
    if not is_created_here(at, old) and not at.catalog.release.made(table.created_in):
        return
    renaming = at.past[renamed.position].operation
    assert isinstance(renaming, Rename)
    new = Name(renaming.new_name, old.schema)
    missing = _missing_columns(renamed, table) if at.queries is None else []
    if missing:
        yield _without_columns(at, renamed, missing)
        return
    if _is_filled_while_locked(at, renamed, new):
        return
    yield at.finding(
        at.past[renamed.position],
        f"a new table takes the name {old} in the transaction that takes it from {new}: the running release now reads and writes other rows "
        f"under this name, without those that were written to {new} after the new table was filled; grants, triggers and foreign keys stay "
        f"with {new}",
        help=f"-- after this rename, which locks {new} until COMMIT, insert the rows of {new} that {old} lacks; or fill {old} only then",
        relations=(old,),
        lock=LockMode.ACCESS_EXCLUSIVE,
        severity=Severity.WARNING,
        fix="",
    )


def _missing_columns(renamed: _Renamed, table: Relation) -> list[Name]:
    """Returns the columns that a renamed table has, and the table that takes its name has not."""
    names = {column.name for column in table.columns}
    return [Name(column) for column in renamed.columns if column not in names] if table.complete else []


def _without_columns(at: Context, renamed: _Renamed, missing: list[Name]) -> Finding:
    them = "it" if len(missing) == 1 else "them"
    columns = join_names(missing)
    return at.finding(
        at.past[renamed.position],
        f"{renamed.old} is replaced by a new table without {columns}: every statement of the running release that names {them} fails",
        help=f"-- keep the table, and change its columns one by one; drop {columns} when no running release names {them}",
        relations=(renamed.old,),
        lock=LockMode.ACCESS_EXCLUSIVE,
        fix="",
    )


def _is_filled_while_locked(at: Context, renamed: _Renamed, new: Name) -> bool:
    """Whether the migration copies rows of a table after its rename, or after a LOCK TABLE that stops writes, or may do so in code."""
    for position, done in enumerate(at.past):
        op = done.operation
        if isinstance(op, LockTable) and op.mode in _STOP_WRITES and renamed.old in [at.resolve(table.name) for table in op.tables]:
            return done.transaction is not None and done.transaction == at.past[renamed.position].transaction
        if position > renamed.position and isinstance(op, Do | OpaqueCode | Call):
            return True
        if position > renamed.position and isinstance(op, Insert) and new in [at.resolve(name) for name in op.reads]:
            return True
    return False


def _successor(at: Context, position: int, old: Name) -> int | None:
    """Returns the position of the rename that gives the old name to another existing table, in the same transaction; None if there is none."""
    for number in (renamed.position for renamed in at.state(_State).renamed):
        later = at.past[number]
        if number > position and later.transaction is not None and later.transaction == at.past[position].transaction:
            assert isinstance(later.operation, Rename)
            if Name(later.operation.new_name, at.resolve(later.operation.name).schema) == old:
                return number
    return None


def _swapped(at: Context, position: int, old: Name) -> Finding:
    renaming = at.past[position].operation
    assert isinstance(renaming, Rename)
    return at.finding(
        at.past[position],
        f"{at.resolve(renaming.name)} becomes {old} in the transaction that takes this name from another table: the running release now "
        f"reads and writes other rows under the name {old}; grants, triggers and foreign keys stay with the table that had the name",
        help="-- before COMMIT, under LOCK TABLE of both, copy the rows that were written since the new table was filled",
        relations=(old,),
        lock=LockMode.ACCESS_EXCLUSIVE,
        severity=Severity.WARNING,
    )


def _is_known_table(op: Rename, at: Context) -> bool:
    # ALTER TABLE renames views, sequences and indexes too.
    if op.kind not in ("table", "foreign table") or at.catalog.index(op.name) is not None:
        return False
    relation = at.catalog.relation(op.name)
    if relation is None:
        return not (op.if_exists and at.catalog.is_absent(op.name))
    return is_table(relation) and not is_created_here(at, op.name) and not is_name_created_here(at, "table", op.name)
