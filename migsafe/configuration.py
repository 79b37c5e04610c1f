"""A project's configuration: `[tool.migsafe]` in pyproject.toml, or migsafe.toml, where the same keys stand at the top."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from migsafe import versions
from migsafe.errors import ConfigError, did_you_mean
from migsafe.linting.finding import Severity
from migsafe.linting.rule import Limits
from migsafe.session import milliseconds
from migsafe.sources import CustomRunner, SourceSettings, Transaction
from migsafe.sources.custom import glob_pattern
from migsafe.text import read_text

"""The versions of PostgreSQL that migsafe knows, and the one it takes when nobody says."""

FailOn = Literal["error", "warning", "info", "never"]
TransactionHabit = Literal["file", "statement", "none"]
SeverityWord = Literal["error", "warning", "info"]

_Table = TypeVar("_Table", bound=Struct)

_FILES = ("migsafe.toml", "pyproject.toml")
FAIL_ON, TRANSACTIONS = get_args(FailOn), get_args(TransactionHabit)
_CHOICES = {
    "fail-on": FAIL_ON,
    "transaction": TRANSACTIONS,
    "pg-version": tuple(map(str, versions.SUPPORTED)),
    "severity[...]": get_args(SeverityWord),
}
_CUSTOM_CHOICES = {"order": ("name", "number"), "transaction": ("file", "query", "statement")}
_PLACE = re.compile(r" - at `\$\.([^`]*)`$")
_FILE_KEYS = ("migrations", "schema", "stats", "baseline", "rules")
_NO_KEYS = ("folder",)
_OPTION = "--"
_TYPES = {"array": "a list", "bool": "true or false", "int": "a whole number", "float": "a number", "object": "a table", "str": "a string"}


class PerPath(Struct, frozen=True, kw_only=True):
    """What holds for some files only: globs of their paths from the configuration's folder (`**` stands for any number of folders), rules
    that say nothing there, and severities."""

    paths: tuple[str, ...]
    ignore: tuple[str, ...] = ()
    severity: dict[str, SeverityWord] = {}

    @property
    def severities(self) -> dict[str, Severity]:
        """The severities by rule."""
        return _severities(self.severity)


class Slo(Struct, frozen=True, kw_only=True):
    """What a release may cost production: `blocked` is the longest that a query may wait, `hold` the longest that a
    lock may be held that stops somebody (times as PostgreSQL takes them: 500ms, 2s), `rows-lost` the most rows of existing tables that
    may be taken away. What is not set is not limited."""

    blocked: str | None = None
    hold: str | None = None
    rows_lost: Annotated[int, Meta(ge=0)] | None = None

    @property
    def budgets(self) -> tuple[float | None, float | None, int | None]:
        """The milliseconds that a query may wait and a lock be held, and the rows."""
        return milliseconds(self.blocked) if self.blocked else None, milliseconds(self.hold) if self.hold else None, self.rows_lost


class Configuration(Struct, frozen=True, kw_only=True):
    """What a project says about itself. Command-line options go before it."""

    migrations: tuple[str, ...] = ()
    runner: str | None = None
    transaction: TransactionHabit | None = None
    custom_runner: CustomRunner | None = None
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
    no_exec: bool = False
    script_timeout: str = "10s"
    schema: str | None = None
    stats: str | None = None
    baseline: str | None = None
    rules: str | None = None
    folder: str = "."
    """Where the configuration stands, as seen from the current folder; no key."""

    def overridden(self, **options: object) -> "Configuration":
        """The configuration with the command-line options that were given, as text; None is one that was not. Raises ConfigError."""
        given = {option.replace("_", "-"): value for option, value in options.items() if value is not None}
        if not given:
            return self
        found = _convert(given, Configuration, _OPTION)
        return replace(self, **{option: getattr(found, option) for option, value in options.items() if value is not None})

    @property
    def severities(self) -> dict[str, Severity]:
        """The severities that rules are given, by name."""
        return _severities(self.severity)

    def concerns(self, part: PerPath, path: str) -> bool:
        """Whether a part of the configuration holds for a file."""
        if path == "-":
            return False
        place = Path(os.path.relpath(path, self.folder)).as_posix()
        return any(re.fullmatch(f"{glob_pattern(pattern.rstrip('/'))}(?:/.*)?", place) for pattern in part.paths)

    @property
    def limits(self) -> Limits:
        """What is taken for granted, or for too much."""
        longest = milliseconds(self.longest_lock_timeout)
        assert longest is not None  # what is no time has been refused
        lock_timeout = milliseconds(self.lock_timeout) if self.lock_timeout else None
        return Limits(lock_timeout=lock_timeout, longest_lock_timeout=longest, small_table=self.small_table)

    @property
    def script_seconds(self) -> float:
        """How long a migration that is a program may run, in seconds."""
        found = milliseconds(self.script_timeout)
        assert found is not None  # what is no time has been refused
        return found / 1000

    @property
    def sources(self) -> SourceSettings:
        """The part of it that finding migrations needs."""
        return SourceSettings(self.runner, Transaction(self.transaction) if self.transaction else None, self.custom_runner)


def configuration(file: Path | None = None, start: Path | None = None) -> Configuration:
    """What `file` says; without one, the nearest configuration in the folder `start` (the current one) or above it.

    Raises ConfigError for a file that cannot be understood, with the nearest known key where one is unknown.
    """
    if file is not None:
        return _read(file, _table(file) or {})
    folder = (start or Path.cwd()).resolve()
    for above in (folder, *folder.parents):
        for name in _FILES:
            path = above / name
            table = _table(path) if path.is_file() else None
            if table is not None:
                return _read(path, table)
    return Configuration()


def _table(path: Path) -> dict[str, Any] | None:
    """The keys that a file holds for migsafe; None for a pyproject.toml that says nothing about it."""
    text = read_text(str(path))
    in_project = path.name == "pyproject.toml"
    if in_project and "migsafe" not in text:
        return None
    import tomllib  # noqa: PLC0415  # start-up must not pay for it where there is nothing to read

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from error
    found = document.get("tool", {}).get("migsafe") if in_project else document
    if found is not None and not isinstance(found, dict):
        raise ConfigError(f"{path}: [tool.migsafe] must be a table")
    return found


def _severities(words: Mapping[str, SeverityWord]) -> dict[str, Severity]:
    return {rule: Severity[word.upper()] for rule, word in words.items()}


def _read(path: Path, table: dict[str, Any]) -> Configuration:
    where = f"{path}: "
    if isinstance(table.get("custom-runner"), dict):
        table = {**table, "custom-runner": _custom_runner(table["custom-runner"], f"{where}custom-runner: ")}
    if isinstance(table.get("per-path"), list):
        parts = enumerate(table["per-path"], 1)
        table = {**table, "per-path": [_convert(it, PerPath, f"{where}per-path {n}: ") if isinstance(it, dict) else it for n, it in parts]}
    if isinstance(table.get("slo"), dict):
        table = {**table, "slo": _slo(table["slo"], f"{where}slo: ")}
    found = _convert(table, Configuration, where)
    for key in ("lock-timeout", "longest-lock-timeout", "script-timeout"):
        value = getattr(found, key.replace("-", "_"))
        if value is not None and milliseconds(value) is None:
            raise ConfigError(f"{where}{key}: {value} is no time", "PostgreSQL takes 500ms, 2s, 1min.")
    # Paths in a configuration start from its folder; the user sees them from where he stands.
    folder = os.path.relpath(path.parent)
    return replace(found, folder=folder, **{key: _from(folder, getattr(found, key)) for key in _FILE_KEYS})


def _from(folder: str, name: Any) -> Any:
    """A path of the configuration, or several, as seen from the current folder."""
    if isinstance(name, tuple):
        return tuple(_from(folder, one) for one in name)
    return os.path.normpath(Path(folder, name)) if name is not None else None


def _slo(table: dict[str, Any], where: str) -> Slo:
    found = _convert(table, Slo, where)
    for key in ("blocked", "hold"):
        value = getattr(found, key)
        if value is not None and milliseconds(value) is None:
            raise ConfigError(f"{where}{key}: {value} is no time", "PostgreSQL takes 500ms, 2s, 1min.")
    return found


def _custom_runner(table: dict[str, Any], where: str) -> CustomRunner:
    found = _convert(table, CustomRunner, where)
    for key, choices in _CUSTOM_CHOICES.items():
        if getattr(found, key) not in choices:
            raise ConfigError(f"{where}{key} cannot be {getattr(found, key)}", f"It is one of {', '.join(choices)}.")
    for key in ("up_marker", "down_marker", "no_transaction_marker"):
        try:
            re.compile(getattr(found, key) or "")
        except re.error as error:
            raise ConfigError(f"{where}{key.replace('_', '-')} is not a regular expression: {error}") from error
    return found


def _convert(table: Mapping[str, Any], to: type[_Table], where: str) -> _Table:
    """A table of a configuration as a Struct. Raises ConfigError that names the key, after `where`: unknown, or of the wrong type."""
    known = {field.name.replace("_", "-"): field.name for field in msgspec.structs.fields(to) if field.name not in _NO_KEYS}
    for key in table:
        if key not in known:
            raise ConfigError(f"{where}there is no key {key}", did_you_mean(key, known))
    try:
        return msgspec.convert({known[key]: value for key, value in table.items()}, to, strict=where != _OPTION)
    except msgspec.ValidationError as error:
        raise _refusal(str(error), table, where) from error


def _refusal(message: str, table: Mapping[str, Any], where: str) -> ConfigError:
    """What msgspec says about a value, in the words of somebody who wrote TOML."""
    place = _PLACE.search(message)
    key = place[1].replace("_", "-") if place else ""
    if key in _CHOICES:
        value = table[key] if key in table else next(it for it in table["severity"].values() if it not in _CHOICES[key])
        return ConfigError(f"{where}{key.removesuffix('[...]')} cannot be {value}", f"It is one of {', '.join(_CHOICES[key])}.")
    said = message[: place.start()] if place else message
    for name, words in _TYPES.items():
        said = said.replace(f"`{name} | null`", words).replace(f"`{name}`", words)
    said = said.replace("Object missing required field", "it lacks the key")
    where = f"{where}{key.removesuffix('[...]')}: " if key else where
    return ConfigError(f"{where}{said[0].lower()}{said[1:]}")
