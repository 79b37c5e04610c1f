"""The settings of a connection (manual, SET and RESET; the behaviour of guc.c was measured on PostgreSQL 14 to 18)."""

from functools import lru_cache
from typing import NamedTuple

from migsafe.schema.journal import JournaledMapping
from migsafe.session.units import milliseconds
from migsafe.sql.lexer import plain_marks
from migsafe.sql.operations.values import quoted, unquoted

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
"""The marks of placeholders that a runner or psql replaces; a duration never contains one of these."""


_TRUE = frozenset(("on", "true", "yes", "1", "t", "y"))
_FALSE = frozenset(("off", "false", "no", "0", "f", "n"))


def is_false(value: str) -> bool:
    """Whether the value of a boolean setting switches it off."""
    return value.lower() in _FALSE


def is_true(value: str) -> bool:
    """Whether the value of a boolean setting switches it on."""
    return value.lower() in _TRUE


class _Value(NamedTuple):
    """A setting's value: the lasting one, and the one of SET LOCAL, which overrides it until the transaction ends. None: the default."""

    lasting: str | None = None
    local: str | None = None
    is_local: bool = False


_UNTOUCHED = _Value()


class Settings:
    """The settings after SET, RESET and similar commands. The case of a name does not matter."""

    __slots__ = ("_defaults", "_values", "of_function")

    def __init__(self) -> None:
        self._values: JournaledMapping[str, _Value] = JournaledMapping()
        self._defaults: dict[str, str] = {}
        self.of_function: dict[str, str] = {}
        """The settings of the function that runs now, which override those of the session."""

    def value(self, name: str) -> str | None:
        """Returns a setting as the script wrote it, items of a list separated by `, `; None if the server's default applies."""
        own = self._own_value(name)
        return own if own is not None else self._defaults.get(name.lower())

    def _own_value(self, name: str) -> str | None:
        if self.of_function and (of_function := self.of_function.get(name.lower())) is not None:
            return of_function
        value = self._values.entries.get(name.lower(), _UNTOUCHED)
        return value.local if value.is_local else value.lasting

    @property
    def search_path(self) -> tuple[str, ...]:
        """The schemas in which PostgreSQL looks for unqualified names, without `$user` and pg_catalog."""
        value = self.value("search_path")
        return _USUAL_PATH if value is None else _schemas(value)

    @property
    def path_is_set(self) -> bool:
        """Whether the session has set search_path to schemas that are known: none is the role's own, or a value that the runner fills in."""
        value = self._own_value("search_path")
        return value is not None and "$user" not in value and not any(mark in value for mark in _TEMPLATE_MARKS)

    def lasting_path(self, before: str | None) -> str | None:
        """Returns the search_path that remains after the transaction: the one `before`, unless the session has set or reset it."""
        entry = self._values.entries.get("search_path")
        return before if entry is None else entry.lasting

    @property
    def timezone(self) -> str | None:
        """TimeZone; None for the server's default."""
        return self.value("timezone")

    @property
    def lock_timeout_ms(self) -> int | None:
        """lock_timeout; 0 for no limit, None for the server's default or a value that the runner fills in."""
        return self.duration_ms("lock_timeout")

    @property
    def statement_timeout_ms(self) -> int | None:
        """statement_timeout; 0 and None as for lock_timeout."""
        return self.duration_ms("statement_timeout")

    def duration_ms(self, name: str) -> int | None:
        """Returns a setting that is a duration, in milliseconds."""
        value = self.value(name)
        return None if value is None else milliseconds(value)

    def accepts(self, name: str, value: str | None) -> bool:
        """Whether PostgreSQL accepts the value. Only durations are checked."""
        if value is None or name.lower() not in _TIMES or milliseconds(value) is not None:
            return True
        return any(mark in value for mark in _TEMPLATE_MARKS)

    def set_default(self, name: str, value: str) -> None:
        """Sets what sessions begin with, because of ALTER ROLE or ALTER DATABASE: RESET and DISCARD ALL return to it."""
        self._defaults[name.lower()] = value

    def keep_path(self, path: str, *, certain: bool) -> None:
        """Keeps the search_path of the migration before. The default one is searched after it: another run may have sent that migration. An
        empty path is only kept if it is `certain` that the session is the same."""
        schemas = _schemas(path)
        if schemas:
            self.set_default("search_path", ", ".join(quoted(schema) for schema in dict.fromkeys((*schemas, *self.search_path))))
        elif certain:
            self.set("search_path", path)
            self.commit()

    def set(self, name: str, value: str | None, *, local: bool = False) -> None:
        """Applies SET, or SET LOCAL; None is DEFAULT. A value that PostgreSQL refuses changes nothing."""
        name = name.lower()
        if not self.accepts(name, value):
            return
        if local:
            before = self._values.entries.get(name, _UNTOUCHED)
            self._values.set(name, _Value(before.lasting, value, is_local=True))
        else:
            self._values.set(name, _Value(value))

    def reset(self, name: str | None = None) -> None:
        """Applies RESET, or RESET ALL, which keeps the role."""
        if name is not None:
            self.set(name, None)
            return
        for entry in [entry for entry in self._values.entries if entry not in _KEPT_BY_RESET_ALL]:
            self._values.set(entry, _UNTOUCHED)

    def discard(self) -> None:
        """Applies DISCARD ALL; also for a new connection."""
        self._values.clear()

    @property
    def mark(self) -> int:
        """The current state, for `undo`."""
        return self._values.mark

    def undo(self, mark: int = 0) -> None:
        """Undoes the changes since the mark, or since the transaction began."""
        self._values.undo(mark)

    def commit(self) -> None:
        """Ends the transaction: the effect of SET LOCAL ends, all other changes last."""
        if not self._values.mark:
            return
        for name in {name for name in self._values.changed_keys() if self._values.entries[name].is_local}:
            self._values.set(name, _Value(self._values.entries[name].lasting))
        self._values.commit()


@lru_cache(maxsize=256)
def _schemas(value: str) -> tuple[str, ...]:
    """Returns the schemas of a search_path, without quotes."""
    return tuple(name for name in map(plain_marks, map(unquoted, _items(value))) if name not in _NO_SCHEMAS)


def _items(value: str) -> list[str]:
    """Returns the items of a list, which are separated by the commas outside double quotes."""
    items = [""]
    for position, piece in enumerate(value.split('"')):
        if position % 2:
            items[-1] += f'"{piece}"'
        else:
            first, *remaining = piece.split(",")
            items[-1] += first
            items += remaining
    return [item.strip() for item in items]
