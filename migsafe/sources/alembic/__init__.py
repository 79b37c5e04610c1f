"""Alembic: Python scripts that declare their revision and its parents.

This package reads their syntax trees, to order them and to know how they are sent; nothing is run or imported. The SQL that they send is not
known yet: each half is a program, which `migsafe.rendering` renders.
"""

import os
from collections.abc import Iterable, Iterator

import msgspec

from migsafe.errors import UnreadableError
from migsafe.patterns import lazy_pattern
from migsafe.script_environment import ScriptEnvironment
from migsafe.sources.alembic.databases import RevisionFile, split_databases
from migsafe.sources.alembic.environment import Environment, read_environment
from migsafe.sources.alembic.graph import Graph
from migsafe.sources.alembic.import_path import import_path
from migsafe.sources.alembic.project import Project, find_project, history_folders
from migsafe.sources.alembic.script import Body, Revision, read_revision
from migsafe.sources.alembic.unread_folders import with_unread_folders
from migsafe.sources.alembic.version_table import first_too_long
from migsafe.sources.lineage import LateHandling, Lineage, MigrationReference, MissingParent
from migsafe.sources.migration import Half, ImportPath, Migration, Program, Transaction, UnsureNames
from migsafe.sources.runner import Folder, MigrationFile, PsqlSyntax, Runner
from migsafe.text import Script

__all__ = ["ALEMBIC", "RevisionFile"]

_USUAL = 3
"""How many revisions without a downgrade are a decision."""
_ENUM_AS_TEXT = lazy_pattern(r"\bnative_enum\s*=\s*False")


def _files(home: Folder) -> list[MigrationFile]:
    project = find_project(home)
    environment = read_environment(project)
    imports = import_path(project.versions[0], project.settings, project.env)
    scripts: list[Script] = []
    declared: list[tuple[Revision, str]] = []
    for script, folder in _scripts(home, project):
        revision = read_revision(script)
        if revision is not None:
            scripts.append(script)
            declared.append((revision, folder))
    graph = Graph(declared)
    missing = {position: parents for position in range(len(declared)) if (parents := graph.missing_parents(position))}
    missing = with_unread_folders(project, declared, missing)
    if any(_may_check_enums(script) for script in scripts):
        environment = msgspec.structs.replace(environment, checks_enums=True)
    order = graph.in_order()
    too_long = first_too_long((declared[position][0] for position in order), scripts, project)
    revisions = [declared[position][0] for position in order]
    return [
        _file(
            graph,
            position,
            scripts,
            environment,
            imports,
            missing.get(position, ()),
            before=revisions[max(0, number - _USUAL) : number],
            too_long=declared[position][0].version == too_long,
        )
        for number, position in enumerate(order)
    ]


def _problems(home: Folder) -> list[UnreadableError]:
    problem = read_environment(find_project(home)).problem
    return [problem] if problem is not None else []


def _may_check_enums(script: Script) -> bool:
    """Whether a script has an enum that is stored as text. SQLAlchemy before 1.4 created a CHECK with its name, unless the script asked for
    none; later ones create it only if asked (https://docs.sqlalchemy.org/en/20/changelog/migration_14.html, create_constraint)."""
    try:
        return _ENUM_AS_TEXT.search(script.text) is not None
    except UnreadableError:
        return False


def _scripts(home: Folder, project: Project) -> Iterator[tuple[Script, str]]:
    """Yields the scripts of a project with their folders, as `home` has edited them."""
    listed = {os.path.abspath(path): (path, folder) for path, folder in project.scripts()}  # noqa: PTH100
    for absolute, (path, folder) in listed.items():
        yield home.edited.get(absolute) or Script(path), folder
    for absolute, script in home.edited.items():
        inside = [folder for folder in project.versions if os.path.dirname(absolute) == os.path.abspath(folder)]  # noqa: PTH100, PTH120
        if absolute not in listed and inside:
            yield script, inside[0]


def _file(
    graph: Graph,
    position: int,
    scripts: list[Script],
    environment: Environment,
    imports: ImportPath,
    missing: tuple[MissingParent, ...],
    *,
    before: list[Revision],
    too_long: bool,
) -> RevisionFile:
    revision = graph.revisions[position][0]
    lineage = Lineage(
        other_heads=tuple(_reference(graph.revisions[head][0], scripts[head]) for head in graph.other_heads(position)),
        missing_parents=missing,
        cycle=graph.cycle(position),
        irreversible_reason=_irreversible_reason(revision),
        without_downgrades=_without_downgrades(before),
        downgrade_fails=revision.downgrade.body in (Body.ABSENT, Body.RAISES),
        version_span=revision.version_span,
        parents_span=revision.parents_span,
        downgrade_span=revision.downgrade.span or revision.upgrade.span,
        version_too_long=too_long,
    )
    return RevisionFile(
        revision.version,
        scripts[position],
        parents=graph.parents(position),
        lineage=lineage,
        revision=revision,
        environment=environment,
        import_path=imports,
    )


def _reference(revision: Revision, script: Script) -> MigrationReference:
    return MigrationReference(revision.version, script.path, revision.title)


def _without_downgrades(before: list[Revision]) -> bool:
    """Whether none of the revisions just before one can be undone, so that the project writes no downgrades."""
    return len(before) == _USUAL and all(map(_irreversible_reason, before))


def _irreversible_reason(revision: Revision) -> str:
    """Returns why a revision cannot be undone; nothing for one whose upgrade does nothing, as that of a merge."""
    if revision.error is not None or revision.upgrade.body in (Body.ABSENT, Body.EMPTY):
        return ""
    match revision.downgrade.body:
        case Body.ABSENT:
            return "there is no downgrade(): `alembic downgrade` fails here"
        case Body.EMPTY:
            return "downgrade() does nothing: `alembic downgrade` records this revision as reverted, but the changes of upgrade() remain"
        case Body.RAISES:
            return "downgrade() raises an error: `alembic downgrade` cannot undo this revision"
    return ""


def _read(file: MigrationFile) -> list[Migration]:
    assert isinstance(file, RevisionFile)
    revision, transactions = file.revision, file.environment.transactions
    if revision.error is not None:
        raise revision.error
    down = _half(file, "downgrade") if revision.downgrade.body is Body.WORKS else None
    return [Migration(file.id, "alembic", _half(file, "upgrade"), down, transactions.own_transaction_advice, transactions.read_at)]


def _half(file: RevisionFile, function: str) -> Half:
    environment, transactions = file.environment, file.environment.transactions
    program = Program(
        file.up,
        function,
        environment=msgspec.json.encode(environment.scripts).decode(),
        import_path=file.import_path,
        driver=environment.driver,
        sqlalchemy=environment.sqlalchemy,
    )
    return Half(
        Script(file.up.path, ""),
        (),
        transactions.transaction,
        program,
        setup=environment.setup,
        begun_at=transactions.begun_at,
        commit_ends_all=transactions.commit_ends_all,
        unsure_names=UnsureNames.ALL if environment.checks_enums else _unsure_names(environment.scripts),
    )


def _unsure_names(scripts: ScriptEnvironment) -> UnsureNames:
    """Returns the names of constraints that are not certain. The naming convention is that of today's env.py, not that of the time at which a
    revision ran."""
    if not scripts.env_file:
        return UnsureNames.ALL
    return UnsureNames.DEFAULT if scripts.naming_convention else UnsureNames.NONE


def _past_files(scripts: Iterable[Script]) -> list[MigrationFile]:
    """Returns the revisions that scripts declare."""
    files = []
    for script in scripts:
        revision = read_revision(script) if script.path.endswith(".py") else None
        if revision is not None:
            files.append(MigrationFile(revision.version, script, parents=(*revision.down_revisions, *revision.depends_on)))
    return files


def _is_alembic(folder: Folder) -> bool:
    return bool(history_folders(folder))


ALEMBIC = Runner(
    name="alembic",
    title="Alembic",
    default_transaction=Transaction.FILE,
    recognises=_is_alembic,
    files=_files,
    read=_read,
    outside_transaction_advice="put it into `with op.get_context().autocommit_block():`",
    keeps_session=True,
    own_table="alembic_version",
    psql_syntax=PsqlSyntax.SENT,
    retry_advice="run `alembic upgrade head` again",
    connection_advice="in env.py, `create_engine(url, connect_args={'options': '-c lock_timeout=2s'})`",
    unique_versions=True,
    history_folders=history_folders,
    suffix=".py",
    databases=split_databases,
    late=LateHandling.SKIPS,
    past_files=_past_files,
    problems=_problems,
)
