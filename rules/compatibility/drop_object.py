"""A view, function, type, sequence or schema is dropped while the running release may still use it.

Until it is replaced, the old release fails wherever it names the object. First deploy a release that does not use the object. Not reported:
a trigger function, which queries cannot call, an object that the same transaction creates again under the same name, a type that no column has
and that the migration has taken from none, and a function or a sequence whose last user the migration has dropped before. If CASCADE drops
more, drop-cascade speaks for this rule; for a schema it is drop-database-or-schema.

Unsafe:
    DROP VIEW open_orders;

Safe, because other sessions always see the view:
    BEGIN;
    DROP VIEW open_orders;
    CREATE VIEW open_orders AS SELECT 1 AS id;
    COMMIT;

See: https://www.postgresql.org/docs/current/sql-dropview.html
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.ownership import NameAbsence, is_created_here, is_name_created_here, is_trigger_function, name_absence
from migsafe.linting.facts.query_uses import KnownUse, use_of_names, use_of_relations
from migsafe.linting.facts.wording import after_release
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.schema.dependents import Part, dependents
from migsafe.schema.objects import Function
from migsafe.sql.operations import AlterColumnType, Drop, DropColumn, DropDefault, Name, SetDefault

_RELATIONS = ("view", "materialized view", "sequence")
_KINDS = (*_RELATIONS, "type", "domain", "function", "procedure", "routine", "aggregate", "schema")


class _State(Struct):
    dropped: list[tuple[int, list[Name], KnownUse]] = []
    """The positions of DROPs, each with the names that it drops, and the queries that use them."""
    converted: set[tuple[str, str | None]] = set()
    """The types that ALTER COLUMN TYPE has taken from a column, by name and schema."""
    defaults: set[int] = set()
    """The oids of the sequences and functions that dropped and replaced defaults used."""
    functions: dict[Name, Function] = {}
    """The dropped functions that are the only ones of their name, as they were."""
    has_dropped_trigger: bool = False


@rule(category="compatibility", severity=Severity.WARNING, no_fix="the application must change first, and only its authors know when it has")
def drop_object(op: Drop | DropColumn | AlterColumnType | DropDefault | SetDefault | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record what is dropped, and report at the end of the migration what its transaction did not create again."""
    state = at.state(_State)
    if isinstance(op, DropDefault | SetDefault | DropColumn):
        state.defaults |= _used_by_default(op.target.name, op.column, at)
    match op:
        case MigrationEnd():
            for position, names, use in state.dropped:
                yield from _dropped(at, position, names, use)
        case AlterColumnType():
            table = at.catalog.relation(op.target.name)
            column = table.column(op.column) if table is not None else None
            if column is not None and column.type is not None:
                state.converted.add((column.type.name, column.type.schema))
        case Drop() if op.kind in _KINDS:
            names = [name for name in op.names if not _is_unknown_to_release(op, name, at)]
            if names:
                state.functions |= {name: same[0] for name in names if len(same := at.catalog.functions(name)) == 1}
                use = use_of_relations(at, names) if op.kind in _RELATIONS else use_of_names(at, names)
                state.dropped.append((at.position, names, use if op.kind != "schema" else KnownUse()))
    if isinstance(op, Drop):
        state.has_dropped_trigger |= op.kind == "trigger"


def _used_by_default(table: Name, column: str, at: Context) -> set[int]:
    relation = at.catalog.relation(table)
    columns = relation.columns if relation is not None else ()
    defaults = [each.default for each in columns if each.name == column and each.default is not None]
    functions = {function.oid for default in defaults for call in default.expression.calls for function in at.catalog.functions(call)}
    return functions | {oid for default in defaults for oid in default.sequences}


def _is_unused(op: Drop, name: Name, at: Context) -> bool:
    """Whether nothing in the known schema uses a type, function or sequence any more, and its last user is one that the migration did not
    change, or dropped."""
    state = at.state(_State)
    if op.kind in ("type", "domain"):
        known = at.catalog.type_named(name)
        if known is None:
            return op.if_exists and _was_row_type(name, at)
        return (known.name.name, known.name.schema) not in state.converted
    if op.kind == "sequence":
        sequence = at.catalog.relation(name)
        return sequence is not None and sequence.oid in state.defaults and not any(dependents(at.catalog, Part(sequence.oid)))
    if op.kind not in ("function", "procedure", "routine"):
        return False
    functions = at.catalog.functions(name)
    if not functions:
        # A function without a known body that follows DROP TRIGGER is the trigger's.
        return state.has_dropped_trigger and not any(op.arguments)
    had_user = name.name in at.catalog.called_by_dropped or all(function.oid in state.defaults for function in functions)
    return had_user and not any(list(dependents(at.catalog, Part(function.oid))) for function in functions)


def _was_row_type(name: Name, at: Context) -> bool:
    """Whether the migration has dropped a relation of this name: its row type had the name, so no other type of the schema has it."""
    drops = (done.operation for done in at.past if isinstance(done.operation, Drop) and done.operation.certain)
    return any(name in drop.names for drop in drops if drop.kind in ("table", "view", "materialized view"))


def _is_unknown_to_release(op: Drop, name: Name, at: Context) -> bool:
    if is_name_created_here(at, op.kind, name) or is_trigger_function(at, op.kind, name) or _is_unused(op, name, at):
        return True
    return op.kind in _RELATIONS and (is_created_here(at, name) or (op.if_exists and at.catalog.is_never_found(name)))


def _dropped(at: Context, position: int, names: list[Name], use: KnownUse) -> Iterator[Finding]:
    done = at.past[position]
    op: Drop = done.operation  # type: ignore[assignment]  # the recorded operations are of this type
    absences = {name: name_absence(at, position, op.kind, name) for name in names}
    permanent = [name for name, absence in absences.items() if absence is NameAbsence.PERMANENT]
    temporary = [name for name, absence in absences.items() if absence is NameAbsence.TEMPORARY]
    relations = op.kind in _RELATIONS
    drop = f"DROP {op.kind.upper()}"
    if permanent:
        objects = ", ".join(map(str, permanent))
        them = "them" if len(permanent) > 1 else "it"
        yield at.finding(
            done,
            f"{drop} removes {objects}: the running release fails wherever it still uses {them}{use.words}",
            help=after_release(f"a release that does not use {them}", f"no running release uses {them}", at.rule),
            relations=permanent if relations else (),
            severity=use.severity,
            queries=use.queries,
            use_words=use.words if use.queries else "",
        )
    elif temporary:
        objects = ", ".join(map(str, temporary))
        yield at.finding(
            done,
            f"{drop} removes {objects} until a later statement creates it again: the running release fails in between",
            help=_together(op, temporary, at),
            relations=temporary if relations else (),
        )


def _together(op: Drop, names: list[Name], at: Context) -> str:
    """Returns how other sessions always see the objects: CREATE OR REPLACE keeps a function that has the same parameters and result."""
    if op.kind in ("function", "procedure") and all(_is_same_function(name, at) for name in names):
        replace = f"CREATE OR REPLACE {op.kind.upper()}"
        return f"-- leave the DROP out, and write {replace}, which keeps the privileges and the objects that depend on it"
    return (
        f"BEGIN;\nDROP {op.kind.upper()} {'IF EXISTS ' if op.if_exists else ''}{', '.join(map(str, names))};\n-- create it again here\nCOMMIT;"
    )


def _is_same_function(name: Name, at: Context) -> bool:
    old, new = at.state(_State).functions.get(name), at.catalog.functions(name)
    if old is None or old.result is None or len(new) != 1:
        return False
    return (old.kind, old.arguments, old.parameters, old.result) == (new[0].kind, new[0].arguments, new[0].parameters, new[0].result)
