"""The rules that a run goes by: loaded from folders of rule files, chosen by name, found by operation."""

import sys
from collections.abc import Collection, Iterable, Sequence
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from migsafe.errors import ConfigError
from migsafe.rule import MigrationEnd, Rule
from migsafe.spelling import did_you_mean
from migsafe.sql.operations import Operation

SHIPPED = "migsafe.rules"


class Rulebook(dict[type[Operation], tuple[Rule, ...]]):
    """Which rules look at an operation: `rulebook[type(operation)]`, worked out once for each type."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        super().__init__()
        self.rules = tuple(rules)

    def __missing__(self, operation: type[Operation]) -> tuple[Rule, ...]:
        # A rule that looks at every operation does not mean the end of the migration by it.
        found = self[operation] = tuple(
            rule
            for rule in self.rules
            if issubclass(operation, rule.operations) and (operation is not MigrationEnd or operation in rule.operations)
        )
        return found


def shipped() -> list[Rule]:
    """The rules that come with migsafe, by name."""
    return load(Path(import_module(SHIPPED).__path__[0]), SHIPPED)


def load(folder: Path, package: str) -> list[Rule]:
    """The rules of every file below a folder, by name; the files become modules of `package`."""
    found = [
        value
        for path in sorted(folder.rglob("[!_]*.py"))
        for value in vars(_module(path, ".".join((package, *path.relative_to(folder).with_suffix("").parts)))).values()
        if isinstance(value, Rule)
    ]
    return sorted(found, key=lambda rule: rule.name)


def choose(rules: Sequence[Rule], select: Collection[str] = (), ignore: Collection[str] = ()) -> list[Rule]:
    """The rules in `select`, or all that are not off where it is empty, but for those in `ignore`. Raises ConfigError for a name that no
    rule has."""
    known = [rule.name for rule in rules]
    for name in (*select, *ignore):
        if name not in known:
            raise ConfigError(f"there is no rule {name}", did_you_mean(name, known))
    return [rule for rule in rules if (rule.name in select or not (select or rule.off)) and rule.name not in ignore]


def _module(path: Path, name: str) -> ModuleType:
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path}: is not a Python file")
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
