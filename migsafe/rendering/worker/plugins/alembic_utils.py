"""alembic_utils: functions, views, triggers, extensions, policies and grants as entities.

https://olirice.github.io/alembic_utils/ documents the entities; the SQL is that of version 0.8.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from alembic.operations import Operations
from sqlalchemy import TextClause, text

from migsafe.rendering.worker.plugins.plugin import Plugin

_COLON = re.compile(r"(?<![:\\]):(?![:=])")
_PARAMETERS = re.compile(r"(?P<name>[^(]+)\((?P<parameters>.*)\)\s*", re.DOTALL)
_DEFAULT = re.compile(r"\s*(?:\bdefault\b|=).*", re.IGNORECASE | re.DOTALL)
_TRIGGER = re.compile(r"(?P<event>.*?)\s+on\s+(?P<table>\S+)\s+(?P<action>.*)", re.IGNORECASE | re.DOTALL)


def _quoted(name: str) -> str:
    return ".".join(f'"{part.strip().strip(chr(34))}"' for part in name.split(".", 1))


def _unquoted(name: str) -> str:
    return " ".join(name.replace('"', "").split())


def _sql(sql: str) -> TextClause:
    return text(_COLON.sub(r"\\:", sql))


class Entity:
    """An object in a schema, which a definition describes."""

    def __init__(self, schema: str, signature: str, definition: str = "") -> None:
        self.schema = _unquoted(schema)
        self.signature = _unquoted(signature)
        self.definition = definition.strip().rstrip(";").strip()

    @classmethod
    def from_path(cls, path: Any) -> Any:
        """Returns the entity in an SQL file."""
        return cls.from_sql(Path(path).read_text(encoding="utf-8"))

    @classmethod
    def from_sql(cls, sql: str) -> Any:
        """Returns the entity that a CREATE statement describes."""
        return Written(sql)

    @property
    def name(self) -> str:
        """The quoted name, with its schema."""
        return f'{_quoted(self.schema)}."{self.signature}"'

    def create(self) -> list[str]:
        """Returns the statements that create it."""
        raise NotImplementedError

    def drop(self, *, cascade: bool) -> list[str]:
        """Returns the statements that drop it."""
        raise NotImplementedError

    def replace(self) -> list[str]:
        """Returns the statements that create or replace it."""
        raise NotImplementedError


class Written(Entity):
    """An entity that is given as a CREATE statement."""

    def __init__(self, sql: str) -> None:
        super().__init__("public", "", sql)

    def create(self) -> list[str]:
        """Returns the statement itself."""
        return [self.definition]

    def replace(self) -> list[str]:
        """Returns the statement with OR REPLACE."""
        return [re.sub(r"^\s*create\s+(?:or\s+replace\s+)?", "CREATE OR REPLACE ", self.definition, flags=re.IGNORECASE)]


class PGFunction(Entity):
    """A function."""

    def _call(self) -> str:
        name, _, rest = self.signature.partition("(")
        return f'{_quoted(self.schema)}."{name.strip()}"({rest}'

    def create(self) -> list[str]:
        """Returns CREATE FUNCTION."""
        return [f"CREATE FUNCTION {self._call()} {self.definition}"]

    def drop(self, *, cascade: bool) -> list[str]:
        """Returns DROP FUNCTION, without the defaults of the parameters."""
        parts = _PARAMETERS.fullmatch(self.signature)
        parameters = [_DEFAULT.sub("", part).strip() for part in parts["parameters"].split(",")] if parts else []
        name = parts["name"].strip() if parts else self.signature
        return [f'DROP FUNCTION {_quoted(self.schema)}."{name}"({", ".join(parameters)}){" CASCADE" * cascade}']

    def replace(self) -> list[str]:
        """Returns CREATE OR REPLACE FUNCTION."""
        return [f"CREATE OR REPLACE FUNCTION {self._call()} {self.definition}"]


class PGView(Entity):
    """A view."""

    def create(self) -> list[str]:
        """Returns CREATE VIEW."""
        return [f"CREATE VIEW {self.name} AS {self.definition}"]

    def drop(self, *, cascade: bool) -> list[str]:
        """Returns DROP VIEW."""
        return [f"DROP VIEW {self.name}{' CASCADE' * cascade}"]

    def replace(self) -> list[str]:
        """Returns CREATE OR REPLACE VIEW. Only if it fails, the plugin drops the view and creates it."""
        return [f"CREATE OR REPLACE VIEW {self.name} AS {self.definition}"]


class PGMaterializedView(Entity):
    """A materialized view."""

    def __init__(self, schema: str, signature: str, definition: str, with_data: bool = True) -> None:
        super().__init__(schema, signature, definition)
        self.with_data = with_data

    def create(self) -> list[str]:
        """Returns CREATE MATERIALIZED VIEW."""
        return [f"CREATE MATERIALIZED VIEW {self.name} AS {self.definition} WITH {'' if self.with_data else 'NO '}DATA"]

    def drop(self, *, cascade: bool) -> list[str]:
        """Returns DROP MATERIALIZED VIEW."""
        return [f"DROP MATERIALIZED VIEW {self.name}{' CASCADE' * cascade}"]

    def replace(self) -> list[str]:
        """Returns a DROP and a CREATE."""
        return [f"DROP MATERIALIZED VIEW IF EXISTS {self.name}", *self.create()]


class PGTrigger(Entity):
    """A trigger."""

    def __init__(self, schema: str, signature: str, definition: str, on_entity: str, is_constraint: bool = False) -> None:
        super().__init__(schema, signature, definition)
        self.on_entity = _unquoted(on_entity if "." in on_entity else f"public.{on_entity}")
        self.is_constraint = is_constraint

    def create(self) -> list[str]:
        """Returns CREATE TRIGGER, with the table in the schema of the entity."""
        parts = _TRIGGER.fullmatch(self.definition)
        if parts is None:
            return [f'CREATE TRIGGER "{self.signature}" {self.definition}']
        table = f"{self.schema}.{parts['table'].rpartition('.')[2]}"
        return [f'CREATE {"CONSTRAINT " * self.is_constraint}TRIGGER "{self.signature}" {parts["event"]} ON {table} {parts["action"]}']

    def drop(self, *, cascade: bool) -> list[str]:
        """Returns DROP TRIGGER."""
        return [f'DROP TRIGGER "{self.signature}" ON {self.on_entity}{" CASCADE" * cascade}']

    def replace(self) -> list[str]:
        """Returns a DROP and a CREATE."""
        return [f'DROP TRIGGER IF EXISTS "{self.signature}" ON {self.on_entity}', *self.create()]


class PGExtension(Entity):
    """An extension."""

    def create(self) -> list[str]:
        """Returns CREATE EXTENSION."""
        return [f'CREATE EXTENSION "{self.signature}" WITH SCHEMA {_quoted(self.schema)}']

    def drop(self, *, cascade: bool) -> list[str]:
        """Returns DROP EXTENSION."""
        return [f'DROP EXTENSION "{self.signature}"{" CASCADE" * cascade}']

    def replace(self) -> list[str]:
        """Returns nothing that sends anything: the plugin cannot replace an extension."""
        raise NotImplementedError


class PGPolicy(Entity):
    """A policy of row-level security."""

    def __init__(self, schema: str, signature: str, definition: str, on_entity: str) -> None:
        super().__init__(schema, signature, definition)
        self.on_entity = _unquoted(on_entity if "." in on_entity else f"public.{on_entity}")

    def create(self) -> list[str]:
        """Returns CREATE POLICY."""
        return [f"CREATE POLICY {self.signature} ON {self.on_entity} {self.definition}"]

    def drop(self, *, cascade: bool) -> list[str]:
        """Returns DROP POLICY."""
        return [f"DROP POLICY {self.signature} ON {self.on_entity}{' CASCADE' * cascade}"]

    def replace(self) -> list[str]:
        """Returns a DROP and a CREATE."""
        return [f"DROP POLICY IF EXISTS {self.signature} ON {self.on_entity}", *self.create()]


class PGGrantTableChoice(StrEnum):
    """The privileges that can be granted on a table."""

    ALL = "ALL"
    SELECT = "SELECT"
    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    TRUNCATE = "TRUNCATE"
    REFERENCES = "REFERENCES"
    TRIGGER = "TRIGGER"


class PGGrantTable(Entity):
    """A privilege on a table."""

    def __init__(
        self, schema: str, table: str, role: str, grant: Any, columns: Sequence[str] | None = None, with_grant_option: bool = False
    ) -> None:
        super().__init__(schema, table)
        self.role = role
        self.grant = PGGrantTableChoice(grant).value
        self.columns = columns
        self.with_grant_option = with_grant_option

    def create(self) -> list[str]:
        """Returns GRANT."""
        columns = f" ({', '.join(self.columns)})" if self.columns else ""
        option = " WITH GRANT OPTION" * self.with_grant_option
        return [f"GRANT {self.grant}{columns} ON {self.name} TO {_quoted(self.role)}{option}"]

    def drop(self, *, cascade: bool) -> list[str]:
        """Returns REVOKE."""
        return [f"REVOKE {self.grant} ON {self.name} FROM {_quoted(self.role)}"]

    def replace(self) -> list[str]:
        """Returns a REVOKE and a GRANT."""
        return [*self.drop(cascade=False), *self.create()]


def _create_entity(operations: Operations, entity: Entity, cascade: bool = False) -> None:
    _send(operations, entity.create())


def _drop_entity(operations: Operations, entity: Entity, cascade: bool = False) -> None:
    _send(operations, entity.drop(cascade=cascade))


def _replace_entity(operations: Operations, entity: Entity, cascade: bool = False) -> None:
    _send(operations, entity.replace())


def _send(operations: Operations, statements: list[str]) -> None:
    for statement in statements:
        operations.execute(_sql(statement))


_CLASSES = (PGFunction, PGView, PGMaterializedView, PGTrigger, PGExtension, PGPolicy, PGGrantTable, PGGrantTableChoice)

PLUGIN = Plugin(
    packages=("alembic_utils",),
    names={entity.__name__: entity for entity in _CLASSES},
    operations={
        "create_entity": _create_entity,
        "drop_entity": _drop_entity,
        "replace_entity": _replace_entity,
        "revert_entity": _replace_entity,
    },
)
