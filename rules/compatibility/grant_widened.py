"""GRANT to PUBLIC, or of ALL privileges.

PUBLIC is every role, also those that are created later. ALL contains more than an application needs: TRUNCATE, TRIGGER and REFERENCES on a
table, CREATE on a schema or a database. Grant the privileges that are needed, to the role that needs them. Not reported: what PUBLIC has by
default, such as EXECUTE on functions.

Unsafe:
    GRANT ALL ON orders TO clerk;

Safe:
    GRANT SELECT, INSERT, UPDATE ON orders TO clerk;

See: https://www.postgresql.org/docs/current/sql-grant.html
"""

from msgspec import Struct

from migsafe.linting.facts.ownership import is_created_here, is_name_created_here
from migsafe.linting.facts.repeated import other_places
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.sql.operations import Grant, Name

_RELATIONS = ("table", "sequence")
_BROAD_ALL = (*_RELATIONS, "schema", "database", "all tables in schema", "all sequences in schema")
_PUBLIC_BY_DEFAULT = ("function", "procedure", "routine", "type", "domain", "language")


class _State(Struct):
    positions: list[int] = []
    """The GRANTs that are reported, by their position in the migration."""


@rule(category="compatibility", severity=Severity.INFO, no_fix="other privileges change the final schema")
def grant_widened(op: Grant | MigrationEnd, at: Context) -> Finding | None:
    """Record the GRANTs on existing objects, and report them once at the end of the migration."""
    if isinstance(op, Grant):
        if not op.revoke and op.kind != "role" and _is_broad(op) and not all(_is_created_here(at, op.kind, name) for name in op.objects):
            at.state(_State).positions.append(at.position)
        return None
    done = [at.past[position] for position in at.state(_State).positions]
    if not done:
        return None
    first: Grant = done[0].operation  # type: ignore[assignment]  # the recorded operations are of this type
    privileges = ", ".join(first.privileges).upper() or "ALL"
    objects = f"{f'{first.kind} ' if first.kind != 'table' else ''}{', '.join(map(str, first.objects))}"
    roles = ", ".join(map(_role, first.grantees))
    consequence = "every role, also a future one, has it" if "public" in first.grantees else "it contains more than reading and writing rows"
    return at.finding(
        done[0],
        f"GRANT {privileges} on {objects} to {roles}: {consequence}{other_places(at, done)}",
        help="-- grant the privileges that are needed, to the role that needs them",
        relations=first.objects if first.kind == "table" else (),
    )


def _is_broad(op: Grant) -> bool:
    if "public" not in op.grantees:
        return not op.privileges and op.kind in _BROAD_ALL
    is_default = op.kind in _PUBLIC_BY_DEFAULT or op.kind.startswith(("all functions", "all procedures", "all routines"))
    return not is_default and not (op.kind == "schema" and op.privileges == ("usage",) and op.objects == (Name("public"),))


def _is_created_here(at: Context, kind: str, name: Name) -> bool:
    return is_created_here(at, name) if kind in _RELATIONS else is_name_created_here(at, kind, name)


def _role(name: str) -> str:
    return "PUBLIC" if name == "public" else name
