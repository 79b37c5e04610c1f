"""What the name of a column says of its values. A state, a type, a currency have few values, and the time of a deletion is unset in most rows:
no index finds few rows by one of them."""

from migsafe.patterns import lazy_pattern

_FEW = lazy_pattern(
    r"(?:^|_)(?:status|state|kind|type|category|level|severity|priority|role|mode|phase|stage|tier|plan|provider|platform|environment|env"
    r"|currency|country|region|language|lang|locale|timezone|gender|visibility|format|protocol|algorithm|unit)$"
)
_UNSET = lazy_pattern(r"(?:^|_)(?:deleted|removed|archived|disabled|revoked|blocked|banned)(?:_(?:at|on|by|date|time|timestamp))?$")
_USUAL_STATES = frozenset(
    """active enabled published public visible available approved accepted confirmed verified valid completed complete finished done closed
    processed succeeded successful success ok sent delivered paid settled live resolved merged archived""".split()
)
_CAMEL = lazy_pattern(r"(?<=[a-z0-9])(?=[A-Z])")


def plain_name(column: str) -> str:
    """Returns a column's name in lower case, with underscores between its words."""
    return _CAMEL.sub("_", column).lower()


def has_few_values(column: str) -> bool:
    """Whether a column of this name usually has few values."""
    return _FEW.search(plain_name(column)) is not None


def is_usual_state(value: str) -> bool:
    """Whether most rows usually have this state, such as `done` in a queue."""
    return value.lower() in _USUAL_STATES


def is_usually_unset(column: str) -> bool:
    """Whether a column of this name is NULL in most rows: it has a value only in those that the application hides."""
    return _UNSET.search(plain_name(column)) is not None
