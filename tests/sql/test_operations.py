"""Which operations a statement becomes, and where each stands: the expectations are written in the SQL, at the line they belong to.

`-- expect: AddColumn, DropColumn` names the operations that begin on its line; a `?` marks one that is not certain to run.
"""

import re
from pathlib import Path

import pytest

from migsafe.sql.operations import Do
from migsafe.sql.statements import read
from migsafe.text import Script

FILES = sorted((Path(__file__).parent / "operations").glob("*.sql"))
EXPECT = re.compile(r"-- expect: (.*)")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_operations_stand_where_the_file_says(path: Path) -> None:
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
