"""How a job installs migsafe and the application that the revisions import."""

import json
import tomllib
from collections.abc import Iterable, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from migsafe import __version__
from migsafe.patterns import lazy_pattern
from migsafe.setup.repository import git_output

_DISTRIBUTION = "migsafe-cli"
_REQUIREMENTS = "requirements.txt"
USUAL_PYTHON = "3.12"
"""The version of Python for a job whose project does not say which it needs."""
_PYTHONS = (12, 11, 13, 14)
"""The minor versions of Python 3 on which migsafe runs, the usual one first."""
_CLAUSE = lazy_pattern(r"(?P<operator>[<>=!~^]*)\s*3\.(?P<minor>\d+)(?P<patch>\.\d+)?")


def requirement(installed: Distribution | None = None) -> str:
    """Returns the requirement that installs this migsafe elsewhere.

    That is the repository and the commit from which it was installed, or which the checkout has from which it runs; without a repository, its
    version. `installed` is the installed distribution, by default the one that runs.
    """
    checkout = _checkout() if installed is None else None
    if checkout and (here := _of_checkout(checkout)):
        return here
    source = None
    try:
        written = (installed or distribution(_DISTRIBUTION)).read_text("direct_url.json")
        source = json.loads(written) if written else None
    except PackageNotFoundError:
        pass
    git = source.get("vcs_info", {}) if source else {}
    if source and git.get("vcs") == "git":
        return _at(source["url"], git["commit_id"])
    if source and "dir_info" in source:
        checkout = Path(unquote(urlsplit(source["url"]).path))
    return (_of_checkout(checkout) if checkout else None) or f"{_DISTRIBUTION}=={__version__}"


def application(root: Path, revisions: Iterable[str]) -> list[str]:
    """Returns the arguments of `pip install` for the projects that contain Alembic's revisions: the nearest folder that is a Python project,
    or that lists its requirements. None for a folder without either: migsafe substitutes modules that are missing."""
    found: dict[str, None] = {}
    for path in revisions:
        folder = (root / path).resolve()
        for above in (folder, *folder.parents):
            if not above.is_relative_to(root.resolve()):
                break
            relative = above.relative_to(root.resolve()).as_posix()
            if _is_installable(above):
                found["." if relative == "." else f"./{relative}"] = None
                break
            if (above / _REQUIREMENTS).is_file():
                found[f"-r {_REQUIREMENTS}" if relative == "." else f"-r {relative}/{_REQUIREMENTS}"] = None
                break
    return list(found)


def python_for(root: Path, arguments: Sequence[str]) -> str | None:
    """Returns the version of Python that the projects to install accept and on which migsafe runs; None if there is none."""
    needed = [_required_python(_table_of(root / argument)) for argument in arguments if not argument.startswith("-r ")]
    minor = next((minor for minor in _PYTHONS if all(_accepts(text, minor) for text in needed)), None)
    return None if minor is None else f"3.{minor}"


def _required_python(table: dict[str, Any]) -> str:
    poetry = table.get("tool", {}).get("poetry", {}).get("dependencies", {}).get("python")
    return str(table.get("project", {}).get("requires-python") or poetry or "")


def _accepts(requirement: str, minor: int) -> bool:
    """Whether a requirement of Python, in the form of `requires-python` or of Poetry, accepts the newest release of a minor version."""
    clauses = _CLAUSE.finditer(requirement)
    return all(_accepts_clause(each["operator"], int(each["minor"]), minor, has_patch=bool(each["patch"])) for each in clauses)


def _accepts_clause(operator: str, limit: int, minor: int, *, has_patch: bool) -> bool:
    match operator:
        case ">=" | ">" | "^":
            return minor >= limit
        case "<":
            return minor < limit
        case "<=":
            return minor < limit or (minor == limit and not has_patch)
        case "!=":
            return has_patch or minor != limit
        case "~=":
            return minor == limit if has_patch else minor >= limit
    return minor == limit


def _is_installable(folder: Path) -> bool:
    """Whether pip can install a folder: it has a setup.py, or a pyproject.toml that names how it is built."""
    if (folder / "setup.py").is_file():
        return True
    table = _table_of(folder)
    poetry = table.get("tool", {}).get("poetry", {})
    return "build-system" in table and ("project" in table or bool(poetry)) and poetry.get("package-mode") is not False


def _table_of(folder: Path) -> dict[str, Any]:
    """Returns the pyproject.toml of a folder; nothing if it has none that can be read."""
    try:
        return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}


def _checkout() -> Path | None:
    """Returns the checkout from which this migsafe runs, if it does."""
    folder = Path(__file__).resolve().parents[2]
    return folder if (folder / ".git").exists() and (folder / "pyproject.toml").is_file() else None


def _of_checkout(folder: Path) -> str | None:
    commit = git_output(folder, "rev-parse", "HEAD")
    if not commit:
        return None
    remotes = git_output(folder, "remote").split()
    remote = "origin" if "origin" in remotes or not remotes else remotes[0]
    url = git_output(folder, "remote", "get-url", remote) if remotes else ""
    return _at(_for_pip(url, folder), commit)


def _at(url: str, commit: str) -> str:
    # pip refuses a name before the URL of a local repository ("Invalid requirement"), because it has no host.
    name = "" if url.startswith("file:") else f"{_DISTRIBUTION} @ "
    return f"{name}git+{url}@{commit}"


def _for_pip(url: str, folder: Path) -> str:
    """Returns the URL of a git repository in the form that pip accepts, that of the checkout itself without a remote."""
    if "://" in url:
        return url
    host, colon, path = url.partition(":")
    if colon and "/" not in host:  # scp's form, as in git@example.com:team/migsafe.git
        return f"ssh://{host}/{path}"
    return (folder / url).resolve().as_uri()
