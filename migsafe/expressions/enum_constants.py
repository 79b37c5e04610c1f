"""The constants in an operation that PostgreSQL converts to a certain value of an enum type."""

from collections.abc import Callable, Iterator
from functools import cached_property

from msgspec import Struct
from sqlglot import exp

from migsafe.expressions.enum_values import WHOLE_TYPE_FUNCTIONS, EnumValue
from migsafe.expressions.trees import folded_name, parse_expression, parse_query, parse_statement
from migsafe.schema.catalog import Catalog
from migsafe.schema.columns import parse_regclass
from migsafe.sql import operations as sql
from migsafe.sql.definitions import constraints_in
from migsafe.sql.operations import Expression, Name, Operation, Query, TypeName
from migsafe.sql.statements import read

_TEXT_TYPES = frozenset(("text", "character varying", "character", "name"))


class _Piece(Struct):
    """A part of an operation that can hold constants.

    `root` says whether a constant that is the whole piece is converted to the type; None where that is not known. `columns` are the types of
    the columns that the piece itself defines, by name. `table` is the relation whose columns the piece names without a qualifier.
    """

    tree: exp.Expr | None
    root: bool | None = False
    columns: dict[str, TypeName | None] = {}
    table: Name | None = None


def contains_enum_value(op: Operation, text: str, value: EnumValue, catalog: Catalog) -> bool:
    """Whether a constant in an operation is converted to the value, or a function in it reads all values. `text` is the operation's SQL."""
    return any(_Search(value, catalog, piece, piece.tree).finds() for piece in _pieces(op, text, value, catalog) if piece.tree is not None)


def _pieces(op: Operation, text: str, value: EnumValue, catalog: Catalog) -> Iterator[_Piece]:
    match op:
        case sql.Insert() | sql.Update() | sql.Delete() | sql.Merge():
            yield _Piece(parse_statement(text))
        case sql.Select(query=query) | sql.CreateView(query=query) | sql.CreateMaterializedView(query=query):
            yield _Piece(parse_query(query))
        case sql.CreateTableAs(query=Query() as query) | sql.Copy(query=Query() as query):
            yield _Piece(parse_query(query))
        case sql.Prepare(prepared=operations):
            for prepared in operations:
                yield from _pieces(prepared, text[text.lower().find(" as ") + 4 :], value, catalog)
        case sql.CreateFunction():
            yield from _pieces_of_function(op, value, catalog)
        case _:
            yield from _pieces_of_definition(op, value, catalog)


def _pieces_of_function(op: sql.CreateFunction, value: EnumValue, catalog: Catalog) -> Iterator[_Piece]:
    for argument in op.arguments:
        if argument.default is not None:
            yield _Piece(parse_expression(argument.default), value.is_of(argument.type, catalog))
    # PostgreSQL does not analyse a body in another language before it runs.
    if op.language == "sql" and op.code is not None:
        for statement in read(op.code):
            for operation in statement.operations:
                yield from _pieces(operation, op.code[slice(*statement.span)], value, catalog)


def _pieces_of_definition(op: Operation, value: EnumValue, catalog: Catalog) -> Iterator[_Piece]:
    """Yield the expressions of CREATE and ALTER."""
    match op:
        case sql.CreateTable() | sql.AddColumn() | sql.AddConstraint():
            yield from _pieces_of_columns(op, value, catalog)
        case sql.SetDefault(target=target, column=name, default=default):
            relation = catalog.relation(target.name)
            column = relation.column(name) if relation is not None else None
            yield _Piece(parse_expression(default), value.is_of(column.type if column is not None else None, catalog))
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
            for expression in (default, *(constraint.check for constraint in constraints)):
                if expression is not None:
                    yield _Piece(parse_expression(expression), root=True, columns={"value": type_name})


def _pieces_of_columns(op: sql.CreateTable | sql.AddColumn | sql.AddConstraint, value: EnumValue, catalog: Catalog) -> Iterator[_Piece]:
    columns = op.columns if isinstance(op, sql.CreateTable) else (op.column,) if isinstance(op, sql.AddColumn) else ()
    types = {column.name: column.type for column in columns}
    table = None if isinstance(op, sql.CreateTable) else op.target.name
    for column in columns:
        if column.default is not None:
            yield _Piece(parse_expression(column.default), value.is_of(column.type, catalog))
        if column.generated is not None:
            yield _Piece(parse_expression(column.generated.expression), value.is_of(column.type, catalog), types, table)
    for constraint in constraints_in(op):
        for expression in (constraint.check, constraint.where):
            if expression is not None:
                yield _Piece(parse_expression(expression), columns=types, table=table)
    if isinstance(op, sql.CreateTable) and op.bound is not None and op.partition_of is not None:
        parent = catalog.relation(op.partition_of)
        key = parent.partition_key.elements[0].column if parent is not None and parent.partition_key is not None else None
        key_column = parent.column(key) if parent is not None and key is not None else None
        for bound in (*op.bound.start, *op.bound.end):
            yield _Piece(parse_statement(f"SELECT {bound}"), value.is_of(key_column.type if key_column is not None else None, catalog))


class _Search:
    """A search of one piece for constants that are converted to the value."""

    def __init__(self, value: EnumValue, catalog: Catalog, piece: _Piece, tree: exp.Expr) -> None:
        self.value = value
        self.catalog = catalog
        self.piece = piece
        self.tree = tree
        queries = {cte.alias for cte in self.tree.find_all(exp.CTE)}
        self.tables = {
            table.alias_or_name: Name(folded_name(table.this), folded_name(table.args["db"]) if table.args.get("db") else None)
            for table in self.tree.find_all(exp.Table)
            if table.name not in queries and isinstance(table.this, exp.Identifier)
        }
        if piece.table is not None:
            self.tables |= dict.fromkeys(("", "new", "old", piece.table.name), piece.table)

    def finds(self) -> bool:
        """Whether a constant is converted to the value, or a function reads all values of the type."""
        for literal in self.tree.find_all(exp.Literal):
            if literal.is_string and literal.this == self.value.value and self._is_converted(literal):
                return True
        return any(
            call.name.lower() in WHOLE_TYPE_FUNCTIONS and len(call.expressions) == 1 and self._is_cast_to_type(call.expressions[0])
            for call in self.tree.find_all(exp.Anonymous)
        )

    def _is_converted(self, node: exp.Expr) -> bool:
        """Whether a node is converted to a value of the type."""
        while True:
            if node is self.tree:
                return self.piece.root is not False
            parent = node.parent
            if parent is None:
                return False
            decide = self._deciders.get(type(parent))
            if decide is None:
                return False
            decision = decide(parent, node)
            if decision is not None:
                return decision
            node = parent

    @cached_property
    def _deciders(self) -> dict[type, Callable[[exp.Expr, exp.Expr], bool | None]]:
        """Functions, by type of node, that return whether the node converts a child to the type; None where the parent of the node decides."""
        comparisons = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Nullif)
        return {
            **dict.fromkeys(comparisons, lambda parent, node: self._is_of_type(parent.expression if parent.this is node else parent.this)),
            **dict.fromkeys((exp.Paren, exp.Alias, exp.Array, exp.Any, exp.All), lambda parent, node: None),
            **dict.fromkeys((exp.Case, exp.Coalesce, exp.Greatest, exp.Least), self._in_alternatives),
            exp.Cast: self._in_cast,
            exp.In: lambda parent, node: (
                self._is_of_type(parent.this) if parent.this is not node else any(map(self._is_of_type, parent.expressions))
            ),
            exp.Between: lambda parent, node: self._is_of_type(parent.this),
            exp.If: lambda parent, node: None if parent.this is not node else self._is_of_type(parent.parent.this if parent.parent else None),
            exp.Tuple: self._in_row,
            exp.Select: self._in_select,
        }

    def _in_cast(self, cast: exp.Expr, node: exp.Expr) -> bool | None:
        type_name = self._target_type(cast)
        if type_name.name in _TEXT_TYPES:
            return None if isinstance(cast.parent, exp.Cast) else False
        return bool(self.value.is_of(type_name, self.catalog))

    def _is_cast_to_type(self, node: exp.Expr) -> bool:
        return isinstance(node, exp.Cast) and bool(self.value.is_of(self._target_type(node), self.catalog))

    def _target_type(self, cast: exp.Expr) -> TypeName:
        to = cast.args["to"]
        while to.expressions and to.args.get("nested"):
            to = to.expressions[0]
        text = to.sql("postgres")
        name = parse_regclass(text.lower() if '"' not in text else text)
        return TypeName(name={"varchar": "character varying"}.get(name.name, name.name), schema=name.schema)

    def _in_alternatives(self, parent: exp.Expr, node: exp.Expr) -> bool | None:
        """Whether another result of CASE, COALESCE, GREATEST or LEAST has the type."""
        results = [result.args.get("true") if isinstance(result, exp.If) else result for result in parent.iter_expressions()]
        typed = [result for result in results if result is not None and result is not node and isinstance(result, exp.Column | exp.Cast)]
        if isinstance(parent, exp.Case) and parent.this in typed:
            typed.remove(parent.this)
        return True if any(self._is_of_type(result, unknown=False) for result in typed) else None

    def _in_row(self, row: exp.Expr, node: exp.Expr) -> bool | None:
        """Whether a row converts its element: a row of VALUES in an INSERT, or a row that is compared with another."""
        position = next(position for position, element in enumerate(row.expressions) if element is node)
        parent = row.parent
        if isinstance(parent, exp.Values):
            return self._is_inserted(parent.parent, position)
        if isinstance(parent, exp.Insert):
            return self._is_inserted(parent, position)
        if isinstance(parent, exp.EQ):
            other_row = parent.expression if parent.this is row else parent.this
            elements = other_row.expressions if isinstance(other_row, exp.Tuple) else []
            return position < len(elements) and self._is_of_type(elements[position])
        return False

    def _in_select(self, select: exp.Expr, node: exp.Expr) -> bool | None:
        if select is self.tree:
            return bool(self.piece.root) if self.piece.root is not None else True
        positions = [position for position, output in enumerate(select.expressions) if output is node]
        return self._is_inserted(select.parent, positions[0]) if positions else False

    def _is_inserted(self, insert: exp.Expr | None, position: int) -> bool:
        """Whether the column at a position of an INSERT is of the type."""
        if not isinstance(insert, exp.Insert):
            return False
        into = insert.this
        if isinstance(into, exp.Schema | exp.Tuple):
            columns = into.expressions
            if position >= len(columns):
                return False
            column = columns[position]
            identifier = column if isinstance(column, exp.Identifier) else column.this
            table = into.this if isinstance(into, exp.Schema) else None
            return self._is_column_of_type(table.alias_or_name if table is not None else "", folded_name(identifier)) is not False
        relation = self.catalog.relation(self.tables.get(into.alias_or_name, Name(into.name)))
        if relation is None or position >= len(relation.columns):
            return relation is None or not relation.complete
        return self.value.is_of(relation.columns[position].type, self.catalog) is not False

    def _is_of_type(self, node: exp.Expr | None, *, unknown: bool = True) -> bool:
        """Whether the other operand of a constant is of the type; `unknown` is the answer where its type is not known."""
        while isinstance(node, exp.Paren | exp.Any | exp.All | exp.Coalesce):
            node = node.this
        if isinstance(node, exp.Cast):
            return self._is_cast_to_type(node)
        if not isinstance(node, exp.Column):
            return False
        table = folded_name(node.args["table"]) if node.args.get("table") else ""
        answer = self._is_column_of_type(table, folded_name(node.this))
        return unknown if answer is None else answer

    def _is_column_of_type(self, table: str, column: str) -> bool | None:
        """Whether a column is of the type; None where the column is not known."""
        if not table and column in self.piece.columns:
            return self.value.is_of(self.piece.columns[column], self.catalog)
        names = [self.tables[table]] if table in self.tables else [] if table else list(self.tables.values())
        answers = [self._is_relation_column_of_type(name, column) for name in names]
        return True if True in answers else None if None in answers else False

    def _is_relation_column_of_type(self, relation_name: Name, column_name: str) -> bool | None:
        relation = self.catalog.relation(relation_name)
        column = relation.column(column_name) if relation is not None else None
        if relation is None or column is None:
            return False if relation is not None and relation.complete else None
        return self.value.is_of(column.type, self.catalog)
