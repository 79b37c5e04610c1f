"""A view, function, type, enum value, sequence or schema is renamed, or an object moves to another schema.

The running release uses the old name and fails until it is replaced. Create the new object next to the old one, and drop the old one when
it is no longer used; a view or a function can also be created again under its old name in the same transaction. Other objects inside the
database follow a rename, but the text of functions and procedures does not. A type that columns have cannot be dropped: leave it its name.
rename-table reports renamed tables.

Unsafe:
    ALTER VIEW open_orders RENAME TO pending_orders;

Unsafe, where the release does not set search_path:
    ALTER TABLE orders SET SCHEMA archive;

Safe:
    CREATE VIEW pending_orders AS SELECT * FROM open_orders;

See: https://www.postgresql.org/docs/current/sql-alterview.html
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.ownership import NameAbsence, is_created_here, is_name_created_here, is_trigger_function, name_absence
from migsafe.linting.facts.query_uses import KnownUse, use_of_names, use_of_relations
from migsafe.linting.facts.wording import deployments, once_released
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.schema.dependents import is_type_named
from migsafe.schema.objects import is_table
from migsafe.sql.operations import Name, Rename, RenameEnumValue, SetSchema

_RELATIONS = ("table", "foreign table", "view", "materialized view", "sequence")
_NAMED = (*_RELATIONS, "type", "domain", "function", "procedure", "routine", "aggregate", "schema")


class _State(Struct):
    positions: list[tuple[int, KnownUse]] = []
    """The RENAMEs and SET SCHEMAs, by their position in the migration, each with the queries that use the object."""


@rule(category="compatibility", severity=Severity.WARNING, fix="unsafe", unsafe_because="a part of it needs another deployment")
def rename_object(op: Rename | RenameEnumValue | SetSchema | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Report an enum value at once; record other renames, and report at the end of the migration the names that no other object has."""
    match op:
        case MigrationEnd():
            for position, use in at.state(_State).positions:
                yield from _renamed(at, position, use)
        case RenameEnumValue():
            if not is_name_created_here(at, "type", op.type, created=True):
                yield _renamed_value(op, at)
        case Rename() | SetSchema():
            if op.kind in _NAMED and not _is_unknown_to_release(op, at):
                at.state(_State).positions.append((at.position, _use(op, at)))


def _is_unknown_to_release(op: Rename | SetSchema, at: Context) -> bool:
    if is_name_created_here(at, op.kind, op.name) or is_trigger_function(at, op.kind, op.name):
        return True
    if op.kind not in _RELATIONS:
        return False
    relation = at.catalog.relation(op.name)
    if relation is None:
        # rename-table reports the rename of a table.
        is_table_rename = op.kind in ("table", "foreign table") and isinstance(op, Rename)
        return is_table_rename or at.catalog.index(op.name) is not None or (op.if_exists and at.catalog.is_absent(op.name))
    return is_created_here(at, op.name) or (isinstance(op, Rename) and is_table(relation))


def _renamed_value(op: RenameEnumValue, at: Context) -> Finding:
    return at.finding(
        op,
        f"the value '{op.value}' of {op.type} becomes '{op.new_name}': the running release fails wherever it writes the old value or "
        "compares with it, and does not know the new value",
        help=(
            deployments("ADD VALUE and a release that knows both values", "the change of the rows")
            + f"ALTER TYPE {op.type} ADD VALUE '{op.new_name}' AFTER '{op.value}';\n"
            f"-- when every running release knows both values, change the rows that contain '{op.value}'; an enum value cannot be dropped"
        ),
    )


def _use(op: Rename | SetSchema, at: Context) -> KnownUse:
    if op.kind == "schema":
        return KnownUse()
    return use_of_relations(at, (op.name,)) if op.kind in _RELATIONS else use_of_names(at, (op.name,))


def _renamed(at: Context, position: int, use: KnownUse) -> Iterator[Finding]:
    done = at.past[position]
    op: Rename | SetSchema = done.operation  # type: ignore[assignment]  # the recorded operations are of this type
    absence = name_absence(at, position, op.kind, op.name)
    if absence is NameAbsence.NONE:
        return
    new = Name(op.name.name, op.schema) if isinstance(op, SetSchema) else Name(op.new_name, op.name.schema)
    is_relation = op.kind in _RELATIONS
    yield at.finding(
        done,
        f"the {op.kind} {op.name} becomes {new}: the running release fails wherever it still uses the old name"
        + (", until another object has that name" if absence is NameAbsence.TEMPORARY else "")
        + use.words,
        help=_of_columns(op, new) if _is_of_columns(op, new, at) else _help(op, new),
        relations=(op.name,) if is_relation else (),
        # A table in another schema is missing as one with another name is.
        severity=use.severity or (Severity.ERROR if op.kind in ("table", "foreign table") else None),
        queries=use.queries,
        use_words=use.words if use.queries else "",
    )


def _is_of_columns(op: Rename | SetSchema, new: Name, at: Context) -> bool:
    """Whether a column has the renamed type, or an array of it."""
    if op.kind not in ("type", "domain"):
        return False
    names = (new, at.resolve(new))
    return any(is_type_named(column.type, name) for relation in at.catalog.relations() for column in relation.columns for name in names)


def _of_columns(op: Rename | SetSchema, new: Name) -> str:
    """Returns what to do where PostgreSQL refuses to drop the old type. A domain over a domain has its operators, one over an enum has none
    (found on a server)."""
    if op.kind == "domain":
        return (
            deployments(f"CREATE {new} and a release that uses only it", "the rename")
            + f"-- CREATE DOMAIN {new} AS {op.name}; when no running release uses {op.name}, in one transaction: "
            f"DROP DOMAIN {new}; {_alter(op)}"
        )
    return (
        f"-- columns have the type, so that {op.name} cannot be dropped, and no second type can stand for it: leave it as it is, and let the "
        "next release use that name;\n-- or rename it while no release uses it"
    )


def _alter(op: Rename | SetSchema) -> str:
    action = f"SET SCHEMA {Name(op.schema)}" if isinstance(op, SetSchema) else f"RENAME TO {Name(op.new_name)}"
    return f"ALTER {op.kind.upper()} {op.name} {action};"


def _help(op: Rename | SetSchema, new: Name) -> str:
    if op.kind in ("table", "foreign table", "view", "materialized view"):
        view = f"CREATE VIEW {op.name} AS SELECT * FROM {new};"  # noqa: S608  # it is written down, not run
        in_steps = deployments(f"the new name, a view under the old one, and a release that uses only {new}", "DROP VIEW")
        steps = f"{in_steps}BEGIN;\n{_alter(op)}\n{view}\nCOMMIT;\n"
        return f"{steps}{once_released(f'no running release names {op.name}', 'drop-object')}DROP VIEW {op.name};"
    in_steps = deployments(f"CREATE {new} and a release that uses only it", f"DROP {op.name}")
    return f"{in_steps}-- create {new} next to it; when no running release uses {op.name}, drop {op.name} in a separate migration"
