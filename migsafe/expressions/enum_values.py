"""Whether a statement takes a string for a certain value of an enum type.

PostgreSQL turns a constant into an enum value as soon as it knows that it must be one: in a cast, beside a column of the type, as a column's
default, wherever a statement is planned. So even an UPDATE that meets no row needs the value, and so does a CHECK that nobody fulfils. What
is not known, a column of a table that no migration made, is taken for one of the type: the string is the value's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from migsafe.expressions.trees import parse_expression, parse_query
from migsafe.schema.catalog import Catalog
from migsafe.schema.columns import name_in
from migsafe.sql import operations as sql
from migsafe.sql.definitions import constraints_in
from migsafe.sql.operations import Expression, Name, Operation, Query, TypeName
from migsafe.sql.statements import read
from migsafe.text import Span

if TYPE_CHECKING:
    from sqlglot import exp

_TEXTS = frozenset(("text", "character varying", "character", "name"))
_WHOLE = ("enum_range", "enum_last")
"""The functions that read all values of a type, or its last one."""


class EnumValue(Struct, frozen=True):
    """A value of an enum type; `oid` is the type's number where the history knows it."""

    type: Name
    value: str
    oid: int | None

    def is_of(self, given: TypeName | None, catalog: Catalog) -> bool | None:
        """Whether a type is the value's; None where it is not known which type it is."""
        if given is None:
            return None
        found = catalog.type_of(given)
        if found is not None and self.oid is not None:
            return found.oid == self.oid
        return given.name == self.type.name and (given.schema is None or self.type.schema is None or given.schema == self.type.schema)


class _Piece(Struct):
    """Something that holds constants: its tree, whether a constant that is all of it becomes a value of the type, and the columns that stand
    for themselves in it: their types by name, and the relation that they belong to."""

    tree: exp.Expr | None
    root: bool | None = False
    own: dict[str, TypeName | None] = {}
    table: Name | None = None


def reads_value(op: Operation, text: str, value: EnumValue, catalog: Catalog) -> bool:
    """Whether an operation needs a value of an enum type. `text` is its SQL."""
    quoted = f"'{value.value.replace(chr(39), chr(39) * 2)}'"
    if quoted not in text and not any(name in text.lower() for name in _WHOLE):
        return False
    return any(_Reading(value, catalog, piece).needs() for piece in _pieces(op, text, value, catalog) if piece.tree is not None)


def _pieces(op: Operation, text: str, value: EnumValue, catalog: Catalog) -> Iterator[_Piece]:
    match op:
        case sql.Insert() | sql.Update() | sql.Delete() | sql.Merge():
            yield _Piece(_statement(text))
        case sql.Select(query=query) | sql.CreateView(query=query) | sql.CreateMaterializedView(query=query):
            yield _Piece(parse_query(query))
        case sql.CreateTableAs(query=Query() as query) | sql.Copy(query=Query() as query):
            yield _Piece(parse_query(query))
        case sql.Prepare(prepared=operations):
            for one in operations:
                yield from _pieces(one, text[text.lower().find(" as ") + 4 :], value, catalog)
        case sql.CreateFunction():
            yield from _of_function(op, value, catalog)
        case _:
            yield from _of_definition(op, value, catalog)


def _statement(text: str) -> exp.Expr | None:
    # In a string that EXECUTE runs quotes are doubled.
    return parse_query(Query(text, Span(0, 0))) or parse_query(Query(text.replace("''", "'"), Span(0, 0)))


def _of_function(op: sql.CreateFunction, value: EnumValue, catalog: Catalog) -> Iterator[_Piece]:
    for argument in op.arguments:
        if argument.default is not None:
            yield _Piece(parse_expression(argument.default), value.is_of(argument.type, catalog))
    # The body of any other language is not looked into before it runs.
    if op.language == "sql" and op.code is not None:
        for statement in read(op.code):
            for one in statement.operations:
                yield from _pieces(one, op.code[slice(*statement.span)], value, catalog)


def _of_definition(op: Operation, value: EnumValue, catalog: Catalog) -> Iterator[_Piece]:
    """The expressions of CREATE and ALTER."""
    match op:
        case sql.CreateTable() | sql.AddColumn() | sql.AddConstraint():
            yield from _of_columns(op, value, catalog)
        case sql.SetDefault(target=target, column=column, default=default):
            relation = catalog.relation(target.name)
            found = relation.column(column) if relation is not None else None
            yield _Piece(parse_expression(default), value.is_of(found.type if found is not None else None, catalog))
        case sql.AlterColumnType(type=type_name, using=Expression() as using, target=target):
            yield _Piece(parse_expression(using), value.is_of(type_name, catalog), table=target.name)
        case sql.CreateIndex(table=table, where=where, elements=elements):
            for expression in (where, *(element.expression for element in elements)):
                if expression is not None:
                    yield _Piece(parse_expression(expression), table=table)
        case sql.CreatePolicy(table=table, using=using, check=check) | sql.AlterPolicy(table=table, using=using, check=check):
            for expression in (using, check):
                if expression is not None:
                    yield _Piece(parse_expression(expression), table=table)
        case sql.CreateTrigger(table=table, when=Expression() as when):
            yield _Piece(parse_expression(when), table=table)
        case sql.CreateDomain(type=type_name, default=default, constraints=constraints) if value.is_of(type_name, catalog):
            for expression in (default, *(one.check for one in constraints)):
                if expression is not None:
                    yield _Piece(parse_expression(expression), root=True, own={"value": type_name})


def _of_columns(op: sql.CreateTable | sql.AddColumn | sql.AddConstraint, value: EnumValue, catalog: Catalog) -> Iterator[_Piece]:
    columns = op.columns if isinstance(op, sql.CreateTable) else (op.column,) if isinstance(op, sql.AddColumn) else ()
    own = {column.name: column.type for column in columns}
    table = None if isinstance(op, sql.CreateTable) else op.target.name
    for column in columns:
        if column.default is not None:
            yield _Piece(parse_expression(column.default), value.is_of(column.type, catalog))
        if column.generated is not None:
            yield _Piece(parse_expression(column.generated.expression), value.is_of(column.type, catalog), own, table)
    for constraint in constraints_in(op):
        for expression in (constraint.check, constraint.where):
            if expression is not None:
                yield _Piece(parse_expression(expression), own=own, table=table)
    if isinstance(op, sql.CreateTable) and op.bound is not None and op.partition_of is not None:
        parent = catalog.relation(op.partition_of)
        key = parent.partition_key.elements[0].column if parent is not None and parent.partition_key is not None else None
        found = parent.column(key) if parent is not None and key is not None else None
        for bound in (*op.bound.start, *op.bound.end):
            yield _Piece(_statement(f"SELECT {bound}"), value.is_of(found.type if found is not None else None, catalog))


class _Reading:
    """One piece, looked through for the value."""

    def __init__(self, value: EnumValue, catalog: Catalog, piece: _Piece) -> None:
        from sqlglot import exp  # noqa: PLC0415  # costs more than the rest of the program's start

        assert piece.tree is not None
        self.exp = exp
        self.value = value
        self.catalog = catalog
        self.piece = piece
        self.tree = piece.tree
        queries = {cte.alias for cte in self.tree.find_all(exp.CTE)}
        self.tables = {
            table.alias_or_name: Name(_folded(table.this), _folded(table.args["db"]) if table.args.get("db") else None)
            for table in self.tree.find_all(exp.Table)
            if table.name not in queries and isinstance(table.this, exp.Identifier)
        }
        if piece.table is not None:
            self.tables |= dict.fromkeys(("", "new", "old", piece.table.name), piece.table)

    def needs(self) -> bool:
        """Whether a constant becomes the value, or a function reads all there are."""
        for literal in self.tree.find_all(self.exp.Literal):
            if literal.is_string and literal.this == self.value.value and self._becomes(literal):
                return True
        return any(
            call.name.lower() in _WHOLE and len(call.expressions) == 1 and self._is_cast_to_it(call.expressions[0])
            for call in self.tree.find_all(self.exp.Anonymous)
        )

    def _becomes(self, node: exp.Expr) -> bool:
        """Whether what stands here is turned into a value of the type."""
        while True:
            if node is self.tree:
                return self.piece.root is not False
            parent = node.parent
            if parent is None:
                return False
            decide = self._deciders.get(type(parent))
            if decide is None:
                return False
            decided = decide(parent, node)
            if decided is not None:
                return decided
            node = parent

    @cached_property
    def _deciders(self) -> dict[type, Callable[[exp.Expr, exp.Expr], bool | None]]:
        """What each kind of node makes of what stands in it: True or False, or None where what stands around it decides."""
        e = self.exp
        compared = (e.EQ, e.NEQ, e.GT, e.GTE, e.LT, e.LTE, e.NullSafeEQ, e.NullSafeNEQ, e.Nullif)
        return {
            **dict.fromkeys(compared, lambda parent, node: self._is_its(parent.expression if parent.this is node else parent.this)),
            **dict.fromkeys((e.Paren, e.Alias, e.Array, e.Any, e.All), lambda parent, node: None),
            **dict.fromkeys((e.Case, e.Coalesce, e.Greatest, e.Least), self._beside),
            e.Cast: self._cast,
            e.In: lambda parent, node: self._is_its(parent.this) if parent.this is not node else any(map(self._is_its, parent.expressions)),
            e.Between: lambda parent, node: self._is_its(parent.this),
            e.If: lambda parent, node: None if parent.this is not node else self._is_its(parent.parent.this if parent.parent else None),
            e.Tuple: self._in_row,
            e.Select: self._in_select,
        }

    def _cast(self, cast: exp.Expr, node: exp.Expr) -> bool | None:
        name = self._type(cast)
        if name.name in _TEXTS:
            return None if isinstance(cast.parent, self.exp.Cast) else False
        return bool(self.value.is_of(name, self.catalog))

    def _is_cast_to_it(self, node: exp.Expr) -> bool:
        return isinstance(node, self.exp.Cast) and bool(self.value.is_of(self._type(node), self.catalog))

    def _type(self, cast: exp.Expr) -> TypeName:
        to = cast.args["to"]
        while to.expressions and to.args.get("nested"):
            to = to.expressions[0]
        text = to.sql("postgres")
        name = name_in(text.lower() if '"' not in text else text)
        return TypeName({"varchar": "character varying"}.get(name.name, name.name), name.schema)

    def _beside(self, parent: exp.Expr, node: exp.Expr) -> bool | None:
        """The other results of CASE, COALESCE and their kin say the type."""
        results = [one.args.get("true") if isinstance(one, self.exp.If) else one for one in parent.iter_expressions()]
        others = [one for one in results if one is not None and one is not node and isinstance(one, self.exp.Column | self.exp.Cast)]
        if isinstance(parent, self.exp.Case) and parent.this in others:
            others.remove(parent.this)
        return True if any(self._is_its(one, unknown=False) for one in others) else None

    def _in_row(self, row: exp.Expr, node: exp.Expr) -> bool | None:
        """A row of VALUES in an INSERT, or a row that is compared with another."""
        place = next(place for place, one in enumerate(row.expressions) if one is node)
        above = row.parent
        if isinstance(above, self.exp.Values):
            return self._is_inserted(above.parent, place)
        if isinstance(above, self.exp.Insert):
            return self._is_inserted(above, place)
        if isinstance(above, self.exp.EQ):
            other = above.expression if above.this is row else above.this
            same = other.expressions if isinstance(other, self.exp.Tuple) else []
            return place < len(same) and self._is_its(same[place])
        return False

    def _in_select(self, select: exp.Expr, node: exp.Expr) -> bool | None:
        if select is self.tree:
            return bool(self.piece.root) if self.piece.root is not None else True
        places = [place for place, one in enumerate(select.expressions) if one is node]
        return self._is_inserted(select.parent, places[0]) if places else False

    def _is_inserted(self, insert: exp.Expr | None, place: int) -> bool:
        """Whether a column of an INSERT is of the type, by its place."""
        if not isinstance(insert, self.exp.Insert):
            return False
        into = insert.this
        if isinstance(into, self.exp.Schema | self.exp.Tuple):
            columns = into.expressions
            if place >= len(columns):
                return False
            column = columns[place]
            identifier = column if isinstance(column, self.exp.Identifier) else column.this
            table = into.this if isinstance(into, self.exp.Schema) else None
            return self._is_column(table.alias_or_name if table is not None else "", _folded(identifier)) is not False
        relation = self.catalog.relation(self.tables.get(into.alias_or_name, Name(into.name)))
        if relation is None or place >= len(relation.columns):
            return relation is None or not relation.complete
        return self.value.is_of(relation.columns[place].type, self.catalog) is not False

    def _is_its(self, node: exp.Expr | None, *, unknown: bool = True) -> bool:
        """Whether what a constant stands beside is of the type; `unknown` is the answer where nothing tells."""
        while isinstance(node, self.exp.Paren | self.exp.Any | self.exp.All | self.exp.Coalesce):
            node = node.this
        if isinstance(node, self.exp.Cast):
            return self._is_cast_to_it(node)
        if not isinstance(node, self.exp.Column):
            return False
        found = self._is_column(_folded(node.args["table"]) if node.args.get("table") else "", _folded(node.this))
        return unknown if found is None else found

    def _is_column(self, table: str, column: str) -> bool | None:
        """Whether a column is of the type; None where nobody knows the column."""
        if not table and column in self.piece.own:
            return self.value.is_of(self.piece.own[column], self.catalog)
        names = [self.tables[table]] if table in self.tables else [] if table else list(self.tables.values())
        answers = [self._in_relation(name, column) for name in names]
        return True if True in answers else None if None in answers else False

    def _in_relation(self, name: Name, column: str) -> bool | None:
        relation = self.catalog.relation(name)
        found = relation.column(column) if relation is not None else None
        if relation is None or found is None:
            return False if relation is not None and relation.complete else None
        return self.value.is_of(found.type, self.catalog)


def _folded(identifier: exp.Expr) -> str:
    """A name as PostgreSQL folds it."""
    return str(identifier.name) if identifier.args.get("quoted") else str(identifier.name).lower()
