"""A project's configuration: the table `[tool.migsafe]` of pyproject.toml, or migsafe.toml with the same keys at the top level."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from migsafe import versions
from migsafe.errors import ConfigError, did_you_mean, join_choices
from migsafe.linting.finding import Severity
from migsafe.linting.rule import Limits
from migsafe.session import milliseconds
from migsafe.sources import CustomRunner, SourceSettings, Transaction
from migsafe.sources.custom import glob_pattern
from migsafe.text import read_text

FailOn = Literal["error", "warning", "info", "never"]
TransactionHabit = Literal["file", "statement", "none"]
SeverityWord = Literal["error", "warning", "info"]

_Table = TypeVar("_Table", bound=Struct)

FILES = ("migsafe.toml", "pyproject.toml")
FAIL_ON, TRANSACTIONS = get_args(FailOn), get_args(TransactionHabit)
_CUSTOM_CHOICES = {
    "order": ("name", "number", "file-name", "file-number"),
    "transaction": ("file", "query", "statement"),
    "out_of_order": ("applies", "skips", "refuses", "unknown"),
}
_FILE_KEYS = ("migrations", "schema", "stats", "queries", "baseline", "rules")
_NO_KEYS = ("folder",)
_OPTION = "--"


class PerPath(Struct, frozen=True, kw_only=True):
    """Settings for some files: the globs of their paths, relative to the configuration's folder (`**` matches any number of folders), the rules
    to ignore there, and severities."""

    paths: tuple[str, ...]
    ignore: tuple[str, ...] = ()
    severity: dict[str, SeverityWord] = {}

    @property
    def severities(self) -> dict[str, Severity]:
        """The severity of each rule that has one here."""
        return _severities(self.severity)


class Slo(Struct, frozen=True, kw_only=True):
    """The budgets of a release: `blocked` is the longest that a query may wait, `hold` the longest that a lock which blocks queries may be
    held (durations such as 500ms or 2s), `rows-lost` the most rows that existing tables may lose. A budget that is not set limits nothing."""

    blocked: str | None = None
    hold: str | None = None
    rows_lost: Annotated[int, Meta(ge=0)] | None = None

    @property
    def budgets(self) -> tuple[float | None, float | None, int | None]:
        """`blocked` and `hold` in milliseconds, and `rows-lost`."""
        return milliseconds(self.blocked) if self.blocked else None, milliseconds(self.hold) if self.hold else None, self.rows_lost


class Configuration(Struct, frozen=True, kw_only=True):
    """The settings of a project. Command-line options override them."""

    migrations: tuple[str, ...] = ()
    runner: str | None = None
    transaction: TransactionHabit | None = None
    custom_runner: CustomRunner | None = None
    template_values: dict[str, str] = {}
    pg_version: Annotated[int, Meta(ge=versions.OLDEST, le=versions.NEWEST)] = versions.DEFAULT
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: FailOn = "warning"
    severity: dict[str, SeverityWord] = {}
    per_path: tuple[PerPath, ...] = ()
    slo: Slo = Slo()
    start_after: str | None = None
    lock_timeout: str | None = None
    longest_lock_timeout: str = "10s"
    small_table: Annotated[int, Meta(ge=0)] = 10_000
    without_extensions: tuple[str, ...] = ()
    no_exec: bool = False
    script_timeout: str = "10s"
    schema: str | None = None
    stats: str | None = None
    queries: tuple[str, ...] = ()
    queries_complete: bool = False
    baseline: str | None = None
    rules: str | None = None
    folder: str = "."
    """The folder of the configuration, relative to the current folder. It is not a key."""

    def overridden(self, **options: object) -> "Configuration":
        """Returns the configuration with command-line options, which are text; an option that is None was not given. Raises ConfigError."""
        given = {option.replace("_", "-"): value for option, value in options.items() if value is not None}
        if not given:
            return self
        overriding = _convert(given, Configuration, _OPTION)
        return replace(self, **{option: getattr(overriding, option) for option, value in options.items() if value is not None})

    @property
    def severities(self) -> dict[str, Severity]:
        """The severity of each rule that the configuration gives one."""
        return _severities(self.severity)

    def concerns(self, part: PerPath, path: str) -> bool:
        """Whether a part of the configuration applies to a file."""
        if path == "-":
            return False
        relative = Path(os.path.relpath(path, self.folder)).as_posix()
        return any(re.fullmatch(f"{glob_pattern(pattern.rstrip('/'))}(?:/.*)?", relative) for pattern in part.paths)

    @property
    def limits(self) -> Limits:
        """The limits that rules compare with."""
        longest = milliseconds(self.longest_lock_timeout)
        assert longest is not None  # reading the configuration checks it
        lock_timeout = milliseconds(self.lock_timeout) if self.lock_timeout else None
        return Limits(lock_timeout=lock_timeout, longest_lock_timeout=longest, small_table=self.small_table)

    @property
    def script_seconds(self) -> float:
        """The time limit of a migration that is a program, in seconds."""
        timeout = milliseconds(self.script_timeout)
        assert timeout is not None  # reading the configuration checks it
        return timeout / 1000

    @property
    def sources(self) -> SourceSettings:
        """The settings for finding migrations."""
        return SourceSettings(
            self.runner, Transaction(self.transaction) if self.transaction else None, self.custom_runner, self.template_values
        )


def read_configuration(file: Path | None = None, start: Path | None = None) -> Configuration:
    """Returns the configuration in `file`; without one, the nearest configuration in the folder `start` (default: the current one) or above.

    Raises ConfigError for an invalid file; for an unknown key, the error names the nearest known one.
    """
    if file is not None:
        return _read(file, _table(file) or {})
    folder = (start or Path.cwd()).resolve()
    for above in (folder, *folder.parents):
        for name in FILES:
            path = above / name
            table = _table(path) if path.is_file() else None
            if table is not None:
                return _read(path, table)
    return Configuration()


def _table(path: Path) -> dict[str, Any] | None:
    """Returns migsafe's keys in a file; None for a pyproject.toml without any."""
    text = read_text(str(path))
    in_project = path.name == "pyproject.toml"
    if in_project and "migsafe" not in text:
        return None
    import tomllib  # noqa: PLC0415  # slow to import, and not needed without a configuration

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    table = document.get("tool", {}).get("migsafe") if in_project else document
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{path}: [tool.migsafe] must be a table")
    return table


def _severities(words: Mapping[str, SeverityWord]) -> dict[str, Severity]:
    return {rule: Severity[word.upper()] for rule, word in words.items()}


def _read(path: Path, table: dict[str, Any]) -> Configuration:
    where = f"{path}: "
    if isinstance(table.get("custom-runner"), dict):
        table = {**table, "custom-runner": _custom_runner(table["custom-runner"], f"{where}custom-runner.")}
    if isinstance(table.get("per-path"), list):
        parts = [
            _convert(part, PerPath, f"{where}per-path[{number}].") if isinstance(part, dict) else part
            for number, part in enumerate(table["per-path"], 1)
        ]
        table = {**table, "per-path": parts}
    if isinstance(table.get("slo"), dict):
        slo = _convert(table["slo"], Slo, f"{where}slo.")
        _check_durations(slo, ("blocked", "hold"), f"{where}slo.")
        table = {**table, "slo": slo}
    settings = _convert(table, Configuration, where)
    _check_durations(settings, ("lock-timeout", "longest-lock-timeout", "script-timeout"), where)
    # Paths in a configuration are relative to its folder; messages show them relative to the current folder.
    folder = os.path.relpath(path.parent)
    return replace(settings, folder=folder, **{key: _from_here(folder, getattr(settings, key)) for key in _FILE_KEYS})


def _from_here(folder: str, path: Any) -> Any:
    """Returns a path of the configuration, or several, relative to the current folder."""
    if isinstance(path, tuple):
        return tuple(_from_here(folder, each) for each in path)
    return os.path.normpath(Path(folder, path)) if path is not None else None


def _check_durations(table: Struct, keys: Iterable[str], where: str) -> None:
    for key in keys:
        value = getattr(table, key.replace("-", "_"))
        if value is not None and milliseconds(value) is None:
            raise ConfigError(f"{where}{key}: invalid duration: {value}", "Examples: 500ms, 2s, 1min.")


def _custom_runner(table: dict[str, Any], where: str) -> CustomRunner:
    runner = _convert(table, CustomRunner, where)
    for key, choices in _CUSTOM_CHOICES.items():
        value = getattr(runner, key)
        if value not in choices:
            raise ConfigError(f"{where}{key}: invalid value: {value}", f"Use {join_choices(choices)}.")
    for key in ("up_marker", "down_marker", "no_transaction_marker"):
        try:
            re.compile(getattr(runner, key) or "")
        except re.error as error:
            raise ConfigError(f"{where}{key.replace('_', '-')}: invalid regular expression: {error}") from error
    return runner


def _convert(table: Mapping[str, Any], to: type[_Table], where: str) -> _Table:
    """Returns a table of a configuration as a Struct. Raises ConfigError that names the wrong key after `where`."""
    known = {field.name.replace("_", "-"): field.name for field in msgspec.structs.fields(to) if field.name not in _NO_KEYS}
    for key in table:
        if key not in known:
            raise ConfigError(f"{where}{key}: unknown key", did_you_mean(key, known))
    is_option = where == _OPTION
    try:
        return msgspec.convert({known[key]: value for key, value in table.items()}, to, strict=not is_option)
    except msgspec.ValidationError as error:
        from migsafe.configuration.mismatch import find_mismatch  # noqa: PLC0415  # only needed for a mistake

        mismatch = find_mismatch(table, to, from_text=is_option)
        assert mismatch is not None
        raise ConfigError(f"{where}{mismatch.key}: {mismatch.problem}", mismatch.hint) from error
