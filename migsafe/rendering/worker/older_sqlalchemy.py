"""The forms of SQLAlchemy 1 that SQLAlchemy 2 has removed: arguments, methods that execute with the bind of a MetaData, and lists.

Old revisions are rarely updated, but their SQL still counts. Source: "What's New in SQLAlchemy 2.0", "SQLAlchemy 2.0 - Major Migration Guide",
and the signatures of SQLAlchemy 1.3.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, Index, MetaData, Sequence, String, Table, inspect, schema
from sqlalchemy import orm as orm_module
from sqlalchemy.exc import UnboundExecutionError
from sqlalchemy.ext import declarative
from sqlalchemy.orm import Session, decl_api, registry, relationship
from sqlalchemy.orm.interfaces import UserDefinedOption
from sqlalchemy.schema import DDLElement
from sqlalchemy.sql import expression, visitors
from sqlalchemy.sql.elements import Case
from sqlalchemy.sql.expression import Executable, TextClause

from migsafe.rendering.worker.unknown import Unknown

_BIND = "bind"
_SELECT_POSITIONS = ("whereclause", "from_obj", "distinct", "having")
"""The arguments of `select()` after the columns."""
_METHODS = {
    "whereclause": "where",
    "from_obj": "select_from",
    "having": "having",
    "group_by": "group_by",
    "order_by": "order_by",
    "limit": "limit",
    "offset": "offset",
    "prefixes": "prefix_with",
}
_OF_ENGINES = frozenset(("convert_unicode", "encoding", "strategy", "case_sensitive", "assert_unicode", "empty_in_list_strategy", "listeners"))
_OF_DRIVERS = frozenset(("server_side_cursors", "use_native_unicode", "use_batch_mode"))
REMOVED_ENGINE_ARGUMENTS = _OF_ENGINES | _OF_DRIVERS
"""Arguments of `create_engine()` that SQLAlchemy 2 refuses; none changes the SQL."""
_OF_SESSIONS = frozenset(("autocommit", "weak_identity_map", "prune", "extension", "_enable_transaction_accounting"))
_DDL = (schema.DDL, schema.CreateTable, schema.DropTable, schema.CreateIndex, schema.DropIndex, schema.AddConstraint, schema.DropConstraint)
_OF_DDL = frozenset(("bind", "on"))
_LOADERS = (
    *("joinedload", "selectinload", "subqueryload", "lazyload", "immediateload"),
    *("noload", "raiseload", "contains_eager", "defer", "undefer"),
)


def install_older_forms() -> None:
    """Lets SQLAlchemy accept them, for the rest of the process."""
    String.__init__ = _string(String.__init__)  # type: ignore[method-assign]
    Case.__init__ = _case(Case.__init__)  # type: ignore[method-assign]
    for module in (sqlalchemy, sqlalchemy.sql, expression):
        vars(module)["text"] = _text(vars(module)["text"])
        vars(module)["exists"] = _exists(vars(module)["exists"])
    base = _declarative_base(decl_api.declarative_base)
    for module in (orm_module, decl_api, declarative):
        vars(module)["declarative_base"] = base
    Session.__init__ = _without(Session.__init__, _OF_SESSIONS)  # type: ignore[method-assign]
    Session.begin = _without(Session.begin, frozenset(("subtransactions",)))  # type: ignore[method-assign]
    vars(orm_module).update(relation=relationship, mapper=_map, create_session=Session)
    for name in _LOADERS:
        vars(orm_module)[name] = _loader(getattr(orm_module, name))
    for method in (_execute, _scalar, _has_table, _table_names, _run_callable, _contextual_connect):
        setattr(Engine, method.__name__.removeprefix("_"), method)
    for method in (_run_callable, _contextual_connect):
        setattr(Connection, method.__name__.removeprefix("_"), method)
    for kind in (Table, Index, Sequence):
        for name in ("create", "drop"):
            setattr(kind, name, _with_bind(getattr(kind, name)))
    for name in ("create_all", "drop_all"):
        setattr(MetaData, name, _with_bind(getattr(MetaData, name)))
    for element in _DDL:
        setattr(element, "__init__", _without(vars(element).get("__init__", element.__init__), _OF_DDL))  # noqa: B010  # mypy: a method
    setattr(Table, "exists", _exists_table)  # noqa: B010  # mypy: an attribute that SQLAlchemy 2 has not
    setattr(Executable, "execute", _execute_with_bind)  # noqa: B010
    setattr(Executable, "scalar", _scalar_with_bind)  # noqa: B010
    setattr(DDLElement, "execute", _execute_ddl)  # noqa: B010


def distilled(arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """Returns the parameters of a call `execute(statement, *arguments, **named)` as SQLAlchemy 1 understood them: a dictionary or tuple for one
    execution, a list of them for several, None for none (sqlalchemy.engine.util of 1.3, _distill_params)."""
    if not arguments:
        return named or None
    first = arguments[0]
    if len(arguments) > 1:
        return list(arguments) if isinstance(first, dict | list | tuple) else arguments
    if isinstance(first, list | tuple):
        return list(first) if first and isinstance(first[0], dict | list | tuple) else tuple(first)
    return first if isinstance(first, dict) or hasattr(first, "keys") or first is None else (first,)


def older_select(select: Callable[..., Any], columns: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """Returns `select([columns], whereclause, from_obj=…, order_by=…)` in the form of SQLAlchemy 2; options that do not change the SQL, such as
    `use_labels`, are left out."""
    if columns and isinstance(columns[0], list | tuple):
        named = dict(zip(_SELECT_POSITIONS, columns[1:], strict=False)) | named
        columns = tuple(columns[0])
    elif "columns" in named:
        columns = tuple(named["columns"])
    statement = select(*columns)
    for name, method in _METHODS.items():
        value = named.get(name)
        if value is not None:
            statement = getattr(statement, method)(*(value if isinstance(value, list | tuple) else [value]))
    if distinct := named.get("distinct"):
        statement = statement.distinct(*(distinct if isinstance(distinct, list | tuple) else ()))
    return statement.with_for_update() if named.get("for_update") else statement


def _string(init: Callable[..., None]) -> Any:
    # SQLAlchemy reads the names of the parameters when it copies a type.
    def call(
        self: String, length: int | None = None, collation: str | None = None, convert_unicode: Any = False, unicode_error: Any = None
    ) -> None:
        init(self, length, collation)

    return call


def _case(init: Callable[..., None]) -> Any:
    def call(self: Case[Any], *whens: Any, **named: Any) -> None:
        if whens and isinstance(whens[0], list):
            named = dict(zip(("value", "else_"), whens[1:], strict=False)) | named
            whens = tuple(whens[0])
        init(self, *whens, **named)

    return call


def _text(make: Callable[..., TextClause]) -> Callable[..., Any]:
    def call(text: Any, bind: Any = None, bindparams: Any = None, typemap: Any = None, **_: Any) -> Any:
        clause = make(text)
        if bindparams:
            clause = clause.bindparams(*bindparams)
        if bind is not None:
            clause.__dict__[_BIND] = bind
        return clause.columns(**typemap) if typemap else clause

    return wraps(make)(call)


def _exists(make: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        if arguments and isinstance(arguments[0], list | tuple):
            return make(older_select(expression.select, arguments, named))
        return make(*arguments, **named)

    return wraps(make)(call)


def _declarative_base(make: Callable[..., Any]) -> Callable[..., Any]:
    def call(bind: Any = None, metadata: MetaData | None = None, mapper: Any = None, **named: Any) -> Any:
        base = make(metadata=metadata, mapper=mapper, **named)
        if bind is not None:
            base.metadata.__dict__[_BIND] = bind
        if not hasattr(base, "__allow_unmapped__"):
            base.__allow_unmapped__ = True  # SQLAlchemy 1 did not read annotations
        return base

    return wraps(make)(call)


def _without(function: Callable[..., Any], removed: frozenset[str]) -> Any:
    def call(*arguments: Any, **named: Any) -> Any:
        return function(*arguments, **{name: value for name, value in named.items() if name not in removed})

    return wraps(function)(call)


def _map(class_: type, local_table: Any = None, *arguments: Any, **named: Any) -> Any:
    return registry().map_imperatively(class_, local_table, *arguments, **named)


class _Loading(UserDefinedOption):
    """An option that changes nothing, and its further steps: `joinedload("boxes").joinedload("lids")`."""

    def __getattr__(self, name: str) -> Any:
        if name not in _LOADERS:
            raise AttributeError(name)
        return lambda *_, **__: self


def _loader(load: Callable[..., Any]) -> Callable[..., Any]:
    # Until 1.4 relationships could be named by strings. How they are loaded does not change what a migration locks.
    def call(*attributes: Any, **named: Any) -> Any:
        by_name = any(isinstance(each, str) and each != "*" and not isinstance(each, Unknown) for each in attributes)
        return _Loading() if by_name else load(*attributes, **named)

    return wraps(load)(call)


def _execute(self: Engine, statement: Any, *arguments: Any, **named: Any) -> Any:
    connection: Any = self.connect()
    return connection.execute(statement, *arguments, **named)


def _scalar(self: Engine, statement: Any, *arguments: Any, **named: Any) -> Any:
    return _execute(self, statement, *arguments, **named).scalar()


def _has_table(self: Engine, table_name: str, schema: str | None = None) -> Any:
    return inspect(self).has_table(table_name, schema)


def _table_names(self: Engine, schema: str | None = None, connection: Any = None) -> list[str]:
    return inspect(connection if connection is not None else self).get_table_names(schema)


def _run_callable(self: Any, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    return function(self if isinstance(self, Connection) else self.connect(), *arguments, **named)


def _contextual_connect(self: Any, **_: Any) -> Any:
    # A connection that the script closes must not be Alembic's.
    return (self.engine if isinstance(self, Connection) else self).connect()


def _with_bind(function: Callable[..., Any]) -> Any:
    def call(self: Any, bind: Any = None, *arguments: Any, **named: Any) -> Any:
        known = bind if bind is not None else _bind_of(self)
        return function(self, *([known] if known is not None else []), *arguments, **named)

    return wraps(function)(call)


def _bind_of(item: Any) -> Any:
    """Returns the bind of what belongs to a MetaData; None if it has none."""
    metadata = (
        item if isinstance(item, MetaData) else getattr(getattr(item, "table", None) if isinstance(item, Index) else item, "metadata", None)
    )
    return metadata.__dict__.get(_BIND) if isinstance(metadata, MetaData) else None


def _exists_table(self: Table, bind: Any = None) -> Any:
    known: Any = bind if bind is not None else _bind_of(self)
    return inspect(known).has_table(self.name, self.schema)


def _bind_of_statement(statement: Any) -> Any:
    """Returns the bind of a statement, or of one of its tables. Raises UnboundExecutionError."""
    own = statement.__dict__.get(_BIND)
    binds = (_bind_of(each) for each in visitors.iterate(statement) if isinstance(each, Table))
    known = own if own is not None else next((bind for bind in binds if bind is not None), None)
    if known is None:
        raise UnboundExecutionError(f"{type(statement).__name__} is not bound to an Engine or Connection")
    return known


def _execute_with_bind(self: Any, *arguments: Any, bind: Any = None, **named: Any) -> Any:
    return (bind if bind is not None else _bind_of_statement(self)).execute(self, *arguments, **named)


def _scalar_with_bind(self: Any, *arguments: Any, **named: Any) -> Any:
    return _execute_with_bind(self, *arguments, **named).scalar()


def _execute_ddl(self: Any, bind: Any = None, target: Any = None) -> Any:
    known = bind if bind is not None else _bind_of_statement(self)
    return known.execute(self.against(target) if target is not None else self)
