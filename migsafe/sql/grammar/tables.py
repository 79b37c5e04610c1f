"""All forms of CREATE TABLE."""

from migsafe.sql import features
from migsafe.sql.grammar.columns import column
from migsafe.sql.grammar.constraints import at_constraint, index_element, table_constraint
from migsafe.sql.grammar.options import foreign_options, options_after, uses_options
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.operations import (
    Bound,
    Column,
    Constraint,
    ConstraintKind,
    CreateTable,
    CreateTableAs,
    Like,
    Name,
    Operation,
    Option,
    PartitionKey,
    Persistence,
)

_LIKE_OPTIONS = "comments compression constraints defaults identity generated indexes statistics storage all".split()


def persistence(c: Parser) -> Persistence:
    """Read TEMPORARY, LOCAL TEMP, UNLOGGED and so on before TABLE, SEQUENCE or VIEW."""
    if c.accept_any(("local", "global")):
        c.expect_any("temporary", "temp")
        return Persistence.TEMPORARY
    if c.accept_any(("temporary", "temp")):
        return Persistence.TEMPORARY
    return Persistence.UNLOGGED if c.accept("unlogged") else Persistence.PERMANENT


def create_table(c: Parser, start: int, table_persistence: Persistence) -> Operation:
    """Read CREATE TABLE after the word TABLE; `start` is the statement's first token."""
    if_not_exists = c.if_not_exists()
    table = c.qualified("a table's name")
    if c.accept("of"):
        of_type = c.qualified("a type")
        columns, constraints, _ = _elements(c, typed=False) if c.words[c.i] == "(" else ((), (), ())
        return _finish(c, start, table, table_persistence, if_not_exists, columns=columns, constraints=constraints, of_type=of_type)
    if c.accept("partition", "of"):
        parent = c.qualified("a table")
        columns, constraints, _ = _elements(c, typed=False) if c.words[c.i] == "(" else ((), (), ())
        values = bound(c)
        return _finish(
            c, start, table, table_persistence, if_not_exists, columns=columns, constraints=constraints, partition_of=parent, bound=values
        )
    if c.words[c.i] != "(" or _is_column_list_of_as(c):
        return _create_table_as(c, start, table, table_persistence, if_not_exists)
    columns, constraints, likes = ((), (), ()) if c.accept("(", ")") else _elements(c, typed=True)
    inherits = c.in_parentheses(lambda: c.qualified("a table")) if c.accept("inherits") else ()
    return _finish(c, start, table, table_persistence, if_not_exists, columns=columns, constraints=constraints, likes=likes, inherits=inherits)


def _is_column_list_of_as(c: Parser) -> bool:
    """Whether the parentheses contain only column names, which is valid only in CREATE TABLE … (a, b) AS."""
    return c.kinds[c.i + 1] != 0 and c.words[c.i + 2] in (",", ")") and c.words[c.i + 1] not in (")", "like")


def _elements(c: Parser, *, typed: bool) -> tuple[tuple[Column, ...], tuple[Constraint, ...], tuple[Like, ...]]:
    columns: list[Column] = []
    constraints: list[Constraint] = []
    likes: list[Like] = []
    c.expect("(")
    while True:
        if at_constraint(c):
            constraints.append(table_constraint(c))
        elif typed and c.accept("like"):
            likes.append(_like(c))
        else:
            columns.append(column(c, typed=typed))
        if not c.accept(","):
            break
    if not c.accept(")"):
        c.fail('"," or ")"')
    return tuple(columns), tuple(constraints), tuple(likes)


def _like(c: Parser) -> Like:
    table = c.qualified("a table")
    settings: list[str] = []
    while word := c.accept_any(("including", "excluding")):
        settings.append(f"{word} {c.expect_any(*_LIKE_OPTIONS)}")
    return Like(table, tuple(settings))


def _finish(
    c: Parser,
    start: int,
    table: Name,
    table_persistence: Persistence,
    if_not_exists: bool,
    constraints: tuple[Constraint, ...],
    **parts: object,
) -> CreateTable:
    """Read the clauses after the columns of CREATE TABLE."""
    key = partition_key(c) if c.accept("partition", "by") else None
    method, settings, on_commit, space = _storage(c)
    if key is not None and method is not None:
        c.uses(features.PARTITIONED_ACCESS_METHOD)
    if key is not None and any(constraint.kind is ConstraintKind.EXCLUDE for constraint in constraints):
        c.uses(features.PARTITIONED_EXCLUSION)
    return CreateTable(
        c.span(start),
        table=table,
        partition_by=key,
        persistence=table_persistence,
        if_not_exists=if_not_exists,
        method=method,
        options=settings,
        on_commit=on_commit,
        tablespace=space,
        constraints=constraints,
        **parts,  # type: ignore[arg-type]  # what the callers above name
    )


def _storage(c: Parser) -> tuple[str | None, tuple[Option, ...], str | None, str | None]:
    method = c.name("an access method") if c.accept("using") else None
    settings = uses_options(c, "a table", options_after(c))
    c.accept("without", "oids")
    on_commit = None
    if c.accept("on", "commit"):
        on_commit = c.expect_any("drop", "delete", "preserve")
        if on_commit != "drop":
            c.expect("rows")
            on_commit += " rows"
    return method, settings, on_commit, c.name("a tablespace") if c.accept("tablespace") else None


def _create_table_as(c: Parser, start: int, table: Name, table_persistence: Persistence, if_not_exists: bool) -> CreateTableAs:
    columns = c.in_parentheses(lambda: c.name("a column")) if c.words[c.i] == "(" else ()
    method, settings, on_commit, space = _storage(c)
    c.expect("as")
    query, execute = None, None
    if c.accept("execute"):
        execute = c.name("a prepared statement")
        if c.words[c.i] == "(":
            c.skip_group()
    elif c.at_query():
        query = c.whole_query()
    else:
        c.fail("a query")
    data = with_data(c)
    return CreateTableAs(
        c.span(start),
        table=table,
        query=query,
        columns=columns,
        persistence=table_persistence,
        if_not_exists=if_not_exists,
        with_data=data,
        execute=execute,
        method=method,
        options=settings,
        on_commit=on_commit,
        tablespace=space,
    )


def with_data(c: Parser) -> bool:
    """Read WITH [NO] DATA, and return whether the data are included. That is the default."""
    if c.accept("with", "no", "data"):
        return False
    c.accept("with", "data")
    return True


def partition_key(c: Parser) -> PartitionKey:
    """Read the rest of PARTITION BY."""
    strategy = c.name("a partitioning strategy")
    return PartitionKey(strategy, c.in_parentheses(lambda: index_element(c)))


def bound(c: Parser) -> Bound:
    """Read FOR VALUES … or DEFAULT."""
    if c.accept("default"):
        return Bound("default")
    c.expect("for", "values")
    if c.accept("in"):
        return Bound("in", c.in_parentheses(lambda: _bound_value(c)))
    if c.accept("from"):
        low = c.in_parentheses(lambda: _bound_value(c))
        c.expect("to")
        return Bound("range", low, c.in_parentheses(lambda: _bound_value(c)))
    c.expect("with")
    return Bound("hash", c.in_parentheses(lambda: _hash_part(c)))


def _bound_value(c: Parser) -> str:
    if word := c.accept_any(("minvalue", "maxvalue")):
        return word
    return c.expression().sql


def _hash_part(c: Parser) -> str:
    word = c.non_reserved("MODULUS or REMAINDER")
    return f"{word} {c.number()}"


def create_foreign_table(c: Parser, start: int) -> CreateTable:
    """Read CREATE FOREIGN TABLE after these words."""
    if_not_exists = c.if_not_exists()
    table = c.qualified("a table's name")
    parent = values = None
    columns: tuple[Column, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    likes: tuple[Like, ...] = ()
    inherits: tuple[Name, ...] = ()
    if c.accept("partition", "of"):
        parent = c.qualified("a table")
        if c.words[c.i] == "(":
            columns, constraints, _ = _elements(c, typed=False)
        values = bound(c)
    else:
        if not c.accept("(", ")"):
            columns, constraints, likes = _elements(c, typed=True)
            if likes:
                c.uses(features.FOREIGN_TABLE_LIKE)
        if c.accept("inherits"):
            inherits = c.in_parentheses(lambda: c.qualified("a table"))
    c.expect("server")
    server = c.name("a server")
    settings = foreign_options(c)
    return CreateTable(
        c.span(start),
        table=table,
        columns=columns,
        constraints=constraints,
        likes=likes,
        inherits=inherits,
        partition_of=parent,
        bound=values,
        if_not_exists=if_not_exists,
        options=settings,
        server=server,
    )
