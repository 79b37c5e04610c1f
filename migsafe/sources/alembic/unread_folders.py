"""Folders of revisions that only a run of the project's code knows: `version_locations` set by code, and packages that extend an application.

Flask-Migrate's `@migrate.configure`, a command of the application, or an entry point may add folders of packages that are installed elsewhere.
"""

import ast
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from migsafe.paths import with_slashes
from migsafe.sources.alembic.modules import modules_below, project_root
from migsafe.sources.alembic.project import Project
from migsafe.sources.alembic.script import Revision, read_revision
from migsafe.sources.lineage import MissingParent
from migsafe.text import Script

_MOST_FILES = 5000
_OPTION = "version_locations"


def with_unread_folders(
    project: Project, declared: Sequence[tuple[Revision, str]], missing: Mapping[int, tuple[MissingParent, ...]]
) -> dict[int, tuple[MissingParent, ...]]:
    """Returns the missing parents of revisions, by position, with the reason for those that may be in folders that are not known here."""
    if not missing:
        return {}
    reason = _unread_folders(project)
    beside = _revisions_beside(project)
    # The first revision of a package has no parent of its own, but may depend on revisions of the application.
    return {
        position: tuple(
            parent._replace(elsewhere=beside.get(parent.version) or reason)
            if project.env is not None or parent.version not in declared[position][0].down_revisions
            else parent
            for parent in parents
        )
        for position, parents in missing.items()
    }


def _revisions_beside(project: Project) -> dict[str, str]:
    """Returns the revisions beside env.py that a folder which is not configured, such as one of drafts, may depend on, each with where it is.

    What a configured folder lacks, Alembic does not find either.
    """
    if project.env is None or project.settings is not None or Path(project.versions[0]).name == "versions":
        return {}
    own = {os.path.realpath(folder) for folder in project.versions}
    found: dict[str, str] = {}
    for folder in sorted(path for path in Path(project.env).absolute().parent.iterdir() if path.is_dir()):
        if os.path.realpath(folder) in own:
            continue
        for path in sorted(folder.glob("*.py"))[:_MOST_FILES]:
            revision = read_revision(Script(str(path)))
            if revision is not None:
                found[revision.version] = f"it is in {with_slashes(os.path.relpath(folder))}, which is another folder of revisions"
    return found


def _unread_folders(project: Project) -> str:
    """Returns why parents may be in folders that are not known, as a sentence without its full stop; nothing if all folders are known."""
    if project.env is None:
        return "there is no env.py for this folder, so another package configures the folders of revisions"
    for path in modules_below(project_root(project.env), _MOST_FILES):
        line = _sets_folders(path)
        if line:
            return f"{with_slashes(path)}:{line} sets `{_OPTION}`, which may name folders of other packages"
    return ""


def _sets_folders(path: str) -> int:
    """Returns the line in which a module sets the option; 0 if it does not."""
    try:
        source = Path(path).read_bytes()
        if _OPTION.encode() not in source.lower():
            return 0
        tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError, RecursionError):
        return 0
    return next((getattr(node, "lineno", 1) for node in ast.walk(tree) if _sets_option(node)), 0)


def _sets_option(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="set_main_option" | "set_section_option"), args=arguments):
            return any(isinstance(argument, ast.Constant) and argument.value == _OPTION for argument in arguments)
        case ast.Call(func=ast.Attribute(attr="ScriptDirectory") | ast.Name(id="ScriptDirectory"), keywords=keywords):
            return any(keyword.arg == _OPTION for keyword in keywords)
        case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=str(key)))]):
            return key == _OPTION
        case ast.Dict(keys=keys):
            return any(isinstance(key, ast.Constant) and key.value == _OPTION for key in keys)
    return False
