"""The databases of an Alembic project: env.py may run the same scripts on several, with other arguments for each."""

import re
from collections.abc import Iterator

from msgspec.structs import replace

from migsafe.errors import UnreadableError
from migsafe.patterns import lazy_pattern
from migsafe.script_environment import UNKNOWN, ScriptEnvironment
from migsafe.sources.alembic.environment import Environment
from migsafe.sources.alembic.script import Revision, read_revision
from migsafe.sources.migration import ImportPath
from migsafe.sources.runner import MigrationFile, Selection
from migsafe.text import Script

_FUNCTION = lazy_pattern(r"^def upgrade_(\w*)\(\)", re.MULTILINE)
_BY_NAME = "globals()"


class RevisionFile(MigrationFile, frozen=True, kw_only=True):
    """A script, with what it declares and how its environment sends it."""

    revision: Revision
    environment: Environment
    import_path: ImportPath

    def with_text(self, script: Script) -> "RevisionFile":
        """Returns the same migration with another text of its script."""
        revision = read_revision(script) or self.revision
        lineage = replace(
            self.lineage,
            version_span=revision.version_span,
            parents_span=revision.parents_span,
            downgrade_span=revision.downgrade.span or revision.upgrade.span,
        )
        return replace(self, up=script, revision=revision, lineage=lineage)


def split_databases(files: Selection) -> list[Selection]:
    """Returns the files once for each database on which env.py runs the migrations with other arguments."""
    first = next((file for file, _ in files if isinstance(file, RevisionFile)), None)
    databases = list(_databases(files, first.environment.databases)) if first is not None else []
    if first is None or not databases:
        return [files]
    environments = [replace(first.environment, scripts=scripts, databases=()) for scripts in databases]
    return [[(replace(file, environment=environment), selected) for file, selected in files] for environment in environments]


def _databases(files: Selection, described: tuple[ScriptEnvironment, ...]) -> Iterator[ScriptEnvironment]:
    """Yields the environments of the databases. If the name of one is unknown, the scripts name their databases: `upgrade_NAME()`."""
    known = [each for each in described if UNKNOWN not in each.arguments.values()]
    yield from known
    unknown = next((each for each in described if list(each.arguments.values()) == [UNKNOWN]), None)
    if unknown is None:
        return
    (argument,) = unknown.arguments
    names = {each.arguments.get(argument) for each in known}
    for name in sorted({name for file, _ in files for name in _named_databases(file)} - names):
        yield replace(unknown, arguments={argument: name})


def _named_databases(file: MigrationFile) -> list[str]:
    try:
        text = file.up.text
    except UnreadableError:
        return []
    return _FUNCTION.findall(text.replace(" -> None", "")) if _BY_NAME in text else []
