"""The rules of a run: loaded from folders of rule files, chosen by name, looked up by operation."""

import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache, cached_property
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from zlib import crc32

from msgspec import Struct
from msgspec.structs import replace

from migsafe.errors import ConfigError, did_you_mean
from migsafe.linting.downgrades import FailingDowngrade
from migsafe.linting.finding import Severity
from migsafe.linting.rule import MigrationEnd, RefusedOperation, Rule, WorkloadQuery
from migsafe.linting.suppressions import Suppression
from migsafe.paths import relative_path
from migsafe.sql.operations import Operation

SHIPPED = "migsafe.rules"


_NO_OPERATIONS = (MigrationEnd, WorkloadQuery, RefusedOperation, FailingDowngrade, Suppression)
"""Types that are not passed to a rule that checks every `Operation`."""


class PathOverride(Struct, frozen=True):
    """Ignored rules and severities for the files to which the override applies."""

    applies_to: Callable[[str], bool]
    ignore: tuple[str, ...]
    severities: dict[str, Severity]


class Rulebook(dict[type[Operation], tuple[Rule, ...]]):
    """The rules that check an operation: `rulebook[type(operation)]`, computed once for each type.

    `known` are the names of all existing rules, chosen or not; `overrides` hold what differs for some files.
    """

    def __init__(self, rules: Iterable[Rule], known: Iterable[str] = (), overrides: Sequence[PathOverride] = ()) -> None:
        super().__init__()
        self.rules = tuple(rules)
        self.names = frozenset(rule.name for rule in self.rules)
        self.known = self.names | frozenset(known)
        self._overrides = tuple(overrides)
        self._by_overrides: dict[tuple[bool, ...], Rulebook] = {}

    def __missing__(self, operation: type[Operation]) -> tuple[Rule, ...]:
        rules = self[operation] = tuple(
            rule
            for rule in self.rules
            if issubclass(operation, rule.operations) and (operation not in _NO_OPERATIONS or operation in rule.operations)
        )
        return rules

    @cached_property
    def across_migrations(self) -> "Rulebook":
        """The rules about what earlier migrations did in the same transaction."""
        return Rulebook([rule for rule in self.rules if rule.across_migrations], self.known)

    def for_file(self, path: str) -> "Rulebook":
        """Returns the rules for a file."""
        if not self._overrides:
            return self
        applying = tuple(override.applies_to(path) for override in self._overrides)
        if applying not in self._by_overrides:
            rules = list(self.rules)
            for override, applies in zip(self._overrides, applying, strict=True):
                if applies:
                    rules = [rule for rule in with_severities(rules, override.severities) if rule.name not in override.ignore]
            self._by_overrides[applying] = Rulebook(rules, self.known)
        return self._by_overrides[applying]


def shipped_rules() -> list[Rule]:
    """Returns migsafe's own rules, sorted by name."""
    return list(_shipped_rules())


@cache
def _shipped_rules() -> tuple[Rule, ...]:
    # A program that lints often, such as an editor's, must not look for the files each time.
    return tuple(load_rules(Path(import_module(SHIPPED).__path__[0]), SHIPPED))


def own_rules(folder: Path, others: Iterable[Rule] = ()) -> list[Rule]:
    """Returns the rules in a project's own folder. Raises ConfigError if the folder does not exist or contains no rule, if a file cannot be
    loaded, and if a name is already used by one of the `others` or by another file."""
    if not folder.is_dir():
        raise ConfigError(f"{folder}: the folder does not exist", "`rules` in the configuration names a folder of rule files.")
    # Two folders may contain files with the same name. A checkpoint of another process names the classes of their modules.
    rules = load_rules(folder, f"migsafe_own_rules.{crc32(os.fsencode(folder.resolve())):x}")
    if not rules:
        raise ConfigError(
            f"{folder}: contains no rules", "A rule is a function decorated with `@rule(category=…, severity=…)`, in its own file."
        )
    taken = {rule.name: rule for rule in others}
    for rule in rules:
        if rule.name in taken:
            file = Path(rule.check.__code__.co_filename)
            raise ConfigError(f"{relative_path(file)}: a rule {rule.name} already exists", "Give the function another name.")
        taken[rule.name] = rule
    return rules


def own_rule_names(folder: Path) -> frozenset[str]:
    """Returns the names of the rules in a project's own folder, read from the files without running them."""
    import ast  # noqa: PLC0415  # only needed if own rules must not run

    names: set[str] = set()
    for path in folder.rglob("[!_]*.py"):
        try:
            module = ast.parse(path.read_bytes())
        except (OSError, SyntaxError, ValueError, RecursionError):
            continue
        decorated = (each for each in ast.walk(module) if isinstance(each, ast.FunctionDef) and each.decorator_list)
        names.update(each.name.replace("_", "-") for each in decorated)
    return frozenset(names)


def load_rules(folder: Path, package: str) -> list[Rule]:
    """Returns the rules of every file below a folder, sorted by name; the files become modules of `package`."""
    rules = []
    for path in sorted(folder.rglob("[!_]*.py")):
        module = _module(path, ".".join((package, *path.relative_to(folder).with_suffix("").parts)))
        rules += [value for value in vars(module).values() if isinstance(value, Rule) and value.check.__module__ == module.__name__]
    return sorted(rules, key=lambda rule: rule.name)


def choose_rules(
    rules: Sequence[Rule], select: Collection[str] = (), ignore: Collection[str] = (), left_out: Collection[str] = ()
) -> list[Rule]:
    """Returns the rules in `select`, or all that are not off if it is empty, without those in `ignore`. Raises ConfigError for a rule name that
    is unknown, and not `left_out` either."""
    for name in (*select, *ignore):
        if name not in left_out:
            find_rule(name, rules)
    return [rule for rule in rules if (rule.name in select or not (select or rule.off)) and rule.name not in ignore]


def with_severities(rules: Sequence[Rule], severities: Mapping[str, Severity]) -> list[Rule]:
    """Returns the rules with the severities that a project configures; a severity also switches on a rule that is off."""
    return [replace(rule, severity=severities[rule.name], off=False) if rule.name in severities else rule for rule in rules]


def find_rule(name: str, rules: Iterable[Rule]) -> Rule:
    """Returns the rule of that name. Raises ConfigError with the nearest name if it does not exist, with a category's rules if it is one."""
    known = {rule.name: rule for rule in rules}
    members = sorted(rule.name for rule in known.values() if rule.category == name)
    if name not in known and members:
        raise ConfigError(f"{name} is a category, not a rule", f"Its rules: {', '.join(members)}.")
    if name not in known:
        raise ConfigError(f"there is no rule {name}", did_you_mean(name, known, "`migsafe rules` lists them."))
    return known[name]


def _module(path: Path, name: str) -> ModuleType:
    # The servers of editors and agents live for long, and a project's rules change.
    state = _state(path) if not name.startswith(SHIPPED) else None
    known = sys.modules.get(name)
    if known is not None and known.__spec__ is not None and known.__spec__.loader_state == state:
        return known
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path}: is not a Python file")
    spec.loader_state = state
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as cause:  # the file belongs to a project and may raise anything
        del sys.modules[name]
        place = _place(cause, path)
        raise ConfigError(f"{relative_path(path)}{place}: cannot be loaded as a rule: {type(cause).__name__}: {_text(cause)}") from cause
    return module


def _state(path: Path) -> tuple[int, int, int] | None:
    """Returns what tells a file from its earlier states; None if it does not exist."""
    try:
        found = path.stat()
    except OSError:  # to load it gives the reason
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _place(cause: Exception, path: Path) -> str:
    """Returns the line of the file that raised, as `:12`; empty if it is unknown."""
    if isinstance(cause, SyntaxError):
        return f":{cause.lineno}"
    from traceback import walk_tb  # noqa: PLC0415  # only for a rule that cannot be loaded

    lines = [line for frame, line in walk_tb(cause.__traceback__) if frame.f_code.co_filename == str(path.absolute())]
    return f":{lines[-1]}" if lines else ""


def _text(cause: Exception) -> str:
    return cause.msg if isinstance(cause, SyntaxError) else str(cause)
