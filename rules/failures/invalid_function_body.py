"""An error in the body of a function, a procedure or a DO block.

PostgreSQL reads the body of an SQL or PL/pgSQL routine when it creates the routine, and refuses the statement: a block, a loop or an IF that is
not closed, a missing THEN or `;`, a misspelt key word, a query with a syntax error. In PL/pgSQL, it also refuses a variable that is not
declared or declared twice, a loop over rows without a record, EXIT outside a loop, a RETURN that does not fit the result, a RAISE with too few
or too many values, and the name of an exception that does not exist. It resolves tables and columns only when a PL/pgSQL statement runs. The
body of a routine is not read while `check_function_bodies` is off; then the error comes when the routine is called.

Unsafe:
    CREATE FUNCTION order_count() RETURNS bigint LANGUAGE plpgsql AS $$
    BEGIN
        IF true THEN
            RETURN (SELECT count(*) FROM orders);
    END $$;

Safe:
    CREATE FUNCTION order_count() RETURNS bigint LANGUAGE plpgsql AS $$
    BEGIN
        IF true THEN
            RETURN (SELECT count(*) FROM orders);
        END IF;
    END $$;

See: https://www.postgresql.org/docs/current/plpgsql-structure.html
    https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-CHECK-FUNCTION-BODIES
"""

from msgspec.structs import replace

from migsafe.linting.facts.function_bodies import invalid_body
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import CreateFunction, Do


@rule(category="failures", severity=Severity.ERROR, refuses=True, no_fix="only the author knows what the body was meant to be")
def invalid_function_body(op: CreateFunction | Do, at: Context) -> Finding | None:
    """Report the first syntax error of a body, at its place."""
    invalid = invalid_body(op, at)
    if invalid is None:
        return None
    place, error = invalid
    what = f"{op.kind} {op.function}" if isinstance(op, CreateFunction) else "DO block"
    if error.error:
        return at.finding(replace(op, span=place), f"error in the body of the {what}: {error.error}; PostgreSQL refuses this statement")
    message = f"syntax error in the body of the {what}: expected {error.expected}, found {error.found}; PostgreSQL refuses this statement"
    return at.finding(replace(op, span=place), message)
