"""Constants that a script imports from modules of its project, read from their syntax trees."""

import ast
from collections.abc import Iterable

from migsafe.sources.alembic.constants import Unknown, evaluate
from migsafe.sources.alembic.modules import Module, ModuleFinder

_DEEPEST = 8


class ImportedConstants(dict[str, object]):
    """The constants of a script by their names; those of the project's modules, `name` or `module.name`, are looked up when they are needed."""

    def __init__(self, values: dict[str, object], statements: Iterable[ast.stmt], path: str) -> None:
        super().__init__(values)
        self._module = Module("", path, ast.Module(list(statements), []), "")
        self._finder = ModuleFinder(path)

    def get(self, name: str, default: object = None) -> object:
        """Returns the value of a name; the default if it is unknown."""
        known = super().get(name, Unknown.VALUE)
        if known is Unknown.VALUE:
            known = self[name] = self._imported(self._module, name, _DEEPEST)
        return default if known is Unknown.VALUE else known

    def _imported(self, module: Module, name: str, depth: int) -> object:
        """Returns the value of a name that a module imports."""
        first, _, rest = name.partition(".")
        for statement in module.tree.body if depth else ():
            match statement:
                case ast.Import(names=aliases):
                    for alias in aliases:
                        if alias.asname == first or (alias.asname is None and name.startswith(f"{alias.name}.")):
                            inner = rest if alias.asname else name.removeprefix(f"{alias.name}.")
                            return self._constant(alias.name, inner, depth - 1)
                case ast.ImportFrom(module=source, names=aliases, level=level):
                    for alias in aliases:
                        if (alias.asname or alias.name) == first:
                            absolute = module.absolute(source, level)
                            return (
                                self._constant(f"{absolute}.{alias.name}", rest, depth - 1)
                                if rest
                                else self._constant(absolute, alias.name, depth - 1)
                            )
        return Unknown.VALUE

    def _constant(self, module_name: str, name: str, depth: int) -> object:
        """Returns the value of a name in a module; unknown if it is not a constant."""
        module = self._finder.find(module_name)
        if module is None or not name:
            return Unknown.VALUE
        known: dict[str, object] = {}
        for statement in module.tree.body:
            match statement:
                case (
                    ast.Assign(targets=[ast.Name(id=target)], value=value)
                    | ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value)
                ):
                    known[target] = evaluate(value, known)
        return known[name] if name in known else self._imported(module, name, depth)
