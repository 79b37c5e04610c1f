"""The operations of statements and their places. The expectations are comments in the SQL, in the line to which they belong.

`-- expect: AddColumn, DropColumn` names the operations that begin on its line; a `?` marks one that is not certain to run.
"""

import re
from pathlib import Path

import pytest

from migsafe.sql.operations import Broken, Do
from migsafe.sql.statements import read
from migsafe.text import Script

FILES = sorted((Path(__file__).parent / "operations").glob("*.sql"))
EXPECT = re.compile(r"-- expect: (.*)")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_operations_begin_where_the_file_expects_them(path: Path) -> None:
    script = Script(str(path))
    expected = [
        (number, name)
        for number, line in enumerate(script.text.splitlines(), 1)
        if (match := EXPECT.search(line))
        for name in match[1].split(", ")
    ]
    found = [
        (script.position(operation.span.start).line, type(operation).__name__ + ("" if operation.certain else "?"))
        for statement in read(script.text)
        for operation in statement.operations
        if not isinstance(operation, Do)
    ]
    assert found == expected


def test_an_operation_has_the_conditions_of_the_handlers_around_it() -> None:
    caught = {
        type(operation).__name__: operation.caught
        for statement in read(
            """
            DO $$
            BEGIN
                BEGIN
                    ALTER TABLE orders ADD CONSTRAINT positive CHECK (qty > 0);
                EXCEPTION
                    WHEN duplicate_object OR
                        duplicate_table THEN RAISE NOTICE 'there already';
                    WHEN SQLSTATE '42701' THEN NULL;
                    WHEN undefined_table THEN DROP TABLE items; RAISE;
                END;
                CREATE TYPE mood AS ENUM ('sad');
            EXCEPTION WHEN OTHERS THEN RAISE EXCEPTION 'no: %', SQLERRM;
            END $$;
            DO $$ BEGIN IF true THEN ALTER TABLE orders ADD COLUMN note text; END IF; EXCEPTION WHEN others THEN END $$;
            """
        )
        for operation in statement.operations
    }
    assert caught == {
        "Do": (),
        "AddConstraint": ("duplicate_object", "duplicate_table", "sqlstate '42701'"),
        "Drop": (),
        "CreateEnum": (),
        "AddColumn": ("others",),
    }


@pytest.mark.parametrize("sql", ["ALTER TABLE orders ADD NOT NULL", "CREATE TABLE orders (id bigint, CONSTRAINT there NOT NULL NO INHERIT)"])
def test_only_the_not_null_of_a_domain_names_no_column(sql: str) -> None:
    [statement] = read(sql)
    assert [type(operation) for operation in statement.operations] == [Broken]
