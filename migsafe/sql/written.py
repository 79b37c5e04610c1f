"""Operations written as SQL again, for people to paste."""

from collections.abc import Iterable

from migsafe.sql.operations import Constraint, CreateIndex, IndexElement, Option
from migsafe.sql.operations.values import quoted


def create_index(index: CreateIndex, name: str | None, *, concurrently: bool) -> str:
    """CREATE INDEX under a name, which may be None, without its `;`."""
    words = ["CREATE UNIQUE INDEX" if index.unique else "CREATE INDEX"]
    if concurrently:
        words.append("CONCURRENTLY")
    if name is not None:
        words.append(f"IF NOT EXISTS {quoted(name)}" if index.if_not_exists else quoted(name))
    words.append(f"ON {index.table}")
    if index.method is not None:
        words.append(f"USING {quoted(index.method)}")
    words.append(_elements(index.elements))
    if index.include:
        words.append(f"INCLUDE {_elements(index.include)}")
    if index.nulls_not_distinct:
        words.append("NULLS NOT DISTINCT")
    if index.options:
        words.append(f"WITH {_options(index.options)}")
    if index.tablespace is not None:
        words.append(f"TABLESPACE {quoted(index.tablespace)}")
    if index.where is not None:
        words.append(f"WHERE {index.where.sql}")
    return " ".join(words)


def foreign_key(constraint: Constraint, name: str) -> str:
    """A FOREIGN KEY constraint of a table under a name, as NOT VALID."""
    reference = constraint.references
    assert reference is not None
    words = [f"CONSTRAINT {quoted(name)} FOREIGN KEY ({_key_columns(constraint, constraint.columns)}) REFERENCES {reference.table}"]
    if reference.columns:
        words.append(f"({_key_columns(constraint, reference.columns)})")
    if reference.match != "simple":
        words.append(f"MATCH {reference.match.upper()}")
    for event, action in (("DELETE", reference.on_delete), ("UPDATE", reference.on_update)):
        if action != "no action":
            words.append(f"ON {event} {_action(action)}")
    if constraint.deferrable is not None:
        words.append("DEFERRABLE" if constraint.deferrable else "NOT DEFERRABLE")
    if constraint.initially_deferred:
        words.append("INITIALLY DEFERRED")
    words.append("NOT VALID")
    return " ".join(words)


def _key_columns(constraint: Constraint, columns: tuple[str, ...]) -> str:
    *most, last = (quoted(column) for column in columns)
    return ", ".join((*most, f"PERIOD {last}" if constraint.period else last))


def _action(action: str) -> str:
    """A referential action; the columns that SET NULL and SET DEFAULT may have stay as they are."""
    verb, parenthesis, columns = action.partition("(")
    return verb.upper() + parenthesis + columns


def _elements(elements: Iterable[IndexElement]) -> str:
    return f"({', '.join(_element(element) for element in elements)})"


def _element(element: IndexElement) -> str:
    words = [quoted(element.column) if element.column is not None else _key(element)]
    if element.collation is not None:
        words.append(f"COLLATE {element.collation}")
    if element.opclass is not None:
        words.append(str(element.opclass) + (_options(element.opclass_options) if element.opclass_options else ""))
    if element.descending:
        words.append("DESC")
    if element.nulls_first is not None:
        words.append("NULLS FIRST" if element.nulls_first else "NULLS LAST")
    return " ".join(words)


def _key(element: IndexElement) -> str:
    assert element.expression is not None
    return f"({element.expression.sql})"


def _options(options: Iterable[Option]) -> str:
    return f"({', '.join(option.name if option.value is None else f'{option.name} = {option.value}' for option in options)})"
