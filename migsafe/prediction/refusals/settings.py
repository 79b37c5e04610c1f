"""Settings that PostgreSQL no longer has, or that accept one value only."""

from migsafe import versions
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.refusal import Refusal, RefusalKind
from migsafe.session.settings import is_false
from migsafe.sql import operations as sql


@refuses(sql.SetVariable)
def set_variable(catalog: Catalog, op: sql.SetVariable) -> Refusal | None:
    """A setting exists, and accepts the value."""
    variable = op.variable.lower()
    if variable == "default_with_oids" and op.value is not None and not is_false(op.value):
        return Refusal(error="tables declared WITH OIDS are not supported", help="-- leave the statement out", kind=RefusalKind.SESSION)
    if variable == "escape_string_warning" and catalog.pg_version >= versions.ESCAPE_STRING_WARNING_REMOVED:
        error = f'unrecognized configuration parameter "{variable}"'
        detail = f"PostgreSQL {versions.ESCAPE_STRING_WARNING_REMOVED} has no such parameter"
        return Refusal(error=error, detail=detail, help="-- leave the statement out", kind=RefusalKind.SESSION)
    return None
