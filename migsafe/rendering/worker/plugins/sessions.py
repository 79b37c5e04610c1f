"""The session of an application for the simulated database: each run of a script has its own."""

from typing import Any

import sqlalchemy
from sqlalchemy.orm import Session


class CallableSession(Session):
    """A session that is called and removed like a `scoped_session`."""

    def __call__(self, **_: object) -> "CallableSession":
        """Returns the session itself."""
        return self

    def remove(self) -> None:
        """Closes the session."""
        self.close()


class SessionOfRun:
    """The session of the run that currently uses it."""

    def __init__(self) -> None:
        self._database: Any = None
        self._session: CallableSession | None = None

    @property
    def engine(self) -> Any:
        """The engine of the simulated database."""
        create: Any = sqlalchemy.create_engine
        return create(None)  # see `project_engine`

    @property
    def session(self) -> CallableSession:
        """The session; a new one for each run."""
        engine = self.engine
        if self._session is None or self._database is not engine.database:
            self._database, self._session = engine.database, CallableSession(engine)
        return self._session
