"""ADD UNIQUE builds its index while all reads and writes are blocked.

It holds ACCESS EXCLUSIVE until the index of the constraint is built: even SELECT waits, and the wait grows with the table. CREATE UNIQUE
INDEX CONCURRENTLY builds the same index without blocking reads and writes, and ADD CONSTRAINT … USING INDEX then turns it into the
constraint in a moment. UNIQUE on a new column in ADD COLUMN builds its index too, although the column is null in every row.

Unsafe:
    ALTER TABLE orders ADD CONSTRAINT orders_reference_key UNIQUE (reference);

Safe, the index outside a transaction:
    DROP INDEX CONCURRENTLY IF EXISTS orders_reference_key;
    CREATE UNIQUE INDEX CONCURRENTLY orders_reference_key ON orders (reference);
    -- next migration
    ALTER TABLE orders ADD CONSTRAINT orders_reference_key UNIQUE USING INDEX orders_reference_key;

See: https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT-USING-INDEX
"""

from migsafe.linting.facts.definitions import replaces_constraint
from migsafe.linting.facts.held_locks import while_held
from migsafe.linting.facts.index_builds import repeatable_index_build
from migsafe.linting.facts.partitions import key_by_partition, partitioned_table
from migsafe.linting.facts.renamed_constraints import record_dropped_constraint, renamed
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.default_names import default_name, free_relation_name
from migsafe.sql.generation import add_constraint_using_index, create_unique_index, join_migrations
from migsafe.sql.operations import AddColumn, AddConstraint, ConstraintKind, DropConstraint, Name
from migsafe.sql.operations.values import quoted


@rule(
    category="locking",
    severity=Severity.ERROR,
    speaks_for=("long-work-under-lock", "many-tables-locked"),
    fix="unsafe",
    unsafe_because="a failed build leaves an INVALID index",
)
def unique_builds_index(op: AddConstraint | AddColumn | DropConstraint, at: Context) -> Finding | None:
    """Report a UNIQUE constraint whose index is built on an existing table."""
    if isinstance(op, DropConstraint):
        record_dropped_constraint(op, at)
        return None
    constraints = (op.constraint,) if isinstance(op, AddConstraint) else op.column.constraints
    unique = next((constraint for constraint in constraints if constraint.kind is ConstraintKind.UNIQUE and constraint.index is None), None)
    slow = at.slow_effects(only=op.target.only) if unique is not None else []
    if unique is None or not slow:
        return None
    table = op.target.name
    name = unique.name or free_relation_name(at.catalog, at.resolve(table), unique.columns, "key", constraint=True).name
    rename = renamed(op, name, at)
    if rename is not None:
        help_ = rename.help
    elif partitioned_table(at, table) is not None:
        help_ = key_by_partition(table, unique, name)
    else:
        first = f"ALTER TABLE {table} {at.text_without(op, [unique])};" if isinstance(op, AddColumn) else ""
        index = default_name(name, (), "new") if replaces_constraint(op, name, at) else name
        help_ = join_migrations(
            first,
            repeatable_index_build(at, Name(index, table.schema), create_unique_index(table, unique, index)),
            add_constraint_using_index(table, unique, name, index),
        )
    action = "ADD UNIQUE" if isinstance(op, AddConstraint) else f"ADD COLUMN {quoted(op.column.name)} UNIQUE"
    # A partition gets a weaker lock than its parent, but queries of the parent wait for the parent's lock.
    lock = max(effect.lock for effect in at.effects)
    strongest = max(at.effects, key=lambda effect: effect.lock.strength)
    return at.finding(
        op,
        f"{action} takes {lock} on {at.resolve(table)} until its index is built from every row: every {strongest.blocked_commands} waits"
        f"{while_held(at)}",
        help=help_,
        fix=rename.fix if rename is not None else None,
        replaces=rename.replaces if rename is not None else (),
        relations=[table, *(effect.relation for effect in slow)],
        lock=lock,
    )
