"""PostgreSQL's key words, by the names that may be spelled like them.

From the manual's appendix C, SQL Key Words (PostgreSQL 18). Every other word is an ordinary identifier, also the non-reserved key words,
which are valid wherever a name is.
"""

RESERVED: frozenset[str] = frozenset(
    """all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create
    current_catalog current_date current_role current_time current_timestamp current_user default deferrable desc distinct
    do else end except false fetch for foreign from grant group having in initially intersect into lateral leading limit
    localtime localtimestamp not null offset on only or order placing primary references returning select session_user some
    symmetric system_user table then to trailing true union unique user using variadic when where window with""".split()
)
"""Words that are not valid as a name without quotes."""

COLUMN_NAME: frozenset[str] = frozenset(
    """between bigint bit boolean char character coalesce dec decimal exists extract float greatest grouping inout int integer
    interval json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize
    json_table json_value least merge_action national nchar none normalize nullif numeric out overlay position precision
    real row setof smallint substring time timestamp treat trim values varchar xmlattributes xmlconcat xmlelement xmlexists
    xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable""".split()
)
"""Words that are valid as the name of a column, a table or another object, but not of a function or type."""

RECENT_COLUMN_NAME: dict[str, int] = {
    **dict.fromkeys(("json_array", "json_arrayagg", "json_object", "json_objectagg"), 16),
    **dict.fromkeys(("json", "json_exists", "json_query", "json_scalar", "json_serialize", "json_table", "json_value", "merge_action"), 17),
}
"""Those of COLUMN_NAME that releases before this one accept as the name of a function, an argument or a type, too (pg_get_keywords)."""

TYPE_OR_FUNCTION_NAME: frozenset[str] = frozenset(
    """authorization binary collation concurrently cross current_schema freeze full ilike inner is isnull join left like
    natural notnull outer overlaps right similar tablesample verbose""".split()
)
"""Words that are valid as the name of a function or type, but not of a column or table."""

NEEDS_AS: frozenset[str] = frozenset(
    """array as char character create day except fetch filter for from grant group having hour intersect into limit minute
    month offset on order over overlaps precision returning second to union varying where window with within without year""".split()
)
"""Words that are valid as the name of an output column only after AS."""
