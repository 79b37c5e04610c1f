"""ADD FOREIGN KEY checks every row while writes are blocked.

It holds SHARE ROW EXCLUSIVE on both tables while it reads the whole referencing table: INSERT, UPDATE and DELETE on both tables wait. With
NOT VALID it holds the same locks only for a moment, and new rows are checked from then on. VALIDATE CONSTRAINT then checks the existing
rows under SHARE UPDATE EXCLUSIVE, which does not block reads or writes. It needs a separate transaction, because a lock is kept until the
end of its transaction.

ADD COLUMN … REFERENCES checks nothing, because the new column is null in every row. With a default it reads the table too, and holds ACCESS
EXCLUSIVE meanwhile, so even SELECT waits. So does ALTER CONSTRAINT … ENFORCED of a foreign key that is NOT ENFORCED (PostgreSQL 18).

Unsafe:
    ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id);

Safe, in two migrations:
    ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID;
    -- next migration
    ALTER TABLE orders VALIDATE CONSTRAINT orders_customer_id_fkey;

Safe up to 17, where PostgreSQL refuses NOT VALID for a partitioned table but accepts the valid foreign keys of its partitions:
    CREATE TABLE visits (id bigint NOT NULL, day date NOT NULL, page_id bigint NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
    CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE INDEX visits_page_id_idx ON visits (page_id);
    -- next migration
    ALTER TABLE visits_2025 ADD CONSTRAINT visits_page_id_fkey FOREIGN KEY (page_id) REFERENCES pages (id) NOT VALID;
    -- next migration
    ALTER TABLE visits_2025 VALIDATE CONSTRAINT visits_page_id_fkey;
    -- next migration
    ALTER TABLE visits ADD CONSTRAINT visits_page_id_fkey FOREIGN KEY (page_id) REFERENCES pages (id);

See: https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
"""

from migsafe import versions
from migsafe.linting.facts.definitions import replaced_constraint
from migsafe.linting.facts.filled_columns import added_with_its_reference
from migsafe.linting.facts.held_locks import while_held
from migsafe.linting.facts.partitions import foreign_key_by_partition, partitioned_table
from migsafe.linting.facts.renamed_constraints import record_dropped_constraint, renamed
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.schema.default_names import default_name
from migsafe.schema.definitions import foreign_key_definition
from migsafe.schema.objects import Relation
from migsafe.sql.generation import foreign_key_clause, join_migrations, validate_constraints
from migsafe.sql.operations import AddColumn, AddConstraint, AlterConstraint, Constraint, ConstraintKind, DropConstraint, Name
from migsafe.sql.operations.values import quoted


@rule(
    category="locking",
    severity=Severity.ERROR,
    speaks_for=("long-work-under-lock", "many-tables-locked"),
    fix="unsafe",
    unsafe_because="a failure between its migrations leaves the constraint NOT VALID",
)
def foreign_key_validates(op: AddConstraint | AddColumn | AlterConstraint | DropConstraint, at: Context) -> Finding | None:
    """Report a foreign key that scans an existing table. add-column-rewrites reports a column that rewrites the table."""
    if isinstance(op, DropConstraint):
        record_dropped_constraint(op, at)
        return None
    if isinstance(op, AlterConstraint):
        return _enforced(op, at) if op.enforced else None
    constraints = (op.constraint,) if isinstance(op, AddConstraint) else op.column.constraints
    checked = [key for key in constraints if key.kind is ConstraintKind.FOREIGN_KEY and key.enforced and not key.not_valid]
    slow = at.slow_effects(only=op.target.only) if checked else []
    if not slow:
        return None
    return _added(op, checked[0], slow, at) if isinstance(op, AddConstraint) else _added_with_column(op, checked[0], slow, at)


def _enforced(op: AlterConstraint, at: Context) -> Finding | None:
    slow = [effect for effect in at.slow_effects(only=op.target.only) if effect.scan]
    if not slow:
        return None
    table, name = at.resolve(op.target.name), quoted(op.constraint)
    main = next((effect for effect in slow if effect.relation == table), slow[0])
    others = [effect for effect in at.blocking_effects if effect.relation != table]
    also = f", and {others[0].lock} on {others[0].relation}," if others else ""
    return at.finding(
        op,
        f"ALTER CONSTRAINT … ENFORCED takes {main.lock} on {table}{also} while it checks every row: "
        f"every {main.blocked_commands} on {table} waits",
        help=(
            f"ALTER TABLE {op.target.name} DROP CONSTRAINT {name}, ADD {_definition(op, at)};\n"
            f"-- next migration\n{validate_constraints(op.target.name, op.constraint)}"
        ),
        relations=[table, *(effect.relation for effect in others)],
        lock=main.lock,
    )


def _definition(op: AlterConstraint, at: Context) -> str:
    """Returns the definition of a foreign key, NOT VALID, with `…` for what is unknown."""
    table = at.catalog.relation(op.target.name)
    key = at.catalog.constraint(table.oid, op.constraint) if table is not None else None
    referenced = at.catalog.get(key.references) if key is not None and key.references is not None else None
    if table is None or key is None or not isinstance(referenced, Relation):
        return f"CONSTRAINT {quoted(op.constraint)} FOREIGN KEY (…) REFERENCES … NOT VALID"
    return foreign_key_clause(foreign_key_definition(table, referenced, key), op.constraint)


def _added(op: AddConstraint, constraint: Constraint, slow: list[Effect], at: Context) -> Finding:
    table, referenced = _tables(op, constraint, at)
    both = dict.fromkeys(name for name in (table, referenced) if not at.is_new(name))
    lock = slow[0].lock
    is_stronger = lock > LockMode.SHARE_ROW_EXCLUSIVE
    if is_stronger:
        # Another action of the same ALTER TABLE needs it.
        locked = f"{lock} on {table}"
        locked += f", and SHARE ROW EXCLUSIVE on {referenced}," if len(both) > 1 else ""
        waits = f"every {slow[0].blocked_commands} on {'the first' if len(both) > 1 else 'it'} waits"
    else:
        locked = f"SHARE ROW EXCLUSIVE on {' and '.join(map(str, both))}"
        waits = f"every INSERT, UPDATE and DELETE on {'them' if len(both) > 1 else 'it'} waits"
    statement = "ALTER TABLE with an ADD FOREIGN KEY" if is_stronger else "ADD FOREIGN KEY"
    name = constraint.name or default_name(op.target.name.name, constraint.columns, "fkey")
    rename, steps = renamed(op, name, at), _not_valid_first(op, constraint, at)
    return at.finding(
        op,
        f"{statement} takes {locked} while it checks every row of {table}: {waits}{while_held(at)}",
        help=rename.help if rename is not None else added_with_its_reference(at, op.target.name, constraint, name) or steps,
        fix=rename.fix if rename is not None else steps,
        replaces=rename.replaces if rename is not None else (),
        relations=both,
        lock=lock,
    )


def _added_with_column(op: AddColumn, constraint: Constraint, slow: list[Effect], at: Context) -> Finding | None:
    table, referenced = _tables(op, constraint, at)
    if not any(effect.scan and effect.relation == referenced for effect in at.effects):
        return None
    return at.finding(
        op,
        f"ADD COLUMN {quoted(op.column.name)} with a default and REFERENCES takes {slow[0].lock} on {table} while it checks every row "
        f"against {referenced}: every {slow[0].blocked_commands} waits{while_held(at)}",
        help=_not_valid_first(op, constraint, at, at.text_without(op, [constraint])),
        relations=(table, referenced),
        lock=slow[0].lock,
    )


def _tables(op: AddConstraint | AddColumn, constraint: Constraint, at: Context) -> tuple[Name, Name]:
    assert constraint.references is not None
    return at.resolve(op.target.name), at.resolve(constraint.references.table)


def _not_valid_first(op: AddConstraint | AddColumn, constraint: Constraint, at: Context, column: str = "") -> str:
    """Returns the safe statements; they add `column` first if it is given."""
    table = op.target.name
    name = constraint.name or default_name(table.name, constraint.columns, "fkey")
    parent = partitioned_table(at, table)
    if parent is not None and at.catalog.pg_version < versions.NOT_VALID_FOREIGN_KEY_OF_PARTITIONED:
        add_column = f"ALTER TABLE {table} {column};" if column else ""
        return join_migrations(add_column, foreign_key_by_partition(at, parent, table, constraint, name))
    dropped = f"{action}, " if (action := replaced_constraint(op, name, at)) else ""
    return join_migrations(
        f"ALTER TABLE {table} {dropped}{column and f'{column}, '}ADD {foreign_key_clause(constraint, name)};",
        f"-- without blocking reads and writes:\n{validate_constraints(table, name)}",
    )
