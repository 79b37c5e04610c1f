"""What migsafe reads from statements, compared with PostgreSQL's own grammar: SQL for every production (tests/sql/statements)."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pglast
import pytest
from pglast import ast, enums

from migsafe.sql import operations as o
from migsafe.sql.operation_table import operation_classes
from migsafe.sql.statements import Statement, read
from tests.sql import oracle
from tests.sql.oracle import operations, trees
from tests.sql.oracle.shapes import walk

FILES = sorted((Path(__file__).parent / "statements").glob("*.sql"))


@cache
def scripts(path: Path) -> list[tuple[str, tuple[Statement, ...], tuple[Any, ...]]]:
    """Return the scripts of a file, each with its statements as migsafe and as PostgreSQL divide it."""
    text = path.read_text()
    texts = text.splitlines() if path.stem == "copy" else [text]
    return [(text, tuple(read(text)), pglast.parse_sql(text)) for text in texts]


def cases() -> Iterator[Any]:
    for path in FILES:
        for row, (text, statements, found) in enumerate(scripts(path)):
            for statement, tree in zip(statements, found, strict=True):
                line = row + 1 + text.count("\n", 0, statement.span.start)
                yield pytest.param(statement, tree.stmt, id=f"{path.stem}:{line}")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scripts_are_divided_into_statements(path: Path) -> None:
    for text, statements, found in scripts(path):
        assert [statement.span.start for statement in statements] == [tree.stmt_location or 0 for tree in found]
        ends = [(tree.stmt_location or 0) + tree.stmt_len if tree.stmt_len else len(text) for tree in found]
        assert [text[statement.span.end : end].strip() for statement, end in zip(statements, ends, strict=True)] == [""] * len(ends)


@pytest.mark.parametrize(("statement", "tree"), list(cases()))
def test_statement(statement: Statement, tree: Any) -> None:
    assert oracle.difference(oracle.of_tree(tree), oracle.of_operations(statement.operations)) is None


def test_statements_are_distinct() -> None:
    statements = [text[statement.span.start : statement.span.end] for path in FILES for text, found, _ in scripts(path) for statement in found]
    assert len(statements) == len(set(statements))


def all_trees() -> Iterator[Any]:
    for path in FILES:
        for _, _, found in scripts(path):
            yield from walk([tree.stmt for tree in found])


def test_every_statement_of_the_grammar_is_mapped() -> None:
    named = {kind for name in dir(ast) if name.endswith("Stmt") and isinstance(kind := getattr(ast, name), type)}
    assert named - trees.NO_STATEMENTS == set(trees.READERS)


def test_every_statement_of_the_grammar_occurs() -> None:
    assert set(trees.READERS) - {type(node) for node in all_trees()} == set()


def test_every_subcommand_of_alter_table_is_mapped_and_occurs() -> None:
    commands = set(enums.AlterTableType) - trees.alter_table.INTERNAL_COMMANDS
    assert commands == trees.alter_table.KNOWN_COMMANDS | {enums.AlterTableType.AT_ChangeOwner}
    assert commands == {node.subtype for node in all_trees() if isinstance(node, ast.AlterTableCmd)}


@pytest.mark.parametrize(
    ("kind", "slot"),
    [
        (ast.DropStmt, "removeType"),
        (ast.CommentStmt, "objtype"),
        (ast.SecLabelStmt, "objtype"),
        (ast.RenameStmt, "renameType"),
        (ast.AlterOwnerStmt, "objectType"),
        (ast.AlterObjectSchemaStmt, "objectType"),
        (ast.AlterExtensionContentsStmt, "objtype"),
        (ast.DefineStmt, "kind"),
        (ast.GrantStmt, "objtype"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_kinds_of_object_occur(kind: type, slot: str) -> None:
    """A kind that one of these statements takes shows up as an unmapped one, or in the statements."""
    assert {getattr(node, slot) for node in all_trees() if isinstance(node, kind)} >= set(EXPECTED_KINDS[kind])


_OF = enums.ObjectType
EXPECTED_KINDS: dict[type, list[enums.ObjectType]] = {
    ast.DropStmt: [
        kind
        for kind in trees.registry.KINDS
        if kind
        not in (
            # dropped by statements of their own, or by none
            _OF.OBJECT_COLUMN,
            _OF.OBJECT_DATABASE,
            _OF.OBJECT_DOMCONSTRAINT,
            _OF.OBJECT_LARGEOBJECT,
            _OF.OBJECT_PARAMETER_ACL,
            _OF.OBJECT_ROLE,
            _OF.OBJECT_SUBSCRIPTION,
            _OF.OBJECT_TABCONSTRAINT,
            _OF.OBJECT_TABLESPACE,
            _OF.OBJECT_USER_MAPPING,
        )
    ],
    ast.CommentStmt: [kind for kind in trees.registry.KINDS if kind not in (_OF.OBJECT_PARAMETER_ACL, _OF.OBJECT_USER_MAPPING)],
    ast.SecLabelStmt: [_OF.OBJECT_TABLE, _OF.OBJECT_COLUMN, _OF.OBJECT_ROLE, _OF.OBJECT_TYPE],
    ast.RenameStmt: [_OF.OBJECT_TABLE, _OF.OBJECT_COLUMN, _OF.OBJECT_ATTRIBUTE, _OF.OBJECT_TABCONSTRAINT, _OF.OBJECT_DOMCONSTRAINT],
    ast.AlterOwnerStmt: [_OF.OBJECT_DATABASE, _OF.OBJECT_OPCLASS, _OF.OBJECT_SCHEMA, _OF.OBJECT_SUBSCRIPTION, _OF.OBJECT_EVENT_TRIGGER],
    ast.AlterObjectSchemaStmt: [_OF.OBJECT_TABLE, _OF.OBJECT_TYPE, _OF.OBJECT_EXTENSION, _OF.OBJECT_TSTEMPLATE],
    ast.AlterExtensionContentsStmt: [_OF.OBJECT_CAST, _OF.OBJECT_TRANSFORM, _OF.OBJECT_OPERATOR, _OF.OBJECT_AGGREGATE],
    ast.DefineStmt: [_OF.OBJECT_AGGREGATE, _OF.OBJECT_OPERATOR, _OF.OBJECT_TYPE, _OF.OBJECT_COLLATION, _OF.OBJECT_TSPARSER],
    ast.GrantStmt: [_OF.OBJECT_PARAMETER_ACL, _OF.OBJECT_LARGEOBJECT, _OF.OBJECT_ROUTINE, _OF.OBJECT_FDW],
}

# Operations that are in no statement of PostgreSQL: those of psql, and those for SQL that cannot be read.
NOT_IN_STATEMENTS = {o.Broken, o.Unparsed, o.OpaqueCode, o.PsqlCommand, o.CutIdentifier, o.FeatureUse}
NOT_IN_STATEMENTS |= {o.Repack, o.MergePartitions, o.SplitPartition}  # the other grammar is that of PostgreSQL 18


def test_every_operation_is_mapped() -> None:
    assert set(operation_classes()) == set(operations.READERS)


def test_every_operation_occurs() -> None:
    seen = {type(operation) for path in FILES for _, found, _ in scripts(path) for statement in found for operation in statement.operations}
    assert set(operation_classes()) - NOT_IN_STATEMENTS - seen == set()
