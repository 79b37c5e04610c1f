"""A view, a function, a type, an enum value, a sequence or a schema gets another name, or anything another schema.

The release that is still running uses the old one, and fails until it is replaced. Make the new object beside the old one, and drop that
once nothing uses it; a view or a function can also be given its old name again in the same transaction. Code and other objects inside the
database follow a rename by themselves, but not the text of functions and procedures. A table's own name is a matter of rename-table.

Unsafe:
    ALTER VIEW open_orders RENAME TO pending_orders;

Unsafe, where the release does not set search_path:
    ALTER TABLE orders SET SCHEMA archive;

Safe:
    CREATE VIEW pending_orders AS SELECT * FROM open_orders;

See: https://www.postgresql.org/docs/current/sql-alterview.html
"""

from collections.abc import Iterator

from migsafe.linting.facts.ownership import NameAbsence, is_created_here, is_name_created_here, is_trigger_function, name_absence
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.schema.catalog import is_table
from migsafe.sql.operations import Name, Rename, RenameEnumValue, SetSchema

_RELATIONS = ("table", "foreign table", "view", "materialized view", "sequence")
_NAMED = (*_RELATIONS, "type", "domain", "function", "procedure", "routine", "aggregate", "schema")


@rule(category="compatibility", severity=Severity.WARNING)
def rename_object(op: Rename | RenameEnumValue | SetSchema | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Report an enum value at once; note what else is renamed, and report when the migration ends what nothing took the place of."""
    match op:
        case MigrationEnd():
            for position in at.notes:
                yield from _renamed(at, position)
        case RenameEnumValue():
            if not is_name_created_here(at, "type", op.type, made=True):
                yield _renamed_value(op, at)
        case Rename() | SetSchema():
            if op.kind in _NAMED and not _is_unseen(op, at):
                at.notes.append(len(at.past))


def _is_unseen(op: Rename | SetSchema, at: Context) -> bool:
    if is_name_created_here(at, op.kind, op.name) or is_trigger_function(at, op.kind, op.name):
        return True
    if op.kind not in _RELATIONS:
        return False
    relation = at.catalog.relation(op.name)
    if relation is None:
        # A table's rename is another rule's.
        is_its = op.kind in ("table", "foreign table") and isinstance(op, Rename)
        return is_its or at.catalog.index(op.name) is not None or (op.if_exists and at.catalog.is_absent(op.name))
    return is_created_here(at, op.name) or (isinstance(op, Rename) and is_table(relation))


def _renamed_value(op: RenameEnumValue, at: Context) -> Finding:
    return at.finding(
        op,
        f"the value '{op.value}' of {op.type} becomes '{op.new_name}': the release that is running fails wherever it writes the old one or "
        "compares with it, and does not know the new one that it reads",
        help=(
            f"ALTER TYPE {op.type} ADD VALUE '{op.new_name}' AFTER '{op.value}';\n"
            f"-- once every release that is running knows both, change the rows that hold '{op.value}'; an enum value cannot be dropped"
        ),
    )


def _renamed(at: Context, position: int) -> Iterator[Finding]:
    done = at.past[position]
    op: Rename | SetSchema = done.operation  # type: ignore[assignment]  # those are noted
    left = name_absence(at, position, op.kind, op.name)
    if left is NameAbsence.NONE:
        return
    new = Name(op.name.name, op.schema) if isinstance(op, SetSchema) else Name(op.new_name, op.name.schema)
    is_relation = op.kind in _RELATIONS
    yield at.finding(
        done,
        f"the {op.kind} {op.name} becomes {new}: the release that is running fails wherever it still uses the old name"
        + (", until something else has it" if left is NameAbsence.SHORT else ""),
        help=_help(op, new),
        relations=(op.name,) if is_relation else (),
    )


def _help(op: Rename | SetSchema, new: Name) -> str:
    verb = f"SET SCHEMA {Name(op.schema)}" if isinstance(op, SetSchema) else f"RENAME TO {Name(op.new_name)}"
    alter = f"ALTER {op.kind.upper()} {op.name} {verb};"
    if op.kind in ("table", "foreign table", "view", "materialized view"):
        view = f"CREATE VIEW {op.name} AS SELECT * FROM {new};"  # noqa: S608  # it is written down, not run
        return (
            f"BEGIN;\n{alter}\n{view}\nCOMMIT;\n"
            f"-- once no release that names {op.name} is running, in a migration of its own:\nDROP VIEW {op.name};"
        )
    return f"-- make {new} beside it; once no release that uses {op.name} is running, in a migration of its own, drop {op.name}"
