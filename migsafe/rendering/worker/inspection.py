"""SQLAlchemy's inspector on migsafe's schema."""

from types import FrameType
from typing import Any

from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import NoSuchTableError

from migsafe.rendering.messages import DATABASE_ONLY, SCHEMA_ONLY
from migsafe.rendering.worker.frames import caller, calling_frame
from migsafe.rendering.worker.script_run import Run
from migsafe.rendering.worker.sqlalchemy_internals import is_dropping, is_in_inspector, reflect_tables_singly
from migsafe.rendering.worker.types import reflect_type
from migsafe.rendering.worker.unknown import Unknown


class Names(list[Any]):
    """The names of relations. The list may be incomplete, but each name can be looked up."""

    def __init__(self, names: list[Any], run: Run, kind: str, schema: str | None) -> None:
        super().__init__(names)
        self._asked = run, kind, schema

    def __contains__(self, name: object) -> bool:
        run, kind, schema = self._asked
        if not isinstance(name, str) or isinstance(name, Unknown) or list.__contains__([*map(str, self)], name):
            return list.__contains__(self, name)
        answer = run.ask(f"has {kind}", name, schema)
        if answer.known:
            return bool(answer.value)
        return any(isinstance(member, Unknown) for member in self) and run.decide(caller(), f"{kind} {name}", SCHEMA_ONLY)


class Details(dict[str, Any]):
    """A column, key or index that may exist, and whose details are unknown."""

    def __init__(self, run: Run, table: str) -> None:
        super().__init__(name=Unknown(run, f"{table}.…", SCHEMA_ONLY), type=reflect_type(None), nullable=True, default=None, comment=None)
        self._run = run
        self._table = table

    def __missing__(self, key: str) -> Any:
        return Unknown(self._run, f"{self._table}.{key}", SCHEMA_ONLY)

    def get(self, key: str, default: Any = None) -> Any:
        """Returns a detail."""
        return self[key]


class Inspected(DefaultDialect):
    """The part of a dialect that inspectors use."""

    run: Run

    def _names(self, kind: str, schema: str | None) -> Any:
        answer = self.run.ask(f"{kind}s", schema)
        names = list(answer.value or [])
        if not answer.known and self._asked_by_script():
            names.append(Unknown(self.run, f"{kind}…", SCHEMA_ONLY))
        return Names(names, self.run, kind, schema)

    def _details(self, question: str, table: str, schema: str | None) -> list[Any]:
        answer = self.run.ask(question, table, schema)
        if answer.known and answer.value is None:
            raise NoSuchTableError(f"{schema}.{table}" if schema else table)
        details = list(answer.value or [])
        return details if answer.known or not self._asked_by_script() else [*details, Details(self.run, table)]

    def _exists(self, kind: str, name: str, schema: str | None) -> Any:
        answer = self.run.ask(f"has {kind}", name, schema)
        if answer.known:
            return bool(answer.value)
        if self._asked_by_script():
            return Unknown(self.run, f"{kind} {name}", SCHEMA_ONLY)
        # CREATE with checkfirst assumes that the object is absent, DROP that it exists.
        return is_dropping(caller(2))

    def _asked_by_script(self) -> bool:
        """Whether project code, rather than a library, asks the inspector."""
        frame: FrameType | None = caller(2)
        while frame is not None and (is_in_inspector(frame) or frame.f_code.co_filename == __file__):
            frame = calling_frame(frame)
        return frame is not None and self.run.is_project_frame(frame)

    def has_table(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """Whether the table or view exists."""
        return self._exists("table", table_name, schema)

    def has_sequence(self, connection: Any, sequence_name: str, schema: str | None = None, **_: Any) -> Any:
        """Whether the sequence exists."""
        return self._exists("sequence", sequence_name, schema)

    def has_schema(self, connection: Any, schema_name: str, **_: Any) -> Any:
        """Whether the schema exists."""
        return self._exists("schema", schema_name, None)

    def has_type(self, connection: Any, type_name: str, schema: str | None = None, **_: Any) -> Any:
        """Whether the type exists."""
        return self._exists("type", type_name, schema)

    def has_index(self, connection: Any, table_name: str, index_name: str, schema: str | None = None, **_: Any) -> Any:
        """Whether the index exists."""
        return self._exists("index", index_name, schema)

    def get_table_names(self, connection: Any, schema: str | None = None, **_: Any) -> Any:
        """Returns the tables."""
        return self._names("table", schema)

    def get_view_names(self, connection: Any, schema: str | None = None, **_: Any) -> Any:
        """Returns the views."""
        return self._names("view", schema)

    def get_materialized_view_names(self, connection: Any, schema: str | None = None, **_: Any) -> Any:
        """Returns the materialized views."""
        return self._names("materialized view", schema)

    def get_sequence_names(self, connection: Any, schema: str | None = None, **_: Any) -> Any:
        """Returns the sequences."""
        return self._names("sequence", schema)

    def get_schema_names(self, connection: Any, **_: Any) -> Any:
        """Returns the schemas."""
        return self._names("schema", None)

    def get_temp_view_names(self, connection: Any, schema: str | None = None, **_: Any) -> Any:
        """Returns the temporary views."""
        return []

    def get_foreign_table_names(self, connection: Any, schema: str | None = None, **_: Any) -> Any:
        """Returns the foreign tables."""
        return self._names("foreign table", schema)

    def get_view_definition(self, connection: Any, view_name: str, schema: str | None = None, **_: Any) -> Any:
        """Returns the query of a view, which the server writes in its own way."""
        return Unknown(self.run, f"definition of {view_name}", DATABASE_ONLY)

    def get_table_oid(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """Returns the number of a table."""
        return Unknown(self.run, f"{table_name}.oid", DATABASE_ONLY)

    def get_temp_table_names(self, connection: Any, schema: str | None = None, **_: Any) -> Any:
        """Returns the temporary tables."""
        return []

    def get_columns(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """Returns the columns of a table."""
        return list(map(_column, self._details("columns", table_name, schema)))

    def get_pk_constraint(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """Returns the primary key of a table."""
        keys = self._details("primary key", table_name, schema)
        return keys[0] if keys else {"constrained_columns": [], "name": None, "comment": None, "dialect_options": {}}

    def get_foreign_keys(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """Returns the foreign keys of a table."""
        keys = self._details("foreign keys", table_name, schema)
        return [key for key in keys if isinstance(key, Details) or key["referred_table"] is not None]

    def get_indexes(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """Returns the indexes of a table, those behind UNIQUE constraints too."""
        return self._details("indexes", table_name, schema)

    def get_unique_constraints(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """Returns the UNIQUE constraints of a table."""
        return self._details("unique constraints", table_name, schema)

    def get_check_constraints(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """Returns the CHECK constraints of a table."""
        return self._details("check constraints", table_name, schema)

    def get_table_comment(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """Returns the comment of a table."""
        return {"text": None}

    def get_table_options(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """Returns no options."""
        return {}

    def _load_enums(self, connection: Any, schema: str | None = None, **_: Any) -> Any:
        answer = self.run.ask("enums", None if schema == "*" else schema)
        enums = list(answer.value or [])
        return enums if answer.known or not self._asked_by_script() else [*enums, Details(self.run, "enum")]

    def _load_domains(self, connection: Any, schema: str | None = None, **_: Any) -> Any:
        return []


def _column(column: dict[str, Any]) -> dict[str, Any]:
    if isinstance(column, Details):
        return column
    values = column.get("values")
    return {**{key: value for key, value in column.items() if key != "values"}, "type": reflect_type(column["type"], values)}


reflect_tables_singly(Inspected)
