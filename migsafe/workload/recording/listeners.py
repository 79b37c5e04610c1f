"""The drivers and frameworks that are listened to, and what became of it."""

import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from migsafe.workload.recording.drivers import asyncpg, django, psycopg2, psycopg3, sqlalchemy
from migsafe.workload.recording.patching import Hook, Patches
from migsafe.workload.recording.recorder import Recorder
from migsafe.workload.recording.requests import FRAMEWORKS, MIGRATORS, without_migrations

DRIVERS = (sqlalchemy, psycopg3, psycopg2, asyncpg, django)


class Listeners:
    """Listens to all drivers and frameworks, from the moment when they are imported until `close()`.

    `heard` are the drivers that report their statements, with their versions, `unsupported` the packages whose functions are not those that
    migsafe knows, with the reason.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.heard: list[str] = []
        self.unsupported: list[str] = []
        self._recorder = recorder
        self._imported: set[str] = set()
        self._patches = Patches()
        for driver in DRIVERS:
            self._patches.when_imported(driver.MODULE, self._driver_hook(driver))
        for module, follow in FRAMEWORKS.items():
            self._patches.when_imported(module, self._hook(follow))
        for module in MIGRATORS:
            self._patches.when_imported(module, self._hook(without_migrations))

    def close(self) -> None:
        """Restores all packages."""
        self._patches.undo()

    @property
    def unused(self) -> list[str]:
        """The names of the drivers that were not imported."""
        return [driver.NAME for driver in DRIVERS if driver.NAME not in self._imported]

    def _hook(self, follow: Callable[[Any, Patches], None]) -> Hook:
        def imported(module: Any) -> None:
            self._try(module, lambda: follow(module, self._patches))

        return imported

    def _driver_hook(self, driver: Any) -> Hook:
        def imported(module: Any) -> None:
            self._imported.add(driver.NAME)
            if self._try(module, lambda: driver.listen(module, self._patches, self._recorder)):
                self.heard.append(f"{driver.NAME} {_version(module)}".rstrip())

        return imported

    def _try(self, module: Any, listen: Any) -> bool:
        """Returns whether a package has the functions that are listened to. One that has not still works for the tests."""
        try:
            listen()
        except AttributeError as error:
            package = module.__name__.partition(".")[0]
            self.unsupported.append(f"{package} {_version(module)} is not supported ({error})")
            return False
        return True


def _version(module: Any) -> str:
    """Returns the version of a module's package, without what follows a space; empty if it is not known."""
    package = module.__name__.partition(".")[0]
    found = getattr(sys.modules.get(package), "__version__", None)
    if not isinstance(found, str):
        try:
            found = version(package)
        except PackageNotFoundError:
            return ""
    return found.partition(" ")[0]
