"""Finding migrations, their order, and how their runner executes them. A source knows a runner; nothing after it does."""

from migsafe.sources.custom import CustomRunner
from migsafe.sources.find import SourceSettings, find
from migsafe.sources.migration import Call, Half, Migration, Program, Transaction
from migsafe.sources.plan import Plan, Source, Step
from migsafe.sources.runner import Runner
from migsafe.sources.runners import RUNNERS, named
from migsafe.sources.standing import Missing, Other, Standing

__all__ = [
    "RUNNERS",
    "Call",
    "CustomRunner",
    "Half",
    "Migration",
    "Missing",
    "Other",
    "Plan",
    "Program",
    "Runner",
    "Source",
    "SourceSettings",
    "Standing",
    "Step",
    "Transaction",
    "find",
    "named",
]
