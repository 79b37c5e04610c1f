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

from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.sql.operations import OpaqueCode


@rule(category="history", severity=Severity.WARNING)
def opaque_code(op: OpaqueCode | MigrationEnd, at: Context) -> Finding | None:
    """Report the code, with the reason; at the end, a script that has more paths than were tried."""
    if isinstance(op, MigrationEnd):
        program = at.migration.up.program
        if program is None or not program.has_untried_paths:
            return None
        message = f"{program.function}() has more paths than migsafe tries: what it does on the others is not judged"
        return at.finding(at.place_in_file(program.definition) or op, message)
    if op.confined:
        return at.finding(op, f"details of this statement are only known at run time: {op.reason}")
    return at.finding(op, f"the effect of this code is only known at run time: {op.reason}")
