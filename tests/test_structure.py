"""The order of the packages (docs/architecture.md): each imports only what is before it, so there are no cycles between them."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

ORDER = (
    "versions",
    "lock",
    "errors",
    "patterns",
    "paths",
    "text",
    "script_environment",
    "newer_strings",
    "newer_syntax",
    "assumption",
    "terminal",
    "sql",
    "sources",
    "schema",
    "session",
    "expressions",
    "workload",
    "prediction",
    "rendering",
    "linting",
    "rules",
    "fixes",
    "configuration",
    "cache",
    "replaying",
    "assessment",
    "library",
    "documentation",
    "reports",
    "setup",
    "editor",
    "agent",
    "cli",
    "pytest_plugin",
    "__main__",
)
"""The packages and top-level modules of migsafe, each after all that it imports."""


def _modules() -> dict[str, Path]:
    """The modules of migsafe, rules/ as migsafe.rules, by name."""
    found = {}
    for top, prefix in ((ROOT / "migsafe", ""), (ROOT / "rules", "migsafe.")):
        for path in top.rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[prefix + ".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = _modules()


def _imports(path: Path) -> Iterator[str]:
    """The modules of migsafe that a file imports, in functions and for the type checker too.

    A package that loads its names at their first use names their modules for the type checker only.
    """
    statements: list[ast.AST] = [ast.parse(path.read_text())]
    while statements:
        match statements.pop():
            case ast.If(test=ast.Name(id="TYPE_CHECKING")) if path.name == "__init__.py":
                pass
            case ast.ImportFrom(module=str(module), names=names) if module.split(".")[0] == "migsafe":
                yield from (f"{module}.{alias.name}" if f"{module}.{alias.name}" in MODULES else module for alias in names)
            case ast.Import(names=names):
                yield from (alias.name for alias in names if alias.name.split(".")[0] == "migsafe")
            case statement:
                statements += ast.iter_child_nodes(statement)


def _package(module: str) -> str:
    return module.split(".")[1]


def test_every_package_is_in_the_order() -> None:
    assert {_package(module) for module in MODULES if module != "migsafe"} == set(ORDER)


@pytest.mark.parametrize("package", ORDER)
def test_a_package_imports_only_what_is_before_it(package: str) -> None:
    allowed = {"migsafe", *(f"migsafe.{name}" for name in ORDER[: ORDER.index(package) + 1])}
    wrong = {
        f"{module} imports {imported}"
        for module, path in MODULES.items()
        if module != "migsafe" and _package(module) == package
        for imported in _imports(path)
        if ".".join(imported.split(".")[:2]) not in allowed
    }
    assert not wrong


def test_the_architecture_page_lists_the_packages_in_order() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", page, re.MULTILINE)
    assert [name for row in rows for name in re.findall(r"\w+", row)] == [name for name in ORDER if name != "__main__"]


def test_modules_do_not_compile_expressions_when_they_are_imported() -> None:
    """Most runs use few of them. The worker and the recorder run in the environment of a project, without the rest of migsafe."""
    wrong = [
        f"{module}: {statement.targets[0].id}"
        for module, path in MODULES.items()
        if ".worker." not in module and ".recording." not in module
        for statement in ast.parse(path.read_text()).body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and isinstance(statement.value, ast.Call)
        and ast.unparse(statement.value.func) == "re.compile"
        and not isinstance(getattr(statement.value.args[0], "value", ""), bytes)
    ]
    assert not wrong, "patterns.lazy_pattern compiles them when they are used"


def test_no_modules_import_each_other() -> None:
    graph = {module: set(_imports(path)) - {module} for module, path in MODULES.items() if module != "migsafe"}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' → '.join(error.args[1])}")
