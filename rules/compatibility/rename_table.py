"""Renaming a table breaks the release that is still running.

The rename takes a moment, and every statement of the old release that names the table fails from then on, until the release is replaced. A
simple view under the old name, made in the same transaction, takes its SELECTs, INSERTs, UPDATEs and DELETEs and passes them on to the
table; drop it once no release uses the old name.

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

from migsafe.linting.facts.ownership import NameAbsence, is_created_here, is_name_created_here, name_absence
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.catalog import is_table
from migsafe.sql.operations import Name, Rename


@rule(category="compatibility", severity=Severity.ERROR)
def rename_table(op: Rename | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Note each renamed table, and report when the migration ends those whose old name its transaction has given to nothing else."""
    if isinstance(op, Rename):
        if _is_of_interest(op, at):
            at.notes.append((len(at.past), at.resolve(op.name)))
        return
    for position, old in at.notes:
        done = at.past[position]
        left = name_absence(at, position, "table", done.operation.name)
        if left is NameAbsence.NONE:
            continue
        new = Name(done.operation.new_name, done.operation.name.schema)
        what = done.operation.name
        view = f"CREATE VIEW {what} AS SELECT * FROM {new};"  # noqa: S608  # it is written down, not run
        yield at.finding(
            done,
            f"{old} becomes {Name(new.name, old.schema)}: every statement of the release that is running which names {what} fails"
            + (", until something else has its name" if left is NameAbsence.SHORT else ""),
            help=(
                "BEGIN;\n"
                f"ALTER TABLE {what} RENAME TO {Name(new.name)};\n"
                f"{view}\n"
                "COMMIT;\n"
                f"-- once no release that names {what} is running, in a migration of its own:\n"
                f"DROP VIEW {what};"
            ),
            relations=(old,),
            lock=LockMode.ACCESS_EXCLUSIVE,
        )


def _is_of_interest(op: Rename, at: Context) -> bool:
    # ALTER TABLE renames views, sequences and indexes too.
    if op.kind not in ("table", "foreign table") or at.catalog.index(op.name) is not None:
        return False
    relation = at.catalog.relation(op.name)
    if relation is None:
        return not (op.if_exists and at.catalog.is_absent(op.name))
    return is_table(relation) and not is_created_here(at, op.name) and not is_name_created_here(at, "table", op.name)
