"""ENABLE or FORCE ROW LEVEL SECURITY on an existing table without a policy, or DROP of its last policy.

From then on, SELECT, UPDATE and DELETE of a role that is not the table's owner find no rows, without an error, and its INSERTs fail. FORCE
does the same to the owner. Superusers and roles with BYPASSRLS are not affected, so that a test that connects as one of them passes. Create
the policies in the same transaction, or before. DROP POLICY of the last policy of a table does the same as long as row security is enabled.

Unsafe:
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY;

Unsafe, because it is the last policy of the table:
    CREATE TABLE parcels (id bigint PRIMARY KEY, owner text);
    ALTER TABLE parcels ENABLE ROW LEVEL SECURITY;
    CREATE POLICY parcels_of_owner ON parcels USING (owner = current_user);
    -- next migration
    DROP POLICY parcels_of_owner ON parcels;

Safe:
    BEGIN;
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
    CREATE POLICY orders_of_customer ON orders USING (customer_id = current_setting('app.customer_id')::bigint);
    COMMIT;

See: https://www.postgresql.org/docs/current/ddl-rowsecurity.html
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.facts.wording import join_names
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.objects import Attached
from migsafe.sql.operations import CreatePolicy, Drop, Name, SetRowSecurity


class _State(Struct):
    enabled: dict[Name, list[int]] = {}
    """The positions of the ENABLEs and FORCEs without a policy, by table."""
    dropped: dict[Name, int] = {}
    """The position of the last DROP POLICY of each table that had row security before."""


@rule(category="compatibility", severity=Severity.WARNING, no_fix="only the author knows which rows the application may use")
def row_security_enabled(op: SetRowSecurity | Drop | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record tables that get row security without a policy, or lose one, and report those that have none afterwards."""
    if isinstance(op, Drop):
        if op.kind == "policy" and op.table is not None and _loses_policy(op.table, op, at):
            at.state(_State).dropped[at.resolve(op.table)] = at.position
        return
    if isinstance(op, SetRowSecurity):
        table = at.resolve(op.target.name)
        if op.action in ("enable", "force") and not _has_policy(op, at):
            at.state(_State).enabled.setdefault(table, []).append(at.position)
        return
    absent = {
        table: remaining
        for table, positions in at.state(_State).enabled.items()
        if (remaining := [position for position in positions if not _gets_policy(at, position, table)])
    }
    if absent:
        yield _finding(at, absent)
    for table, position in at.state(_State).dropped.items():
        if _is_left_without_policy(at, table):
            yield _last_policy(at, table, position)


def _policies(at: Context, table: Name) -> list[Attached]:
    relation = at.catalog.relation(table)
    attached = at.catalog.dependents(relation.oid, Attached) if relation is not None else []
    return [policy for policy in attached if policy.kind == "policy"]


def _loses_policy(table: Name, op: Drop, at: Context) -> bool:
    """Whether a DROP POLICY drops a policy that the history knows, of an existing table with row security."""
    relation = at.catalog.relation(table)
    if relation is None or not relation.row_security or is_created_here(at, table):
        return False
    return any(policy.name.name == name.name for policy in _policies(at, table) for name in op.names)


def _is_left_without_policy(at: Context, table: Name) -> bool:
    relation = at.catalog.relation(table)
    return relation is not None and relation.row_security and relation.complete and not _policies(at, table)


def _last_policy(at: Context, table: Name, position: int) -> Finding:
    """Return the finding about the DROP of a table's last policy."""
    done = at.past[position]
    return at.finding(
        done,
        f"DROP POLICY removes the last policy of {table}, which has row level security: from then on, SELECT, UPDATE and DELETE of a role that "
        "does not own it find no rows, and its INSERTs fail",
        help=(
            "-- in the same transaction, with the condition on the rows that the application may use:\n"
            f"CREATE POLICY … ON {table} USING (…);\n"
            "-- or, if every role may see all rows:\n"
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;"
        ),
        relations=[table],
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _has_policy(op: SetRowSecurity, at: Context) -> bool:
    """Whether the table has a policy, is new, or has row security already."""
    relation = at.catalog.relation(op.target.name)
    if is_created_here(at, op.target.name) or (op.target.if_exists and at.catalog.is_absent(op.target.name)):
        return True
    if relation is None:
        return False
    is_set = relation.row_security if op.action == "enable" else relation.forced_row_security
    return is_set or any(policy.kind == "policy" and policy.table == relation.oid for policy in at.catalog.dependents(relation.oid, Attached))


def _gets_policy(at: Context, position: int, table: Name) -> bool:
    """Whether the same transaction creates a permissive policy on the table, switches row security off again, or drops the table."""
    transaction, relation = at.past[position].transaction, at.catalog.relation(table)
    if relation is not None and not (relation.row_security or relation.forced_row_security):
        return True
    if at.catalog.is_absent(table):
        return True
    return any(
        isinstance(done.operation, CreatePolicy)
        and done.operation.permissive
        and at.resolve(done.operation.table) == table
        and transaction is not None
        and done.transaction == transaction
        for done in at.past[position:]
    )


def _finding(at: Context, absent: dict[Name, list[int]]) -> Finding:
    """Return one finding about all tables, at the first statement."""
    positions, tables = sorted(position for each in absent.values() for position in each), list(absent)
    done = at.past[positions[0]]
    op: SetRowSecurity = done.operation  # type: ignore[assignment]  # the recorded operations are of this type
    forced = [number for number in positions if getattr(at.past[number].operation, "action", "") == "force"]
    roles = "any role, even of the owner," if forced else "a role that does not own it"
    later = any(isinstance(other.operation, CreatePolicy) and at.resolve(other.operation.table) == tables[0] for other in at.past)
    until = ", until a later transaction creates a policy" if later else ""
    action = f"{op.action.upper()} ROW LEVEL SECURITY"
    return at.finding(
        done,
        f"{action} on {join_names(tables)} without a policy: from then on, SELECT, UPDATE and DELETE of {roles} find no rows, and its INSERTs "
        f"fail{until}",
        help=(
            "BEGIN;\n"
            f"ALTER TABLE {op.target.name} {action};\n"
            "-- with the condition on the rows that the application may use:\n"
            f"CREATE POLICY … ON {op.target.name} USING (…);\n"
            "COMMIT;"
        ),
        relations=tables,
        lock=LockMode.ACCESS_EXCLUSIVE,
    )
