"""Alembic: scripts in Python that say which revision they are and which they come after.

They are read from their syntax trees here, as far as it takes to put them in order and to know how they are sent; nothing is run or
imported. What they send to the server is not known yet: each half is a program that somebody has to render.
"""

from migsafe.sources.alembic.environment import TransactionSettings, transaction_settings
from migsafe.sources.alembic.graph import Graph
from migsafe.sources.alembic.project import find_project, history_folders
from migsafe.sources.alembic.script import Body, Revision, read_revision
from migsafe.sources.lineage import Lineage, MigrationReference
from migsafe.sources.migration import Half, Migration, Program, Transaction
from migsafe.sources.runner import Folder, MigrationFile, Runner
from migsafe.text import Script

__all__ = ["ALEMBIC", "RevisionFile"]


class RevisionFile(MigrationFile, frozen=True, kw_only=True):
    """A script, with what it says of itself and how its environment sends it."""

    revision: Revision
    habits: TransactionSettings


def _files(home: Folder) -> list[MigrationFile]:
    found = find_project(home)
    sent = transaction_settings(found.env)
    scripts: list[Script] = []
    declared: list[tuple[Revision, str]] = []
    for path, folder in found.scripts():
        script = Script(path)
        read = read_revision(script)
        if read is not None:
            scripts.append(script)
            declared.append((read, folder))
    graph = Graph(declared)
    return [_file(graph, place, scripts, sent) for place in graph.in_order()]


def _file(graph: Graph, place: int, scripts: list[Script], sent: TransactionSettings) -> RevisionFile:
    made = graph.found[place][0]
    standing = Lineage(
        other_heads=tuple(_other(graph.found[other][0], scripts[other]) for other in graph.other_heads(place)),
        missing_parents=graph.missing_parents(place),
        cycle=graph.cycle(place),
        irreversible_reason=_one_way(made),
        version_span=made.version_span,
        parents_span=made.parents_span,
        downgrade_span=made.downgrade.span or made.upgrade.span,
    )
    return RevisionFile(made.version, scripts[place], parents=graph.parents(place), lineage=standing, revision=made, habits=sent)


def _other(made: Revision, script: Script) -> MigrationReference:
    return MigrationReference(made.version, script.path, made.title)


def _one_way(made: Revision) -> str:
    """Why a revision cannot be taken back. One that does nothing need not be, and that of a merge usually does nothing."""
    if made.error is not None or made.upgrade.body in (Body.ABSENT, Body.EMPTY):
        return ""
    match made.downgrade.body:
        case Body.ABSENT:
            return "there is no downgrade(): `alembic downgrade` fails here"
        case Body.EMPTY:
            return "downgrade() does nothing: `alembic downgrade` goes back behind this revision, and what upgrade() did stays"
        case Body.RAISES:
            return "downgrade() raises an error: `alembic downgrade` cannot go back behind this revision"
    return ""


def _read(file: MigrationFile) -> list[Migration]:
    assert isinstance(file, RevisionFile)
    made, sent = file.revision, file.habits
    if made.error is not None:
        raise made.error
    down = _half(file.up, "downgrade", sent) if made.downgrade.body is Body.WORKS else None
    return [Migration(file.id, "alembic", _half(file.up, "upgrade", sent), down, sent.own_transaction_advice)]


def _half(script: Script, function: str, sent: TransactionSettings) -> Half:
    return Half(Script(script.path, ""), (), sent.transaction, Program(script, function))


def _is_alembic(folder: Folder) -> bool:
    return bool(history_folders(folder))


ALEMBIC = Runner(
    name="alembic",
    title="Alembic",
    default_transaction=Transaction.FILE,
    recognises=_is_alembic,
    files=_files,
    read=_read,
    outside_transaction_advice="put it below `with op.get_context().autocommit_block():`",
    unique_versions=True,
    history_folders=history_folders,
    suffix=".py",
)
