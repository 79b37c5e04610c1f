"""One reading of env.py: what is known so far, and what its parts ask of the interpreter."""

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from migsafe.sources.alembic.env_values import Class, Connection, Function, Instance, MetaData, Place, Scope, Upgrade
from migsafe.sources.alembic.modules import Module, ModuleFinder


class Reading(ABC):
    """One reading of env.py. `sections` are all sections of the configuration, `section` is the name of the main one."""

    def __init__(self, finder: ModuleFinder, sections: dict[str, dict[str, str]], section: str) -> None:
        self.finder = finder
        self.sections = sections
        self.section = section
        self.main_options: dict[str, Any] = {}
        self.attributes: dict[str, Any] = {}
        self.upgrades: list[Upgrade] = []
        self.current: Upgrade | None = None
        self.shared_metadata = MetaData()
        """The metadata of SQLModel, which all models share."""
        self.listeners: list[tuple[str, Function]] = []
        """The listeners of all engines."""
        self.connection: Connection | None = None
        self.flask_database: tuple[Any, dict[str, Any]] | None = None
        self.imported: list[str] = []

    @property
    @abstractmethod
    def place(self) -> Place:
        """The file and line of the statement that is followed."""

    @abstractmethod
    def run(self, statements: Sequence[ast.stmt], scope: Scope) -> None:
        """Follows statements. Raises Ends if they end early."""

    @abstractmethod
    def run_effects(self, module: Module) -> None:
        """Follows the statements of a module that change objects of other modules: conventions of metadata, listeners of engines."""

    @abstractmethod
    def assign(self, target: ast.expr, value: Any, scope: Scope) -> None:
        """Binds a target to a value."""

    @abstractmethod
    def member(self, module: str, name: str) -> Any:
        """Returns what a module defines or imports under a name."""

    @abstractmethod
    def value_in(self, module: Module, node: ast.expr) -> Any:
        """Returns the value of an expression at the top level of a module."""

    @abstractmethod
    def look_up(self, name: str, scope: Scope | None) -> Any:
        """Returns the value of a name."""

    @abstractmethod
    def value(self, node: ast.expr, scope: Scope, *, in_with: bool = False) -> Any:
        """Returns the value of an expression."""

    @abstractmethod
    def call_function(
        self, function: Function, arguments: Sequence[Any], named: dict[str, Any], block: Callable[[Any], None] | None = None
    ) -> Any:
        """Returns what a call of a function returns. With `block`, the function is a context manager, and the block runs at its `yield`."""

    @abstractmethod
    def instance(self, of: Class, arguments: Sequence[Any], named: dict[str, Any]) -> Instance:
        """Follows the creation of an object."""
