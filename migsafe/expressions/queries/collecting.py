"""The names in expressions: columns, functions, types, and the queries in them."""

from sqlglot import exp

from migsafe.expressions.queries.operands import Operands, query_of, ref_of, type_text
from migsafe.expressions.queries.shapes import FIELD, OF_SEQUENCES, ROW, Call, Ref, Shape
from migsafe.expressions.trees import folded_name


class NotUnderstoodError(Exception):
    """The query has a form that is not read."""


class Collector:
    """Collects the names in the expressions of one query, with the text of formulas if it `spells`."""

    def __init__(self, *, spells: bool = True) -> None:
        self.spells = spells
        self.refs: list[Ref] = []
        self.calls: list[Call] = []
        self.types: list[str] = []
        self.queries: list[Shape] = []
        self.numbers: dict[int, int] = {}
        self.operands = Operands(self.numbers, spells=spells)

    def read_inner(self, node: exp.Expr) -> Shape:
        """Returns the shape of a query in an expression."""
        raise NotImplementedError

    def collect(self, node: object) -> None:
        """Collects the columns, functions, types and queries in an expression, or in a list of expressions."""
        if isinstance(node, list | tuple):
            for item in node:
                self.collect(item)
        match node:
            case exp.Column(this=exp.Star()):
                if node.args.get("table") is not None:
                    self.refs.append(Ref(ROW, folded_name(node.args["table"])))
            case exp.Column():
                self.refs.append(ref_of(node))
            case exp.Subquery() if not isinstance(node.this, exp.Query):
                self.collect(node.this)
            case exp.Query() | exp.DML():
                self._nested(node)
            case exp.Dot():
                self._dot(node)
            case exp.Lambda():
                # `column -> 'key'` as an argument: sqlglot takes the column for the parameter of a lambda.
                self.refs += [Ref(folded_name(item)) for item in node.expressions if isinstance(item, exp.Identifier)]
                self.collect(node.this)
            case exp.Anonymous():
                self.calls.append(Call(called_name(node), None, len(node.expressions), _sequence(node)))
                self.collect(node.expressions)
            case exp.DataType():
                self.types.append(type_text(node))
            case exp.Expr():
                for key, child in node.args.items():
                    if key != "_type" and isinstance(child, exp.Expr | list):
                        self.collect(child)

    def _nested(self, node: exp.Expr) -> None:
        query = query_of(node)
        self.numbers[id(query)] = len(self.queries)
        self.queries.append(self.read_inner(query))

    def _dot(self, node: exp.Dot) -> None:
        parts = _dotted(node)
        if parts is not None:
            schema, call = parts
            self.calls.append(Call(called_name(call), schema, len(call.expressions), _sequence(call)))
            self.collect(call.expressions)
            return
        inner = node.this.this if isinstance(node.this, exp.Paren) else None
        name = folded_name(inner.this) if isinstance(inner, exp.Column) and not inner.table and isinstance(inner.this, exp.Identifier) else None
        if name is not None and isinstance(node.expression, exp.Identifier):
            self.refs.append(Ref(folded_name(node.expression), name, FIELD))
        elif name is not None and isinstance(node.expression, exp.Star):
            self.refs.append(Ref(ROW, name, FIELD))
        else:
            self.collect(node.this)
            if isinstance(node.expression, exp.Func):
                self.collect(node.expression)


def called_name(node: exp.Expr) -> str:
    """Returns the name of the function that a call names. sqlglot does not tell a quoted name from another one."""
    return str(node.name).lower()


def _sequence(call: exp.Expr) -> str | None:
    """Returns the constant that names a sequence: `nextval('orders_id_seq'::regclass)`."""
    if called_name(call) not in OF_SEQUENCES or not call.expressions:
        return None
    argument = call.expressions[0]
    if isinstance(argument, exp.Cast) and argument.to.sql().lower() == "regclass":
        argument = argument.this
    return str(argument.this) if isinstance(argument, exp.Literal) and argument.is_string else None


def _dotted(node: exp.Dot) -> tuple[str | None, exp.Expr] | None:
    """Returns the schema and the call in `schema.function(…)`; None for another expression with a dot."""
    if not isinstance(node.expression, exp.Anonymous):
        return None
    schema = node.this
    if isinstance(schema, exp.Column):
        schema = schema.this
    return (folded_name(schema), node.expression) if isinstance(schema, exp.Identifier) else None
