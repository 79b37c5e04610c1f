"""The line that names a query in a file: `-- name: get_user :one`, `-- name: get-user^`, `-- :name get-user :? :1`, `/* :name … */`.

The line that pg_dump writes above each object, `-- Name: orders; Type: TABLE; Schema: public; Owner: app`, names no query.
"""

import re

from migsafe.patterns import lazy_pattern

NAME_LINE = lazy_pattern(
    r"^[ \t]*(?:--|\#|/\*)[ \t]*(?P<kind>name[ \t]*:|:name\b|:snip\b)[ \t]*(?![^\n]*;[ \t]*Type:)(?P<name>[^\s(*/]+)(?P<rest>[^\n]*)$",
    re.MULTILINE | re.IGNORECASE,
)


def names_queries(text: str) -> bool:
    """Whether a text has a line that names a query."""
    return NAME_LINE.search(text) is not None
