"""A CHECK whose result changes without a change of the row.

PostgreSQL checks a row when it is written, and assumes that the result stays the same. If the CHECK depends on the clock, on a volatile
function or on another table, rows can violate it later without an error: then an UPDATE of another column of such a row fails, and so does
restoring a dump, which also loads tables one after the other. Compare with a stored value, or use a trigger or a foreign key.

Unsafe:
    CREATE TABLE offers (id bigint PRIMARY KEY, ends_at timestamptz, CONSTRAINT offers_open CHECK (ends_at > now()));

Safe:
    CREATE TABLE offers (
        id bigint PRIMARY KEY, starts_at timestamptz, ends_at timestamptz, CONSTRAINT offers_open CHECK (ends_at > starts_at)
    );

See: https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-CHECK-CONSTRAINTS
"""

import re
from collections.abc import Iterator

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.patterns import lazy_pattern
from migsafe.schema.formulas import identifiers
from migsafe.schema.objects import Function, RelationKind
from migsafe.schema.volatility import volatility_of
from migsafe.sql.operations import (
    AddColumn,
    AddConstraint,
    AlterDomain,
    Constraint,
    CreateDomain,
    CreateTable,
    Expression,
    Name,
    Operation,
    Persistence,
)

_CLOCK = frozenset(("current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"))
_CLOCK_CALLS = frozenset(("now", "transaction_timestamp", "statement_timestamp", "clock_timestamp", "timeofday"))
_AGE = lazy_pattern(r"\bage\s*\([^,()]*\)", re.IGNORECASE)
_READ = lazy_pattern(r"\b(?:from|join)\s+(?:only\s+)?((?:\w+\.)?\w+)", re.IGNORECASE)


@rule(category="design", severity=Severity.WARNING, no_fix="another condition changes the final schema")
def volatile_check(op: CreateTable | AddColumn | AddConstraint | CreateDomain | AlterDomain, at: Context) -> Iterator[Finding]:
    """Report each CHECK that depends on more than its row or value."""
    if isinstance(op, CreateTable) and op.persistence is Persistence.TEMPORARY:
        return
    for constraint in _constraints(op):
        cause = _cause(constraint.check, at) if constraint.check is not None else None
        if cause is not None:
            name = f" {constraint.name}" if constraint.name is not None else ""
            if isinstance(op, CreateDomain | AlterDomain):
                yield at.finding(
                    op,
                    f"the CHECK constraint{name} of the domain {op.domain} depends on {cause}: PostgreSQL checks a value only when it is "
                    "converted to the domain, so stored values can violate it later, and then a restore fails",
                    help="-- compare only the value itself; for anything else use a trigger on the table, or a foreign key",
                )
                continue
            table = op.table if isinstance(op, CreateTable) else op.target.name
            yield at.finding(
                op,
                f"the CHECK constraint{name} of {at.resolve(table)} depends on {cause}: PostgreSQL checks a row only when it is written, so "
                "rows can violate it later, and then UPDATEs of them and a restore fail",
                help="-- compare only values of the row; for anything else use a trigger, or a foreign key",
                relations=(table,),
            )


def _constraints(op: Operation) -> Iterator[Constraint]:
    match op:
        case CreateDomain():
            yield from op.constraints
        case AlterDomain(constraint=Constraint() as added):
            yield added
        case CreateTable():
            yield from op.constraints
            for column in op.columns:
                yield from column.constraints
        case AddColumn():
            yield from op.column.constraints
        case AddConstraint():
            yield op.constraint


def _cause(check: Expression, at: Context) -> str | None:
    """Returns what the result of a CHECK depends on beside the row; None if nothing is known."""
    clock = _CLOCK.intersection(identifiers(check.sql)) or _AGE.search(check.sql)
    if clock or any(call.name in _CLOCK_CALLS for call in check.calls if call.schema in (None, "pg_catalog")):
        return "the clock"
    for call in check.calls:
        functions = at.catalog.functions(call)
        if functions:
            table = next((table for function in functions for table in _tables_read(function, at)), None)
            if table is not None:
                return f"{table}, which {functions[0].kind} {call} reads"
        elif volatility_of(call, at.predictor.catalog.pg_version) == "volatile":
            return f"{call}, which is volatile"
    return None


def _tables_read(function: Function, at: Context) -> Iterator[Name]:
    """Yields the known tables that a function's body names after FROM or JOIN."""
    for text in _READ.findall(function.code or ""):
        schema, _, name = text.rpartition(".")
        relation = at.catalog.relation(Name(name.lower(), schema.lower() or None))
        if relation is not None and relation.kind in (RelationKind.TABLE, RelationKind.PARTITIONED):
            yield relation.name
