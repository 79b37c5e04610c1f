"""Functions of other database systems, which PostgreSQL does not have."""

from collections.abc import Iterable

from migsafe.schema.catalog import Catalog
from migsafe.schema.refusal import Refusal
from migsafe.sql.operations import Name

_INSTEAD = {
    **dict.fromkeys(("ifnull", "nvl"), "coalesce(…)"),
    **dict.fromkeys(("getdate", "sysdate", "sysdatetime", "getutcdate", "utc_timestamp", "curdate"), "now(), or CURRENT_DATE"),
    **dict.fromkeys(("newid", "newsequentialid", "uuid"), "gen_random_uuid()"),
    **dict.fromkeys(("group_concat", "listagg"), "string_agg(…, ',')"),
    **dict.fromkeys(("date_add", "date_sub", "dateadd", "datediff", "timestampdiff"), "+ and - with an interval"),
    **dict.fromkeys(("unix_timestamp", "from_unixtime"), "extract(epoch FROM …), or to_timestamp(…)"),
    **dict.fromkeys(("json_extract", "json_unquote"), "-> and ->>"),
    **dict.fromkeys(("charindex", "instr", "locate"), "strpos(…)"),
    "date_format": "to_char(…)",
    "last_insert_id": "RETURNING, or currval(…)",
    "if": "CASE WHEN … THEN … ELSE … END",
}
"""The functions, each with what does the same in PostgreSQL."""


def refuse_foreign(catalog: Catalog, calls: Iterable[Name]) -> Refusal | None:
    """Returns why PostgreSQL refuses a call of a function of another database system. The history has created all functions, and none of this
    name; extensions such as orafce bring some."""
    for call in calls:
        instead = _INSTEAD.get(call.name) if call.schema is None else None
        if instead is None or catalog.has_other_functions or catalog.functions_named(call.name):
            continue
        if not (catalog.complete or (catalog.from_beginning and catalog.origin.made_all)):
            continue
        if call.name == "date_add" and catalog.pg_version >= _DATE_ADD:
            continue
        return Refusal(
            error=f"function {call.name}(…) does not exist", detail="it belongs to another database system", help=f"-- use {instead}"
        )
    return None


_DATE_ADD = 16
"""date_add() and date_subtract() exist since PostgreSQL 16."""
