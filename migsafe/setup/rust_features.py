"""The database for which a crate of Rust builds its migrations' library: the features of sqlx, Diesel or refinery in its Cargo.toml."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from migsafe.errors import UnreadableError
from migsafe.text import read_text

_LIBRARIES = frozenset(("sqlx", "diesel", "diesel-async", "diesel_migrations", "refinery"))
_DATABASES = {"sqlite": "SQLite", "sqlite-unbundled": "SQLite", "rusqlite": "SQLite", "rusqlite-bundled": "SQLite", "mysql": "MySQL"}
RUNNERS = ("sqlx", "diesel", "refinery")


def crate_database(folder: Path) -> str:
    """Returns the database other than PostgreSQL that the nearest crate above a folder uses; empty if it is PostgreSQL, or not known. A crate
    may take features from its workspace."""
    found: set[str] = set()
    for above in _self_and_parents(folder):
        manifest = _manifest(above / "Cargo.toml")
        if not found:
            tables = list(_dependencies(manifest))
            inherits = any(isinstance(each, Mapping) and each.get("workspace") is True for table in tables for each in table.values())
        else:
            tables = [manifest.get("workspace", {}).get("dependencies", {})]
        found |= {str(feature) for table in tables for feature in _features(table)}
        if found and (not inherits or "workspace" in manifest):
            break
    if any("postgres" in feature for feature in found):
        return ""
    return next((_DATABASES[feature] for feature in sorted(found) if feature in _DATABASES), "")


def _self_and_parents(folder: Path) -> Iterator[Path]:
    for above in (folder, *folder.parents):
        yield above
        if (above / ".git").exists():
            return


def _manifest(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(str(path))) if path.is_file() else {}
    except (UnreadableError, tomllib.TOMLDecodeError):
        return {}


def _dependencies(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for table in (manifest, manifest.get("workspace", {}), *manifest.get("target", {}).values()):
        for kind in ("dependencies", "dev-dependencies", "build-dependencies"):
            yield table.get(kind, {})


def _features(table: Mapping[str, Any]) -> Iterator[str]:
    for name, dependency in table.items():
        if name in _LIBRARIES and isinstance(dependency, Mapping):
            yield from (feature for feature in dependency.get("features", ()) if feature in _DATABASES or "postgres" in feature)
