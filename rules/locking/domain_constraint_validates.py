"""A new constraint of a domain is checked against every value in every table that uses the domain.

ALTER DOMAIN … ADD CONSTRAINT and SET NOT NULL hold SHARE on all those tables at once while they scan them: INSERT, UPDATE and DELETE wait,
and the wait grows with the tables. With NOT VALID nothing is scanned, and new values are checked from then on. VALIDATE CONSTRAINT takes
the same SHARE locks for its scan, so run it in a maintenance window; the constraint applies to new values without it.

Unsafe:
    CREATE DOMAIN price AS numeric;
    CREATE TABLE offers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, asked price);
    -- next migration
    ALTER DOMAIN price ADD CONSTRAINT price_positive CHECK (VALUE > 0);

Safe, for new values:
    CREATE DOMAIN price AS numeric;
    CREATE TABLE offers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, asked price);
    -- next migration
    ALTER DOMAIN price ADD CONSTRAINT price_positive CHECK (VALUE > 0) NOT VALID;

See: https://www.postgresql.org/docs/current/sql-alterdomain.html
"""

from migsafe.linting.facts.held_locks import while_held
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.objects import Domain
from migsafe.sql.generation import check_not_valid
from migsafe.sql.operations import AlterDomain, Name


@rule(
    category="locking",
    severity=Severity.ERROR,
    speaks_for=("long-work-under-lock", "many-tables-locked"),
    no_fix="no statement checks the values of a domain under a weaker lock",
)
def domain_constraint_validates(op: AlterDomain, at: Context) -> Finding | None:
    """Report a domain's constraint that scans existing tables, or may scan them: the tables that use an unknown domain are unknown too."""
    constraint = op.constraint
    if op.action != "set not null" and not (op.action == "add constraint" and constraint is not None and not constraint.not_valid):
        return None
    slow = at.slow_effects()
    if not slow and isinstance(at.catalog.type_named(op.domain), Domain):
        return None
    tables = [effect.relation for effect in slow]
    where = " and ".join(map(str, tables)) or f"every table that uses {op.domain}"
    is_check = constraint is not None and constraint.check is not None
    expression = constraint.check.sql if constraint is not None and constraint.check is not None else "VALUE IS NOT NULL"
    name = (constraint.name if constraint is not None else None) or _name(op.domain, is_check)
    return at.finding(
        op,
        f"ALTER DOMAIN {'ADD CONSTRAINT' if constraint is not None else 'SET NOT NULL'} takes SHARE on {where} while it checks every value: "
        f"every INSERT, UPDATE and DELETE waits{while_held(at)}",
        help=(
            "-- new values are checked from now on; VALIDATE CONSTRAINT would hold the same locks while it checks the existing ones:\n"
            f"ALTER DOMAIN {op.domain} ADD {check_not_valid(expression, name)};"
        ),
        relations=tables,
        lock=LockMode.SHARE,
    )


def _name(domain: Name, is_check: bool) -> str:
    return f"{domain.name}_check" if is_check else f"{domain.name}_not_null"
