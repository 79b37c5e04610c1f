"""The safe way of a type change that rewrites or scans a table."""

import re

from migsafe.linting.facts.replaced_keys import also_needed, filled_column, key_steps, new_column, switch_steps
from migsafe.linting.facts.wording import deployments
from migsafe.linting.rule import Context
from migsafe.patterns import lazy_pattern
from migsafe.prediction.effects.effect import Effect
from migsafe.prediction.effects.type_changes import casts_of, change_of_type, is_utc
from migsafe.schema.default_names import default_name
from migsafe.schema.objects import Column, Constraint, EnumType, Relation, RelationKind
from migsafe.sql.generation import TypedColumn, check_not_valid, comment_and_grants_copied, join_migrations, validate_constraints
from migsafe.sql.operations import AlterColumnType, ConstraintKind, Name, Rename, TypeName
from migsafe.sql.operations.values import quoted

_TEXTS = frozenset(("text", "character varying", "character"))
_TIMES = frozenset(("timestamp without time zone", "timestamp with time zone"))
_NAME = r'(?:"(?:[^"]|"")+"|[a-z_][\w$]*)'
_AT_TIME_ZONE = lazy_pattern(rf"\(?(?:{_NAME}\.)?({_NAME})\)?\s+AT\s+TIME\s+ZONE\s+'([^']*)'(?:::text)?", re.IGNORECASE)
_TIMEZONE_CALL = lazy_pattern(rf"timezone\(\s*'([^']*)'(?:::text)?\s*,\s*(?:{_NAME}\.)?({_NAME})\s*\)", re.IGNORECASE)


def type_change_safe_way(op: AlterColumnType, main: Effect, at: Context) -> str:
    """Returns the statements that reach the new type without blocking reads and writes; `main` is the effect that takes long."""
    table, name = op.target.name, quoted(op.column)
    relation = at.catalog.relation(table)
    before = relation.column(op.column) if relation is not None else None
    old = before.type if before is not None else None
    if relation is not None and before is not None and not main.rewrite and not main.rebuilt:
        return _checked_later(op, _checks(relation, before, at), at)
    if old is not None and main.rewrite and op.using is None and _is_shorter_text(old, op.type):
        label = default_name(table.name, (op.column,), "check")
        limit = check_not_valid(f"char_length({name}) <= {op.type.modifiers[0]}", label)
        return join_migrations(
            f"ALTER TABLE {table} ADD {limit};", f"-- without blocking reads and writes:\n{validate_constraints(table, label)}"
        )
    if old is not None and main.rewrite and (added := _added_values(op, old, at)):
        type_ = _name_before_migration(old, at)
        return "\n".join(
            ["-- instead of a new type, without rewriting the table:", *(f"ALTER TYPE {type_} ADD VALUE {value};" for value in added)]
        )
    if relation is not None and before is not None and (steps := _same_times(op, relation, before, at)):
        return steps
    column = new_column(op.column)
    keys: list[str] = []
    switch: list[str] = []
    if relation is not None and before is not None and op.using is None:
        keys, switch = [*key_steps(relation, before, op.type, at)], [*switch_steps(relation, before, at)]
    steps = join_migrations(*filled_column(table, TypedColumn(op.column, old), op.type, op.using, at), *keys)
    needed = also_needed(relation, before, at, keys_done=op.using is None) if relation is not None and before is not None else ""
    steps += f"\n-- give {quoted(column)} what {name} has: {needed}" if needed else ""
    steps += (
        f"\n-- then deploy a release that uses {quoted(column)} instead of {name}, and later drop the trigger and {name} in one transaction"
    )
    if switch:
        steps += "; before that, in one transaction:"
        steps += "".join(f"\n-- {line}" for line in switch)
    steps = deployments(f"{quoted(column)} and its trigger", f"a release that uses {quoted(column)}", f"DROP COLUMN {name}") + steps
    if old is not None and {old.name, op.type.name} == _TIMES and op.using is None:
        steps = f"-- if the stored times are in UTC, run SET timezone = 'UTC' first: then the table is not rewritten. Otherwise:\n{steps}"
    return steps


def type_change_fix(op: AlterColumnType, main: Effect, at: Context) -> str | None:
    """Returns the statements that also end in the same schema: the new column takes the place of the old one, in a later deployment, because
    it is the last of the table. None if the safe way does so; empty if nothing does, or if the column has more than a type and a default."""
    table = op.target.name
    relation = at.catalog.relation(table)
    before = relation.column(op.column) if relation is not None else None
    if relation is None or before is None or before.type is None or not relation.complete:
        return ""
    if (not main.rewrite and not main.rebuilt) or _same_times(op, relation, before, at):
        return None
    narrower = op.using is None and (_is_shorter_text(before.type, op.type) or _added_values(op, before.type, at))
    default = before.default.expression.sql if before.default is not None else ""
    needed = also_needed(relation, before, at, keys_done=False).removeprefix(f"DEFAULT {default}")
    special = before.generated or before.identity or before.not_null or before.collation or before.inherited or not before.local
    if narrower or needed or special or relation.kind is not RelationKind.TABLE or at.catalog.children(relation.oid):
        return ""
    name, new, trigger = quoted(op.column), quoted(new_column(op.column)), quoted(default_name(table.name, (new_column(op.column),), "sync"))
    function = Name(default_name(table.name, (new_column(op.column),), "sync"), table.schema)
    steps = join_migrations(*filled_column(table, TypedColumn(op.column, before.type), op.type, op.using, at))
    return "\n".join(
        (
            steps,
            f"-- when every row has its new value, and no release depends on the order of the columns of {table}:",
            "BEGIN;",
            comment_and_grants_copied(table, op.column, new_column(op.column)),
            f"DROP TRIGGER {trigger} ON {table};",
            f"ALTER TABLE {table} DROP COLUMN {name};",
            f"ALTER TABLE {table} RENAME COLUMN {new} TO {name};",
            *([f"ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {default};"] if default else []),
            f"DROP FUNCTION {function}();",
            "COMMIT;",
        )
    )


def _same_times(op: AlterColumnType, relation: Relation, column: Column, at: Context) -> str:
    """Returns statements that change nothing but the catalogue, if USING says that the stored times are in UTC: with that TimeZone, a time is
    stored as the same bytes in both types. An index would still be built again."""
    old = column.type
    if old is None or {old.name, op.type.name} != _TIMES or op.using is None or not _is_at_utc(op.using.sql, op.column):
        return ""
    if change_of_type(old, op.type, column=op.column, user_types=lambda name: None, pg_version=at.catalog.pg_version, timezone="UTC").rewrite:
        return ""
    if any(column.number in index.columns for index in at.catalog.indexes(relation.oid)) or _checks(relation, column, at):
        return ""
    return (
        "-- with this TimeZone the stored bytes of a time in UTC are the same, and the table is not rewritten:\n"
        f"SET timezone = 'UTC';\nALTER TABLE {op.target.name} ALTER COLUMN {quoted(op.column)} TYPE {op.type};\nRESET timezone;"
    )


def _is_at_utc(using: str, column: str) -> bool:
    """Whether an expression is a column `AT TIME ZONE 'UTC'`."""
    text = using.strip()
    text = text[1:-1].strip() if text.startswith("(") and text.endswith("')") else text
    if found := _AT_TIME_ZONE.fullmatch(text):
        name, zone = found[1], found[2]
    elif found := _TIMEZONE_CALL.fullmatch(text):
        zone, name = found[1], found[2]
    else:
        return False
    name = name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
    return name == column and is_utc(zone)


def _added_values(op: AlterColumnType, old: TypeName, at: Context) -> list[str]:
    """Returns the values, with their places, that make the old enum type equal to the new one; empty if that is not so, or unknown."""
    before, after = at.catalog.type_of(old), at.catalog.type_of(op.type)
    if not isinstance(before, EnumType) or not isinstance(after, EnumType) or old.dimensions or op.type.dimensions or not before.values:
        return []
    if op.using is not None and casts_of(op.using, op.column) is None:
        return []
    if tuple(value for value in after.values if value in before.values) != before.values:
        return []
    places = [f" BEFORE {_literal(before.values[0])}", *(f" AFTER {_literal(value)}" for value in after.values)]
    is_appended = after.values[: len(before.values)] == before.values
    placed = zip(after.values, places, strict=False)
    return [_literal(value) + ("" if is_appended else place) for value, place in placed if value not in before.values]


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _checks(relation: Relation, column: Column, at: Context) -> list[Constraint]:
    return [
        constraint
        for constraint in at.catalog.constraints(relation.oid)
        if constraint.kind is ConstraintKind.CHECK and constraint.valid and constraint.enforced and column.number in constraint.columns
    ]


def _checked_later(op: AlterColumnType, checks: list[Constraint], at: Context) -> str:
    """Returns statements that change the type, drop every CHECK on the column, and add it again as NOT VALID."""
    table = op.target.name
    parts = [f"DROP CONSTRAINT {quoted(constraint.name.name)}" for constraint in checks]
    parts.append(at.text(op.span.start, op.span.end))
    parts += [
        f"ADD {check_not_valid(constraint.check.expression.sql, constraint.name.name, no_inherit=constraint.no_inherit)}"
        for constraint in checks
        if constraint.check is not None
    ]
    again = validate_constraints(table, *(constraint.name.name for constraint in checks))
    return join_migrations(f"ALTER TABLE {table}\n    " + ",\n    ".join(parts) + ";", f"-- without blocking reads and writes:\n{again}")


def _is_shorter_text(old: TypeName, new: TypeName) -> bool:
    return old.name in _TEXTS and new.name == "character varying" and bool(new.modifiers) and not (old.dimensions or new.dimensions)


def _name_before_migration(type_: TypeName, at: Context) -> Name | TypeName:
    """Returns the name that a type has where the migration does not rename it."""
    for done in reversed(at.past):
        match done.operation:
            case Rename(kind="type", name=name, new_name=new_name) if new_name == type_.name:
                return name
    return type_
