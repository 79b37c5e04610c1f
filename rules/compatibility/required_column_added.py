"""A new column is NOT NULL and has no default.

ADD COLUMN fails if the table has rows, because they would be null; a domain that is NOT NULL does the same. If it has none, the running
release still breaks: it does not know the column, omits it, and every INSERT fails. So it does if the migration, or several of one release,
add the column with a default for the existing rows and then drop that default, or add it nullable, fill the existing rows and make it NOT
NULL; that is not reported if a function of the database writes the rows, or if the same transaction also sets a default. A CHECK that is false
while new columns are NULL requires them, too. Add the column with a default that stays, or nullable; deploy a release that writes it; make it
NOT NULL, or add the CHECK, in a later release.

Unsafe:
    ALTER TABLE orders ADD COLUMN region text NOT NULL;

Unsafe, because the default no longer exists when the running release inserts:
    ALTER TABLE orders ADD COLUMN region text NOT NULL DEFAULT 'eu';
    ALTER TABLE orders ALTER COLUMN region DROP DEFAULT;

Unsafe, because the rows that exist, and those of the running release, have neither:
    ALTER TABLE orders ADD COLUMN shop_id bigint, ADD COLUMN site_id bigint;
    ALTER TABLE orders ADD CONSTRAINT orders_place_check CHECK (num_nonnulls(shop_id, site_id) = 1) NOT VALID;

Safe:
    ALTER TABLE orders ADD COLUMN region text NOT NULL DEFAULT 'eu';

See: https://www.postgresql.org/docs/current/ddl-alter.html#DDL-ALTER-ADDING-A-COLUMN
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.filled_columns import not_null_with_its_value
from migsafe.linting.facts.new_nulls import columns_refused_as_null
from migsafe.linting.facts.ownership import added_column, column_added_by_migration, is_created_here, is_updated_here
from migsafe.linting.facts.wording import deployments, once_released
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.lock import LockMode
from migsafe.prediction.effects.columns import has_value
from migsafe.prediction.effects.effect_context import EffectContext
from migsafe.schema.constraints import check_name
from migsafe.schema.default_names import free_constraint_name
from migsafe.schema.objects import Function, Relation
from migsafe.schema.types import domains_of
from migsafe.sql.generation import check_not_valid, join_migrations, set_not_null_in_steps, validate_constraints
from migsafe.sql.operations import (
    AddColumn,
    AddConstraint,
    AddIdentity,
    Column,
    ConstraintKind,
    DropDefault,
    Name,
    OpaqueCode,
    Operation,
    SetDefault,
    SetNotNull,
)
from migsafe.sql.operations.values import quoted


class _State(Struct):
    required: list[tuple[int, Finding]] = []
    """The SET NOT NULLs to report, each with its position."""
    failing: int | None = None
    """The index of the last statement that fails if the table has rows: what it does after that finds none, but proves nothing about them."""


@rule(
    category="compatibility",
    severity=Severity.ERROR,
    speaks_for=("drop-default", "long-work-under-lock", "many-tables-locked", "add-column-rewrites"),
    fix="unsafe",
    unsafe_because="a part of it needs another deployment",
)
def required_column_added(op: AddColumn | AddConstraint | DropDefault | SetNotNull | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Report a new column that every INSERT must name."""
    if isinstance(op, MigrationEnd):
        yield from (finding for position, finding in at.state(_State).required if not _gets_default(at, position))
        return
    if is_created_here(at, op.target.name) or (op.target.if_exists and at.catalog.is_absent(op.target.name)):
        return
    finding: Finding | None = None
    match op:
        case AddColumn():
            finding = _added(op, at) or _checked(op, at)
        case AddConstraint():
            finding = _checked(op, at)
        case DropDefault():
            finding = _default_dropped(op, at)
        case SetNotNull() if (made_required := _made_required(op, at)) is not None:
            at.state(_State).required.append((at.position, made_required))
    if finding is not None:
        yield finding


def _gets_default(at: Context, position: int) -> bool:
    """Whether a later statement of its transaction gives a default to the column that the SET NOT NULL at `position` makes required."""
    required = at.past[position]
    assert isinstance(required.operation, SetNotNull)
    table, column = at.resolve(required.operation.target.name), required.operation.column
    return any(
        _sets_default(done.operation, table, column, at)
        and (done.statement is required.statement or (done.transaction is not None and done.transaction == required.transaction))
        for done in at.past[position + 1 :]
    )


def _sets_default(operation: Operation, table: Name, column: str, at: Context) -> bool:
    """Whether an operation gives a default to a column; dynamic SQL may give one whose value only a running database knows."""
    runs = operation.operations if isinstance(operation, OpaqueCode) else (operation,)
    return any(isinstance(run, SetDefault | AddIdentity) and run.column == column and at.resolve(run.target.name) == table for run in runs)


def _is_required(column: Column, at: Context) -> bool:
    is_key = any(constraint.kind is ConstraintKind.PRIMARY_KEY for constraint in column.constraints)
    return column.not_null or is_key or any(domain.not_null for domain in domains_of(at.catalog, column.type))


def _added(op: AddColumn, at: Context) -> Finding | None:
    table = at.catalog.relation(op.target.name)
    if op.if_not_exists and table is not None and table.column(op.column.name) is not None:
        return None
    if not _is_required(op.column, at) or has_value(EffectContext(at.catalog), op.column):
        return None
    resolved, name = at.resolve(op.target.name), quoted(op.column.name)
    inserts = "every INSERT of the running release fails, because it omits the column"
    state = at.state(_State)
    if at.catalog.is_empty(table) and state.failing != at.statement.index:
        consequence = f"an earlier statement leaves {resolved} empty, so it does not fail, but {inserts}"
    else:
        state.failing = at.statement.index
        consequence = f"it fails if {resolved} has rows; otherwise {inserts}"
    return at.finding(
        op,
        f"ADD COLUMN {name} is NOT NULL{_by_domain(op.column)} without a default: {consequence}",
        help=(
            deployments(f"ADD COLUMN and a release that writes {name}", "NOT NULL")
            + _add_nullable(op, at)
            + _filled_and_not_null(op.target.name, op.column.name, at)
        ),
        fix=None if _is_plain(op) and not domains_of(at.catalog, op.column.type) else "",
        relations=(resolved,),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _by_domain(column: Column) -> str:
    is_own = column.not_null or any(constraint.kind is ConstraintKind.PRIMARY_KEY for constraint in column.constraints)
    return "" if is_own else f", because the domain {column.type} is,"


def _add_nullable(op: AddColumn, at: Context) -> str:
    """Returns the statement that adds the column without NOT NULL, in place of a domain with the type below it: a domain may refuse nulls, and
    its constraints are checked for every row."""
    domains = domains_of(at.catalog, op.column.type)
    add = f"ALTER TABLE {op.target.name} ADD COLUMN {quoted(op.column.name)} {domains[-1].type if domains else op.column.type};\n"
    if any(domain.checks for domain in domains):
        add += f"-- the conditions of {op.column.type} as CHECK constraints, NOT VALID, to be validated in the next migration\n"
    return add


def _default_dropped(op: DropDefault, at: Context) -> Finding | None:
    addition = added_column(at, op.target.name, op.column)
    table = at.catalog.relation(op.target.name)
    column = table.column(op.column) if table is not None else None
    if addition is None or column is None or not column.not_null or column.default is None:
        return None
    resolved, name = at.resolve(op.target.name), quoted(op.column)
    return at.finding(
        op,
        f"DROP DEFAULT in the {_unit(op, at)} that adds {name} to {resolved} as NOT NULL: every INSERT of the running release fails from then "
        "on, because it omits the column",
        help=(
            deployments(f"a release that writes {name}", "DROP DEFAULT")
            + once_released(f"every running release writes {name}", "drop-default")
            + f"ALTER TABLE {op.target.name} ALTER COLUMN {name} DROP DEFAULT;"
        ),
        relations=(resolved,),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _made_required(op: SetNotNull, at: Context) -> Finding | None:
    """Report a column that the migration adds and makes NOT NULL, if nothing gives it a value in the INSERTs of the running release."""
    addition = added_column(at, op.target.name, op.column)
    table = at.catalog.relation(op.target.name)
    column = table.column(op.column) if table is not None else None
    if addition is None or table is None or column is None or column.not_null or column.default is not None:
        return None
    if _is_required(addition.column, at) or has_value(EffectContext(at.catalog), addition.column):
        return None
    if _is_filled_by_a_trigger(at, table) or _is_written_by_a_function(at, table):
        return None
    resolved, name = at.resolve(op.target.name), quoted(op.column)
    if any(isinstance(done.operation, OpaqueCode) and _sets_default(done.operation, resolved, op.column, at) for done in at.past):
        return None
    return at.finding(
        op,
        f"SET NOT NULL in the {_unit(op, at)} that adds {name} to {resolved} without a default: every INSERT of the running release fails from "
        "then on, because it omits the column",
        help=not_null_with_its_value(at, op.target.name, op.column)
        or deployments(f"a release that writes {name}", "SET NOT NULL") + _filled_and_not_null(op.target.name, op.column, at),
        fix="",
        relations=(resolved,),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _checked(op: AddColumn | AddConstraint, at: Context) -> Finding | None:
    """Report a CHECK that the NULLs of new columns do not satisfy."""
    columns = columns_refused_as_null(at, op)
    table = at.catalog.relation(op.target.name)
    if not columns or (table is not None and (_is_filled_by_a_trigger(at, table) or _is_written_by_a_function(at, table))):
        return None
    resolved, names = at.resolve(op.target.name), " and ".join(map(quoted, columns))
    omits = f"because it omits the column{'s' * (len(columns) > 1)}"
    inserts = f"every INSERT of the running release fails from then on, {omits}"
    reads_rows = isinstance(op, AddColumn) or not op.constraint.not_valid
    if reads_rows and not at.catalog.is_empty(table) and not is_updated_here(at, op.target.name):
        inserts = f"it fails if {resolved} has rows; otherwise {inserts.replace(' from then on', '')}"
    return at.finding(
        op,
        f"a CHECK is false while {names}, new in {resolved} and without a default, {'is' if len(columns) == 1 else 'are'} NULL: {inserts}",
        help=(
            deployments(f"a release that writes {names}", "ADD CHECK")
            + f"-- deploy a release that writes {names}, fill the existing rows, a few thousand at a time, then add the CHECK:\n"
            + join_migrations(*_check_in_steps(op, at))
        ),
        fix="",
        relations=(resolved,),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _check_in_steps(op: AddColumn | AddConstraint, at: Context) -> list[str]:
    """Returns the statements that add the CHECKs of an operation, and validate them if it does, each for a migration of its own."""
    table, column = op.target.name, op.column.name if isinstance(op, AddColumn) else None
    constraints = (op.constraint,) if isinstance(op, AddConstraint) else op.column.constraints
    checks = [(each, each.check) for each in constraints if each.kind is ConstraintKind.CHECK and each.check is not None]
    names = [each.name or check_name(at.catalog, table, each, column) for each, _ in checks]
    added = [check_not_valid(check.sql, name, no_inherit=each.no_inherit) for (each, check), name in zip(checks, names, strict=True)]
    add = f"ALTER TABLE {table} {', '.join(f'ADD {each}' for each in added)};"
    return [add] if all(each.not_valid for each, _ in checks) else [add, validate_constraints(table, *names)]


def _unit(op: DropDefault | SetNotNull, at: Context) -> str:
    return "release" if column_added_by_migration(at, op.target.name, op.column) is None else "migration"


def _is_filled_by_a_trigger(at: Context, table: Relation) -> bool:
    """Whether a trigger may give new rows a value."""
    return any(trigger.row and trigger.timing == "before" and "insert" in trigger.events for trigger in at.catalog.triggers(table.oid))


def _is_written_by_a_function(at: Context, table: Relation) -> bool:
    """Whether a function of the database inserts rows, such as a trigger that counts: the running release may do so only through it."""
    insert = re.compile(rf"\binsert\s+into\s+(?:\w+\.)?\"?{re.escape(table.name.name)}\b", re.IGNORECASE)
    return any(function.code is not None and insert.search(function.code) for function in at.catalog.objects_of(Function))


def _is_plain(op: AddColumn) -> bool:
    """Whether the column has nothing but NOT NULL, and the statement no condition, which the steps would lose."""
    return (
        all(constraint.kind is ConstraintKind.NOT_NULL for constraint in op.column.constraints)
        and op.column.identity is None
        and not (op.if_not_exists or op.target.if_exists or op.target.only)
        and not (op.column.collation or op.column.storage or op.column.compression or op.column.options)
    )


def _filled_and_not_null(table: Name, column: str, at: Context) -> str:
    """Return the steps that follow the release that writes a column."""
    not_null = {column: free_constraint_name(at.catalog, at.resolve(table), (column,), "not_null").name}
    return (
        f"-- deploy a release that writes {quoted(column)}, fill the existing rows, a few thousand at a time, then, in two migrations:\n"
        + join_migrations(*set_not_null_in_steps(table, not_null, at.catalog.pg_version))
    )
