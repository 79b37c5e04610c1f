"""The application's queries that a project's configuration names."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from migsafe.configuration import Configuration
from migsafe.sources import Plan

if TYPE_CHECKING:
    from migsafe.cache.memory import Memory
    from migsafe.linting.queries.project_queries import ProjectQueries


_RECORDED = (".json", ".jsonl")


def read_replay_queries(settings: Configuration, plan: Plan, running: Sequence[str] = ()) -> "ProjectQueries | None":
    """Returns the queries of both releases for a replay. `running` are files and folders with the queries of the release that runs now, instead
    of those at the revision that the plan is compared with; None if there are no queries. Raises MigsafeError."""
    if not running:
        return read_project_queries(settings, plan)
    from migsafe.linting.queries.project_queries import ProjectQueries  # noqa: PLC0415  # only needed with queries
    from migsafe.workload.query import Workload  # noqa: PLC0415
    from migsafe.workload.reading import read_workload  # noqa: PLC0415

    before = read_workload(running, settings.folder)
    new = read_workload(settings.queries, settings.folder, complete=settings.queries_complete) if settings.queries else before
    workload = Workload(
        queries=new.queries,
        running=before.queries,
        compared=bool(settings.queries),
        complete=new.complete,
        unread=(*before.unread, *(new.unread if new is not before else ())),
        created=(*before.created, *new.created),
    )
    return ProjectQueries(workload, settings.folder, running[0])


def read_project_queries(settings: Configuration, plan: Plan, memory: "Memory | None" = None) -> "ProjectQueries | None":
    """Returns the queries of the release that the migrations belong to and, if the plan is compared with a revision of git, those of the
    release there; None if the configuration names none. Raises MigsafeError."""
    if not settings.queries:
        return None
    from migsafe.cache.queries import usual_queries  # noqa: PLC0415  # only needed with queries
    from migsafe.linting.queries.project_queries import ProjectQueries  # noqa: PLC0415  # only needed with queries
    from migsafe.workload.reading import read_workload  # noqa: PLC0415

    kept = memory.read_queries(settings.folder) if memory is not None else usual_queries(settings.folder)
    workload = read_workload(
        settings.queries,
        settings.folder,
        complete=settings.queries_complete,
        revision=plan.revision,
        kept=kept,
        on_git_answer=memory.store_git_answer if memory is not None else None,
    )
    if kept is not None:
        kept.keep()
    unplaced = next((path for path in settings.queries if path.endswith(_RECORDED)), settings.queries[0])
    return ProjectQueries(workload, settings.folder, unplaced)
