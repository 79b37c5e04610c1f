"""The limits of collations (DefineCollation in src/backend/commands/collationcmds.c)."""

from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
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
