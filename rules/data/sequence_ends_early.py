"""A key becomes bigint, but its sequence stays integer.

ALTER COLUMN TYPE changes the sequence of an identity column with it, but not that of a serial column, nor any other sequence in a default
(measured on 14 and 18). The sequence still ends at 2147483647: then nextval fails, and with it every INSERT, although the column has room.
Change the sequence in the same migration; its lock does not stop reads of the table.

Unsafe:
    CREATE TABLE letters (id bigint PRIMARY KEY, number serial);
    -- next migration
    -- migsafe: ignore[type-change-rewrites] the table is small
    ALTER TABLE letters ALTER COLUMN number TYPE bigint;

Safe:
    CREATE TABLE letters (id bigint PRIMARY KEY, number serial);
    -- next migration
    -- migsafe: ignore[type-change-rewrites] the table is small
    ALTER TABLE letters ALTER COLUMN number TYPE bigint;
    ALTER SEQUENCE letters_number_seq AS bigint;

See: https://www.postgresql.org/docs/current/sql-altersequence.html
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Relation
from migsafe.sql.operations import AddColumn, AlterColumnType, SetDefault
from migsafe.sql.operations.values import quoted

_LAST = {"smallint": "32767", "integer": "2147483647"}


class _State(Struct):
    changed: dict[int, list[int]] = {}
    """The tables of which a column gets a type or a default, by oid, each with the positions of the operations."""
    known: set[tuple[int, int]] = set()
    """The columns whose sequence ended early before, as table and sequence."""


@rule(category="data", severity=Severity.WARNING, no_fix="another type of the sequence changes the final schema")
def sequence_ends_early(op: AlterColumnType | AddColumn | SetDefault | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record the changed tables, and report at the end of the migration the bigint columns that have come to a shorter sequence."""
    state = at.state(_State)
    if isinstance(op, MigrationEnd):
        for oid, positions in state.changed.items():
            for column, sequence in _short_sequences(at.catalog, oid):
                if (oid, sequence.oid) not in state.known:
                    yield _finding(at, positions, column, sequence)
        return
    table = at.catalog.relation(op.target.name)
    if table is not None:
        if table.oid not in state.changed:
            state.known.update((table.oid, sequence.oid) for _, sequence in _short_sequences(at.catalog, table.oid))
        state.changed.setdefault(table.oid, []).append(at.position)


def _short_sequences(catalog: Catalog, table: int) -> Iterator[tuple[str, Relation]]:
    """Yields the bigint columns of a table whose default takes its value from a sequence of a shorter type, with the sequence."""
    relation = catalog.get(table)
    for column in relation.columns if isinstance(relation, Relation) else ():
        if column.type is not None and column.type.name == "bigint" and column.default is not None:
            for oid in column.default.sequences:
                sequence = catalog.get(oid)
                if isinstance(sequence, Relation) and sequence.sequence_type in _LAST:
                    yield column.name, sequence


def _finding(at: Context, positions: list[int], column: str, sequence: Relation) -> Finding:
    named = [position for position in positions if column in _columns(at.past[position].operation)]
    done = at.past[(named or positions)[-1]]
    table = at.resolve(done.operation.target.name)  # type: ignore[attr-defined]  # the recorded operations alter a table
    return at.finding(
        done,
        f"{quoted(column)} of {table} is bigint, but its sequence {sequence.name} stays {sequence.sequence_type}: at "
        f"{_LAST[str(sequence.sequence_type)]} nextval fails, and with it every INSERT",
        help=f"-- after this statement:\nALTER SEQUENCE {sequence.name} AS bigint;",
        relations=(table,),
    )


def _columns(op: object) -> tuple[str, ...]:
    match op:
        case AddColumn(column=column):
            return (column.name,)
        case AlterColumnType(column=name) | SetDefault(column=name):
            return (name,)
    return ()
