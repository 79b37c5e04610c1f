"""sqlglot is imported in one package, and only for SQL that needs it."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from migsafe import expressions

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "migsafe" / "expressions"
LOWER_PACKAGES = {"errors", "expressions", "lock", "patterns", "schema", "sql", "text", "versions"}
FILES = [path for folder in ("migsafe", "rules") for path in sorted((ROOT / folder).rglob("*.py"))]


def imported_modules(nodes: Iterator[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports_sqlglot(module: str) -> bool:
    return module.partition(".")[0] == "sqlglot"


def test_only_this_package_imports_sqlglot() -> None:
    importing = {path for path in FILES if any(map(imports_sqlglot, imported_modules(ast.walk(ast.parse(path.read_text("utf-8"))))))}
    assert importing
    assert all(PACKAGE in path.parents for path in importing)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_its_modules_import_at_the_top_and_from_lower_packages_only(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    assert not [module for function in functions for module in imported_modules(ast.walk(function))]
    own = [module for module in imported_modules(ast.walk(tree)) if module.startswith("migsafe.")]
    assert {module.split(".")[1] for module in own} <= LOWER_PACKAGES


def test_each_public_name_comes_from_the_module_that_mypy_sees() -> None:
    seen = {
        alias.name: node.module
        for node in ast.walk(ast.parse((PACKAGE / "__init__.py").read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module is not None and node.module.startswith("migsafe.expressions.")
        for alias in node.names
    }
    assert sorted(seen) == sorted(expressions.__all__)
    for name, module in seen.items():
        assert getattr(expressions, name) is getattr(import_module(module), name)
    with pytest.raises(AttributeError, match="no attribute 'proves_everything'"):
        expressions.proves_everything  # noqa: B018


NO_TREE_NEEDED = """\
CREATE TABLE orders (id bigint PRIMARY KEY, qty integer NOT NULL DEFAULT 0 CHECK (qty >= 0), note text);
CREATE TYPE mood AS ENUM ('fine');
ALTER TYPE mood ADD VALUE 'glum';
INSERT INTO orders (id, qty) VALUES (1, 2);
UPDATE orders SET qty = 5 WHERE note = 'x';
DELETE FROM orders WHERE note = 'x';
ALTER TABLE orders ALTER COLUMN note TYPE varchar(20);
CREATE VIEW small AS SELECT id FROM orders WHERE qty < 5;
CREATE INDEX orders_qty_idx ON orders (qty) WHERE qty > 5;
"""


@pytest.mark.process
@pytest.mark.parametrize(("sql", "is_imported"), [(NO_TREE_NEEDED, False), ("UPDATE orders SET qty = 1 WHERE true;", True)])
def test_lint_imports_sqlglot_only_for_sql_that_needs_a_tree(sql: str, is_imported: bool, tmp_path: Path) -> None:
    (tmp_path / "0001.sql").write_text(sql)
    script = "import sys; from migsafe.cli import main; main(['lint', '0001.sql', '--no-cache']); print('sqlglot' in sys.modules)"
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert result.stdout.splitlines()[-1] == str(is_imported), result.stderr


def test_no_module_has_the_name_of_a_public_function() -> None:
    """Whichever is imported first would be the package's attribute."""
    modules = {path.stem for path in PACKAGE.glob("*.py")} | {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    assert modules.isdisjoint(expressions.__all__)
