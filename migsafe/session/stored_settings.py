"""The settings that new sessions begin with, as ALTER DATABASE and ALTER ROLE … SET store them."""

from migsafe.session.settings import Settings
from migsafe.session.units import milliseconds
from migsafe.sql import operations as sql

_OWN_ROLES = frozenset(("all", "current_user", "current_role", "session_user"))


class StoredSettings:
    """The stored settings that matter to migrations. `search_path` is the one that the server has for sessions, None for PostgreSQL's default.

    `has_lock_timeout`: some session until now had a lock_timeout, stored or set.
    """

    def __init__(self, search_path: str | None = None) -> None:
        self._values: dict[str, str] = {} if search_path is None else {"search_path": search_path}
        self.has_lock_timeout = False

    def copy(self) -> "StoredSettings":
        """Returns a copy that later changes do not reach."""
        copied = StoredSettings()
        copied._values, copied.has_lock_timeout = dict(self._values), self.has_lock_timeout
        return copied

    def give_to(self, settings: Settings) -> None:
        """Makes them the defaults of a new session."""
        for name, value in self._values.items():
            settings.set_default(name, value)

    def note(self, settings: Settings) -> None:
        """Notes whether a session has a lock_timeout now."""
        if settings.value("lock_timeout") is not None and settings.duration_ms("lock_timeout") != 0:
            self.has_lock_timeout = True

    def apply(self, operation: sql.AlterObject) -> None:
        """Stores what an ALTER DATABASE or ALTER ROLE … SET or RESET says. Both have a `setting`; its name is None for RESET ALL."""
        assert operation.setting is not None
        variable, value = operation.setting
        # Whether the migrations run as a role that has a name is not known, so its value is not.
        is_own = operation.kind == "database" or (operation.name is not None and operation.name.name in _OWN_ROLES)
        if variable in (None, "lock_timeout"):
            is_set = value is not None and milliseconds(value) != 0
            self._store("lock_timeout", (value if is_own else "${lock_timeout}") if is_set else None)
        if variable in (None, "search_path") and is_own:
            self._store("search_path", value)

    def _store(self, name: str, value: str | None) -> None:
        if value is None:
            self._values.pop(name, None)
        else:
            self._values[name] = value
