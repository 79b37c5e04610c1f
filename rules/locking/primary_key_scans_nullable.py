"""PRIMARY KEY USING INDEX scans the whole table if a column of the index is nullable.

The index exists already, but the columns of a primary key must be NOT NULL. If one is not, PostgreSQL sets NOT NULL and checks every row
while it holds ACCESS EXCLUSIVE on the table: even SELECT waits, and the wait grows with the table. First make the columns NOT NULL with a
CHECK that is validated without blocking reads and writes; then ADD PRIMARY KEY takes a moment.

Unsafe, the index outside a transaction:
    CREATE UNIQUE INDEX CONCURRENTLY events_pkey ON events (id);
    -- next migration
    ALTER TABLE events ADD CONSTRAINT events_pkey PRIMARY KEY USING INDEX events_pkey;

Safe, the index outside a transaction:
    DROP INDEX CONCURRENTLY IF EXISTS events_pkey;
    CREATE UNIQUE INDEX CONCURRENTLY events_pkey ON events (id);
    -- next migration
    ALTER TABLE events ADD CONSTRAINT events_id_not_null CHECK (id IS NOT NULL) NOT VALID;
    -- next migration
    ALTER TABLE events VALIDATE CONSTRAINT events_id_not_null;
    ALTER TABLE events ALTER COLUMN id SET NOT NULL;
    ALTER TABLE events DROP CONSTRAINT events_id_not_null;
    -- next migration
    ALTER TABLE events ADD CONSTRAINT events_pkey PRIMARY KEY USING INDEX events_pkey;

See: https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT-USING-INDEX
"""

from migsafe.linting.facts.held_locks import while_held
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.default_names import free_constraint_name
from migsafe.sql.generation import join_migrations, set_not_null_in_steps
from migsafe.sql.operations import AddConstraint, ConstraintKind, Name
from migsafe.sql.operations.values import quoted


@rule(
    category="locking",
    severity=Severity.ERROR,
    speaks_for=("long-work-under-lock", "many-tables-locked"),
    fix="unsafe",
    unsafe_because="a failure between its migrations leaves a CHECK on the table",
)
def primary_key_scans_nullable(op: AddConstraint, at: Context) -> Finding | None:
    """Report a primary key on an index of an existing table with a column that is not known to be NOT NULL."""
    key, table = op.constraint, op.target.name
    if key.kind is not ConstraintKind.PRIMARY_KEY or key.index is None:
        return None
    slow = at.slow_effects(only=True)
    if not slow:
        return None
    nullable = _nullable(op, at)
    columns = " and ".join(map(quoted, nullable)) or f"a column of {key.index}"
    names = {column: free_constraint_name(at.catalog, at.resolve(table), (column,), "not_null").name for column in nullable}
    return at.finding(
        op,
        f"ADD PRIMARY KEY USING INDEX takes {slow[0].lock} on {at.resolve(table)} while it checks every row for nulls, because {columns} "
        f"may be null: every {slow[0].blocked_commands} waits{while_held(at)}",
        help=join_migrations(
            *(set_not_null_in_steps(table, names, at.catalog.pg_version) if names else ("-- first make each column of the index NOT NULL",)),
            f"-- then the statement as it is:\n-- ALTER TABLE {table} {at.text(op.span.start, op.span.end)};",
        ),
        relations=[effect.relation for effect in slow],
        lock=slow[0].lock,
    )


def _nullable(op: AddConstraint, at: Context) -> list[str]:
    """Returns the nullable columns of the index; none if the index is unknown."""
    relation = at.catalog.relation(op.target.name)
    assert op.constraint.index is not None
    index = at.catalog.index(Name(op.constraint.index.name, relation.name.schema)) if relation is not None else None
    numbers = [key.column for key in index.keys] if index is not None else []
    return [column.name for column in relation.columns if column.number in numbers and not column.not_null] if relation is not None else []
