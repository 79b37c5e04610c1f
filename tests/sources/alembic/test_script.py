"""What a revision's script declares."""

from pathlib import Path

import pytest

from migsafe.sources.alembic.script import Body, Revision, read_revision
from migsafe.text import Script, Span


def read(text: str, path: str = "1a_orders.py") -> Revision:
    revision = read_revision(Script(path, text))
    assert revision is not None
    return revision


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        ('revision = "1a"\ndown_revision = None', ("1a", (), (), ())),
        ('revision: str = "2b"\ndown_revision: Union[str, Sequence[str], None] = "1a"', ("2b", ("1a",), (), ())),
        ('revision = "2b"; down_revision = ("1a", "1b"); branch_labels = "shop"', ("2b", ("1a", "1b"), (), ("shop",))),
        ('revision, down_revision = "2b", ["1a"]\ndepends_on = ("shop", "1b")', ("2b", ("1a",), ("shop", "1b"), ())),
        ('BEFORE = "1" + "a"\nrevision = f"{BEFORE}b"\ndown_revision = BEFORE', ("1ab", ("1a",), (), ())),
        ('try:\n    import app\nexcept ImportError:\n    pass\nelse:\n    revision = "1a"\n', ("1a", (), (), ())),
        ('revision = "1a"  # "x"\r\ndown_revision = None\r\n', ("1a", (), (), ())),
    ],
)
def test_declarations(text: str, declared: tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]) -> None:
    revision = read(text)
    assert (revision.version, revision.down_revisions, revision.depends_on, revision.branch_labels) == declared
    assert revision.error is None


def test_the_title_is_the_docstrings_first_line() -> None:
    assert read('"""Add orders\n\nRevision ID: 1a\n"""\nrevision = "1a"').title == "Add orders"


def test_a_script_named_after_its_revision_need_not_declare_it() -> None:
    assert read("def upgrade(): pass", "versions/1a2b.py").version == "1a2b"
    assert read_revision(Script("versions/1a2b.py", "import os")) is None
    assert read_revision(Script("versions/queries.py", "def upgrade(): pass")) is None


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("", Body.ABSENT),
        ("def downgrade(): pass", Body.EMPTY),
        ('def downgrade() -> None:\n    """There is no way back."""\n    ...', Body.EMPTY),
        ("def downgrade(*tables):\n    return None", Body.EMPTY),
        ("def downgrade():\n    raise NotImplementedError", Body.RAISES),
        ('def downgrade():\n    print("no")\n    raise NotImplementedError("no")', Body.RAISES),
        ("def downgrade():\n    if dialect():\n        raise NotImplementedError\n    drop()", Body.WORKS),
        ("def downgrade():\n    globals()['downgrade_shop']()", Body.WORKS),
        ("if x:\n    def downgrade(): drop()", Body.WORKS),
        ("from shop.migrations import downgrade", Body.WORKS),
        ("from shop.migrations import *", Body.WORKS),
        ("downgrade = drop", Body.WORKS),
    ],
)
def test_what_a_function_does(text: str, body: Body) -> None:
    assert read(f'revision = "1a"\n{text}').downgrade.body is body


def test_spans_count_characters() -> None:
    text = '"""Prüfung €"""; revision = "1a"; down_revision = "0ß"  # note\r\ndef downgrade():  \r\n    pass\r\n'
    revision = read(text)
    assert [
        text[slice(*span)] for span in (revision.version_span, revision.parents_span, revision.downgrade.span) if isinstance(span, Span)
    ] == [
        'revision = "1a"',
        'down_revision = "0ß"',
        "def downgrade():",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'revision = "2b"\ndown_revision = "1a"\ndef upgrade(:\n', "2b.py:3: is not Python: "),
        (b'revision = "2b"\ndown_revision = "1a"\n# \xff\n', "2b.py: line 3: is not UTF-8 (byte 0xff)"),
        (b'revision = "2b"\ndown_revision = "1a"\nx = "\0"\n', "2b.py: is not text"),
        (b'# coding: klingon\nrevision = "2b"\ndown_revision = "1a"\n', "2b.py: declares an unknown encoding: klingon"),
        (b'revision = "2b"\ndown_revision = "1a"\n' + b"(" * 500 + b")" * 500, "is not Python: "),
    ],
    ids=["syntax", "bytes", "NUL", "encoding", "depth"],
)
def test_an_unreadable_script_keeps_its_revision(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "2b.py"
    path.write_bytes(content)
    revision = read_revision(Script(str(path)))
    assert revision is not None
    assert (revision.version, revision.down_revisions) == ("2b", ("1a",))
    assert revision.error is not None
    assert message in revision.error.message


def test_a_script_may_declare_its_encoding(tmp_path: Path) -> None:
    path = tmp_path / "1a.py"
    path.write_bytes('#!/usr/bin/python\n# -*- coding: latin-1 -*-\n"""Prüfung"""\nrevision = "1a"\n'.encode("latin-1"))
    revision = read_revision(Script(str(path)))
    assert revision is not None
    assert (revision.title, revision.error) == ("Prüfung", None)


def test_a_revision_that_is_known_only_at_run_time_is_an_error() -> None:
    revision = read("revision = name()\ndown_revision = before.revision", "versions/1a_orders.py")
    assert revision.version == "1a_orders"
    assert revision.error is not None
    reason = "the value of revision and down_revision cannot be determined without running the script"
    assert revision.error.message == f"versions/1a_orders.py: {reason}"


IMPORTED = {
    "from shop.db import cli\n": "(cli.EXPAND,)",
    "from shop.db.cli import EXPAND as name\n": "name",
    "import shop.db.cli\n": "[shop.db.cli.EXPAND]",
    "import shop.db.cli as cli\n": "cli.EXPAND",
    "from shop.db import EXPAND\n": "EXPAND",
}


@pytest.mark.parametrize("imports", IMPORTED)
def test_constants_of_the_project_are_read(tmp_path: Path, imports: str) -> None:
    (tmp_path / "shop" / "db").mkdir(parents=True)
    (tmp_path / "shop" / "db" / "__init__.py").write_text("from .cli import EXPAND\n")
    (tmp_path / "shop" / "db" / "cli.py").write_text("import unknown\nPREFIX = 'ex'\nEXPAND = PREFIX + 'pand'\n")
    script = tmp_path / "shop" / "db" / "versions" / "1a_x.py"
    script.parent.mkdir()
    script.write_text(f"{imports}revision = '1a'\ndown_revision = None\nbranch_labels = {IMPORTED[imports]}\n")
    revision = read_revision(Script(str(script)))
    assert revision is not None
    assert (revision.branch_labels, revision.error) == (("expand",), None)


def test_unknown_branch_labels_are_no_error() -> None:
    revision = read("import somewhere\nrevision = '1a'\ndown_revision = None\nbranch_labels = (somewhere.LABEL,)\n")
    assert (revision.branch_labels, revision.error) == ((), None)


def test_a_decorated_function_may_do_something() -> None:
    revision = read("revision = '1a'\n@decorated\ndef upgrade():\n    pass\ndef downgrade():\n    pass\n")
    assert (revision.upgrade.body, revision.downgrade.body) == (Body.WORKS, Body.EMPTY)
