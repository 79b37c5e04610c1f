"""A constraint is dropped that the running release may rely on.

From then on rows can be written that the constraint would refuse, and they must be found and corrected before it can be added again. INSERT
… ON CONFLICT fails without the unique constraint that it names. A foreign key has triggers on both tables, so dropping it takes ACCESS
EXCLUSIVE on the referenced table too. Not reported: a constraint that the migration replaces by its end with one of the same name or of the
same kind and columns, IF EXISTS that makes room for one that the migration adds, a primary key that another one replaces, and a CHECK that
only repeats NOT NULL. drop-primary-key speaks for this rule.

Unsafe:
    ALTER TABLE orders DROP CONSTRAINT orders_qty_check;

Safe, because it is replaced:
    ALTER TABLE orders DROP CONSTRAINT orders_qty_check, ADD CONSTRAINT orders_qty_check CHECK (qty > 0) NOT VALID;

See: https://www.postgresql.org/docs/current/ddl-alter.html#DDL-ALTER-REMOVING-A-CONSTRAINT
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.facts.wording import after_release
from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.objects import Constraint
from migsafe.schema.redundancy import is_replaced, says_only_not_null
from migsafe.sql.operations import AddConstraint, ConstraintKind, DropConstraint
from migsafe.sql.operations.values import quoted


class _State(Struct):
    dropped: list[tuple[int, Constraint | None]] = []
    """The positions of DROP CONSTRAINTs, each with the constraint if it is known."""


@rule(category="compatibility", severity=Severity.INFO, no_fix="the application must change first, and only its authors know when it has")
def drop_constraint(op: DropConstraint | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record each constraint that is dropped, and report at the end of the migration those that were not replaced."""
    if isinstance(op, MigrationEnd):
        for position, constraint in at.state(_State).dropped:
            yield from _dropped(at, position, constraint)
        return
    table = at.catalog.relation(op.target.name)
    constraint = at.catalog.constraint(table.oid, op.constraint) if table is not None else None
    if is_created_here(at, op.target.name) or _is_added(op, at.past, at):
        return
    if constraint is None and ((table is not None and table.complete) or (op.target.if_exists and at.catalog.is_absent(op.target.name))):
        return
    if not (constraint is not None and says_only_not_null(at.catalog, constraint)):
        at.state(_State).dropped.append((at.position, constraint))


def _is_added(op: DropConstraint, past: Sequence[PastOperation], at: Context) -> bool:
    """Whether one of these operations adds a constraint of the name."""
    table = at.resolve(op.target.name)
    return any(
        isinstance(done.operation, AddConstraint)
        and done.operation.constraint.name == op.constraint
        and at.resolve(done.operation.target.name) == table
        for done in past
    )


def _has_other_key(at: Context, constraint: Constraint | None) -> bool:
    """Whether the constraint is a primary key, and its table has another one."""
    return constraint is not None and constraint.kind is ConstraintKind.PRIMARY_KEY and at.catalog.primary_key(constraint.table) is not None


def _dropped(at: Context, position: int, constraint: Constraint | None) -> Iterator[Finding]:
    done = at.past[position]
    op: DropConstraint = done.operation  # type: ignore[assignment]  # the recorded operations are of this type
    if (
        is_replaced(at.catalog, op, constraint)
        or _has_other_key(at, constraint)
        or (op.if_exists and _is_added(op, at.past[position + 1 :], at))
    ):
        return
    table, name = at.resolve(op.target.name), quoted(op.constraint)
    kind = f"{constraint.kind.value} constraint" if constraint is not None else "constraint"
    referenced = at.catalog.get(constraint.references) if constraint is not None and constraint.references is not None else None
    locked = f"takes ACCESS EXCLUSIVE on {table} and {referenced.name}, and " if referenced is not None else ""
    consequence = (
        "INSERT … ON CONFLICT on its columns fails, and " if constraint is not None and constraint.kind is ConstraintKind.UNIQUE else ""
    )
    yield at.finding(
        done,
        f"DROP CONSTRAINT {locked}removes the {kind} {name} from {table}: {consequence}rows that violate it can be written from now on",
        help=after_release(f"a release that does not rely on {name}", f"no running release relies on {name}", at.rule),
        relations=(table, *((referenced.name,) if referenced is not None else ())),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )
