"""The order of the rollout for a script: a line for each migration, with its phase, a tab and its path; the deployment is a line, too."""

from migsafe.assessment.premortem import Phase
from migsafe.library.rehearse import Rehearsal
from migsafe.terminal.display import Display


def report(rehearsal: Rehearsal, display: Display) -> str:
    """Returns the lines, in the order of the rollout."""
    lines = []
    for phase in rehearsal.phases:
        name = phase.phase.name.lower()
        lines += ["deploy\t\n"] if phase.phase is Phase.DEPLOY else [f"{name}\t{migration.path}\n" for migration in phase.migrations]
    return "".join(dict.fromkeys(lines))
