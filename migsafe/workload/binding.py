"""The names in a query, resolved in a state of the database.

A failure is reported only if the catalogue knows all that decides about it. What it does not know is in `Binder.uncertain`.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from migsafe.expressions.queries.shapes import FIELD, ROW, Operand, Output, Parameter, Ref, Shape, UnreadShape, Value
from migsafe.expressions.queries.shapes import Source as SourceShape
from migsafe.schema.known_objects import SYSTEM_SCHEMAS
from migsafe.schema.objects import ReadRelation, Relation, RelationKind
from migsafe.sql.operations import Name, TypeName
from migsafe.workload.groups import refused_form
from migsafe.workload.known_names import FUNCTIONS_OF_ROWS, KnownNames
from migsafe.workload.lookups import Lookups
from migsafe.workload.needs import Failure
from migsafe.workload.scopes import BoundColumn, BoundSource, Derived, Level, Levels, Use, columns_of, derived_columns, function_source, renamed
from migsafe.workload.types import named_type


class Binder:
    """Resolves the names of one query."""

    def __init__(self, catalog: Lookups, parameters: Sequence[str | None] = ()) -> None:
        self.catalog = catalog
        self.parameters = parameters
        self.known = KnownNames(catalog)
        self.failure: Failure | None = None
        self.uncertain: list[str] = []
        self.uses: dict[int, Use] = {}
        self.relations: dict[int, Relation] = {}

    def fail(self, code: str, message: str, name: str, relation: int | None = None) -> None:
        """Records why PostgreSQL rejects the query: the first reason counts."""
        if self.failure is None:
            self.failure = Failure(code=code, message=message, name=name, relation=relation)

    def doubt(self, reason: str) -> None:
        """Records what is not known of the schema."""
        if reason not in self.uncertain:
            self.uncertain.append(reason)

    # Queries

    def query(self, shape: Shape, outer: Levels = (), ctes: Mapping[str, Derived] | None = None) -> Level:
        """Resolves a query."""
        level = Level(shape=shape, outer=outer)
        known = self._ctes(shape, level, dict(ctes or {}))
        if shape.kind == "set":
            level.inner = [self.query(branch, outer, known) for branch in shape.branches]
            level.outputs = level.inner[0].outputs
            level.complete = level.inner[0].complete
        writes = shape.kind in ("insert", "update", "delete", "merge")
        for at, source in enumerate(shape.sources):
            self._source(source, level, known, is_target=writes and at == 0)
        if shape.body is not None:
            level.inner = [self.query(shape.body, outer, known)]
        if shape.conflict is not None and level.sources:
            target = level.sources[0]
            level.excluded = BoundSource(
                shape=target.shape, alias="excluded", columns=target.columns, complete=target.complete, relation=target.relation
            )
        inside = (level, *outer)
        level.nested = [self.query(nested, inside, known) for nested in shape.queries]
        self._columns(shape, level, inside)
        self.known.check(self, shape, level)
        self._outputs(shape, level, inside)
        if self.failure is None and (found := refused_form(self, shape, level)) is not None:
            self.fail(*found)
        return level

    def _ctes(self, shape: Shape, level: Level, ctes: dict[str, Derived]) -> dict[str, Derived]:
        for cte in shape.ctes:
            if shape.recursive and cte.query.kind == "set":
                # Until the query is resolved, its own name has the columns of its first branch.
                first = self.query(cte.query.branches[0], level.outer, ctes)
                ctes[cte.name] = derived_columns(cte, first)
            inner = self.query(cte.query, level.outer, ctes)
            level.ctes.append(inner)
            ctes[cte.name] = derived_columns(cte, inner)
        return ctes

    def _columns(self, shape: Shape, level: Level, inside: Levels) -> None:
        without_excluded = level.excluded
        level.excluded = None
        for ref in shape.refs:
            self.resolve(ref, inside)
        if shape.conflict is not None:
            for ref in shape.conflict.refs:
                self.resolve(ref, inside)
        level.excluded = without_excluded
        for ref in shape.excluded_refs:
            self.resolve(ref, inside)
        names = {output.name for output in shape.outputs if output.name is not None}
        has_star = any(output.star for output in shape.outputs)
        for ref in shape.group_refs:
            # GROUP BY: a bare name is a column of FROM, else an output column.
            is_column = any(source.column(ref.name) is not None for source in level.sources)
            if is_column or ref.name not in names:
                self.resolve(ref, inside)
        for ref in shape.output_refs:
            if ref.name in names:
                continue
            if shape.kind == "set":
                if level.complete and all(name != ref.name for name, _ in level.outputs) and not has_star:
                    self.fail("42703", f'column "{ref.name}" does not exist', ref.name)
                continue
            self.resolve(ref, inside)
        target = level.sources[0] if level.sources else None
        if target is not None:
            for column in (*(shape.target_columns or ()), *(column for column, _ in shape.assigned)):
                self._written(column, target)

    def _written(self, name: str, target: BoundSource) -> None:
        if name in target.columns:
            self.use(target.columns[name])
        elif target.relation is not None and target.lacks(name):
            self.fail("42703", f'column "{name}" of relation "{target.relation.name.name}" does not exist', name, target.relation.oid)
        elif target.relation is not None:
            self.doubt(f"the columns of {target.relation.name} are not completely known")

    def _outputs(self, shape: Shape, level: Level, inside: Levels) -> None:
        if shape.kind == "set":
            return
        for output in shape.outputs:
            if not output.star:
                level.outputs.append((output.name, self.column_of(output, inside)))
                level.complete = level.complete and output.name is not None
                continue
            sources = level.sources if output.table is None else [level.source(output.table, None) or self._outer(output.table, inside)]
            for source in sources:
                if source is None:
                    if output.table:
                        self.fail("42P01", f'missing FROM-clause entry for table "{output.table}"', output.table)
                    level.complete = False
                    continue
                self.use_row(source)
                level.complete = level.complete and source.complete
                level.outputs += [(name, column) for name, column in source.columns.items() if name not in source.hidden or output.table]

    def _outer(self, table: str, levels: Levels) -> BoundSource | None:
        return next((source for level in levels if (source := level.source(table, None)) is not None), None)

    def column_of(self, output: Output, levels: Levels) -> BoundColumn:
        """Returns what an output column is, as far as it is known."""
        operand = output.operand
        if isinstance(operand, Ref):
            found = self.find(operand, levels)
            return found[1] if found is not None else BoundColumn()
        return BoundColumn(None, None, self.type_of(operand, levels) if operand is not None else None)

    def type_of(self, operand: Operand, levels: Levels) -> TypeName | None:
        """Returns the type of an operand if it is known and not that of a string constant."""
        match operand:
            case Ref():
                found = self.find(operand, levels)
                return found[1].type if found is not None else None
            case Value():
                return named_type(operand.casts[-1]) if operand.casts else None
            case Parameter(cast=None):
                declared = self.parameters[operand.number - 1] if 0 < operand.number <= len(self.parameters) else None
                return named_type(declared) if declared is not None else None
        cast = getattr(operand, "cast", None)
        return named_type(cast) if cast is not None else None

    # FROM

    def _source(self, shape: SourceShape, level: Level, ctes: Mapping[str, Derived], *, is_target: bool) -> None:
        outer = (level, *level.outer) if shape.lateral else level.outer
        match shape.kind:
            case "table":
                source = self._table(shape, ctes, is_target=is_target, level_reads=_reads_target(level.shape))
            case "query":
                assert shape.query is not None
                inner = self.query(shape.query, outer, ctes)
                source = BoundSource(
                    shape=shape,
                    alias=shape.alias or "",
                    columns=renamed(inner.outputs, shape.columns),
                    complete=inner.complete,
                    level=inner,
                )
            case _:
                for ref in shape.arguments:
                    self.resolve(ref, (level, *level.outer))
                source = function_source(shape)
        self._join(shape, source, level)
        level.sources.append(source)
        for ref in shape.refs:
            self.resolve(ref, (level, *level.outer))

    def _join(self, shape: SourceShape, source: BoundSource, level: Level) -> None:
        """USING and NATURAL: a merged column is that of the elements before."""
        names: Iterable[str] = shape.using
        if shape.natural:
            names = [name for name in source.columns if any(name in before.columns for before in level.sources)]
        for name in names:
            sides = (list(level.sources), [source])
            for side in sides:
                column = next((column for element in side if (column := element.columns.get(name)) is not None), None)
                if column is not None:
                    self.use(column)
                elif all(element.complete for element in side):
                    self.fail("42703", f'column "{name}" specified in USING clause does not exist', name)
        source.hidden = frozenset(names)

    def _table(self, shape: SourceShape, ctes: Mapping[str, Derived], *, is_target: bool, level_reads: bool) -> BoundSource:
        if shape.schema is None and shape.name in ctes and not is_target:
            derived = ctes[shape.name]
            columns = renamed(derived.columns, shape.columns)
            alias = shape.alias or shape.name
            return BoundSource(shape=shape, alias=alias, columns=columns, complete=derived.complete, level=derived.level, is_cte=True)
        name = Name(shape.name, shape.schema)
        found = self.relation_named(name)
        alias = shape.alias or shape.name
        resolved = self.catalog.resolve(name)
        if found is None:
            self._missing(name, resolved)
            return BoundSource(shape=shape, alias=alias, columns=dict.fromkeys(shape.columns, BoundColumn()), complete=False)
        relation, known, complete = found
        self.relations[relation.oid] = relation
        use = self.uses.setdefault(relation.oid, Use(set()))
        use.is_written = use.is_written or is_target
        use.is_read = use.is_read or not is_target or level_reads
        columns = renamed(list(known.items()), shape.columns) if shape.columns else known
        schema = resolved.schema if shape.alias is None else None
        level = view_level(self.catalog, relation) if complete and self.catalog.with_accesses else None
        return BoundSource(shape=shape, alias=alias, columns=columns, complete=complete, relation=relation, schema=schema, level=level)

    def relation_named(self, name: Name) -> tuple[Relation, dict[str, BoundColumn], bool] | None:
        """Returns a relation with its columns, and whether it has no others; None if it is not known."""
        relation = self.catalog.relation(name)
        return (relation, *relation_columns(self.catalog, relation)) if relation is not None else None

    def _missing(self, name: Name, resolved: Name) -> None:
        if resolved.schema in SYSTEM_SCHEMAS:
            return
        if self.catalog.has_no_relation(name):
            self.fail("42P01", f'relation "{name}" does not exist', str(name))
        else:
            self.doubt(f"the relation {name} is not known")

    # Columns

    def find(self, ref: Ref, levels: Levels) -> tuple[BoundSource, BoundColumn] | None:
        """Returns the column of a reference with its element of FROM; None if it is not found, or not known."""
        for level in levels:
            if ref.table is not None:
                source = level.source(ref.table, None if ref.schema == FIELD else ref.schema)
                if source is not None:
                    column = source.column(ref.name)
                    return (source, column) if column is not None else None
                continue
            for source in level.sources:
                column = source.column(ref.name)
                if column is not None:
                    return source, column
        return None

    def resolve(self, ref: Ref, levels: Levels) -> None:
        """Resolves a reference to a column, and records what it uses."""
        if ref.table is None:
            self._bare(ref.name, levels)
        elif ref.schema == FIELD and any(source.column(ref.table) for level in levels for source in level.sources):
            self._bare(ref.table, levels)
        else:
            self._qualified(ref, ref.table, levels)

    def _bare(self, name: str, levels: Levels) -> None:
        certain = True
        for level in levels:
            # In ON CONFLICT … DO UPDATE, a bare column may be that of the table, or of the row that was not inserted.
            visible = level.sources if level.excluded is None else [*level.sources, level.excluded]
            found = [source for source in visible if source.column(name) is not None and name not in source.hidden]
            own = [source for source in found if name in source.columns]
            if len(own) > 1 and certain:
                self.fail("42702", f'column reference "{name}" is ambiguous', name)
            for source in found:
                column = source.column(name)
                assert column is not None
                self.use(column)
            if found:
                return
            certain = certain and all(source.lacks(name) for source in level.sources)
        whole = self._outer(name, levels)
        if whole is not None:
            self.use_row(whole)
            return
        if certain:
            relation = next((source.relation.oid for source in levels[0].sources if source.relation is not None), None) if levels else None
            self.fail("42703", f'column "{name}" does not exist', name, relation)
            return
        self._doubt_sources(source for level in levels for source in level.sources)

    def _qualified(self, ref: Ref, table: str, levels: Levels) -> None:
        source = next((s for level in levels if (s := level.source(table, None if ref.schema == FIELD else ref.schema)) is not None), None)
        if source is None:
            self.fail("42P01", f'missing FROM-clause entry for table "{table}"', table)
            return
        if ref.name == ROW:
            self.use_row(source)
            return
        column = source.column(ref.name)
        if column is not None:
            self.use(column)
        elif source.lacks(ref.name):
            # alias.name is also a call of a function with the whole row.
            if ref.name in FUNCTIONS_OF_ROWS:
                self.use_row(source)
            elif not self.catalog.has_function_named(ref.name):
                oid = source.relation.oid if source.relation is not None else None
                self.fail("42703", f"column {table}.{ref.name} does not exist", ref.name, oid)
        else:
            self._doubt_sources((source,))

    def _doubt_sources(self, sources: Iterable[BoundSource]) -> None:
        for source in sources:
            if source.relation is not None and not source.complete:
                self.doubt(f"the columns of {source.relation.name} are not completely known")

    def use(self, column: BoundColumn) -> None:
        """Records that the query names a column."""
        if column.relation in self.uses and column.name is not None:
            self.uses[column.relation].columns.add(column.name)

    def use_row(self, source: BoundSource) -> None:
        """Records that the query uses a whole row."""
        if source.relation is not None and source.relation.oid in self.uses:
            self.uses[source.relation.oid].all_columns = True


def relation_columns(catalog: Lookups, relation: Relation) -> tuple[dict[str, BoundColumn], bool]:
    """Returns the columns of a relation, and whether it has no others."""
    if relation.kind is RelationKind.SEQUENCE:
        return {column: BoundColumn(relation.oid, column) for column in ("last_value", "log_cnt", "is_called")}, True
    if relation.kind not in (RelationKind.VIEW, RelationKind.MATERIALIZED) or relation.query is None:
        return columns_of(relation), relation.complete
    view = _bound_view(catalog, relation)
    if view is None:
        return columns_of(relation), False
    level = view.level
    names = [column.name for column in relation.columns]
    # A view whose columns are not completely known has only those that other statements name, in any order.
    columns = renamed(level.outputs, names if relation.complete else ())
    is_complete = level.complete and columns.keys() >= set(names)
    columns |= {name: BoundColumn() for name in names if name not in columns}
    return {name: BoundColumn(relation.oid, name, column.type) for name, column in columns.items()}, is_complete


def view_level(catalog: Lookups, relation: Relation) -> Level | None:
    """Returns the query of a view, which PostgreSQL puts in its place; None if it is not known, or names columns that were renamed since."""
    if relation.kind is not RelationKind.VIEW or relation.query is None:
        return None
    view = _bound_view(catalog, relation)
    if view is None:
        return None
    for each in relation.read_relations:
        read = catalog.get(each.oid)
        current = {(column.number, column.name) for column in read.columns} if isinstance(read, Relation) else set()
        if not current.issuperset(each.columns):
            return None
    is_whole = not relation.complete or len(view.level.outputs) == len(relation.columns)
    return view.level if view.failure is None and view.level.complete and is_whole else None


class BoundView(Struct, frozen=True):
    """A view with its resolved query, and what the catalogue was asked for that."""

    relation: Relation
    level: Level
    failure: Failure | None
    lookups: Lookups


def _bound_view(catalog: Lookups, relation: Relation) -> BoundView | None:
    """Returns a view with its resolved query; None if the query cannot be read. A view is resolved once, not for each of its readers."""
    known: BoundView | None = catalog.views.get(relation.oid)
    if known is not None and known.relation is relation and catalog.include(known.lookups):
        return known
    shape = catalog.shapes.query(relation.query.sql) if relation.query is not None else None
    if shape is None or isinstance(shape, UnreadShape):
        return None
    part = catalog.part()
    binder = ViewBinder(part, relation.read_relations)
    view = BoundView(relation, binder.query(shape), binder.failure, part)
    catalog.include(part)
    catalog.views[relation.oid] = view
    return view


class ViewBinder(Binder):
    """Resolves the query of a view, whose relations and columns have the names that they had when it was created."""

    def __init__(self, catalog: Lookups, read: Sequence[ReadRelation]) -> None:
        super().__init__(catalog)
        self.read = {(each.name.schema, each.name.name): each for each in read}

    def relation_named(self, name: Name) -> tuple[Relation, dict[str, BoundColumn], bool] | None:
        """Returns a relation under its former name, with its former columns."""
        each = self.read.get((name.schema, name.name))
        relation = self.catalog.get(each.oid) if each is not None else None
        if each is None or not isinstance(relation, Relation):
            return None
        if relation.kind in (RelationKind.VIEW, RelationKind.MATERIALIZED):
            return relation, *relation_columns(self.catalog, relation)
        current = {column.number: column for column in relation.columns}
        columns = {
            column: BoundColumn(relation.oid, column, current[number].type if number in current else None) for number, column in each.columns
        }
        return relation, columns, each.complete


def _reads_target(shape: Shape) -> bool:
    return shape.kind != "insert" or bool(shape.outputs) or shape.conflict is not None
