"""Operations written as SQL again, for people to paste."""

from collections.abc import Iterable, Mapping

from migsafe import versions
from migsafe.sql.lexer import DOLLAR_STRING, WORD, pattern_for
from migsafe.sql.operations import Column, Constraint, CreateIndex, IndexElement, Name, Option, PartitionKey, TypeName
from migsafe.sql.operations.values import quoted


def join_migrations(*migrations: str) -> str:
    """SQL for several migrations, one after the other; what is empty is left out."""
    return "\n-- next migration\n".join(migration for migration in migrations if migration)


def create_index(index: CreateIndex, name: str | None, *, concurrently: bool = False, only: bool = False, table: Name | None = None) -> str:
    """CREATE INDEX under a name, which may be None, without its `;`. `table` is another one than its own: a partition."""
    words = ["CREATE UNIQUE INDEX" if index.unique else "CREATE INDEX"]
    if concurrently:
        words.append("CONCURRENTLY")
    if name is not None:
        words.append(quoted(name))
    words.append(f"ON {'ONLY ' if only else ''}{table or index.table}")
    if index.method is not None:
        words.append(f"USING {quoted(index.method)}")
    words.append(_elements(index.elements))
    if index.include:
        words.append(f"INCLUDE {_elements(index.include)}")
    if index.nulls_not_distinct:
        words.append("NULLS NOT DISTINCT")
    if index.options:
        words.append(f"WITH {storage_options(index.options)}")
    if index.tablespace is not None:
        words.append(f"TABLESPACE {quoted(index.tablespace)}")
    if index.where is not None:
        words.append(f"WHERE {index.where.sql}")
    return " ".join(words)


def create_unique_index(table: Name, constraint: Constraint, name: str) -> str:
    """The CREATE UNIQUE INDEX CONCURRENTLY whose index a UNIQUE or PRIMARY KEY constraint can take over, without its `;`."""
    words = [f"CREATE UNIQUE INDEX CONCURRENTLY {quoted(name)} ON {table} ({_columns(constraint.columns)})"]
    if constraint.include:
        words.append(f"INCLUDE ({_columns(constraint.include)})")
    if constraint.nulls_not_distinct:
        words.append("NULLS NOT DISTINCT")
    if constraint.options:
        words.append(f"WITH {storage_options(constraint.options)}")
    if constraint.tablespace is not None:
        words.append(f"TABLESPACE {quoted(constraint.tablespace)}")
    return " ".join(words)


def add_constraint_using_index(table: Name, constraint: Constraint, name: str) -> str:
    """The ALTER TABLE that makes a constraint of the index of its name."""
    words = [f"ALTER TABLE {table} ADD CONSTRAINT {quoted(name)} {constraint.kind.value} USING INDEX {quoted(name)}"]
    return " ".join((*words, *_deferrable(constraint))) + ";"


def check_not_valid(expression: str, name: str, *, no_inherit: bool = False) -> str:
    """A CHECK constraint of a table under a name, as NOT VALID."""
    return f"CONSTRAINT {quoted(name)} CHECK ({expression}){' NO INHERIT' if no_inherit else ''} NOT VALID"


def validate_constraints(table: Name, *names: str) -> str:
    """The ALTER TABLE that validates constraints."""
    return f"ALTER TABLE {table} {', '.join(f'VALIDATE CONSTRAINT {quoted(name)}' for name in names)};"


def set_not_null_in_steps(table: Name, names: Mapping[str, str], pg_version: int, *already: str) -> tuple[str, str]:
    """Two migrations that make columns NOT NULL without a scan that stops anybody. `names` are those of the constraints by column, `already`
    parts that the first ALTER TABLE has too.

    Before 18 a valid CHECK lets SET NOT NULL believe it; from 18 on NOT NULL is a constraint that can be NOT VALID itself.
    """
    if pg_version >= versions.NOT_NULL_CONSTRAINTS:
        given = [f"CONSTRAINT {quoted(name)} NOT NULL {quoted(column)} NOT VALID" for column, name in names.items()]
    else:
        given = [check_not_valid(f"{quoted(column)} IS NOT NULL", name) for column, name in names.items()]
    first = f"ALTER TABLE {table} {', '.join((*already, *(f'ADD {one}' for one in given)))};"
    second = ["-- without blocking reads and writes:", validate_constraints(table, *names.values())]
    if pg_version < versions.NOT_NULL_CONSTRAINTS:
        second += [
            "-- a valid CHECK spares SET NOT NULL the scan, as long as it is dropped only afterwards:",
            f"ALTER TABLE {table} {', '.join(f'ALTER COLUMN {quoted(column)} SET NOT NULL' for column in names)};",
            f"ALTER TABLE {table} {', '.join(f'DROP CONSTRAINT {quoted(name)}' for name in names.values())};",
        ]
    return first, "\n".join(second)


def partition_by(key: PartitionKey) -> str:
    """PARTITION BY with its keys."""
    return f"PARTITION BY {key.strategy.upper()} {_elements(key.elements)}"


def column_definition(given: Column, type_name: TypeName | None = None) -> str:
    """A column's name, type and collation, without default and constraints."""
    words = [quoted(given.name), str(type_name or given.type)]
    if given.collation is not None:
        words.append(f"COLLATE {given.collation}")
    return " ".join(words)


def batched_update(table: Name, column: str, value: str, condition: str) -> str:
    """A DO block that sets a column where a condition holds, 10,000 rows a transaction, until no row is left."""
    update = f"UPDATE {table} SET {quoted(column)} = {value}"  # noqa: S608  # it is written down, not run
    rows = f"SELECT ctid FROM {table} WHERE {condition} LIMIT 10000"  # noqa: S608
    return "\n".join(
        (
            "DO $$",
            "BEGIN",
            "    LOOP",
            f"        {update}",
            f"            WHERE {condition} AND ctid = ANY (ARRAY({rows}));",
            "        EXIT WHEN NOT FOUND;",
            "        COMMIT;",
            "    END LOOP;",
            "END $$;",
        )
    )


def computing_trigger(table: Name, column: str, expression: str, name: str) -> str:
    """A trigger of this name that computes a column from the others whenever a row is written."""
    function = Name(name, table.schema)
    return "\n".join(
        (
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$",
            "BEGIN",
            f"    SELECT {expression} INTO NEW.{quoted(column)} FROM (SELECT NEW.*) AS {quoted(table.name)};",  # noqa: S608
            "    RETURN NEW;",
            "END $$;",
            f"CREATE OR REPLACE TRIGGER {quoted(name)} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}();",
        )
    )


def replace_word(expression: str, word: str, other: str) -> str:
    """An expression in which another word stands in the place of a keyword: a column's name where a domain says VALUE."""
    pattern, at, found = pattern_for(expression), 0, ""
    while at < len(expression):
        match = pattern.match(expression, at)
        if match is None or match.lastindex is None:
            break
        is_it = match.lastindex == WORD and match[WORD].lower() == word
        end = match.end()
        if match.lastindex == DOLLAR_STRING:
            end = expression.find(match[DOLLAR_STRING], end) + len(match[DOLLAR_STRING])
        found += expression[at : match.start(WORD)] + other if is_it else expression[at:end]
        at = end
    return found + expression[at:]


def foreign_key_clause(constraint: Constraint, name: str, *, not_valid: bool = True) -> str:
    """A FOREIGN KEY constraint of a table under a name, as NOT VALID unless it need not be."""
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
    words += _deferrable(constraint)
    if not_valid:
        words.append("NOT VALID")
    return " ".join(words)


def _deferrable(constraint: Constraint) -> list[str]:
    words = []
    if constraint.deferrable is not None:
        words.append("DEFERRABLE" if constraint.deferrable else "NOT DEFERRABLE")
    if constraint.initially_deferred:
        words.append("INITIALLY DEFERRED")
    return words


def _columns(names: Iterable[str]) -> str:
    return ", ".join(quoted(name) for name in names)


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
        words.append(str(element.opclass) + (storage_options(element.opclass_options) if element.opclass_options else ""))
    if element.descending:
        words.append("DESC")
    if element.nulls_first is not None:
        words.append("NULLS FIRST" if element.nulls_first else "NULLS LAST")
    return " ".join(words)


def _key(element: IndexElement) -> str:
    assert element.expression is not None
    return f"({element.expression.sql})"


def storage_options(options: Iterable[Option]) -> str:
    """A list of options in its parentheses."""
    return f"({', '.join(option.name if option.value is None else f'{option.name} = {option.value}' for option in options)})"
