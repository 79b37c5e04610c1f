"""CASCADE drops more than the statement names.

It also drops the objects that depend on the named object, without a list and without confirmation: views, foreign keys of other tables,
columns of a dropped type, triggers of a dropped function. Which objects these are depends on the database where the statement runs. Without
CASCADE PostgreSQL refuses and lists the dependent objects: drop those first, by name. A CASCADE that is known to drop nothing else is not
reported. TRUNCATE … CASCADE also empties every table that references the named one. DROP OWNED drops everything that a role owns in the
database, without naming any of it.

Unsafe:
    CREATE TABLE coupons (code text PRIMARY KEY);
    CREATE VIEW open_coupons AS SELECT code FROM coupons;
    -- next migration
    DROP TABLE coupons CASCADE;

Safe, because no object depends on it:
    CREATE TABLE coupons (code text PRIMARY KEY);
    DROP TABLE coupons CASCADE;

See: https://www.postgresql.org/docs/current/ddl-depend.html
"""

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.facts.wording import join_names
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.cascades import find_cascade
from migsafe.schema.dependents import users_of_extension
from migsafe.schema.descriptions import describe_with_schema
from migsafe.schema.extensions import extension_named
from migsafe.schema.objects import Relation, is_table
from migsafe.schema.requirements import keys_that_reach
from migsafe.sql.operations import Drop, DropColumn, DropConstraint, Name, Truncate, Utility

_MOST = 5


_SPEAKS_FOR = ("drop-column", "drop-constraint", "drop-object", "drop-primary-key", "drop-table")


@rule(
    category="data",
    severity=Severity.ERROR,
    speaks_for=_SPEAKS_FOR,
    no_fix="only the author knows whether the dependent objects are still needed",
)
def drop_cascade(op: Drop | DropColumn | DropConstraint | Truncate | Utility, at: Context) -> Finding | None:
    """Report the known objects that CASCADE drops, or that it may drop unknown ones."""
    match op:
        case Truncate():
            return _truncated(op, at)
        case Utility():
            return _owned(op, at) if op.command.startswith("drop owned") else None
    cascade = find_cascade(at.catalog, op)
    if cascade is None:
        return None
    dropped = [describe_with_schema(at.catalog, part) for part in cascade.parts]
    if isinstance(op, Drop) and op.kind == "extension":
        unknown = [name.name for name in op.names if extension_named(at.catalog, name.name) is None]
        dropped += [describe_with_schema(at.catalog, part) for name in unknown for part, _ in users_of_extension(at.catalog, name)]
    if dropped:
        objects = ", ".join(dropped[:_MOST]) + (f" and {len(dropped) - _MOST} more" if len(dropped) > _MOST else "")
        unknown_objects = "" if cascade.known else ", and any other dependent object in the database where it runs"
        consequence = f"CASCADE also drops {objects}{unknown_objects}"
    else:
        consequence = "CASCADE drops every dependent object in the database where it runs: views, foreign keys, columns, triggers"
    return at.finding(
        op,
        f"{_command(op)} {consequence}",
        help="-- drop the dependent objects first, by name, then the object without CASCADE",
        relations=op.names if isinstance(op, Drop) and op.kind in ("table", "view", "materialized view") else (),
    )


def _command(op: Drop | DropColumn | DropConstraint) -> str:
    if isinstance(op, Drop):
        return f"DROP {op.kind.upper()} …"
    return "DROP COLUMN …" if isinstance(op, DropColumn) else "DROP CONSTRAINT …"


def _truncated(op: Truncate, at: Context) -> Finding | None:
    """Return the finding about tables that a TRUNCATE empties because they reference one that it names."""
    named = [table for each in op.tables if (table := at.catalog.relation(each.name)) is not None]
    emptied: dict[int, Name] = {}
    waiting = [each for table in named for each in (table, *at.catalog.descendants(table.oid))] if op.cascade else []
    while waiting:
        for key in keys_that_reach(at.catalog, waiting.pop()):
            other = at.catalog.get(key.table)
            if isinstance(other, Relation) and other not in named and other.oid not in emptied:
                emptied[other.oid] = other.name
                waiting.append(other)
    others = [name for name in emptied.values() if not is_created_here(at, name)]
    if not others:
        return None
    return at.finding(
        op,
        f"TRUNCATE … CASCADE also deletes every row of {join_names(others, most=_MOST)}, because of {'their' if len(others) > 1 else 'its'} "
        f"foreign key{'s' if len(others) > 1 else ''}",
        help="-- delete the rows that reference the table first, by name, or name every table in TRUNCATE without CASCADE",
        relations=others,
    )


def _owned(op: Utility, at: Context) -> Finding:
    tables = sum(is_table(relation) for relation in at.catalog.relations())
    known = f", among them the {tables} tables of this history if the role has run it" if tables else ""
    cascade = ", and with CASCADE every object that depends on them" if op.command.endswith("cascade") else ""
    return at.finding(
        op,
        f"DROP OWNED BY {op.name} drops every table, view and function that the role owns in the database{known}, with all rows{cascade}; it "
        "also revokes the role's privileges",
        help=f"-- REASSIGN OWNED BY {op.name} TO …; first keeps the objects; drop those that are not needed by name",
    )
