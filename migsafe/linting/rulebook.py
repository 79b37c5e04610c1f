"""The rules that a run goes by: loaded from folders of rule files, chosen by name, found by operation."""

import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from traceback import walk_tb
from types import ModuleType

from msgspec import Struct
from msgspec.structs import replace

from migsafe.errors import ConfigError, did_you_mean
from migsafe.linting.finding import Severity
from migsafe.linting.rule import MigrationEnd, Rule
from migsafe.linting.suppressions import Suppression
from migsafe.sql.operations import Operation

SHIPPED = "migsafe.rules"


_NO_OPERATIONS = (MigrationEnd, Suppression)
"""What a rule that looks at every operation does not mean by that."""


class PathOverride(Struct, frozen=True):
    """What holds for some files only: which paths, rules that say nothing there, and severities."""

    applies_to: Callable[[str], bool]
    ignore: tuple[str, ...]
    severities: dict[str, Severity]


class Rulebook(dict[type[Operation], tuple[Rule, ...]]):
    """Which rules look at an operation: `rulebook[type(operation)]`, worked out once for each type.

    `known` are the names of all rules that there are, chosen or not; `parts` say what is otherwise for some files.
    """

    def __init__(self, rules: Iterable[Rule], known: Iterable[str] = (), overrides: Sequence[PathOverride] = ()) -> None:
        super().__init__()
        self.rules = tuple(rules)
        self.names = frozenset(rule.name for rule in self.rules)
        self.known = self.names | frozenset(known)
        self._parts = tuple(overrides)
        self._for_parts: dict[tuple[bool, ...], Rulebook] = {}

    def __missing__(self, operation: type[Operation]) -> tuple[Rule, ...]:
        found = self[operation] = tuple(
            rule
            for rule in self.rules
            if issubclass(operation, rule.operations) and (operation not in _NO_OPERATIONS or operation in rule.operations)
        )
        return found

    def for_file(self, path: str) -> "Rulebook":
        """The rules for a file."""
        if not self._parts:
            return self
        holding = tuple(part.applies_to(path) for part in self._parts)
        if holding not in self._for_parts:
            rules = list(self.rules)
            for part, holds in zip(self._parts, holding, strict=True):
                if holds:
                    rules = [rule for rule in with_severities(rules, part.severities) if rule.name not in part.ignore]
            self._for_parts[holding] = Rulebook(rules, self.known)
        return self._for_parts[holding]


def shipped_rules() -> list[Rule]:
    """The rules that come with migsafe, by name."""
    return load_rules(Path(import_module(SHIPPED).__path__[0]), SHIPPED)


def own_rules(folder: Path, others: Iterable[Rule] = ()) -> list[Rule]:
    """The rules of a project's own folder. Raises ConfigError for a folder that is not there or holds no rule, a file that does not run, and
    a name that one of the `others` or another file has taken."""
    if not folder.is_dir():
        raise ConfigError(f"{folder}: there is no such folder", "`rules` in the configuration names a folder of rule files.")
    # Two folders may hold files of the same name.
    rules = load_rules(folder, f"migsafe_own_rules.{abs(hash(folder.resolve())):x}")
    if not rules:
        raise ConfigError(f"{folder}: holds no rules", "A rule is a function below `@rule(category=…, severity=…)` in a file of its own.")
    taken = {rule.name: rule for rule in others}
    for rule in rules:
        if rule.name in taken:
            file = Path(rule.check.__code__.co_filename)
            raise ConfigError(f"{os.path.relpath(file)}: there is a rule {rule.name} already", "Give the function another name.")
        taken[rule.name] = rule
    return rules


def load_rules(folder: Path, package: str) -> list[Rule]:
    """The rules of every file below a folder, by name; the files become modules of `package`."""
    found = []
    for path in sorted(folder.rglob("[!_]*.py")):
        module = _module(path, ".".join((package, *path.relative_to(folder).with_suffix("").parts)))
        found += [value for value in vars(module).values() if isinstance(value, Rule) and value.check.__module__ == module.__name__]
    return sorted(found, key=lambda rule: rule.name)


def choose_rules(rules: Sequence[Rule], select: Collection[str] = (), ignore: Collection[str] = ()) -> list[Rule]:
    """The rules in `select`, or all that are not off where it is empty, but for those in `ignore`. Raises ConfigError for a name that no
    rule has."""
    for name in (*select, *ignore):
        find_rule(name, rules)
    return [rule for rule in rules if (rule.name in select or not (select or rule.off)) and rule.name not in ignore]


def with_severities(rules: Sequence[Rule], severities: Mapping[str, Severity]) -> list[Rule]:
    """The rules with the severities that a project gives them; a rule that is off is on where it is given one."""
    return [replace(rule, severity=severities[rule.name], off=False) if rule.name in severities else rule for rule in rules]


def find_rule(name: str, rules: Iterable[Rule]) -> Rule:
    """The rule of that name. Raises ConfigError, with the nearest name, where there is none."""
    known = {rule.name: rule for rule in rules}
    if name not in known:
        raise ConfigError(f"there is no rule {name}", did_you_mean(name, known, "`migsafe rules` lists them."))
    return known[name]


def _module(path: Path, name: str) -> ModuleType:
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path}: is not a Python file")
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as cause:  # the file may be anybody's
        del sys.modules[name]
        place = _place(cause, path)
        raise ConfigError(f"{os.path.relpath(path)}{place}: is no rule: {type(cause).__name__}: {_words(cause)}") from cause
    return module


def _place(cause: Exception, path: Path) -> str:
    """The line of the file at which it failed, as `:12`."""
    if isinstance(cause, SyntaxError):
        return f":{cause.lineno}"
    lines = [line for frame, line in walk_tb(cause.__traceback__) if frame.f_code.co_filename == str(path.absolute())]
    return f":{lines[-1]}" if lines else ""


def _words(cause: Exception) -> str:
    return cause.msg if isinstance(cause, SyntaxError) else str(cause)
