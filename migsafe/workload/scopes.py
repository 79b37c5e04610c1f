"""The elements of FROM while the names of a query are resolved, as PostgreSQL's analyser does (src/backend/parser/parse_relation.c)."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from migsafe.expressions.queries.shapes import Cte, Shape
from migsafe.expressions.queries.shapes import Source as SourceShape
from migsafe.schema.objects import SYSTEM_COLUMNS, Relation, RelationKind
from migsafe.sql.operations import TypeName
from migsafe.workload.types import named_type


class BoundColumn(Struct, frozen=True):
    """A column of an element of FROM: the relation and the column behind it, if it is one, and its type if it is known."""

    relation: int | None = None
    name: str | None = None
    type: TypeName | None = None


class Use(Struct):
    """What a query uses of a relation."""

    columns: set[str]
    all_columns: bool = False
    is_read: bool = False
    is_written: bool = False


class BoundSource(Struct, kw_only=True):
    """An element of FROM. `complete` if it has no other columns than `columns`. `level` is that of the query in it, or of the view."""

    shape: SourceShape
    alias: str
    columns: dict[str, BoundColumn]
    complete: bool = True
    relation: Relation | None = None
    schema: str | None = None
    level: "Level | None" = None
    is_cte: bool = False
    hidden: frozenset[str] = frozenset()

    @property
    def is_table(self) -> bool:
        """Whether it is a table, or a materialized view: something that PostgreSQL scans."""
        return self.relation is not None and self.relation.kind in _SCANNED

    @property
    def is_unknown(self) -> bool:
        """Whether it is a relation that the catalogue does not know."""
        return self.shape.kind == "table" and self.relation is None and self.level is None

    def lacks(self, name: str) -> bool:
        """Whether it certainly has no column of this name."""
        if self.complete or name in self.columns:
            return self.complete and name not in self.columns
        return self.relation is not None and not self.shape.columns and name in self.relation.removed_columns

    def column(self, name: str) -> BoundColumn | None:
        """Returns a column, also a system column; None without it."""
        column = self.columns.get(name)
        if column is None and name in SYSTEM_COLUMNS and self.relation is not None and self.relation.kind is not RelationKind.VIEW:
            return BoundColumn(self.relation.oid)
        return column


_SCANNED = (RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.MATERIALIZED)


class Level(Struct, kw_only=True):
    """One query with the elements of its FROM. `outer` are the levels around it, the innermost first; `nested` those of the queries in its
    expressions, by their index; `inner` those of its branches or of the body of an INSERT, `ctes` those of its WITH queries."""

    shape: Shape
    outer: "Levels" = ()
    sources: list[BoundSource] = []
    excluded: BoundSource | None = None
    nested: "list[Level]" = []
    inner: "list[Level]" = []
    ctes: "list[Level]" = []
    outputs: "list[tuple[str | None, BoundColumn]]" = []
    complete: bool = True

    def source(self, table: str, schema: str | None) -> BoundSource | None:
        """Returns the element of FROM with an alias or a name."""
        for source in (*self.sources, self.excluded):
            if source is not None and source.alias == table and (schema is None or source.schema == schema):
                return source
        return None


Levels = tuple[Level, ...]


class Derived(Struct, frozen=True):
    """The output columns of a WITH query. `complete` if the names of all are known."""

    columns: tuple[tuple[str | None, BoundColumn], ...]
    complete: bool
    level: Level | None = None


def derived_columns(cte: Cte, level: Level) -> Derived:
    """Returns the output columns of a WITH query."""
    names = [*cte.columns, *(name for name, _ in level.outputs[len(cte.columns) :])]
    columns = tuple((names[at], column) for at, (_, column) in enumerate(level.outputs))
    if len(cte.columns) > len(columns):
        return Derived(tuple((name, BoundColumn()) for name in cte.columns), False, level)
    return Derived(columns, level.complete, level)


def columns_of(relation: Relation) -> dict[str, BoundColumn]:
    """Returns the columns of a relation, by name."""
    return {column.name: BoundColumn(relation.oid, column.name, column.type) for column in relation.columns}


def renamed(columns: Sequence[tuple[str | None, BoundColumn]], names: Sequence[str]) -> dict[str, BoundColumn]:
    """Returns columns of which an alias renames the first ones."""
    bound: dict[str, BoundColumn] = {}
    for at, (name, column) in enumerate(columns):
        new = names[at] if at < len(names) else name
        if new is not None:
            bound.setdefault(new, column)
    for name in names[len(columns) :]:
        bound.setdefault(name, BoundColumn())
    return bound


def all_levels(level: Level) -> Iterator[Level]:
    """A query and all queries in it."""
    yield level
    for inner in (
        *level.ctes,
        *level.nested,
        *level.inner,
        *(source.level for source in level.sources if source.level is not None and not source.is_cte),
    ):
        yield from all_levels(inner)


_VALUE_COLUMNS: dict[str, tuple[str, ...]] = {
    "jsonb_array_elements": ("value",),
    "jsonb_array_elements_text": ("value",),
    "json_array_elements": ("value",),
    "json_array_elements_text": ("value",),
    "jsonb_each": ("key", "value"),
    "jsonb_each_text": ("key", "value"),
    "json_each": ("key", "value"),
    "json_each_text": ("key", "value"),
}
"""The columns of functions whose result has names of its own (pg_proc.proargnames)."""


def function_source(shape: SourceShape) -> BoundSource:
    """Returns a function in FROM."""
    alias = shape.alias or ""
    names = shape.columns
    complete = shape.closed
    own = _VALUE_COLUMNS.get(shape.call.name if shape.call is not None else "", ())
    if own:
        names, complete = (*names, *own[len(names) :]), True
    elif not names and alias:
        names = (alias,)  # a scalar function has one column with the name of the alias
    types = shape.types
    columns = {name: BoundColumn(None, None, _type_at(types, at)) for at, name in enumerate(names)}
    if not own and not complete and alias:
        columns.setdefault(alias, BoundColumn())
    return BoundSource(shape=shape, alias=alias, columns=columns, complete=complete)


def _type_at(types: tuple[str | None, ...], at: int) -> TypeName | None:
    written = types[at] if at < len(types) else None
    return named_type(written) if written is not None else None
