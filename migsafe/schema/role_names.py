"""The names of roles, as far as the history tells whether they exist."""

from migsafe.schema.journal import Journal


class RoleNames:
    """Roles that exist, and roles that were dropped or renamed. A transaction that is rolled back takes back what it did, through the
    catalogue's journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._exist: dict[str, bool] = {}
        self.has_certain_privileges = True
        """Whether GRANT and REVOKE decide alone who has privileges: not after DROP OWNED and ALTER DEFAULT PRIVILEGES. Undoing leaves it."""

    def exists(self, name: str) -> bool:
        """Whether the history has certainly created a role."""
        return self._exist.get(name) is True

    def is_gone(self, name: str) -> bool:
        """Whether the history has certainly dropped or renamed a role."""
        return self._exist.get(name) is False

    def create(self, name: str, *, certain: bool) -> None:
        """Records that a role exists, or that this is unknown."""
        self._set(name, True if certain else None)

    def drop(self, name: str, *, certain: bool) -> None:
        """Records that a role does not exist, or that this is unknown."""
        self._set(name, False if certain else None)

    def forget(self) -> None:
        """Records that opaque code may have created or dropped any role."""
        for name in list(self._exist):
            self._set(name, None)

    def _set(self, name: str, exists: bool | None) -> None:
        if exists is None:
            self._journal.remove(self._exist, name)
        else:
            self._journal.write(self._exist, name, exists)
