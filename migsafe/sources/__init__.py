"""The migrations of a project, their order, and how their runner executes them. Only this package knows the runners."""

from migsafe.sources.custom import CustomRunner
from migsafe.sources.find import NoMigrationsError, SourceSettings, find_migrations
from migsafe.sources.lineage import LateHandling, LatePlace, Lineage, MergedState, MigrationReference, MissingParent
from migsafe.sources.migration import Call, Half, ImportPath, Migration, Program, ProgramPath, RunnerTransaction, Transaction
from migsafe.sources.plan import Plan
from migsafe.sources.runner import Runner, Unused
from migsafe.sources.runners import RUNNERS, runner_named
from migsafe.sources.source import Source, Step
from migsafe.sources.statement_texts import first_difference, unchanged_statements

__all__ = [
    "RUNNERS",
    "Call",
    "CustomRunner",
    "Half",
    "ImportPath",
    "LateHandling",
    "LatePlace",
    "Lineage",
    "MergedState",
    "Migration",
    "MigrationReference",
    "MissingParent",
    "NoMigrationsError",
    "Plan",
    "Program",
    "ProgramPath",
    "Runner",
    "RunnerTransaction",
    "Source",
    "SourceSettings",
    "Step",
    "Transaction",
    "Unused",
    "find_migrations",
    "first_difference",
    "runner_named",
    "unchanged_statements",
]
