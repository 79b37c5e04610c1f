"""The settings in force (manual, SET and RESET; what guc.c does with them was watched on PostgreSQL 14 to 18)."""

from functools import lru_cache
from typing import NamedTuple

from migsafe.schema.journal import JournaledMapping
from migsafe.session.units import milliseconds

_USUAL_PATH = ("public",)
_NO_SCHEMAS = frozenset(("", "$user", "pg_catalog"))
_KEPT_BY_RESET_ALL = frozenset(("role", "session_authorization"))
_TIMES = frozenset(
    (
        *("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout", "transaction_timeout"),
        "deadlock_timeout",
    )
)
_TEMPLATE_MARKS = ("{{", "${", ":", "%(", "<%")
"""What a runner or psql fills in; a time never holds one of these."""


class _Value(NamedTuple):
    """A setting's value: the one that lasts, and the one of SET LOCAL, which goes before it until the transaction ends. None: the default."""

    lasting: str | None = None
    local: str | None = None
    is_local: bool = False


_UNTOUCHED = _Value()


class Settings:
    """What SET, RESET and their kin have left behind. A name may be spelt in any case."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: JournaledMapping[str, _Value] = JournaledMapping()

    def value(self, name: str) -> str | None:
        """A setting as the script gave it, items of a list parted by `, `; None where the server's own default holds."""
        found = self._values.entries.get(name.lower(), _UNTOUCHED)
        return found.local if found.is_local else found.lasting

    @property
    def search_path(self) -> tuple[str, ...]:
        """The schemas in which unqualified names are looked for, without `$user` and pg_catalog."""
        value = self.value("search_path")
        return _USUAL_PATH if value is None else _schemas(value)

    @property
    def timezone(self) -> str | None:
        """TimeZone, None for the server's own."""
        return self.value("timezone")

    @property
    def lock_timeout_ms(self) -> int | None:
        """lock_timeout; 0 is none at all, None the server's own, or a value that is filled in later."""
        return self.duration_ms("lock_timeout")

    @property
    def statement_timeout_ms(self) -> int | None:
        """statement_timeout, likewise."""
        return self.duration_ms("statement_timeout")

    def duration_ms(self, name: str) -> int | None:
        """A setting that is a time, in milliseconds."""
        value = self.value(name)
        return None if value is None else milliseconds(value)

    def accepts(self, name: str, value: str | None) -> bool:
        """Whether PostgreSQL takes the value, as far as that is known here: of times."""
        if value is None or name.lower() not in _TIMES or milliseconds(value) is not None:
            return True
        return any(mark in value for mark in _TEMPLATE_MARKS)

    def set(self, name: str, value: str | None, *, local: bool = False) -> None:
        """SET, or SET LOCAL; None is DEFAULT. A value that PostgreSQL refuses changes nothing."""
        name = name.lower()
        if not self.accepts(name, value):
            return
        if local:
            before = self._values.entries.get(name, _UNTOUCHED)
            self._values.set(name, _Value(before.lasting, value, is_local=True))
        else:
            self._values.set(name, _Value(value))

    def reset(self, name: str | None = None) -> None:
        """RESET, or RESET ALL, which leaves the role alone."""
        if name is not None:
            self.set(name, None)
            return
        for each in [each for each in self._values.entries if each not in _KEPT_BY_RESET_ALL]:
            self._values.set(each, _UNTOUCHED)

    def discard(self) -> None:
        """DISCARD ALL, and a new connection."""
        self._values.clear()

    @property
    def mark(self) -> int:
        """The present, for `back_to`."""
        return self._values.mark

    def undo(self, mark: int = 0) -> None:
        """Undo what has changed since the mark, or since the transaction began."""
        self._values.undo(mark)

    def commit(self) -> None:
        """The transaction ends: what SET LOCAL did is over, the rest lasts."""
        if not self._values.mark:
            return
        for name in {name for name in self._values.changed_keys() if self._values.entries[name].is_local}:
            self._values.set(name, _Value(self._values.entries[name].lasting))
        self._values.commit()


@lru_cache(maxsize=256)
def _schemas(value: str) -> tuple[str, ...]:
    """The schemas of a search_path, quotes off."""
    return tuple(name for name in map(_unquoted, _items(value)) if name not in _NO_SCHEMAS)


def _items(value: str) -> list[str]:
    """The list cut at the commas outside double quotes."""
    items = [""]
    for place, piece in enumerate(value.split('"')):
        if place % 2:
            items[-1] += f'"{piece}"'
        else:
            first, *more = piece.split(",")
            items[-1] += first
            items += more
    return [item.strip() for item in items]


def _unquoted(item: str) -> str:
    return item[1:-1].replace('""', '"') if len(item) > 1 and item[0] == item[-1] == '"' else item
