"""SQL that is generated from operations, for help texts and fixes."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from migsafe import versions
from migsafe.sql.lexer import DOLLAR_STRING, WORD, pattern_for
from migsafe.sql.operations import Column, Constraint, CreateIndex, IndexElement, Name, Option, PartitionKey, TypeName
from migsafe.sql.operations.values import quoted

NEXT_FROM_HERE = "-- next migration from this statement on"
WITHOUT_STATEMENT = "-- without this statement"
"""The fix that moves the flagged statement, and those after it, to the next migration."""


def join_migrations(*migrations: str) -> str:
    """Return SQL for several successive migrations, without the empty ones."""
    return "\n-- next migration\n".join(migration for migration in migrations if migration)


def create_index(index: CreateIndex, name: str | None, *, concurrently: bool = False, only: bool = False, table: Name | None = None) -> str:
    """Return CREATE INDEX with a name, or without one, and without `;`. `table` replaces the index's own table, for a partition."""
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
    """Return the CREATE UNIQUE INDEX CONCURRENTLY, without `;`, whose index a UNIQUE or PRIMARY KEY constraint can use."""
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


def add_constraint_using_index(table: Name, constraint: Constraint, name: str, index: str | None = None) -> str:
    """Return the ALTER TABLE that adds a constraint on the existing index with the same name. If another `index` is given, it replaces the
    constraint of that name; PostgreSQL then renames the index."""
    dropped = f"DROP CONSTRAINT {quoted(name)}, " if index not in (None, name) else ""
    words = [f"ALTER TABLE {table} {dropped}ADD CONSTRAINT {quoted(name)} {constraint.kind.value} USING INDEX {quoted(index or name)}"]
    return " ".join((*words, *_deferrable(constraint))) + ";"


def check_not_valid(expression: str, name: str, *, no_inherit: bool = False) -> str:
    """Return a named CHECK constraint of a table as NOT VALID."""
    return f"CONSTRAINT {quoted(name)} CHECK ({expression}){' NO INHERIT' if no_inherit else ''} NOT VALID"


def validate_constraints(table: Name, *names: str) -> str:
    """Return the ALTER TABLE that validates constraints."""
    return f"ALTER TABLE {table} {', '.join(f'VALIDATE CONSTRAINT {quoted(name)}' for name in names)};"


def set_not_null_in_steps(table: Name, names: Mapping[str, str], pg_version: int, *actions: str) -> tuple[str, str]:
    """Return two migrations that make columns NOT NULL without a scan that blocks other sessions.

    `names` maps columns to the names of constraints. `actions` are further actions of the first ALTER TABLE.

    Before PostgreSQL 18 a valid CHECK spares SET NOT NULL the scan. Since 18 NOT NULL is a constraint that can itself be NOT VALID.
    """
    if pg_version >= versions.NOT_NULL_CONSTRAINTS:
        constraints = [f"CONSTRAINT {quoted(name)} NOT NULL {quoted(column)} NOT VALID" for column, name in names.items()]
    else:
        constraints = [check_not_valid(f"{quoted(column)} IS NOT NULL", name) for column, name in names.items()]
    first = f"ALTER TABLE {table} {', '.join((*actions, *(f'ADD {constraint}' for constraint in constraints)))};"
    second = ["-- without blocking reads and writes:", validate_constraints(table, *names.values())]
    if pg_version < versions.NOT_NULL_CONSTRAINTS:
        second += [
            "-- with a valid CHECK, SET NOT NULL needs no scan; drop the CHECK only afterwards:",
            f"ALTER TABLE {table} {', '.join(f'ALTER COLUMN {quoted(column)} SET NOT NULL' for column in names)};",
            f"ALTER TABLE {table} {', '.join(f'DROP CONSTRAINT {quoted(name)}' for name in names.values())};",
        ]
    return first, "\n".join(second)


def partition_by(key: PartitionKey) -> str:
    """Return PARTITION BY with its key."""
    return f"PARTITION BY {key.strategy.upper()} {_elements(key.elements)}"


def column_definition(column: Column, type_name: TypeName | None = None) -> str:
    """Return a column's name, type and collation, without its default and constraints."""
    words = [quoted(column.name), str(type_name or column.type)]
    if column.collation is not None:
        words.append(f"COLLATE {column.collation}")
    return " ".join(words)


def batched_update(table: Name, column: str, value: str, condition: str) -> str:
    """Return a DO block that sets a column where a condition is true, 10,000 rows in each transaction, until no row is left."""
    update = f"UPDATE {table} SET {quoted(column)} = {value}"  # noqa: S608  # it is shown, not run
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
    """Return a named trigger that computes a column from the other columns whenever a row is written."""
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


class TypedColumn(Struct, frozen=True):
    """A column with its type, where that is known."""

    name: str
    type: TypeName | None


_WITHOUT_EQUALITY = frozenset(("json", "xml", "point", "polygon"))


def is_distinct(first: str, second: str, type_name: TypeName | None) -> str:
    """Return the comparison of two values of a type with IS DISTINCT FROM; as texts if the type has no equality operator."""
    suffix = "::text" if type_name is not None and type_name.name in _WITHOUT_EQUALITY else ""
    return f"{first}{suffix} IS DISTINCT FROM {second}{suffix}"


def synchronising_trigger(table: Name, old: TypedColumn, new: TypedColumn, value: str, back: str | None, name: str) -> str:
    """Return a named trigger that keeps two columns in step, whichever of them a release writes.

    `value` computes the new column from the row, and `back` the old one from NEW; without `back` only the new column follows. Where a command
    writes both, the new column decides. The second comparison leaves the old column alone while batches fill the new one. In INSERT, OLD is
    null: see https://www.postgresql.org/docs/current/plpgsql-trigger.html.
    """
    function, computed = Name(name, table.schema), quoted(f"{new.name}_value")
    new_now, new_before, old_now, old_before = (f"{row}.{quoted(column.name)}" for column in (new, old) for row in ("NEW", "OLD"))
    return "\n".join(
        (
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$",
            f"DECLARE {computed} {new.type} := (SELECT {value} FROM (SELECT NEW.*) AS {quoted(table.name)});",  # noqa: S608
            "BEGIN",
            f"    IF {is_distinct(new_now, new_before, new.type)} AND {is_distinct(new_now, computed, new.type)} THEN",
            f"        {f'{old_now} := {back}' if back is not None else 'NULL'};",
            f"    ELSIF {is_distinct(old_now, old_before, old.type)} OR {new_now} IS NULL THEN",
            f"        {new_now} := {computed};",
            "    END IF;",
            "    RETURN NEW;",
            "END $$;",
            f"CREATE OR REPLACE TRIGGER {quoted(name)} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}();",
        )
    )


def replace_word(expression: str, word: str, replacement: str) -> str:
    """Return an expression with a keyword replaced by another word: VALUE in a domain by the name of a column."""
    pattern, offset, replaced = pattern_for(expression), 0, ""
    while offset < len(expression):
        match = pattern.match(expression, offset)
        if match is None or match.lastindex is None:
            break
        is_word = match.lastindex == WORD and match[WORD].lower() == word
        end = match.end()
        if match.lastindex == DOLLAR_STRING:
            end = expression.find(match[DOLLAR_STRING], end) + len(match[DOLLAR_STRING])
        replaced += expression[offset : match.start(WORD)] + replacement if is_word else expression[offset:end]
        offset = end
    return replaced + expression[offset:]


def foreign_key_clause(constraint: Constraint, name: str, *, not_valid: bool = True, of_column: bool = False) -> str:
    """Return a named FOREIGN KEY constraint of a table, by default as NOT VALID, or of a column in its definition."""
    reference = constraint.references
    assert reference is not None
    columns = "" if of_column else f"FOREIGN KEY ({_key_columns(constraint, constraint.columns)}) "
    words = [f"CONSTRAINT {quoted(name)} {columns}REFERENCES {reference.table}"]
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
    """Return a referential action in upper case, without a change of the columns of SET NULL and SET DEFAULT."""
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
    """Return a list of options in parentheses."""
    return f"({', '.join(option.name if option.value is None else f'{option.name} = {option.value}' for option in options)})"


def comment_and_grants_copied(table: Name, old: str, new: str) -> str:
    """Returns a DO block that gives a column the comment and the privileges of another one, which the catalogues of the server know."""
    relation, of, to = ("'" + text.replace("'", "''") + "'" for text in (str(table), old, new))
    column = f"attrelid = {relation}::regclass AND attname = {of}"
    return f"""\
DO $$
DECLARE
    granted record;
BEGIN
    EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', {relation}::regclass, {to},
        (SELECT col_description(attrelid, attnum) FROM pg_catalog.pg_attribute WHERE {column}));
    FOR granted IN
        SELECT privilege.* FROM pg_catalog.pg_attribute, aclexplode(attacl) AS privilege WHERE {column}
    LOOP
        EXECUTE format('GRANT %s (%I) ON %s TO %s%s', granted.privilege_type, {to}, {relation}::regclass,
            CASE granted.grantee WHEN 0 THEN 'PUBLIC' ELSE granted.grantee::regrole::text END,
            CASE WHEN granted.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END
$$;"""  # noqa: S608  # it is shown, not run
