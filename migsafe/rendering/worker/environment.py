"""What a script finds in Alembic's configuration: the project's settings, what env.py passes, and unknown values for the rest."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from alembic.config import Config
from sqlalchemy import MetaData

from migsafe.rendering.worker.frames import caller
from migsafe.rendering.worker.script_run import Run
from migsafe.rendering.worker.unknown import Unknown
from migsafe.script_environment import UNKNOWN, ScriptEnvironment

_BY_ENV = "which env.py or the command line determines"
_NO_DEFAULT: Any = object()

_DECODER = msgspec.json.Decoder(ScriptEnvironment)


def read_environment(text: str) -> ScriptEnvironment:
    """Returns the environment that a request describes."""
    return _DECODER.decode(text) if text else ScriptEnvironment()


def unknown_of_env(run: Run, name: str) -> Unknown:
    """Returns the unknown value of something that env.py or the command line determines."""
    return Unknown(run, name, _BY_ENV)


def as_value(run: Run, name: str, value: Any) -> Any:
    """Returns a value of the environment, in which unknown parts are unknown values."""
    match value:
        case str() if value == UNKNOWN:
            return unknown_of_env(run, name)
        case str() if UNKNOWN in value:
            return unknown_of_env(run, name)
        case dict():
            return {key: as_value(run, f"{name}[{key}]", item) for key, item in value.items()}
        case list():
            return [as_value(run, f"{name}[…]", item) for item in value]
    return value


class EnvironmentValues(dict[str, Any]):
    """A dictionary that env.py or the command line fills: a key that is missing here has an unknown value for the script.

    Libraries see the dictionary as it is. A value that the script reads with a default has the default. `complete` dictionaries contain all
    that env.py passes, and `get` returns None for other keys.
    """

    def __init__(self, run: Run, name: str, values: Mapping[str, Any], *, complete: bool = False) -> None:
        super().__init__(values)
        self._run = run
        self._name = name
        self._complete = complete

    def __missing__(self, key: Any) -> Any:
        if not self._run.is_project_frame(caller()):
            raise KeyError(key)
        return unknown_of_env(self._run, f"{self._name}[{key}]")

    def get(self, key: Any, default: Any = _NO_DEFAULT) -> Any:
        """Returns the value of a key."""
        if dict.__contains__(self, key):
            return dict.__getitem__(self, key)
        if default is not _NO_DEFAULT and default is not None:
            return default
        if self._complete or not self._run.is_project_frame(caller()):
            return None
        return unknown_of_env(self._run, f"{self._name}[{key}]")

    def __contains__(self, key: object) -> Any:
        if dict.__contains__(self, key):
            return True
        frame = caller()
        return not self._complete and self._run.is_project_frame(frame) and self._run.decide(frame)


class ProjectConfig(Config):
    """The configuration of the project, as env.py leaves it."""

    def __init__(self, run: Run, environment: ScriptEnvironment) -> None:
        super().__init__(environment.config_file or None, ini_section=environment.section)
        if environment.project_file:
            self.toml_file_name = environment.project_file  # Alembic 1.16 and later
        self._run = run
        self._set = {name: as_value(run, name, value) for name, value in environment.main_options.items()}
        self._known_file = bool(environment.config_file)
        self.attributes: Any = EnvironmentValues(
            run, "config.attributes", {name: as_value(run, name, value) for name, value in environment.attributes.items()}
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not self._run.is_project_frame(caller()):
            raise AttributeError(name)
        return unknown_of_env(self._run, f"config.{name}")  # a project may add attributes of its own

    def get_main_option(self, name: str, default: Any = None) -> Any:
        """Returns an option of the main section."""
        return self.get_section_option(self.config_ini_section, name, default)

    def get_section_option(self, section: str, name: str, default: Any = None) -> Any:
        """Returns an option; an unknown value if neither the file nor env.py contains it, and there is no default."""
        if section == self.config_ini_section and name in self._set:
            return self._set[name]
        value = self._read(lambda: super(ProjectConfig, self).get_section_option(section, name, None))
        if value is not None or default is not None or not self._run.is_project_frame(caller()):
            return value if value is not None else default
        return None if self._known_file else unknown_of_env(self._run, name)

    def get_section(self, name: str, default: Any = None) -> Any:
        """Returns all options of a section."""
        section = self._read(lambda: super(ProjectConfig, self).get_section(name, None))
        if section is None:
            return default if default is not None else EnvironmentValues(self._run, name, {})
        return {**section, **(self._set if name == self.config_ini_section else {})}

    def set_main_option(self, name: str, value: str) -> None:
        """Sets an option of the main section."""
        self._set[name] = value if isinstance(value, Unknown) else value.replace("%%", "%")

    def _read(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except Exception:  # the file may be invalid, or refer to options that only exist elsewhere
            return None


class TargetMetaData(MetaData):
    """The metadata of the models: only its naming convention is known. For the script its tables are unknown."""

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_") and name != "naming_convention":
            run = object.__getattribute__(self, "__dict__").get("_migsafe_run")
            if run is not None and run.is_project_frame(caller()):
                return unknown_of_env(run, f"target_metadata.{name}")
        return object.__getattribute__(self, name)


def target_metadata(run: Run, convention: Mapping[str, str | None] | None) -> TargetMetaData:
    """Returns metadata with a naming convention. A template that uses a function of the project produces an unknown name."""

    def custom(name: str) -> Callable[..., Unknown]:
        return lambda *_: Unknown(run, name, "which a function of the project's naming convention determines")

    templates: Any = {key: template if template is not None else custom(key) for key, template in (convention or {}).items()}
    metadata = TargetMetaData(naming_convention=templates or None)
    metadata.__dict__["_migsafe_run"] = run
    return metadata
