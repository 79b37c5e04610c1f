"""A type change that existing values may not fit.

If a value does not fit the new type, PostgreSQL refuses the whole statement: the migration passes every test and fails in production. Some
conversions lose data instead: a fraction is rounded, a timestamp loses its time zone, a cast to varchar(n) truncates. First look for such
values, or add a new column and copy the values that fit. A new enum that has all the values of the old one keeps every value: the rule is
silent, also where the column is text between them in one transaction, and where the migration has deleted or updated the rows with the missing
values. It is silent, too, for a column that the release has added without a default and has not filled. If the change also rewrites the table
or reads all its rows, the finding says so, and speaks for type-change-rewrites.

Unsafe:
    CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, line varchar(50));
    INSERT INTO notes (line) SELECT repeat('-', 40);
    -- next migration
    ALTER TABLE notes ALTER COLUMN line TYPE varchar(10);

Safe:
    CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, line varchar(50));
    INSERT INTO notes (line) SELECT repeat('-', 40);
    -- next migration
    ALTER TABLE notes ALTER COLUMN line TYPE varchar(100);

See: https://www.postgresql.org/docs/current/typeconv-query.html
"""

from migsafe import expressions, versions
from migsafe.linting.facts.enum_values import EnumColumns, lost_values
from migsafe.linting.facts.ownership import added_column, is_updated_here
from migsafe.linting.facts.type_changes import type_change_safe_way
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.prediction.effects.columns import has_value, type_change
from migsafe.prediction.effects.effect_context import EffectContext
from migsafe.prediction.effects.type_changes import casts_of
from migsafe.schema.objects import EnumType
from migsafe.sql.operations import AlterColumnType, TypeName
from migsafe.sql.operations.values import quoted

_TEXTS = frozenset(("text", "character varying", "character"))
_INTEGERS = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
_FLOATS = ("real", "double precision")
_COMPARABLE = (
    frozenset(("smallint", "integer", "bigint", "numeric", "real", "double precision")),
    frozenset(("date", "timestamp without time zone", "timestamp with time zone")),
)
"""Types whose values PostgreSQL converts there and back, and compares."""


@rule(
    category="data",
    severity=Severity.ERROR,
    speaks_for=("type-change-rewrites",),
    no_fix="a CHECK instead of the type changes the final schema",
)
def type_narrowed(op: AlterColumnType, at: Context) -> Finding | None:
    """Report a change to a type that cannot represent every value of the old one, on a table with rows."""
    relation = at.catalog.relation(op.target.name)
    column = relation.column(op.column) if relation is not None else None
    if relation is None or column is None or column.type is None or at.catalog.is_new(relation) or _is_unfilled(op, at):
        return None
    context = EffectContext(at.catalog)
    context.timezone = at.session.settings.timezone
    change = type_change(context, op, column)
    lost = lost_values(op, relation, column, at.state(EnumColumns), at)
    if not change.narrows or change.refused is not None or lost == () or _always_fits(op):
        return None
    name, table = quoted(op.column), relation.name
    lacks = f" (it lacks {', '.join(map(repr, lost[:3]))}{', …' if len(lost) > 3 else ''})" if lost else ""
    return at.finding(
        op,
        f"not every {column.type} fits {op.type}{lacks}: if a value of {name} in {table} does not fit, PostgreSQL "
        f"{_consequence(column.type, op.type)}{_and_rewrites(at)}",
        help=f"{_search(op, column.type, lost, at)}\n{_instead(at, op)}",
        relations=(relation.name,),
        subject=f"{name} of {table}",
    )


def _is_unfilled(op: AlterColumnType, at: Context) -> bool:
    """Whether the release has added the column, and given it no value since."""
    added = added_column(at, op.target.name, op.column)
    return added is not None and not has_value(EffectContext(at.catalog), added.column) and not is_updated_here(at, op.target.name)


def _consequence(old: TypeName, new: TypeName) -> str:
    """Returns what PostgreSQL does with a value that does not fit."""
    if new.name not in _FLOATS or old.name not in (*_INTEGERS, *_FLOATS, "numeric") or old.dimensions or new.dimensions:
        return "refuses the statement or truncates the value"
    return "rounds it" if old.name in _INTEGERS else "rounds it, or refuses the statement if it is out of range"


def _always_fits(op: AlterColumnType) -> bool:
    """Whether USING computes a value that fits for every row."""
    if op.using is None or casts_of(op.using, op.column) is not None:
        return False
    return expressions.fits_every_row(op.using, limited=bool(op.type.modifiers))


def _search(op: AlterColumnType, old: TypeName, lost: tuple[str, ...] | None, at: Context) -> str:
    """Returns a query that finds values that do not fit."""
    name = quoted(op.column)
    conversion = _tried(op, old, lost, at)
    if conversion:
        return f"-- first try the conversion; this query fails if a value does not fit:\nSELECT count({conversion}) FROM {op.target.name};"
    misfit = _is_one_of(name, lost) if lost else _does_not_fit(name, old, op.type, at)
    return f"-- first look for values that do not fit:\nSELECT {name} FROM {op.target.name} WHERE {misfit} LIMIT 10;"


def _tried(op: AlterColumnType, old: TypeName, lost: tuple[str, ...] | None, at: Context) -> str:
    """Returns the conversion if only trying it tells whether every value fits. The text of a value that fits may differ between the types:
    `{"a":1}` and `{"a": 1}`, `7` and `7.0`."""
    if op.using is not None and casts_of(op.using, op.column) is None:
        return op.using.sql
    is_read = old.name in _TEXTS and op.type.name not in _TEXTS and not (old.dimensions or op.type.dimensions)
    if not is_read or lost or isinstance(at.catalog.type_of(op.type), EnumType) or at.catalog.pg_version >= versions.INPUT_IS_VALID:
        return ""
    return f"{quoted(op.column)}::{op.type}"


def _does_not_fit(column: str, old: TypeName, new: TypeName, at: Context) -> str:
    """Returns a condition that a value meets if it does not fit the new type. A cast would fail at the first text that does not fit."""
    if old.name in _TEXTS and new.name not in _TEXTS and not (old.dimensions or new.dimensions):
        enum = at.catalog.type_of(new)
        if isinstance(enum, EnumType):
            return f"{column} NOT IN ({_literals(enum.values)})"
        if at.catalog.pg_version >= versions.INPUT_IS_VALID:
            return f"NOT pg_input_is_valid({column}, {_literals((str(new),))})"
    return _is_changed(column, old, new)


def _is_changed(column: str, old: TypeName, new: TypeName) -> str:
    """Returns a condition that a value meets if the new type changes it. The text of an equal number or time may differ between the types."""
    if old.name in _INTEGERS and new.name in _INTEGERS and not (old.dimensions or new.dimensions):
        return f"{column} NOT BETWEEN {-_INTEGERS[new.name] - 1} AND {_INTEGERS[new.name]}"  # the cast would fail
    if any({old.name, new.name} <= family for family in _COMPARABLE) and not (old.dimensions or new.dimensions):
        return f"{column} IS DISTINCT FROM {column}::{new}::{old}"
    return f"{column}::text IS DISTINCT FROM {column}::{new}::text"


def _is_one_of(column: str, values: tuple[str, ...]) -> str:
    """Returns a condition that a value of the old type meets, although the new type may not exist yet."""
    return f"{column}::text IN ({_literals(values)})"


def _literals(values: tuple[str, ...]) -> str:
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)


def _and_rewrites(at: Context) -> str:
    """Returns the end of the message about the lock and the work of the same statement."""
    slow = at.slow_effects(only=True)
    if not slow:
        return ""
    main = next((effect for effect in slow if effect.rewrite), slow[0])
    work = "rewrites every row and index" if main.rewrite else "rebuilds indexes" if main.rebuilt else "reads every row"
    return f"; it also takes {main.lock} on {main.relation} while it {work}: every {main.blocked_commands} waits"


def _instead(at: Context, op: AlterColumnType) -> str:
    """Returns how to reach the type when all values fit."""
    slow = at.slow_effects(only=True)
    if not slow:
        return "-- then change the type"
    main = next((effect for effect in slow if effect.rewrite), slow[0])
    return "-- then, without blocking reads and writes:\n" + type_change_safe_way(op, main, at)
