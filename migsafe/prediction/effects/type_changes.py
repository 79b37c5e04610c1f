"""The effects of ALTER COLUMN … TYPE: whether it rewrites the table, and which indexes and constraints it rebuilds.

PostgreSQL turns the change into an expression over the old column (USING or the assignment cast), and rewrites the table unless the
simplified expression is only the column with relabellings (ATColumnChangeRequiresRewrite, src/backend/commands/tablecmds.c):
binary-coercible casts, length coercions that change no value, domains without constraints, and between the two kinds of timestamp if
the TimeZone is UTC. Then it drops every constraint and index on the column and creates it again; an index whose operator class and
collation do not change keeps its file if the table was not rewritten (CheckIndexCompatible, src/backend/commands/indexcmds.c). Measured
for all pairs of some 100 types, and checked by the tests, on PostgreSQL 14 to 18.
"""

import re
from functools import lru_cache

from msgspec import Struct

from migsafe.patterns import lazy_pattern
from migsafe.prediction.effects.column_types import ColumnType, Domain, Length, UserType, UserTypes, column_type, keeps_every_value
from migsafe.prediction.effects.narrowing import narrows
from migsafe.schema.casts import COLLATABLE, RANGES, Cast, cast, comparison_type
from migsafe.sql.grammar.cursor import Unexpected
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.operations import Expression, IndexElement, Name, TypeName
from migsafe.sql.split import RawStatement, split

__all__ = ["Domain", "TypeChange", "UserType", "UserTypes", "change_of_type", "is_utc"]


class TypeChange(Struct, frozen=True, kw_only=True):
    """The effects of a type change.

    With any types, every valid CHECK that reads the column is checked again: if the table is not rewritten, it is scanned for that. Every
    index with an expression or a WHERE that reads the column is rebuilt. NOT VALID constraints and NOT NULL are not checked again.

    `rewrite`: the table and all its indexes are rewritten. `why`: the reason for the rewrite, or for no rewrite, as the end of a sentence.
    `opclass_changes`, `collation_changes`: those of an index on the column that does not name its own. `narrows`: values can be refused or
    truncated. `rechecks_foreign_keys`: a foreign key of the column is checked again, which reads both tables; `rechecks_referencing`: one
    that references the column. `refused`: PostgreSQL's error if it refuses the change.
    """

    rewrite: bool
    why: str
    narrows: bool = False
    opclass_changes: bool = False
    collation_changes: bool = False
    rechecks_foreign_keys: bool = False
    rechecks_referencing: bool = False
    refused: str | None = None

    @property
    def rebuilds_indexes(self) -> bool:
        """Whether a plain index on the column is rebuilt."""
        return self.rewrite or self.opclass_changes or self.collation_changes

    def rebuilds(self, element: IndexElement, old_collation: Name | None = None) -> bool:
        """Whether an index with this key on the column is rebuilt.

        An operator class or a collation that the index itself names does not change: text_pattern_ops, or a collation that is not the
        column's (pg_get_indexdef includes only what is not the default for the column's old type).
        """
        if self.rewrite or element.expression is not None:
            return True
        own_collation = element.collation is not None and not _same_collation(element.collation, old_collation)
        return (self.opclass_changes and element.opclass is None) or (self.collation_changes and not own_collation)


_NOT_TYPES = frozenset(("serial", "smallserial", "bigserial"))
"""Pseudo-types that are only allowed in the definition of a new column."""


class _Value(Struct, frozen=True):
    """The column's value after a step of the expression: its type, and the reason why it is more than a relabelling."""

    type: ColumnType
    written: TypeName
    computed: str = ""


def change_of_type(
    old: TypeName | None,
    new: TypeName,
    *,
    column: str,
    user_types: UserTypes,
    pg_version: int,
    using: Expression | None = None,
    timezone: str | None = None,
    old_collation: Name | None = None,
    new_collation: Name | None = None,
) -> TypeChange:
    """Returns what `ALTER COLUMN column TYPE new [COLLATE new_collation] [USING using]` does to a column of type `old` (None: unknown).

    `old_collation` is the column's own collation, None if it has its type's. `timezone` is the session's TimeZone, None for the server's
    setting, which is assumed not to be UTC.
    """
    if old is None:
        return TypeChange(
            rewrite=True,
            why=f"the type of {column} is unknown, so the change to {new} may rewrite it",
            rechecks_foreign_keys=True,
            rechecks_referencing=True,
        )
    if new.name in _NOT_TYPES and new.schema is None:
        error = f'type "{new}" does not exist'
        return TypeChange(rewrite=False, why=error, refused=error)
    before, after = column_type(old, user_types), column_type(new, user_types)
    steps = casts_of(using, column) if using is not None else ()
    value = _Value(before, old)
    if steps is None:
        value = _Value(after, new, "USING computes every value")
    else:
        utc = timezone is not None and is_utc(timezone)
        for step in (*steps, None):
            coerced = _coerced(value, new if step is None else step, step is not None, user_types, utc, pg_version)
            if isinstance(coerced, str):
                return _refused(coerced, using is not None, column)
            value = coerced
    return _change(before, after, value.computed, old, new, old_collation, new_collation)


def _refused(target: str, using: bool, column: str) -> TypeChange:
    subject = "result of USING clause for column" if using else "column"
    error = target if target.startswith("cannot") else f'{subject} "{column}" cannot be cast automatically to type {target}'
    return TypeChange(rewrite=False, why=error, refused=error)


def _change(
    before: ColumnType,
    after: ColumnType,
    computed: str,
    old: TypeName,
    new: TypeName,
    old_collation: Name | None,
    new_collation: Name | None,
) -> TypeChange:
    rewrite = bool(computed)
    collatable = before.base in COLLATABLE and after.base in COLLATABLE
    collation_changes = collatable and not _same_collation(old_collation or before.collation, new_collation or after.collation)
    opclass_changes = _opclass_changes(before, after)
    # The foreign key keeps its operator if the new type of the referencing column is binary-coercible to the type of the key.
    is_relabelled = cast(after.base, before.base, explicit=False, pg_version=15) is Cast.RELABELLED
    return TypeChange(
        rewrite=rewrite,
        why=computed or _why_free(old, new),
        narrows=narrows(before, after),
        opclass_changes=opclass_changes,
        collation_changes=collation_changes,
        rechecks_foreign_keys=rewrite or (opclass_changes and not is_relabelled),
        rechecks_referencing=rewrite or opclass_changes,
    )


def _why_free(old: TypeName, new: TypeName) -> str:
    return f"every {old} is stored as the same {new}" if str(old) != str(new) else "the type stays"


def _coerced(value: _Value, target: TypeName, explicit: bool, user_types: UserTypes, utc: bool, pg_version: int) -> _Value | str:
    """Returns the value as another type (coerce_to_target_type), or the end of PostgreSQL's error that there is no such cast."""
    source, wanted = value.type, column_type(target, user_types)
    types = f"from {value.written} to {target}"
    length, why = source.length, ""
    is_same_type = _same_type(source.declared, wanted.declared)
    if not is_same_type:
        path = _path(source, wanted, explicit, pg_version)
        if path is None:
            return f"cannot cast type {source.declared} to {wanted.declared}" if explicit else str(wanted.declared)
        if source.domain or source.base != wanted.base or source.array != wanted.array:
            length = None
        if path is Cast.TIMEZONE and not utc:
            why = f"the conversion {types} shifts every value by the session's TimeZone, unless that is UTC"
        elif path is Cast.COMPUTED:
            why = f"every value must be converted {types}" if source.known and wanted.known else f"every value may have to be converted {types}"
        elif wanted.constrained:
            why = f"every value is checked against the domain {wanted.declared}"
    if not why and not (is_same_type and wanted.domain) and not _keeps_length(wanted, length):
        why = f"every value must be converted {types}"
    return _Value(wanted, target, value.computed or why)


def _keeps_length(wanted: ColumnType, length: Length | None) -> bool:
    return wanted.length in (None, length) if wanted.array else keeps_every_value(wanted.base, length, wanted.length)


def _path(source: ColumnType, wanted: ColumnType, explicit: bool, pg_version: int) -> Cast | None:
    """Returns the cast between two types (find_coercion_pathway). An unknown type is assumed to have a cast that computes every value."""
    if source.base == wanted.base and source.array == wanted.array:
        return Cast.RELABELLED
    if source.array != wanted.array:
        # An array can be cast to text, and to nothing else that is not an array.
        from_type, to_type = ("[]" if source.array else source.base), ("[]" if wanted.array else wanted.base)
        known_cast = cast(from_type, to_type, explicit=explicit, pg_version=pg_version)
    else:
        known_cast = cast(source.base, wanted.base, explicit=explicit, pg_version=pg_version)
    if known_cast is None and not (source.known and wanted.known):
        return Cast.COMPUTED
    return Cast.COMPUTED if known_cast is not None and wanted.array else known_cast


def _same_type(first: TypeName, second: TypeName) -> bool:
    same_schema = first.schema is None or second.schema is None or first.schema == second.schema
    return first.name == second.name and first.dimensions == second.dimensions and same_schema


def _opclass_changes(before: ColumnType, after: ColumnType) -> bool:
    """Whether the default operator class changes. That of arrays, enums and ranges is polymorphic, but each index is for one type."""
    if before.array or after.array or any(column.kind is not None or column.base in RANGES for column in (before, after)):
        return not _same_type(before.declared, after.declared)
    return comparison_type(before.base) != comparison_type(after.base)


def _same_collation(old: Name | None, new: Name | None) -> bool:
    old_name, new_name = (collation.name if collation is not None else "default" for collation in (old, new))
    return old_name == new_name


_UTC = lazy_pattern(
    r"(?:posix/)?(?:(?:etc/)?(?:utc|uct|gmt|gmt[+-]?0|greenwich|zulu|universal)|factory)|(?:<[^>]*>|[a-z]*)[+-]?0+(?::0+)*(?:\.0+)?",
    re.IGNORECASE,
)


def is_utc(timezone: str) -> bool:
    """Whether a TimeZone setting is always UTC: then a timestamp has the same bytes with and without a time zone.

    TimestampTimestampTzRequiresRewrite (src/backend/utils/adt/timestamp.c) requires a zone that has had the offset 0
    at all times. Measured for pg_timezone_names and the POSIX forms: these have, Africa/Abidjan, WET and Europe/London have not.
    """
    return _UTC.fullmatch(timezone.strip()) is not None


@lru_cache(1024)
def _parser(sql: str) -> RawStatement | None:
    statements = list(split(sql))
    return statements[0] if len(statements) == 1 and isinstance(statements[0], RawStatement) else None


def casts_of(using: Expression, column: str) -> tuple[TypeName, ...] | None:
    """Returns the types to which an expression casts the column, in order; None if it does anything else."""
    raw = _parser(using.sql)
    if raw is None:
        return None
    parser = Parser(raw)
    try:
        types = _column_under_casts(parser, column)
    except Unexpected:
        return None
    return types if parser.done else None


def _column_under_casts(parser: Parser, column: str) -> tuple[TypeName, ...] | None:
    types: tuple[TypeName, ...] | None
    if parser.accept("("):
        types = _column_under_casts(parser, column)
        parser.expect(")")
    elif parser.accept("cast", "("):
        types = _column_under_casts(parser, column)
        parser.expect("as")
        types = None if types is None else (*types, parser.type_name())
        parser.expect(")")
    else:
        types = () if parser.qualified().name == column else None
    while types is not None and parser.accept("::"):
        types = (*types, parser.type_name())
    if types is not None and parser.accept("collate"):
        parser.qualified()
    return types
