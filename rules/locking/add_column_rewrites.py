"""ADD COLUMN rewrites the whole table if PostgreSQL must compute a value for each row.

ADD COLUMN holds ACCESS EXCLUSIVE during the rewrite: even SELECT waits, and the wait grows with the table and its indexes. A default that
is the same for all rows costs nothing, because PostgreSQL stores it once; now() is such a default. These need a value for each row: a
volatile function such as gen_random_uuid() or clock_timestamp(), a sequence (serial, identity), a STORED generated column, and a domain
with a constraint, which PostgreSQL checks for every row. migsafe treats an unknown function as volatile. From 17 on, ALTER COLUMN … SET
EXPRESSION gives a STORED column another expression, and computes it for each row as well.

Instead, add the column without its default, set the default for new rows, and then fill the existing rows in batches.

Unsafe:
    ALTER TABLE orders ADD COLUMN reference uuid DEFAULT gen_random_uuid();

Unsafe:
    ALTER TABLE orders ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY;

Unsafe:
    ALTER TABLE orders ADD COLUMN gross bigint GENERATED ALWAYS AS (qty * 2) STORED;

Safe, the batches outside a transaction:
    ALTER TABLE orders ADD COLUMN reference uuid, ALTER COLUMN reference SET DEFAULT gen_random_uuid();
    -- next migration
    DO $$
    BEGIN
        LOOP
            UPDATE orders SET reference = DEFAULT
                WHERE reference IS NULL AND ctid = ANY (ARRAY(SELECT ctid FROM orders WHERE reference IS NULL LIMIT 10000));
            EXIT WHEN NOT FOUND;
            COMMIT;
        END LOOP;
    END $$;

Safe, because the default is the same for all rows:
    ALTER TABLE orders ADD COLUMN seen_at timestamptz NOT NULL DEFAULT now();

See: https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
"""

from collections.abc import Iterator

from migsafe import versions
from migsafe.linting.facts.held_locks import while_held
from migsafe.linting.facts.index_builds import repeatable_index_build
from migsafe.linting.facts.wording import once_released
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.columns import is_serial, stored_type
from migsafe.schema.constraints import check_name
from migsafe.schema.default_names import default_name, free_constraint_name, free_relation_name
from migsafe.schema.objects import Domain
from migsafe.schema.types import domains_of
from migsafe.sql.generation import (
    add_constraint_using_index,
    batched_update,
    check_not_valid,
    column_definition,
    computing_trigger,
    create_unique_index,
    foreign_key_clause,
    join_migrations,
    replace_word,
    set_not_null_in_steps,
    validate_constraints,
)
from migsafe.sql.operations import AddColumn, ConstraintKind, Name, SetExpression
from migsafe.sql.operations.values import quoted

_SPEAKS_FOR = (
    "long-work-under-lock",
    "many-tables-locked",
    "check-validates",
    "foreign-key-validates",
    "primary-key-builds-index",
    "unique-builds-index",
)


@rule(
    category="locking",
    severity=Severity.ERROR,
    speaks_for=_SPEAKS_FOR,
    fix="unsafe",
    unsafe_because="a failure between its migrations leaves the column without its values",
)
def add_column_rewrites(op: AddColumn | SetExpression, at: Context) -> Finding | None:
    """Report a column for which an existing table is rewritten."""
    rewritten = [effect for effect in at.slow_effects(only=op.target.only) if effect.rewrite]
    if not rewritten:
        return None
    first = rewritten[0]
    if isinstance(op, SetExpression):
        return at.finding(
            op,
            f"SET EXPRESSION takes {first.lock} on {at.resolve(op.target.name)} while it rewrites every row and index, because {first.why}: "
            f"every {first.blocked_commands} waits{while_held(at)}",
            help="-- add an ordinary column that a trigger computes with the new expression, fill it in batches, and deploy a release that\n"
            f"-- reads it instead of {quoted(op.column)}",
            fix="",
            relations=[effect.relation for effect in rewritten],
            lock=first.lock,
        )
    return at.finding(
        op,
        f"ADD COLUMN {quoted(op.column.name)} takes {first.lock} on {at.resolve(op.target.name)} while it rewrites every row and index, "
        f"because {first.why}: every {first.blocked_commands} waits{while_held(at)}",
        help=_safe_way(op, at),
        # Without the rewrite, the column is neither generated nor of a domain.
        fix="" if op.column.generated is not None or domains_of(at.catalog, op.column.type) else _safe_way(op, at, final=_identity(op, at)),
        relations=[effect.relation for effect in rewritten],
        lock=first.lock,
    )


def _safe_way(op: AddColumn, at: Context, final: str | None = None) -> str:
    """Returns the migrations that add the column without a rewrite; `final` replaces the last one of an identity column, in which people
    choose a number."""
    new, table, name = op.column, op.target.name, quoted(op.column.name)
    if new.generated is not None and at.catalog.pg_version >= versions.VIRTUAL_GENERATED_COLUMNS and not new.constraints:
        virtual = f"{column_definition(new)} GENERATED ALWAYS AS ({new.generated.expression.sql}) VIRTUAL"
        return f"-- a virtual column is computed when it is read:\nALTER TABLE {table} ADD COLUMN {virtual};"
    domains = domains_of(at.catalog, new.type)
    steps: list[str] = []
    if new.generated is not None:
        expression = new.generated.expression.sql
        trigger = computing_trigger(table, new.name, expression, default_name(table.name, (new.name,), "sync"))
        steps += [
            f"ALTER TABLE {table} ADD COLUMN {column_definition(new)};",
            f"-- a trigger computes it for rows that are written from now on:\n{trigger}",
        ]
        steps.append(_batches(op, expression, f"{name} IS DISTINCT FROM ({expression})", at))
    elif is_serial(new.type) or new.identity is not None:
        sequence = _sequence(op, at)
        add = f"ADD COLUMN {column_definition(new, stored_type(at.catalog, new.type))}, ALTER COLUMN {name} SET DEFAULT nextval('{sequence}')"
        integer = stored_type(at.catalog, new.type) if new.identity is None else None
        of_type = f" AS {integer}" if integer is not None and str(integer) != "bigint" else ""
        steps.append(f"CREATE SEQUENCE IF NOT EXISTS {sequence}{of_type};\nALTER TABLE {table} {add};")
        steps.append(_batches(op, "DEFAULT", f"{name} IS NULL", at))
    else:
        add = f"ADD COLUMN {column_definition(new, domains[-1].type if domains else None)}"
        default = new.default or next((domain.default for domain in domains if domain.default is not None), None)
        if default is not None:
            add += f", ALTER COLUMN {name} SET DEFAULT {default.sql}"
        steps.append(f"ALTER TABLE {table} {add};")
        if default is not None:
            steps.append(_batches(op, "DEFAULT", f"{name} IS NULL", at))
    steps += _constraints(op, domains, at)
    if new.identity is not None:
        steps.append(_identity_by_hand(op, at) if final is None else final)
    return join_migrations(*steps)


def _sequence(op: AddColumn, at: Context) -> Name:
    """Returns a free name for the sequence of a column, in the schema of its table. An identity gets a sequence of its own in the end."""
    table, label = op.target.name, "first_seq" if op.column.identity is not None else "seq"
    return Name(free_relation_name(at.catalog, at.resolve(table), (op.column.name,), label).name, table.schema)


def _batches(op: AddColumn, value: str, condition: str, at: Context) -> str:
    return at.outside_transaction(batched_update(op.target.name, op.column.name, value, condition))


def _constraints(op: AddColumn, domains: list[Domain], at: Context) -> Iterator[str]:
    """Yields the migrations that add the constraints of the column, to run after the existing rows have their values."""
    new, table = op.column, op.target.name
    kinds = {constraint.kind for constraint in new.constraints}
    checks = {
        constraint.name or check_name(at.catalog, table, constraint, new.name): constraint.check.sql
        for constraint in new.constraints
        if constraint.kind is ConstraintKind.CHECK and constraint.check is not None
    }
    for domain in domains:
        checks |= {
            f"{table.name}_{domain_check.name}": replace_word(domain_check.expression.sql, "value", quoted(new.name))
            for domain_check in domain.checks
        }
    parts = {name: check_not_valid(expression, name) for name, expression in checks.items()}
    for constraint in new.constraints:
        if constraint.references is not None:
            name = constraint.name or default_name(table.name, (new.name,), "fkey")
            parts[name] = foreign_key_clause(constraint, name)
    if parts:
        yield f"ALTER TABLE {table} {', '.join(f'ADD {part}' for part in parts.values())};"
        yield f"-- without blocking reads and writes:\n{validate_constraints(table, *parts)}"
    numbered = is_serial(new.type) or new.identity is not None
    if new.not_null or numbered or ConstraintKind.PRIMARY_KEY in kinds or any(domain.not_null for domain in domains):
        yield from set_not_null_in_steps(
            table, {new.name: free_constraint_name(at.catalog, at.resolve(table), (new.name,), "not_null").name}, at.catalog.pg_version
        )
    for constraint in new.constraints:
        if constraint.kind in (ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY):
            is_key = constraint.kind is ConstraintKind.PRIMARY_KEY
            name = constraint.name or default_name(table.name, () if is_key else (new.name,), "pkey" if is_key else "key")
            yield repeatable_index_build(at, Name(name, table.schema), create_unique_index(table, constraint, name))
            yield add_constraint_using_index(table, constraint, name)
    if numbered and new.identity is None:
        yield f"ALTER SEQUENCE {_sequence(op, at)} OWNED BY {table}.{quoted(new.name)};"


def _identity_by_hand(op: AddColumn, at: Context) -> str:
    """Returns the last migration of an identity column, to be pasted by people."""
    new, sequence = op.column, _sequence(op, at)
    assert new.identity is not None
    ignored = f"-- migsafe: ignore[identity-refuses-values] no running release gives {quoted(new.name)} a value\n"
    return (
        f"-- start with a number above the last value of {sequence}:\n"
        f"{ignored if new.identity.always else ''}"
        f"-- {_add_identity(op)} (START WITH 1000000);\n-- DROP SEQUENCE {sequence};"
    )


def _identity(op: AddColumn, at: Context) -> str:
    """Returns the last migration of an identity column, which continues with the numbers of the first sequence."""
    new, table, sequence = op.column, op.target.name, _sequence(op, at)
    if new.identity is None or new.identity.options:
        return "-- … the options of the identity"
    condition = f"no running release gives {quoted(new.name)} a value"
    released = once_released(condition, "identity-refuses-values") if new.identity.always else ""
    return (
        f"{released}BEGIN;\n{_add_identity(op)};\n"
        f"SELECT setval(pg_get_serial_sequence('{table}', '{new.name}'), nextval('{sequence}'));\n"
        f"DROP SEQUENCE {sequence};\nCOMMIT;"
    )


def _add_identity(op: AddColumn) -> str:
    assert op.column.identity is not None
    kind, name = "ALWAYS" if op.column.identity.always else "BY DEFAULT", quoted(op.column.name)
    return f"ALTER TABLE {op.target.name} ALTER COLUMN {name} DROP DEFAULT, ALTER COLUMN {name} ADD GENERATED {kind} AS IDENTITY"
