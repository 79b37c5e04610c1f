"""The order of the rollout for a script: a line for each migration, with its phase, path and version, separated by tabs."""

from migsafe.assessment.premortem import Phase
from migsafe.library.rehearse import Rehearsal
from migsafe.terminal.display import Display


def report(rehearsal: Rehearsal, display: Display) -> str:
    """Returns the lines, in the order of the rollout."""
    lines: list[str] = []
    for phase in rehearsal.phases:
        name = phase.phase.name.lower()
        lines += [f"{name}\t\t\n"] if phase.phase is Phase.DEPLOY else [f"{name}\t{each.path}\t{each.migration}\n" for each in phase.migrations]
    return "".join(lines)
