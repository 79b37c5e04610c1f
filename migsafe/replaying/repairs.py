"""What migrations need and no migration creates: roles, schemas of a platform, extensions, the table of records of the runner. They are created
when a statement fails without them."""

import re
from collections.abc import Iterable, Iterator

from migsafe.patterns import lazy_pattern
from migsafe.replaying.missing_extensions import changed_extensions, create_missing_extension, is_object_missing
from migsafe.replaying.refusals import (
    UNDEFINED_TABLE,
    Failure,
    denied_extension,
    denied_schema,
    error_class,
    has_no_schema_to_create_in,
    missing_object,
    missing_role,
    missing_schema,
)
from migsafe.replaying.servers.host import Host
from migsafe.session import Settings, sent_statements
from migsafe.sources import Half
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name
from migsafe.sql.statements import read
from migsafe.text import Span

_MISSING = (UNDEFINED_TABLE, "3F000", "42704", "42883")
"""The error codes for a table, a schema, another object and a function that does not exist."""
_WORD = lazy_pattern(r"\w+")
_SCHEMA_CHANGE = lazy_pattern(r"\b(?:create|drop)\s+schema\s+(?:if\s+(?:not\s+)?exists\s+)?(?:\"([^\"]+)\"|(\w+))", re.IGNORECASE)
_MAY_EXIST = r"\bcreate\s+extension\s+if\s+not\s+exists\s+[\"']?{}\b"
_POWERFUL = lazy_pattern(r"pl|file_fdw$|adminpack$")
"""Extensions with which code runs, or files are read, on the server. Languages that are not trusted begin with `pl`."""
MAX_TRIES = 20
"""How often a migration is tried at most, each time after a repair."""

_EXISTS = "SELECT FROM pg_catalog.pg_namespace WHERE nspname = %s"


class Repairs:
    """The repairs of one run on a host. `roles`, `schemas`, `extensions` and `record_tables` are those that it created, in order;
    `denied_extensions`, those that the migrations create, but only a superuser may. The extensions `without_extensions` are not created."""

    def __init__(self, host: Host, without_extensions: Iterable[str] = ()) -> None:
        self._host = host
        self.roles: list[str] = []
        self.schemas: list[str] = []
        self.extensions: list[str] = []
        self.record_tables: list[str] = []
        self.has_platform = False
        self.denied_extensions: list[str] = []
        self._without_extensions = frozenset(without_extensions)
        self._own_extensions: set[str] = set()
        self._sought: set[str] = set()
        self._granted: set[tuple[str, str]] = set()
        self._own_schemas: set[str] = set()
        self._texts: list[str] = []

    def note_schemas(self, half: Half) -> None:
        """Notes the schemas that a migration creates or drops: if one of them does not exist later, that is the history's own doing."""
        changes = _SCHEMA_CHANGE.finditer(half.script.text)
        self._own_schemas.update(quoted or plain.lower() for quoted, plain in (change.groups() for change in changes))

    def begin_history(self, texts: Iterable[str]) -> None:
        """Forgets what was noted of another database, and notes the extensions that the migrations with these texts create or drop."""
        self._own_schemas.clear()
        self._sought.clear()
        self._texts = list(texts)
        self._own_extensions = {extension for text in self._texts for extension in changed_extensions(text)}

    def is_named(self, name: str, half: Half) -> bool:
        """Whether a migration contains a name, with or without its schema; if none does, rows have it. `half` is the one that uses it."""
        texts = [text.lower() for text in (half.script.text, half.file.text, *self._texts)]
        return all(any(part in text for text in texts) for part in name.lower().split("."))

    def repair(self, failure: Failure, half: Half, databases: tuple[str, ...]) -> bool:
        """Creates a missing role, schema, extension or table of the runner, or grants the created roles access to a schema; returns whether
        that was possible and had not been done. `half` is the migration that failed, `databases` are the database and its copies. A copy of
        production has all schemas and extensions already."""
        role = missing_role(failure)
        if role is not None and role not in self.roles and self._host.create_role(role):
            self.roles.append(role)
            return True
        denied = denied_schema(failure)
        if denied is not None:
            return self._grant(denied, databases)
        if self._host.start_database is not None:
            return False
        if self._create_platform(failure, half, databases):
            return True
        missing = missing_schema(failure)
        wanted = [missing] if missing is not None else list(_searched_schemas(half)) if has_no_schema_to_create_in(failure) else []
        created = [
            self._create_schema(schema, databases) for schema in wanted if schema not in self._own_schemas and self.is_named(schema, half)
        ]
        return (
            any(created)
            or self._create_record_table(failure, half, databases)
            or self._create_denied(failure, half, databases)
            or self._create_extension(failure, databases)
        )

    def _create_platform(self, failure: Failure, half: Half, databases: tuple[str, ...]) -> bool:
        """Creates the objects of the platform that the migrations are for, if one of them is missing and no migration creates its schema."""
        names = half.platform_names()
        if failure.sqlstate not in _MISSING or half.platform in self._sought or names & self._own_schemas:
            return False
        if names.isdisjoint(_WORD.findall(failure.message)):
            return False
        self._sought.add(half.platform)
        self.has_platform = True
        for database in databases:
            with self._host.connect_as_migrator(database) as connection:
                connection.execute(half.platform.encode())
        return True

    def _create_record_table(self, failure: Failure, half: Half, databases: tuple[str, ...]) -> bool:
        """Creates the table in which the runner records migrations, which exists before the first one runs."""
        name = missing_object(failure) if failure.sqlstate == UNDEFINED_TABLE and half.record_table else ""
        if not name or name in self._sought or half.record_table_name != name.rpartition(".")[2]:
            return False
        self._sought.add(name)
        for database in databases:
            with self._host.connect_as_migrator(database) as connection:
                schema = name.rpartition(".")[0]
                if schema:
                    connection.execute(f"SET search_path = {Name(schema)}".encode())
                connection.execute(half.record_table.encode())
        if name not in self.record_tables:
            self.record_tables.append(name)
        return True

    def _create_denied(self, failure: Failure, half: Half, databases: tuple[str, ...]) -> bool:
        """Creates an extension that only a superuser may create, if a migration accepts that it exists."""
        extension = denied_extension(failure)
        if (
            extension is None
            or extension in self._sought
            or _POWERFUL.match(extension)
            or not re.search(_MAY_EXIST.format(re.escape(extension)), half.script.text, re.IGNORECASE)
        ):
            return False
        self._sought.add(extension)
        for database in databases:
            try:
                with self._host.connect(database) as connection:
                    connection.execute(f"CREATE EXTENSION IF NOT EXISTS {Name(extension)} CASCADE".encode())
            except error_class():
                return False  # the user is not a superuser, either
        self.denied_extensions.append(extension)
        return True

    def _create_extension(self, failure: Failure, databases: tuple[str, ...]) -> bool:
        """Creates the extension that has a missing object; looks for each object once, because all available extensions may be tried."""
        if not is_object_missing(failure) or failure.message in self._sought:
            return False
        self._sought.add(failure.message)
        excluded = {*self._own_extensions, *self._without_extensions}
        created: set[str] = set()
        for database in databases:
            with self._host.connect(database) as connection:
                extension = create_missing_extension(connection, failure, excluded)
                created.update([extension] if extension is not None else [])
        self.extensions += created.difference(self.extensions)
        return bool(created)

    def _grant(self, schema: str, databases: tuple[str, ...]) -> bool:
        granted = False
        for database in databases:
            if self.roles and (database, schema) not in self._granted:
                self._granted.add((database, schema))
                with self._host.connect(database) as connection:
                    connection.execute(f"GRANT ALL ON SCHEMA {Name(schema)} TO {', '.join(str(Name(role)) for role in self.roles)}".encode())
                granted = True
        return granted

    def _create_schema(self, schema: str, databases: tuple[str, ...]) -> bool:
        """Creates a schema that the role of the migrations owns, where it does not exist."""
        created = False
        for database in databases:
            with self._host.connect_as_migrator(database) as connection:
                if connection.execute(_EXISTS, (schema,)).fetchone() is None:
                    connection.execute(f"CREATE SCHEMA {Name(schema)}".encode())
                    created = True
        if created and schema not in self.schemas:
            self.schemas.append(schema)
        return created


def _searched_schemas(half: Half) -> Iterator[str]:
    """Yields the schemas that a migration, or the environment of its runner, puts into search_path."""
    settings = Settings()
    setup = (operation for text in half.setup for statement in read(text, (Span(0, len(text)),)) for operation in statement.operations)
    for operation in (*setup, *(operation for sent in sent_statements(half) for operation in sent.statement.operations)):
        if isinstance(operation, sql.SetVariable) and operation.variable == "search_path":
            settings.set("search_path", operation.value)
            yield from settings.search_path
