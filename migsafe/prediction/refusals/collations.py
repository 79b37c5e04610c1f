"""The limits of collations (DefineCollation in src/backend/commands/collationcmds.c)."""

from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql

_FALSE = frozenset(("false", "off", "0"))


@refuses(sql.CreateObject)
def create_collation(_: Catalog, op: sql.CreateObject) -> Refusal | None:
    """Only ICU compares strings as equal that differ in their bytes; libc is the provider of a collation that names none."""
    values = {option.name.lower(): (option.value or "true").strip("'\"").lower() for option in op.options} if op.kind == "collation" else {}
    if values.get("deterministic") not in _FALSE or values.get("provider", "libc") not in ("libc", "builtin") or op.if_not_exists:
        return None
    return Refusal(
        error="nondeterministic collations not supported with this provider",
        help="-- provider = icu, and a locale of ICU, such as 'und-u-ks-level2'",
    )


@refuses(sql.Drop)
def drop_collation(catalog: Catalog, op: sql.Drop) -> Refusal | None:
    """A collation stays while a column has it."""
    for name in op.names if op.kind == "collation" and not op.cascade else ():
        for table in catalog.relations():
            column = next((each for each in table.columns if each.collation == name), None) if certainly_exists(catalog, table) else None
            if column is not None and not table.may_be_older:
                place = f"column {column.name} of {table.kind.value} {table.name.name}"
                return Refusal(
                    error=f"cannot drop collation {name.name} because other objects depend on it",
                    detail=f"{place} depends on collation {name.name}",
                    help=f"-- first another collation for {column.name}, which builds its indexes again: ALTER COLUMN … TYPE … COLLATE …",
                )
    return None
