"""The storage parameters of tables, indexes, views and columns, and the values that they take (src/backend/access/common/reloptions.c)."""

import re
from collections.abc import Iterator

from msgspec import Struct

from migsafe import versions
from migsafe.patterns import lazy_pattern
from migsafe.prediction.refusals.definitions import known_column, may_make_nothing, type_text
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.columns import stored_type
from migsafe.schema.objects import EnumType, RelationKind
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Option, TypeName

_FILLFACTOR = {"fillfactor": (10, 100)}
_BIG = 2**31 - 1
_INTEGERS: dict[str, dict[str, tuple[int, int]]] = {
    "heap": {
        **_FILLFACTOR,
        "autovacuum_analyze_threshold": (0, _BIG),
        "toast_tuple_target": (128, 8160),
        "parallel_workers": (0, 1024),
    },
    "toast": {
        "autovacuum_vacuum_threshold": (0, _BIG),
        "autovacuum_vacuum_max_threshold": (-1, _BIG),
        "autovacuum_vacuum_insert_threshold": (-1, _BIG),
        "autovacuum_vacuum_cost_limit": (1, 10_000),
        "autovacuum_freeze_min_age": (0, 10**9),
        "autovacuum_multixact_freeze_min_age": (0, 10**9),
        "autovacuum_freeze_max_age": (100_000, 2 * 10**9),
        "autovacuum_multixact_freeze_max_age": (10_000, 2 * 10**9),
        "autovacuum_freeze_table_age": (0, 2 * 10**9),
        "autovacuum_multixact_freeze_table_age": (0, 2 * 10**9),
        "log_autovacuum_min_duration": (-1, _BIG),
    },
    "btree": _FILLFACTOR,
    "hash": _FILLFACTOR,
    "gist": _FILLFACTOR,
    "spgist": _FILLFACTOR,
    "brin": {"pages_per_range": (1, 131_072)},
    "gin": {"gin_pending_list_limit": (64, _BIG)},
}
_REALS: dict[str, dict[str, tuple[float, float]]] = {
    "heap": {"autovacuum_analyze_scale_factor": (0, 100)},
    "toast": {
        "autovacuum_vacuum_cost_delay": (0, 100),
        "autovacuum_vacuum_scale_factor": (0, 100),
        "autovacuum_vacuum_insert_scale_factor": (0, 100),
        "vacuum_max_eager_freeze_failure_rate": (0, 1),
    },
    "column": {"n_distinct": (-1, float("inf")), "n_distinct_inherited": (-1, float("inf"))},
}
_BOOLEANS = {
    "heap": ("user_catalog_table",),
    "toast": ("autovacuum_enabled", "vacuum_truncate"),
    "btree": ("deduplicate_items",),
    "brin": ("autosummarize",),
    "gin": ("fastupdate",),
    "view": ("security_barrier", "security_invoker"),
}
_OTHERS = {"toast": ("vacuum_index_cleanup",), "gist": ("buffering",), "view": ("check_option",)}
_SINCE = {
    "security_invoker": 15,
    "autovacuum_vacuum_max_threshold": 18,
    "vacuum_max_eager_freeze_failure_rate": 18,
}
_KNOWN_UP_TO = 18
"""The newest release whose parameters are all known."""
_MAY_BE_NEWER = ("autovacuum_", "log_", "toast_", "vacuum_")
"""How the names of parameters begin that releases have added."""
_WHOLE = lazy_pattern(r"-?\d+")
_REAL = lazy_pattern(r"-?\d+(?:\.\d+)?")
_WORD = lazy_pattern(r"[a-z_]+", re.IGNORECASE)
_TRUTHS = tuple(word[:length] for word in ("true", "false", "yes", "no") for length in range(1, len(word) + 1))
_BOOLEAN_WORDS = frozenset((*_TRUTHS, "on", "of", "off", "0", "1"))
_PLAIN = frozenset(
    (
        *("smallint", "integer", "bigint", "real", "double precision", "boolean", "date", "interval", "uuid", "money"),
        *("timestamp without time zone", "timestamp with time zone", "time without time zone", "time with time zone"),
    )
)
"""Types of a fixed length, which are never stored out of line."""
_LOWEST_STATISTICS = -1


class _Parameters(Struct, frozen=True):
    """The parameters of one kind of relation; `toast.` ones are those of `toast` alone."""

    kinds: tuple[str, ...]

    def integers(self) -> dict[str, tuple[int, int]]:
        return {name: limits for kind in self.kinds for name, limits in _INTEGERS.get(kind, {}).items()}

    def reals(self) -> dict[str, tuple[float, float]]:
        return {name: limits for kind in self.kinds for name, limits in _REALS.get(kind, {}).items()}

    def booleans(self) -> set[str]:
        return {name for kind in self.kinds for name in _BOOLEANS.get(kind, ())}

    def others(self) -> set[str]:
        return {name for kind in self.kinds for name in _OTHERS.get(kind, ())}


_TABLE = _Parameters(("heap", "toast"))
_TOAST = _Parameters(("toast",))
_VIEW = _Parameters(("view",))
_COLUMN = _Parameters(("column",))
_METHODS = {method: _Parameters((method,)) for method in ("btree", "hash", "gist", "spgist", "brin", "gin")}


@refuses(
    sql.CreateTable,
    sql.CreateTableAs,
    sql.CreateMaterializedView,
    sql.CreateView,
    sql.CreateIndex,
    sql.AddConstraint,
    sql.SetOptions,
    sql.SetColumnOptions,
)
def set_parameters(catalog: Catalog, op: sql.Operation) -> Refusal | None:
    """Each parameter exists for the kind of relation, and its value is within its limits."""
    for parameters, options in _given(catalog, op):
        if parameters is None:
            return _refuse_partitioned(catalog, options)
        names = [option.name for option in options]
        twice = next((name for number, name in enumerate(names) if name in names[:number]), None)
        if twice is not None and "." not in twice:
            return Refusal(error=f'parameter "{twice}" specified more than once')
        for option in options:
            error = _error(catalog, parameters, option)
            if error is not None:
                return Refusal(error=error)
    return None


def _given(catalog: Catalog, op: sql.Operation) -> Iterator[tuple[_Parameters | None, tuple[Option, ...]]]:
    """Yields the parameters that an operation sets, with those that exist; None for those of a partitioned table, which has none."""
    match op:
        case sql.CreateTable() if op.server is None and not may_make_nothing(catalog, op):
            if op.options and op.method in (None, "heap"):
                yield None if op.partition_by is not None else _TABLE, op.options
            for constraint in (*op.constraints, *(each for column in op.columns for each in column.constraints)):
                yield from _of_constraint(constraint)
        case sql.CreateTableAs() | sql.CreateMaterializedView() if not op.if_not_exists and op.method in (None, "heap"):
            yield _TABLE, op.options
        case sql.CreateView():
            yield _VIEW, op.options
        case sql.CreateIndex() if (op.method or "btree") in _METHODS:
            yield _METHODS[op.method or "btree"], op.options
        case sql.AddConstraint():
            yield from _of_constraint(op.constraint)
        case sql.SetColumnOptions() if not op.foreign and op.target.kind == "table":
            yield _COLUMN, op.options
        case sql.SetOptions() if not op.foreign and not op.reset:
            yield from _of_relation(catalog, op)


def _of_constraint(constraint: sql.Constraint) -> Iterator[tuple[_Parameters, tuple[Option, ...]]]:
    if constraint.options and constraint.kind in (ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY):
        yield _METHODS["btree"], constraint.options


def _of_relation(catalog: Catalog, op: sql.SetOptions) -> Iterator[tuple[_Parameters | None, tuple[Option, ...]]]:
    relation, index = catalog.relation(op.target.name), catalog.index(op.target.name)
    if index is not None and index.method in _METHODS:
        yield _METHODS[index.method], op.options
    elif relation is not None and relation.kind in (RelationKind.TABLE, RelationKind.MATERIALIZED):
        yield _TABLE, op.options
    elif relation is not None and relation.kind in (RelationKind.VIEW, RelationKind.PARTITIONED):
        yield _VIEW if relation.kind is RelationKind.VIEW else None, op.options


def _refuse_partitioned(catalog: Catalog, options: tuple[Option, ...]) -> Refusal | None:
    """A partitioned table has no storage parameters."""
    option = next((option for option in options if "." not in option.name and option.name != "oids"), None)
    if option is None:
        return None
    error = f'unrecognized parameter "{option.name}"'
    if catalog.pg_version >= versions.PARTITIONED_PARAMETERS_NAMED:
        error = "cannot specify storage parameters for a partitioned table"
    return Refusal(error=error, detail="a partitioned table has no rows of its own", help="-- set the parameter for each partition")


def _error(catalog: Catalog, parameters: _Parameters, option: Option) -> str | None:
    """Returns why PostgreSQL refuses a parameter; None if it accepts it, or if an extension may have defined it."""
    namespace, _, name = option.name.rpartition(".")
    if namespace == "toast":
        parameters = _TOAST
    elif namespace or name == "oids":
        return None
    value = "true" if option.value is None else option.value.lower()
    integers, reals, booleans = parameters.integers(), parameters.reals(), parameters.booleans()
    is_known = name in integers or name in reals or name in booleans or name in parameters.others()
    if not is_known or _SINCE.get(name, 0) > catalog.pg_version:
        is_certain = catalog.pg_version <= _KNOWN_UP_TO or not name.startswith(_MAY_BE_NEWER)
        return f'unrecognized parameter "{name}"' if is_certain else None
    if name in booleans and value not in _BOOLEAN_WORDS:
        return f'invalid value for boolean option "{name}": {option.value}' if _WORD.fullmatch(value) else None
    limits: tuple[float, float] | None = integers.get(name) or reals.get(name)
    if limits is None:
        return None
    if _WORD.fullmatch(value):
        kind = "integer" if name in integers else "floating point"
        return f'invalid value for {kind} option "{name}": {option.value or value}'
    if (_WHOLE if name in integers else _REAL).fullmatch(value) and not limits[0] <= float(value) <= limits[1]:
        return f'value {option.value} out of bounds for option "{name}"'
    return None


@refuses(sql.SetStatistics)
def set_statistics(_: Catalog, op: sql.SetStatistics) -> Refusal | None:
    """A statistics target is -1 for the default, or a number; one above 10000 is lowered."""
    if not _WHOLE.fullmatch(op.value) or int(op.value) >= _LOWEST_STATISTICS:
        return None
    return Refusal(error=f"statistics target {op.value} is too low", help="-- -1 is the default")


@refuses(sql.SetStorage)
def set_storage(catalog: Catalog, op: sql.SetStorage) -> Refusal | None:
    """Values of a fixed length are stored in the row."""
    known = known_column(catalog, op, op.column)
    plain = _plain_type(catalog, known[1].type) if known is not None else None
    if plain is None or op.storage.lower() not in ("external", "extended", "main"):
        return None
    return Refusal(error=f"column data type {plain} can only have storage PLAIN")


@refuses(sql.SetCompression)
def set_compression(catalog: Catalog, op: sql.SetCompression) -> Refusal | None:
    """PostgreSQL has the methods pglz and lz4, for types of a variable length."""
    known = known_column(catalog, op, op.column)
    if known is None or op.method.lower() == "default":
        return None
    plain = _plain_type(catalog, known[1].type)
    if plain is not None:
        return Refusal(error=f"column data type {plain} does not support compression")
    if op.method.lower() not in ("pglz", "lz4"):
        return Refusal(error=f'invalid compression method "{op.method}"', help="-- use pglz or lz4")
    return None


def _plain_type(catalog: Catalog, data_type: TypeName | None) -> str | None:
    """Returns the name of a type of a fixed length; None for another type."""
    stored = stored_type(catalog, data_type)
    if stored is None or stored.dimensions or stored.modifiers:
        return None
    is_plain = (stored.schema in (None, "pg_catalog") and stored.name in _PLAIN) or isinstance(catalog.type_of(stored), EnumType)
    return type_text(catalog, stored) if is_plain else None
