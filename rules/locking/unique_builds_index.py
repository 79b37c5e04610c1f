"""ADD UNIQUE builds its index while nobody can read or write.

A UNIQUE constraint rests on an index, and ADD UNIQUE holds ACCESS EXCLUSIVE on the table until that is built: even SELECT waits, and the
wait grows with the table. CREATE UNIQUE INDEX CONCURRENTLY builds the same index while reads and writes go on, and ADD CONSTRAINT … USING
INDEX then makes the constraint of it in a moment. A column constraint in ADD COLUMN builds its index too, although the column is null
everywhere.

Unsafe:
    ALTER TABLE orders ADD CONSTRAINT orders_reference_key UNIQUE (reference);

Safe, the index outside a transaction:
    CREATE UNIQUE INDEX CONCURRENTLY orders_reference_key ON orders (reference);
    -- next migration
    ALTER TABLE orders ADD CONSTRAINT orders_reference_key UNIQUE USING INDEX orders_reference_key;

See: https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT-USING-INDEX
"""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.default_names import default_name
from migsafe.schema.objects import RelationKind
from migsafe.sql.generation import add_constraint_using_index, create_unique_index, join_migrations
from migsafe.sql.operations import AddColumn, AddConstraint, ConstraintKind
from migsafe.sql.operations.values import quoted


@rule(category="locking", severity=Severity.ERROR)
def unique_builds_index(op: AddConstraint | AddColumn, at: Context) -> Finding | None:
    """Report a UNIQUE constraint whose index is built on an existing table."""
    constraints = (op.constraint,) if isinstance(op, AddConstraint) else op.column.constraints
    given = next((one for one in constraints if one.kind is ConstraintKind.UNIQUE and one.index is None), None)
    slow = at.slow(only=op.target.only) if given is not None else []
    if given is None or not slow or any(effect.rewrite for effect in slow):
        return None
    table = op.target.name
    name = given.name or default_name(table.name, given.columns, "key")
    relation = at.catalog.relation(table)
    if relation is not None and relation.kind is RelationKind.PARTITIONED:
        columns = ", ".join(map(quoted, given.columns))
        help_ = (
            f"-- for each partition, outside a transaction: CREATE UNIQUE INDEX CONCURRENTLY … ({columns}), then in the next migration\n"
            "-- ALTER TABLE partition ADD CONSTRAINT … UNIQUE USING INDEX …; what the partitions have, the partitioned table takes over:\n"
            f"-- ALTER TABLE ONLY {table} ADD CONSTRAINT {quoted(name)} UNIQUE ({columns});\n"
            f"-- ALTER INDEX {quoted(name)} ATTACH PARTITION …, for each of them"
        )
    else:
        first = f"ALTER TABLE {table} {at.text_without(op, [given])};" if isinstance(op, AddColumn) else ""
        help_ = join_migrations(
            first, at.outside_transaction(f"{create_unique_index(table, given, name)};"), add_constraint_using_index(table, given, name)
        )
    what = "ADD UNIQUE" if isinstance(op, AddConstraint) else f"ADD COLUMN {quoted(op.column.name)} UNIQUE"
    # A partition is locked less than its parent, but behind that one nobody gets to it.
    lock = max(effect.lock for effect in at.effects)
    first_stop = max(at.effects, key=lambda effect: effect.lock.strength)
    return at.finding(
        op,
        f"{what} takes {lock} on {at.resolve(table)} until its index is built from every row: every {first_stop.blocked_commands} waits",
        help=help_,
        relations=[table, *(effect.relation for effect in slow)],
        lock=lock,
    )
