"""Code whose effect is only known when it runs.

EXECUTE of a string that is built from variables or query results may lock, rewrite or drop anything. migsafe reads a constant string, and
format() on constants, like any other SQL.

Unsafe:
    DO $$
    DECLARE
        partition text;
    BEGIN
        FOR partition IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'orders_2%' LOOP
            EXECUTE 'ALTER TABLE ' || quote_ident(partition) || ' ADD COLUMN note text';
        END LOOP;
    END $$;

Safe:
    DO $$
    BEGIN
        EXECUTE 'ALTER TABLE orders_2024 ADD COLUMN note text';
        EXECUTE format('ALTER TABLE %I ADD COLUMN remark text', 'orders_2024');
    END $$;

See: https://www.postgresql.org/docs/current/plpgsql-statements.html#PLPGSQL-STATEMENTS-EXECUTING-DYN
"""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import OpaqueCode


@rule(category="history", severity=Severity.WARNING)
def opaque_code(op: OpaqueCode, at: Context) -> Finding | None:
    """Report the code, with the reason."""
    if op.confined:
        return at.finding(op, f"details of this statement are only known at run time: {op.reason}")
    return at.finding(op, f"the effect of this code is only known at run time: {op.reason}")
