"""The table in which Alembic records revisions, and the ids that do not fit into it."""

import os
from collections.abc import Iterable

from migsafe.errors import UnreadableError
from migsafe.sources.alembic.project import Project
from migsafe.sources.alembic.script import Revision
from migsafe.text import Script

LONGEST_VERSION = 32
"""`alembic_version.version_num` is varchar(32) (alembic/ddl/impl.py, version_table_impl)."""
_COLUMN = "version_num"


def first_too_long(revisions: Iterable[Revision], scripts: Iterable[Script], project: Project) -> str | None:
    """Returns the first id, in their order, that PostgreSQL refuses in `alembic_version`; None if there is none, or if a file of the project
    mentions the column, and may have made it wider."""
    first = next((revision.version for revision in revisions if len(revision.version) > LONGEST_VERSION), None)
    return first if first is not None and not any(map(_mentions_column, (*scripts, *_neighbours(project)))) else None


def _neighbours(project: Project) -> list[Script]:
    """Returns env.py and the modules beside it."""
    if project.env is None:
        return []
    folder = os.path.dirname(project.env) or "."  # noqa: PTH120
    return [Script(os.path.join(folder, name)) for name in sorted(os.listdir(folder)) if name.endswith(".py")]  # noqa: PTH118, PTH208


def _mentions_column(script: Script) -> bool:
    try:
        return _COLUMN in script.text
    except UnreadableError:
        return False
