"""Renaming a table breaks the running release.

The rename takes a moment, but from then on every statement of the old release that names the table fails until the release is replaced.
Create a simple view under the old name in the same transaction: it passes SELECT, INSERT, UPDATE and DELETE on to the table. Drop the view
when no release uses the old name. If another existing table gets the old name in the same transaction, nothing fails, but the running release
reads and writes other rows than before: this is reported as a warning.

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

from migsafe.linting.facts.ownership import NameAbsence, is_created_here, is_name_created_here, name_absence
from migsafe.linting.facts.query_uses import KnownUse, use_of_relations
from migsafe.linting.facts.wording import deployments, once_released
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.objects import is_table
from migsafe.sql.operations import Name, Rename


class _State(Struct):
    renamed: list[tuple[int, Name, KnownUse]] = []
    """The positions of renames, each with the table's old name and the queries that use it."""


@rule(category="compatibility", severity=Severity.ERROR, fix="unsafe", unsafe_because="a part of it needs another deployment")
def rename_table(op: Rename | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record each renamed table, and report it at the end of the migration unless its transaction gave the old name to another object."""
    if isinstance(op, Rename):
        if _is_known_table(op, at):
            at.state(_State).renamed.append((at.position, at.resolve(op.name), use_of_relations(at, (op.name,))))
        return
    swapped: set[int] = set()
    for position, old, _ in at.state(_State).renamed:
        successor = _successor(at, position, old)
        if successor is not None:
            swapped.add(successor)
            yield _swapped(at, successor, old)
    for position, old, use in at.state(_State).renamed:
        done = at.past[position]
        renaming: Rename = done.operation  # type: ignore[assignment]  # the recorded operations are of this type
        name = renaming.name
        absence = name_absence(at, position, "table", name)
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


def _successor(at: Context, position: int, old: Name) -> int | None:
    """Returns the position of the rename that gives the old name to another existing table, in the same transaction; None if there is none."""
    for number, _, _ in at.state(_State).renamed:
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
