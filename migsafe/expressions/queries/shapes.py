"""The shape of a query: what it names, by scope, and what it compares. It depends on the query's text only.

A shape is read once, from sqlglot's tree or (`plain`) from our own tokens, and can be stored. It is then bound to any state of the database
without sqlglot (`migsafe.workload.binding`). Names are as PostgreSQL folds them.
"""

from msgspec import Struct

FIELD = "()"
"""The schema of a reference `(name).field`: `name` is a column of a composite type, or a whole row."""
ROW = "*"
"""The name in a reference to a whole row: `table.*` in an expression."""
NEGATION = {"<": ">=", "<=": ">", "=": "<>", "<>": "=", ">=": "<", ">": "<="}
"""The operator of the opposite comparison, unless an operand is null."""
COMMUTED = {"<": ">", "<=": ">=", "=": "=", "<>": "<>", ">=": "<=", ">": "<"}
"""The operator of the same comparison with its operands exchanged."""


class Ref(Struct, frozen=True, array_like=True, tag="column"):
    """A reference to a column: `table` is its qualifier, `schema` that of the qualifier."""

    name: str
    table: str | None = None
    schema: str | None = None


class Value(Struct, frozen=True, array_like=True, tag="value"):
    """A constant: the text between the quotes if it `is_string`, otherwise as written (`null`, `true`, `12`), and the types it is cast to."""

    text: str
    is_string: bool = False
    casts: tuple[str, ...] = ()


class Parameter(Struct, frozen=True, array_like=True, tag="parameter"):
    """A parameter, and the type that it is cast to."""

    number: int
    cast: str | None = None


class Nested(Struct, frozen=True, array_like=True, tag="query"):
    """A query in an expression: its index in `Shape.queries`. `cast` is the type that its result is cast to."""

    query: int
    cast: str | None = None


class Formula(Struct, frozen=True, array_like=True, tag="formula"):
    """Another expression: its normal spelling without the qualifiers of columns, and the columns in it. `cast` is the type of its result if the
    expression is a cast. `function` is the name of the function that it calls, if it is nothing else. `passed` are the parameters whose value
    it may have: those in COALESCE, NULLIF, CASE and functions that only change a string's form."""

    text: str
    refs: tuple[Ref, ...] = ()
    cast: str | None = None
    function: str | None = None
    queries: tuple[int, ...] = ()
    passed: tuple[Parameter, ...] = ()


class Several(Struct, frozen=True, array_like=True, tag="list"):
    """The elements of a list after IN."""

    elements: tuple["Operand", ...]


Operand = Ref | Value | Parameter | Nested | Formula | Several


class Compare(Struct, frozen=True, array_like=True, tag="compare"):
    """A comparison. `operator` is PostgreSQL's, or `in`, `any` (`= ANY (…)`), `like`, `ilike`, `not in`, `all` (`<> ALL (…)`)."""

    left: Operand
    operator: str
    right: Operand


class NullTest(Struct, frozen=True, array_like=True, tag="null"):
    """IS NULL; with `is_negated`, IS NOT NULL."""

    operand: Operand
    is_negated: bool = False


class Truth(Struct, frozen=True, array_like=True, tag="truth"):
    """A boolean column or expression as a condition. `value` is the truth value that it must have."""

    operand: Operand
    value: bool = True


class All(Struct, frozen=True, array_like=True, tag="and"):
    """AND."""

    parts: tuple["Condition", ...]


class Either(Struct, frozen=True, array_like=True, tag="or"):
    """OR."""

    parts: tuple["Condition", ...]


class Exists(Struct, frozen=True, array_like=True, tag="exists"):
    """EXISTS, or NOT EXISTS if `is_negated`: the index of the query in `Shape.queries`."""

    query: int
    is_negated: bool = False


class Other(Struct, frozen=True, array_like=True, tag="other"):
    """A condition of another form."""


Condition = Compare | NullTest | Truth | All | Either | Exists | Other


OF_SEQUENCES = frozenset(("nextval", "currval", "setval"))
"""The functions whose first argument is a regclass that PostgreSQL resolves when it prepares the query, if it is a constant."""


class Call(Struct, frozen=True, array_like=True):
    """A call of a function that sqlglot does not know, with the number of its arguments. `sequence` is the constant that names the sequence of
    `nextval`, `currval` or `setval`; None if it is a parameter."""

    name: str
    schema: str | None
    arguments: int
    sequence: str | None = None


class Output(Struct, frozen=True, array_like=True):
    """An output column: its name (None if it has none that is known), and its expression. A `star` stands for all columns of `table`, or of all
    elements of FROM."""

    name: str | None
    operand: Operand | None = None
    star: bool = False
    table: str | None = None


class AroundJoin(Struct, frozen=True, array_like=True):
    """The join of several elements of FROM in parentheses with those before them: its kind, their number, and the condition in ON."""

    join: str
    elements: int
    on: Condition


class Source(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An element of FROM. `kind` is `table`, `query` or `function`.

    `columns` are the names in its alias; a `closed` alias names all columns, with `types` (None where unknown). `join` is `inner`, `left`,
    `right`, `full` or `cross`, `around` are the joins of parentheses that end with it. `refs` are the columns in ON, which sees the elements up
    to this one, `arguments` those of a function, which sees those before it.
    """

    kind: str
    alias: str | None = None
    columns: tuple[str, ...] = ()
    closed: bool = False
    types: tuple[str | None, ...] = ()
    name: str = ""
    schema: str | None = None
    query: "Shape | None" = None
    lateral: bool = False
    join: str = "cross"
    on: Condition | None = None
    using: tuple[str, ...] = ()
    natural: bool = False
    around: tuple[AroundJoin, ...] = ()
    refs: tuple[Ref, ...] = ()
    arguments: tuple[Ref, ...] = ()
    sampled: bool = False
    call: Call | None = None

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions of the joins that end with it."""
        return (*((self.on,) if self.on is not None else ()), *(around.on for around in self.around))


class Cte(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A WITH query. `materialized` if the query says so."""

    name: str
    columns: tuple[str, ...]
    query: "Shape"
    materialized: bool | None = None


class OrderKey(Struct, frozen=True, array_like=True):
    """A key of ORDER BY. `nulls_first` is None if the query does not say it."""

    operand: Operand
    descending: bool = False
    nulls_first: bool | None = None


class Conflict(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """ON CONFLICT. `keys` are the columns and expressions of the index, `where` its predicate, `constraint` the constraint's name. `refs` are
    the columns in the keys and in `where`."""

    keys: tuple[Operand, ...] = ()
    where: Condition | None = None
    constraint: str | None = None
    refs: tuple[Ref, ...] = ()


class MergedRow(Struct, frozen=True, array_like=True):
    """The row that a MERGE inserts: the listed columns (None without a list), the number of its values, and the positions of those that are
    DEFAULT and NULL."""

    columns: tuple[str, ...] | None
    width: int
    defaults: tuple[int, ...] = ()
    nulls: tuple[int, ...] = ()


class GroupingUse(Struct, frozen=True, array_like=True):
    """A column outside aggregate functions. `output` is the index of the output column in which it stands, -1 for HAVING and ORDER BY;
    `is_whole` if it is nothing else than this column."""

    ref: Ref
    output: int
    is_whole: bool


class Grouping(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a query groups rows: the columns of GROUP BY, the output columns that it names by their number, the columns that its expressions
    mention, and the columns that the query uses outside aggregate functions and these expressions."""

    keys: tuple[Ref, ...] = ()
    positions: tuple[int, ...] = ()
    mentioned: tuple[str, ...] = ()
    uses: tuple[GroupingUse, ...] = ()


class Shape(Struct, frozen=True, kw_only=True, tag="query", omit_defaults=True):
    """A query, or a part of one.

    `kind` is `select`, `set` (UNION and similar, of `branches`), `values`, `insert`, `update`, `delete` or `merge`. The first element of
    `sources` is the target of the last four. `refs` are the columns that it names outside FROM, `output_refs` those of ORDER BY, GROUP BY and
    DISTINCT ON that stand alone and may be output columns; `queries` those within its expressions, `calls` and `types` the functions and types
    that all of them name. `outputs` are the SELECT list or RETURNING. `grouped` if it has aggregates or GROUP BY, `has_group` if
    it has GROUP BY; `grouping` is how it groups, None if it does not or if that is not read. `aggregate_in` is the clause that calls an
    aggregate function although it may not; `operator` that of a `set`: UNION, INTERSECT or EXCEPT. `distinct`
    leaves out equal rows, with `distinct_on` rows that are equal in some columns.

    Of an INSERT, `target_columns` are the listed columns (None without a list), `body` the SELECT or VALUES, and `defaults` the positions where
    every row says DEFAULT, `nulls` those where a row says NULL; `overrides` if it says OVERRIDING. `assigned` are the columns of SET with their
    values, `merged` the rows that a MERGE inserts.
    """

    kind: str
    ctes: tuple[Cte, ...] = ()
    recursive: bool = False
    sources: tuple[Source, ...] = ()
    outputs: tuple[Output, ...] = ()
    refs: tuple[Ref, ...] = ()
    output_refs: tuple[Ref, ...] = ()
    group_refs: tuple[Ref, ...] = ()
    excluded_refs: tuple[Ref, ...] = ()
    calls: tuple[Call, ...] = ()
    types: tuple[str, ...] = ()
    queries: tuple["Shape", ...] = ()
    where: Condition | None = None
    order: tuple[OrderKey, ...] = ()
    limited: bool = False
    grouped: bool = False
    has_group: bool = False
    grouping: Grouping | None = None
    aggregate_in: str = ""
    operator: str = ""
    distinct: bool = False
    distinct_on: bool = False
    locking: bool = False
    branches: tuple["Shape", ...] = ()
    width: int = 0
    target_columns: tuple[str, ...] | None = None
    body: "Shape | None" = None
    defaults: tuple[int, ...] = ()
    nulls: tuple[int, ...] = ()
    overrides: bool = False
    conflict: Conflict | None = None
    assigned: tuple[tuple[str, Operand], ...] = ()
    merged: tuple[MergedRow, ...] = ()


class UnreadShape(Struct, frozen=True, kw_only=True, tag="unread"):
    """A query whose shape is not known, and why."""

    reason: str
