"""ADD PRIMARY KEY builds its index while all reads and writes are blocked.

It holds ACCESS EXCLUSIVE until the index is built and every row of a nullable column is checked: even SELECT waits, and the wait grows with
the table. CREATE UNIQUE INDEX CONCURRENTLY builds the same index without blocking reads and writes, and ADD CONSTRAINT … PRIMARY KEY USING
INDEX turns it into the primary key in a moment if its columns are NOT NULL.

Unsafe:
    ALTER TABLE events ADD CONSTRAINT events_pkey PRIMARY KEY (id);

Safe, the index outside a transaction:
    ALTER TABLE events ADD CONSTRAINT events_id_not_null CHECK (id IS NOT NULL) NOT VALID;
    -- next migration
    ALTER TABLE events VALIDATE CONSTRAINT events_id_not_null;
    ALTER TABLE events ALTER COLUMN id SET NOT NULL;
    ALTER TABLE events DROP CONSTRAINT events_id_not_null;
    -- next migration
    DROP INDEX CONCURRENTLY IF EXISTS events_pkey;
    CREATE UNIQUE INDEX CONCURRENTLY events_pkey ON events (id);
    -- next migration
    ALTER TABLE events ADD CONSTRAINT events_pkey PRIMARY KEY USING INDEX events_pkey;

See: https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT-USING-INDEX
"""

from migsafe.linting.facts.definitions import replaces_constraint
from migsafe.linting.facts.held_locks import while_held
from migsafe.linting.facts.index_builds import repeatable_index_build
from migsafe.linting.facts.partitions import key_by_partition, partitioned_table
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.default_names import default_name, free_constraint_name
from migsafe.sql.generation import add_constraint_using_index, create_unique_index, join_migrations, set_not_null_in_steps
from migsafe.sql.operations import AddColumn, AddConstraint, Constraint, ConstraintKind, Name
from migsafe.sql.operations.values import quoted


@rule(
    category="locking",
    severity=Severity.ERROR,
    speaks_for=("long-work-under-lock", "many-tables-locked"),
    fix="unsafe",
    unsafe_because="a failed build leaves an INVALID index",
)
def primary_key_builds_index(op: AddConstraint | AddColumn, at: Context) -> Finding | None:
    """Report a primary key whose index is built on an existing table."""
    constraints = (op.constraint,) if isinstance(op, AddConstraint) else op.column.constraints
    key = next((key for key in constraints if key.kind is ConstraintKind.PRIMARY_KEY and key.index is None), None)
    slow = at.slow_effects(only=op.target.only) if key is not None else []
    if key is None or not slow:
        return None
    table = op.target.name
    name = key.name or default_name(table.name, (), "pkey")
    relation = at.catalog.relation(table)
    # A key that the history still knows, beside which PostgreSQL refuses another one: opaque code has dropped it.
    existing = at.catalog.primary_key(relation.oid) if relation is not None and not relation.complete else None
    is_replaced = replaces_constraint(op, name, at) or (existing is not None and existing.name.name == name)
    index = default_name(name, (), "new") if is_replaced else name
    nullable = [name for name in key.columns if relation is None or (column := relation.column(name)) is None or not column.not_null]
    names = {column_name: free_constraint_name(at.catalog, at.resolve(table), (column_name,), "not_null").name for column_name in nullable}
    first = f"ALTER TABLE {table} {at.text_without(op, [key])};" if isinstance(op, AddColumn) else ""
    action = "ADD PRIMARY KEY" if isinstance(op, AddConstraint) else f"ADD COLUMN {quoted(op.column.name)} PRIMARY KEY"
    main = max(at.effects, key=lambda effect: effect.lock.strength)
    return at.finding(
        op,
        f"{action} takes {main.lock} on {at.resolve(table)} until its index is built from every row: every {main.blocked_commands} waits"
        f"{while_held(at)}",
        help=join_migrations(
            first,
            *(set_not_null_in_steps(table, names, at.catalog.pg_version) if names else ()),
            *_key(table, key, name, index, at),
        ),
        relations=[table, *(effect.relation for effect in slow)],
        lock=main.lock,
    )


def _key(table: Name, key: Constraint, name: str, index: str, at: Context) -> tuple[str, ...]:
    """Returns the migrations that add the key to columns that are NOT NULL."""
    if partitioned_table(at, table) is not None:
        return (key_by_partition(table, key, name),)
    build = repeatable_index_build(at, Name(index, table.schema), create_unique_index(table, key, index))
    return build, add_constraint_using_index(table, key, name, index)
