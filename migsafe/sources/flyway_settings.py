"""Flyway's settings, where projects write them: flyway.conf, flyway.toml, Spring's application files, the build, the environment.

Keys are compared by their letters only: `flyway.outOfOrder`, `spring.flyway.out-of-order` and FLYWAY_OUT_OF_ORDER are one setting.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from migsafe.patterns import lazy_pattern
from migsafe.sources.project_files import files_in, readable_text
from migsafe.sources.runner import Folder
from migsafe.sql.operations.values import quoted

_CONFIGURATION = lazy_pattern(r"(?:flyway.*\.(?:conf|toml|properties)|(?:application|bootstrap).*\.(?:properties|ya?ml)|\.env.*)$")
_PROGRAM = lazy_pattern(
    r"(?:pom\.xml|[\w.-]+\.gradle(?:\.kts)?|(?:docker-)?compose.*\.ya?ml|gradle\.properties|libs\.versions\.toml"
    r"|Dockerfile(?:[.-].*)?|.*\.[dD]ockerfile|.*flyway.*\.sh)$"
)
_SUBFOLDERS = ("", "conf", "config", "resources", "src/main/resources", "gradle")
_SOURCES = ("src/main/java", "src/main/kotlin")
_FLYWAY_SOURCE = lazy_pattern(r".*(?:Flyway|Migrat|Database|DataSource|Config).*\.(?:java|kt)$")
_NO_LOCK = lazy_pattern(r"transactional[\W_]*lock[\W_]*(?:to\W+)?false\b", re.IGNORECASE)
_MIXED = lazy_pattern(r"(?<![a-z])mixed[\W_]*(?:to\W+)?true\b", re.IGNORECASE)
_VERSION = lazy_pattern(
    r"(?:org\.flywaydb|flyway[-.\w]*)(?:</artifactId>)?[\"'),:>\]\s]*<?(?:version)?[\"'(:=>\s]*v?(\d+)\.(\d+)\b", re.IGNORECASE
)
_SPRING_BOOT = lazy_pattern(
    r"(?:org\.springframework\.boot[\"')]*\s*version\s*[\"'(]*|spring-boot-starter-parent</artifactId>\s*<version>)(\d+)\.", re.IGNORECASE
)
_FIRST_WITH_LOCK = (9, 1)
_YAML_LINE = lazy_pattern(r"^(?P<indent> *)(?P<key>[\w.\-\[\]\"']+):(?:[ \t]+(?P<value>[^#\n]*?))?[ \t]*(?:#.*)?$")
_PROPERTY = lazy_pattern(r"^\s*(?:export\s+)?([\w.\-]+)[ \t]*[=:][ \t]*(.*?)\s*$", re.MULTILINE)
_VARIABLE = lazy_pattern(r"\$\{[\w.-]+(?::-?(?P<default>[^${}]*))?\}")
_PLACEHOLDER = lazy_pattern(r"\.?(?:spring[._])?flyway[._]placeholders[._]?\[?(?P<name>[^\[\]]+)\]?$", re.IGNORECASE)
_SCHEMA = lazy_pattern(r"[\w-]+")
_PRODUCTION = lazy_pattern(r"prod(?:uction)?\b", re.IGNORECASE)
_OF_POSTGRESQL = lazy_pattern(r"postgres(?:ql)?|pg\b", re.IGNORECASE)
_DOCUMENT = lazy_pattern(r"^---.*\n", re.MULTILINE)
_OF_PROFILE = lazy_pattern(
    r"^[ \t]*(?:on-profile|profiles|spring\.(?:config\.activate\.on-profile|profiles))[ \t]*:[ \t]*[\"']?(\S+)", re.MULTILINE
)
_PREFIXES = ("springflyway", "flyway")
_LEVELS = 9
_BUILD_FILES = ("pom.xml", "build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts")
_MODULES = ("*/src/main/resources", "*/*/src/main/resources")
"""The folders of the settings of a project's modules, from the project's folder."""


class FlywaySettings:
    """The settings that apply to a folder of Flyway's migrations: files nearer to the folder take precedence, and within a folder those of a
    profile for production, then those without a profile (`application.yml` before `application-dev.yml`)."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    @cached_property
    def values(self) -> Mapping[str, str]:
        """The values, by the letters of their keys in lower case, without `flyway`: `placeholders.tenant` is `placeholderstenant`."""
        values: dict[str, str] = {}
        for key, value in self._pairs:
            letters = _letters(key)
            prefix = next((prefix for prefix in _PREFIXES if letters.startswith(prefix)), None)
            if prefix is not None and value:
                values.setdefault(letters.removeprefix(prefix), value)
        return values

    @cached_property
    def prefix(self) -> str | None:
        """The prefix of versioned scripts, which may be empty; None if no setting names one, or the environment decides it."""
        return next((_without_environment(value) for key, value in self._pairs if _letters(key).endswith("flywaysqlmigrationprefix")), None)

    @cached_property
    def placeholders(self) -> Mapping[str, str]:
        """The values of placeholders, by their names in lower case; without those that come from the environment. Flyway compares the names
        without case (Flyway's documentation, Placeholders)."""
        if self.values.get("placeholderreplacement", "").lower() == "false" or self.values.get("placeholderprefix", "${") != "${":
            return {}
        values: dict[str, str] = {}
        for key, value in self._pairs:
            match = _PLACEHOLDER.match(key)
            known = _without_environment(value) if match is not None else None
            if match is not None and known is not None:
                values.setdefault(match["name"].lower(), known)
        return values | ({"flyway:defaultschema": self.default_schema} if self.default_schema else {})

    @cached_property
    def default_schema(self) -> str | None:
        """The schema of the history; None if no setting names one, or the environment decides it."""
        schema = self.values.get("defaultschema") or self.values.get("schemas", "").strip("[]").partition(",")[0].strip().strip("\"'")
        return (_without_environment(schema) or None) if schema else None

    @cached_property
    def connection_setup(self) -> tuple[str, ...]:
        """The SQL with which Flyway makes its schema the first one of search_path, and creates it if it is missing, unless `createSchemas` is
        false (flyway-core, DbMigrate and DbSchemas; flyway-database-postgresql, PostgreSQLConnection.changeCurrentSchemaTo)."""
        if self.default_schema is None or self.default_schema == "public" or not _SCHEMA.fullmatch(self.default_schema):
            return ()
        name = quoted(self.default_schema)
        create = f"IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = '{self.default_schema}') THEN CREATE SCHEMA {name}; END IF;"
        path = f'SET search_path = {name}, "$user", public'
        return (path,) if self.values.get("createschemas", "").lower() == "false" else (f"DO $$ BEGIN {create} END $$", path)

    @cached_property
    def locations(self) -> list[str]:
        """Where the scripts are, as the settings name it; empty if they do not. Those of profiles for development and tests do not count: they
        often add data for these."""
        return _locations_in(self._texts)

    @cached_property
    def locations_of_profiles(self) -> dict[str, list[str]]:
        """The locations that the files of profiles for development and tests name, by profile."""
        profiles = ((path.stem.partition("-")[2], path, text) for path, text in self._texts if _CONFIGURATION.match(path.name))
        return {profile: _values_in(path, text) for profile, path, text in profiles if not _is_production(profile)}

    @cached_property
    def locations_of_other_modules(self) -> list[list[str]]:
        """The locations that other modules of a project of Maven or Gradle name: an application may run the scripts of a library."""
        return [locations for each in self._texts_of_other_modules if (locations := _locations_in(each))]

    @cached_property
    def applies_late(self) -> bool:
        """Whether Flyway applies a script whose version is before one that it has applied (`outOfOrder`). Without own settings, those of the
        project's other modules count: one of them may be the application that runs the scripts."""
        if self.values:
            return self.values.get("outoforder", "").lower() == "true"
        pairs = (
            pair
            for texts in self._texts_of_other_modules
            for path, text in texts
            if _is_production(path.stem.partition("-")[2])
            for pair in _pairs(path, text)
        )
        return any(_letters(key).endswith("flywayoutoforder") and value.strip().strip("\"'").lower() == "true" for key, value in pairs)

    @cached_property
    def _texts_of_other_modules(self) -> list[list[tuple[Path, str]]]:
        """The files of settings of the modules of a project of Maven or Gradle, with their texts, by module."""
        modules = (
            module
            for above in parents_of(Path(self._folder.path or ".").absolute())
            if any((above / name).is_file() for name in _BUILD_FILES)
            for pattern in _MODULES
            for module in sorted(above.glob(pattern))
        )
        return [
            [(path, readable_text(path) or "") for entry in files_in(module) if _CONFIGURATION.match((path := Path(entry.path)).name)]
            for module in dict.fromkeys(modules)
        ]

    @cached_property
    def _pairs(self) -> list[tuple[str, str]]:
        """The keys and values of all files of settings, those that take precedence first."""
        return [
            (key, value.strip().strip("\"'"))
            for path, text in self._texts
            if _CONFIGURATION.match(path.name)
            for key, value in _pairs(path, text)
        ]

    @cached_property
    def has_transactional_lock(self) -> bool:
        """Whether Flyway holds its lock in a transaction while it migrates: by default from 9.1 on (flyway issues 2895 and 3508). A setting in
        any file, or in code, counts: which of them production uses is not known."""
        if self._folder.requested_file == "-":
            return True
        texts = self._all_texts
        if any(_NO_LOCK.search(text) for text in texts):
            return False
        versions = [(int(match[1]), int(match[2])) for text in texts for match in _VERSION.finditer(text)]
        if versions:
            return max(versions) >= _FIRST_WITH_LOCK
        # Spring Boot 2 brings Flyway 5 to 8, Spring Boot 3 begins with 9.5.
        return all(int(match[1]) >= 3 for text in texts for match in _SPRING_BOOT.finditer(text))

    @cached_property
    def accepts_mixed(self) -> bool:
        """Whether a setting in any file, or in code, lets a script mix statements that can run in a transaction with others."""
        return any(_MIXED.search(text) for text in self._all_texts)

    @cached_property
    def _all_texts(self) -> list[str]:
        programs = (readable_text(path) for path in self._flyway_sources())
        return [*(text for _, text in self._texts), *(text for text in programs if text is not None)]

    @cached_property
    def _texts(self) -> list[tuple[Path, str]]:
        """The files that may contain settings, with their texts; those nearest to the migrations first."""
        found: dict[Path, str | None] = {}
        if self._folder.requested_file == "-":
            return []
        for above in self._folder.self_and_parents():
            for name in _SUBFOLDERS:
                for path in sorted((Path(entry.path) for entry in files_in(above / name)), key=_profile):
                    if path not in found and (_CONFIGURATION.match(path.name) or _PROGRAM.match(path.name)):
                        found[path] = readable_text(path)
        return [(path, text) for path, text in found.items() if text is not None]

    def _flyway_sources(self) -> Iterator[Path]:
        """Yields the Java and Kotlin files of the project whose names are those of code that configures Flyway."""
        for above in self._folder.self_and_parents():
            for name in _SOURCES:
                for folder, _, files in os.walk(above / name):
                    yield from (Path(folder, file) for file in files if _FLYWAY_SOURCE.match(file))


def parents_of(path: Path) -> Iterator[Path]:
    """Yields a folder and its parents, up to the root of the repository, or far enough for a module in a project."""
    for above in (path, *path.parents[:_LEVELS]):
        yield above
        if (above / ".git").exists():
            return


def _locations_in(texts: Iterable[tuple[Path, str]]) -> list[str]:
    """Returns the locations that the first of these files for production names."""
    of_production = (
        _values_in(path, text) for path, text in texts if _CONFIGURATION.match(path.name) and _is_production(path.stem.partition("-")[2])
    )
    return next(filter(None, of_production), [])


def _values_in(path: Path, text: str) -> list[str]:
    """Returns the locations that a file names, apart from those in documents for a profile of development or tests."""
    for document in _DOCUMENT.split(text) if path.suffix in (".yml", ".yaml") else [text]:
        profile = _OF_PROFILE.search(document)
        if profile is not None and not _is_production(profile[1]):
            continue
        values = (value for key, value in _pairs(path, document) if _letters(key).endswith("flywaylocations"))
        if (value := next(filter(None, map(_without_environment, values)), None)) is not None:
            return [name for each in value.strip("[]").split(",") if (name := each.strip().strip("\"'"))]
    return []


def _letters(key: str) -> str:
    return re.sub(r"[\W_]", "", key).lower()


def _profile(path: Path) -> int:
    """Returns how far the profile that a file's name contains is from production."""
    _, has_profile, profile = path.stem.partition("-")
    return 0 if _PRODUCTION.match(profile) else 2 if has_profile else 1


def _is_production(profile: str) -> bool:
    """Whether a profile of Spring, or the absence of one (an empty name), can be the one in production."""
    return not profile or _PRODUCTION.match(profile) is not None or _OF_POSTGRESQL.match(profile) is not None


def _without_environment(value: str) -> str | None:
    """Returns a value of a setting in which the variables of the environment have their defaults; None if one has none."""
    filled = _VARIABLE.sub(lambda match: match["default"] if match["default"] is not None else match[0], value)
    return None if "${" in filled else filled


def _pairs(path: Path, text: str) -> Iterator[tuple[str, str]]:
    """Yields the scalar settings of a file, with the full names of their keys."""
    if path.suffix == ".toml":
        import tomllib  # noqa: PLC0415  # slow to import, and rarely needed

        try:
            yield from _flat("", tomllib.loads(text))
        except tomllib.TOMLDecodeError:
            return
    elif path.suffix in (".yml", ".yaml"):
        yield from _yaml_pairs(text)
    else:
        yield from ((match[1], match[2]) for match in _PROPERTY.finditer(text))


def _flat(prefix: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{prefix}.{key}", inner)
    elif isinstance(value, list):
        yield prefix, ",".join(map(str, value))
    else:
        yield prefix, str(value).lower() if isinstance(value, bool) else str(value)


def _yaml_pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yields the scalars of nested mappings, an empty one as an empty text, and lists of scalars, joined with commas, as `key[]`; anything else
    that YAML allows is left out."""
    above: list[tuple[int, str]] = []
    empty: str | None = None
    items: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.startswith("- ") and empty is not None:
            items.append(stripped[2:].partition(" #")[0].strip().strip("\"'"))
            continue
        match = _YAML_LINE.match(line)
        indent = len(line) - len(line.lstrip())
        if empty is not None and (items or indent <= above[-1][0]):
            yield (f"{empty}[]" if items else empty), ",".join(items)
        empty, items = None, []
        if match is None:
            continue
        while above and above[-1][0] >= indent:
            above.pop()
        above.append((indent, match["key"].strip("\"'")))
        key = ".".join(key for _, key in above)
        if match["value"]:
            yield key, match["value"]
        else:
            empty = key
    if empty is not None:
        yield (f"{empty}[]" if items else empty), ",".join(items)
