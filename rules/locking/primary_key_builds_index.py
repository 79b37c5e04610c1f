"""ADD PRIMARY KEY builds its index while nobody can read or write.

It holds ACCESS EXCLUSIVE on the table until the index is built, and until every row of a column that is not NOT NULL yet has been checked:
even SELECT waits, and the wait grows with the table. CREATE UNIQUE INDEX CONCURRENTLY builds the same index while reads and writes go on,
and ADD CONSTRAINT … PRIMARY KEY USING INDEX makes the key of it in a moment, provided that its columns are NOT NULL.

Unsafe:
    ALTER TABLE events ADD CONSTRAINT events_pkey PRIMARY KEY (id);

Safe, the index outside a transaction:
    ALTER TABLE events ADD CONSTRAINT events_id_not_null CHECK (id IS NOT NULL) NOT VALID;
    -- next migration
    ALTER TABLE events VALIDATE CONSTRAINT events_id_not_null;
    ALTER TABLE events ALTER COLUMN id SET NOT NULL;
    ALTER TABLE events DROP CONSTRAINT events_id_not_null;
    -- next migration
    CREATE UNIQUE INDEX CONCURRENTLY events_pkey ON events (id);
    -- next migration
    ALTER TABLE events ADD CONSTRAINT events_pkey PRIMARY KEY USING INDEX events_pkey;

See: https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT-USING-INDEX
"""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.default_names import default_name
from migsafe.sql.generation import add_constraint_using_index, create_unique_index, join_migrations, set_not_null_in_steps
from migsafe.sql.operations import AddColumn, AddConstraint, ConstraintKind
from migsafe.sql.operations.values import quoted


@rule(category="locking", severity=Severity.ERROR)
def primary_key_builds_index(op: AddConstraint | AddColumn, at: Context) -> Finding | None:
    """Report a primary key whose index is built on an existing table."""
    constraints = (op.constraint,) if isinstance(op, AddConstraint) else op.column.constraints
    given = next((one for one in constraints if one.kind is ConstraintKind.PRIMARY_KEY and one.index is None), None)
    slow = at.slow(only=op.target.only) if given is not None else []
    if given is None or not slow or any(effect.rewrite for effect in slow):
        return None
    table = op.target.name
    name = given.name or default_name(table.name, (), "pkey")
    relation = at.catalog.relation(table)
    nullable = [one for one in given.columns if relation is None or (column := relation.column(one)) is None or not column.not_null]
    names = {one: default_name(table.name, (one,), "not_null") for one in nullable}
    first = f"ALTER TABLE {table} {at.text_without(op, [given])};" if isinstance(op, AddColumn) else ""
    what = "ADD PRIMARY KEY" if isinstance(op, AddConstraint) else f"ADD COLUMN {quoted(op.column.name)} PRIMARY KEY"
    main = max(at.effects, key=lambda effect: effect.lock.strength)
    return at.finding(
        op,
        f"{what} takes {main.lock} on {at.resolve(table)} until its index is built from every row: every {main.blocked_commands} waits",
        help=join_migrations(
            first,
            *(set_not_null_in_steps(table, names, at.catalog.pg_version) if names else ()),
            at.outside_transaction(f"{create_unique_index(table, given, name)};"),
            add_constraint_using_index(table, given, name),
        ),
        relations=[table, *(effect.relation for effect in slow)],
        lock=main.lock,
    )
