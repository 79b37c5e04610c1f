"""Columns that have few values, by their names: a state, a type, a currency. No index finds few rows by one of them."""

import re

_FEW = re.compile(
    r"(?:^|_)(?:status|state|kind|type|category|level|severity|priority|role|mode|phase|stage|tier|plan|provider|platform|environment|env"
    r"|currency|country|region|language|lang|locale|timezone|gender|visibility|format|protocol|algorithm|unit)$"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def plain_name(column: str) -> str:
    """Returns a column's name in lower case, with underscores between its words."""
    return _CAMEL.sub("_", column).lower()


def has_few_values(column: str) -> bool:
    """Whether a column of this name usually has few values."""
    return _FEW.search(plain_name(column)) is not None
