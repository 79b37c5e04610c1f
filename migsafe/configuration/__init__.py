"""A project's configuration: the table `[tool.migsafe]` of pyproject.toml, or migsafe.toml with the same keys at the top level."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from migsafe import versions
from migsafe.configuration.durations import read_duration, read_setting
from migsafe.errors import ConfigError, did_you_mean
from migsafe.linting.finding import Severity
from migsafe.linting.rule import Limits
from migsafe.paths import relative_path, with_slashes
from migsafe.session import milliseconds
from migsafe.sources import CustomRunner, SourceSettings, Transaction
from migsafe.sources.custom import glob_pattern
from migsafe.sources.exclusion import Exclusion
from migsafe.text import read_text

FailOn = Literal["error", "warning", "info", "never"]
TransactionHabit = Literal["file", "statement", "none"]
SeverityWord = Literal["error", "warning", "info"]

_Table = TypeVar("_Table", bound=Struct)

FILES = ("migsafe.toml", "pyproject.toml")
TABLE_IN_PROJECT = ("tool", "migsafe")
FAIL_ON, TRANSACTIONS = get_args(FailOn), get_args(TransactionHabit)
_FILE_KEYS = ("migrations", "schema", "stats", "queries", "baseline", "rules")
NO_KEYS = ("folder",)
_OPTION = "--"
_TIME = r"\s*[+]?(\d+\.?\d*|\.\d+)\s*"
_UNITS = "(us|ms|s|min|h|d)"


def _duration(description: str, *, unit: bool = True) -> Meta:
    """Returns what is known about a key that is a duration; the JSON Schema has it as a pattern."""
    pattern = rf"^(\s*0\s*|{_TIME}{_UNITS}\s*)$" if unit else rf"^{_TIME}{_UNITS}?\s*$"
    return Meta(description=description, extra_json_schema={"pattern": pattern})


RuleName = Annotated[str, Meta(extra_json_schema={"$ref": "#/definitions/rule"})]
_Severities = dict[RuleName, SeverityWord]


class PerPath(Struct, frozen=True, kw_only=True):
    """Settings for some files."""

    paths: Annotated[
        tuple[str, ...],
        Meta(description="Globs of the files' paths, relative to the folder of the configuration; `**` matches any number of folders."),
    ]
    ignore: Annotated[tuple[RuleName, ...], Meta(description="The rules to ignore in these files.")] = ()
    severity: Annotated[_Severities, Meta(description="The severities of rules in these files.")] = {}

    @property
    def severities(self) -> dict[str, Severity]:
        """The severity of each rule that has one here."""
        return _severities(self.severity)


class Slo(Struct, frozen=True, kw_only=True):
    """The budgets of a release, for `migsafe premortem` and `migsafe replay`. A budget that is not set limits nothing."""

    blocked: Annotated[
        str | None, _duration("The longest time that a query may wait: lock_timeout plus the work. It needs a unit, as in 500ms or 2s.")
    ] = None
    hold: Annotated[
        str | None, _duration("The longest time that a lock which blocks queries may be held. It needs a unit, as in 500ms or 2s.")
    ] = None
    rows_lost: Annotated[Annotated[int, Meta(ge=0)] | None, Meta(description="The most rows that existing tables may lose.")] = None

    @property
    def budgets(self) -> tuple[float | None, float | None, int | None]:
        """`blocked` and `hold` in milliseconds, and `rows-lost`."""
        return milliseconds(self.blocked) if self.blocked else None, milliseconds(self.hold) if self.hold else None, self.rows_lost


class Configuration(Struct, frozen=True, kw_only=True):
    """The settings of a project. Command-line options override them."""

    migrations: Annotated[
        tuple[str, ...], Meta(description="The files and folders of the migrations, relative to the folder of this file.")
    ] = ()
    exclude: Annotated[
        tuple[str, ...],
        Meta(description="Globs of files and folders that are not migrations, relative to the folder of this file. They are not read."),
    ] = ()
    runner: Annotated[str | None, Meta(description="The runner of the migrations, if migsafe cannot recognise it from the files.")] = None
    transaction: Annotated[
        TransactionHabit | None,
        Meta(description="What the runner runs in one transaction, if migsafe cannot tell it from the files."),
    ] = None
    custom_runner: Annotated[CustomRunner | None, Meta(description="Your own runner, instead of `runner`.")] = None
    template_values: Annotated[
        dict[str, str], Meta(description="The values of placeholders in SQL files: {{ name }}, {{ .name }} and ${name}.")
    ] = {}
    pg_version: Annotated[
        int,
        Meta(ge=versions.OLDEST, le=versions.NEWEST, description="The major version of the server on which the migrations run."),
    ] = versions.DEFAULT
    select: Annotated[tuple[RuleName, ...], Meta(description="Only these rules; empty for all that are on.")] = ()
    ignore: Annotated[tuple[RuleName, ...], Meta(description="Rules that are off.")] = ()
    fail_on: Annotated[FailOn, Meta(description="The lowest severity that makes the exit code 1.")] = "warning"
    severity: Annotated[_Severities, Meta(description="The severities of rules; a severity also turns on a rule that is off.")] = {}
    per_path: Annotated[tuple[PerPath, ...], Meta(description="Settings for some files.")] = ()
    slo: Annotated[Slo, Meta(description="The budgets of a release, for `migsafe premortem` and `migsafe replay`.")] = Slo()
    start_after: Annotated[
        str | None, Meta(description="The version of a migration: it and those before it are history, which is read and not checked.")
    ] = None
    lock_timeout: Annotated[
        str | None, _duration("The lock_timeout that the runner sets on its connections; without a unit, milliseconds.", unit=False)
    ] = None
    longest_lock_timeout: Annotated[
        str, _duration("The longest lock_timeout that the rule lock-timeout-too-long accepts; without a unit, milliseconds.", unit=False)
    ] = "10s"
    small_table: Annotated[int, Meta(ge=0, description="A table with fewer rows is small: work on it takes a negligible time.")] = 10_000
    without_extensions: Annotated[
        tuple[str, ...], Meta(description="Extensions that `migsafe replay` does not create; it leaves out what needs them.")
    ] = ()
    no_exec: Annotated[bool, Meta(description="Run no code of the project: neither migrations written in Python nor own rules.")] = False
    script_timeout: Annotated[str, _duration("The time limit of each migration written in Python. It needs a unit.")] = "10s"
    schema: Annotated[str | None, Meta(description="A `pg_dump --schema-only` of the database before the first migration.")] = None
    stats: Annotated[str | None, Meta(description="The statistics of production's tables, from `migsafe stats`.")] = None
    queries: Annotated[tuple[str, ...], Meta(description="The application's queries: files, folders, recorded workloads.")] = ()
    queries_complete: Annotated[bool, Meta(description="Whether the application sends no other queries.")] = False
    baseline: Annotated[str | None, Meta(description="The file with findings that are not reported.")] = None
    rules: Annotated[str | None, Meta(description="A folder with your own rules.")] = None
    folder: str = "."
    """The folder of the configuration, relative to the current folder. It is not a key."""

    def overridden(self, **options: object) -> "Configuration":
        """Returns the configuration with command-line options, which are text; an option that is None was not given. Raises ConfigError."""
        given = {option.replace("_", "-"): value for option, value in options.items() if value is not None}
        if not given:
            return self
        overriding = _convert(given, Configuration, _OPTION)
        overriding = replace(overriding, exclude=tuple(relative_path(glob, self.folder) for glob in overriding.exclude))
        return replace(self, **{option: getattr(overriding, option) for option, value in options.items() if value is not None})

    @property
    def severities(self) -> dict[str, Severity]:
        """The severity of each rule that the configuration gives one."""
        return _severities(self.severity)

    def concerns(self, part: PerPath, path: str) -> bool:
        """Whether a part of the configuration applies to a file."""
        if path == "-":
            return False
        relative = relative_path(path, self.folder)
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
            self.runner,
            Transaction(self.transaction) if self.transaction else None,
            self.custom_runner,
            self.template_values,
            Exclusion(self.exclude, self.folder),
        )


def read_configuration(file: Path | None = None, start: Path | None = None) -> Configuration:
    """Returns the configuration in `file`; without one, the nearest configuration in the folder `start` (default: the current one) or above.

    Raises ConfigError for an invalid file; for an unknown key, the error names the nearest known one.
    """
    path, table = (file, read_table(file) or {}) if file is not None else _nearest(start)
    return _read(path, table) if path is not None else Configuration()


def find_configuration(start: Path | None = None) -> Path | None:
    """Returns the file of the nearest configuration in the folder `start` (default: the current one) or above; None if there is none."""
    return _nearest(start)[0]


def _nearest(start: Path | None) -> tuple[Path | None, dict[str, Any]]:
    folder = (start or Path.cwd()).resolve()
    for above in (folder, *folder.parents):
        for name in FILES:
            path = above / name
            table = read_table(path) if path.is_file() else None
            if table is not None:
                return path, table
    return None, {}


def read_table(path: Path) -> dict[str, Any] | None:
    """Returns migsafe's keys in a file; None for a pyproject.toml without any. Raises MigsafeError for a file that is not TOML."""
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
        _check(read_duration, slo, ("blocked", "hold"), f"{where}slo.")
        table = {**table, "slo": slo}
    settings = _convert(table, Configuration, where)
    _check(read_setting, settings, ("lock-timeout", "longest-lock-timeout"), where)
    _check(read_duration, settings, ("script-timeout",), where)
    # Paths in a configuration are relative to its folder; messages show them relative to the current folder.
    folder = relative_path(path.parent)
    return replace(settings, folder=folder, **{key: _from_here(folder, getattr(settings, key)) for key in _FILE_KEYS})


def _from_here(folder: str, path: Any) -> Any:
    """Returns a path of the configuration, or several, relative to the current folder."""
    if isinstance(path, tuple):
        return tuple(_from_here(folder, each) for each in path)
    return with_slashes(os.path.normpath(Path(folder, path))) if path is not None else None


def _check(read: Callable[[str, str], int], table: Struct, keys: Iterable[str], where: str) -> None:
    for key in keys:
        value = getattr(table, key.replace("-", "_"))
        if value is not None:
            read(f"{where}{key}", value)


def _custom_runner(table: dict[str, Any], where: str) -> CustomRunner:
    runner = _convert(table, CustomRunner, where)
    for key in ("up_marker", "down_marker", "no_transaction_marker"):
        try:
            re.compile(getattr(runner, key) or "")
        except re.error as error:
            raise ConfigError(f"{where}{key.replace('_', '-')}: invalid regular expression: {error}") from error
    return runner


def _convert(table: Mapping[str, Any], to: type[_Table], where: str) -> _Table:
    """Returns a table of a configuration as a Struct. Raises ConfigError that names the wrong key after `where`."""
    known = {field.name.replace("_", "-"): field.name for field in msgspec.structs.fields(to) if field.name not in NO_KEYS}
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
