"""A new column whose value each row must compute makes PostgreSQL write the whole table anew.

ADD COLUMN holds ACCESS EXCLUSIVE meanwhile: even SELECT waits, and the wait grows with the table and its indexes. A default that is the
same for all rows costs nothing: PostgreSQL stores it once, even now(). What cannot be stored once is a volatile function such as
gen_random_uuid() or clock_timestamp(), a sequence (serial, identity), a STORED generated column, and a domain with a constraint, which
every row is checked against. A function that migsafe does not know is taken for volatile.

The column is added without its default, gets the default for new rows only, and then values for the old rows, batch by batch.

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
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.columns import is_serial, stored_type
from migsafe.schema.constraints import check_name
from migsafe.schema.default_names import default_name
from migsafe.schema.objects import Domain
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
from migsafe.sql.operations import AddColumn, ConstraintKind, TypeName
from migsafe.sql.operations.values import quoted


@rule(category="locking", severity=Severity.ERROR)
def add_column_rewrites(op: AddColumn, at: Context) -> Finding | None:
    """Report a column for which an existing table is written anew."""
    rewritten = [effect for effect in at.slow(only=op.target.only) if effect.rewrite]
    if not rewritten:
        return None
    first = rewritten[0]
    return at.finding(
        op,
        f"ADD COLUMN {quoted(op.column.name)} takes {first.lock} on {at.resolve(op.target.name)} while it writes every row and index anew, "
        f"because {first.why}: every {first.blocked_commands} waits",
        help=_safe_way(op, at),
        relations=[effect.relation for effect in rewritten],
        lock=first.lock,
    )


def _safe_way(op: AddColumn, at: Context) -> str:
    given, table, name = op.column, op.target.name, quoted(op.column.name)
    if given.generated is not None and at.catalog.pg_version >= versions.VIRTUAL_GENERATED_COLUMNS and not given.constraints:
        virtual = f"{column_definition(given)} GENERATED ALWAYS AS ({given.generated.expression.sql}) VIRTUAL"
        return f"-- a virtual column is computed when it is read:\nALTER TABLE {table} ADD COLUMN {virtual};"
    domains = _domains(given.type, at)
    steps: list[str] = []
    if given.generated is not None:
        expression = given.generated.expression.sql
        trigger = computing_trigger(table, given.name, expression, default_name(table.name, (given.name,), "sync"))
        steps += [
            f"ALTER TABLE {table} ADD COLUMN {column_definition(given)};",
            f"-- a trigger computes it for the rows that are written:\n{trigger}",
        ]
        steps.append(_batches(op, expression, f"{name} IS DISTINCT FROM ({expression})", at))
    elif is_serial(given.type) or given.identity is not None:
        sequence = quoted(default_name(table.name, (given.name,), "seq"))
        add = (
            f"ADD COLUMN {column_definition(given, stored_type(at.catalog, given.type))}, ALTER COLUMN {name} SET DEFAULT nextval('{sequence}')"
        )
        steps.append(f"CREATE SEQUENCE IF NOT EXISTS {sequence};\nALTER TABLE {table} {add};")
        steps.append(_batches(op, "DEFAULT", f"{name} IS NULL", at))
    else:
        add = f"ADD COLUMN {column_definition(given, domains[-1].type if domains else None)}"
        default = given.default or next((one.default for one in domains if one.default is not None), None)
        if default is not None:
            add += f", ALTER COLUMN {name} SET DEFAULT {default.sql}"
        steps.append(f"ALTER TABLE {table} {add};")
        if default is not None:
            steps.append(_batches(op, "DEFAULT", f"{name} IS NULL", at))
    return join_migrations(*steps, *_constraints(op, domains, at))


def _batches(op: AddColumn, value: str, condition: str, at: Context) -> str:
    return at.outside_transaction(batched_update(op.target.name, op.column.name, value, condition))


def _domains(type_name: TypeName | None, at: Context) -> list[Domain]:
    """The domains that a type is, the outermost first."""
    found: list[Domain] = []
    domain = at.catalog.type_of(type_name) if type_name is not None and not type_name.dimensions else None
    while isinstance(domain, Domain) and domain not in found:
        found.append(domain)
        domain = at.catalog.type_of(domain.type)
    return found


def _constraints(op: AddColumn, domains: list[Domain], at: Context) -> Iterator[str]:
    """The migrations that give the column what its definition asks for, once the old rows have their values."""
    given, table = op.column, op.target.name
    kinds = {one.kind for one in given.constraints}
    checks = {
        one.name or check_name(at.catalog, table, one, given.name): one.check.sql
        for one in given.constraints
        if one.kind is ConstraintKind.CHECK and one.check is not None
    }
    for domain in domains:
        checks |= {f"{table.name}_{one.name}": replace_word(one.expression.sql, "value", quoted(given.name)) for one in domain.checks}
    parts = {name: check_not_valid(expression, name) for name, expression in checks.items()}
    for one in given.constraints:
        if one.references is not None:
            name = one.name or default_name(table.name, (given.name,), "fkey")
            parts[name] = foreign_key_clause(one, name)
    if parts:
        yield f"ALTER TABLE {table} {', '.join(f'ADD {part}' for part in parts.values())};"
        yield f"-- while reads and writes go on:\n{validate_constraints(table, *parts)}"
    numbered = is_serial(given.type) or given.identity is not None
    if given.not_null or numbered or ConstraintKind.PRIMARY_KEY in kinds or any(domain.not_null for domain in domains):
        yield from set_not_null_in_steps(table, {given.name: default_name(table.name, (given.name,), "not_null")}, at.catalog.pg_version)
    for one in given.constraints:
        if one.kind in (ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY):
            is_key = one.kind is ConstraintKind.PRIMARY_KEY
            name = one.name or default_name(table.name, () if is_key else (given.name,), "pkey" if is_key else "key")
            yield at.outside_transaction(f"{create_unique_index(table, one, name)};")
            yield add_constraint_using_index(table, one, name)
    if given.identity is not None:
        kind = "ALWAYS" if given.identity.always else "BY DEFAULT"
        sequence = quoted(default_name(table.name, (given.name,), "seq"))
        yield (
            f"-- with a number beyond the last that {sequence} gave:\n"
            f"-- ALTER TABLE {table} ALTER COLUMN {quoted(given.name)} DROP DEFAULT, "
            f"ALTER COLUMN {quoted(given.name)} ADD GENERATED {kind} AS IDENTITY (START WITH 1000000);"
        )
    elif numbered:
        sequence = quoted(default_name(table.name, (given.name,), "seq"))
        yield f"ALTER SEQUENCE {sequence} OWNED BY {table}.{quoted(given.name)};"
