"""The way back, and up again."""

from migsafe.replaying.experiments.contents import lost_rows, schema_differences
from migsafe.replaying.experiments.outcome import Observation, Outcome
from migsafe.replaying.experiments.subject import Subject
from migsafe.replaying.sending import Refused

NAME = "round trip"


def round_trip(ground: Subject) -> Outcome:
    """Go down: is the schema what it was, and which rows are gone? Then up again: is the schema what it came to the first time?"""
    down = ground.migration.down
    if down is None:
        return Outcome(experiment=NAME, passed=None, summary="there is no way back to try")
    steps: list[Observation] = []
    with ground.copy(ground.after) as database:
        try:
            ground.run(database, down)
        except Refused as refused:
            return _fails("the way back fails", refused)
        back = ground.state(database)
        steps += [Observation(f"after the way back, {line}") for line in schema_differences(ground.state_before.schema, back.schema)]
        steps += [Observation(f"lost on the way: {line}") for line in lost_rows(ground.state_before.rows, back.rows)]
        try:
            ground.run(database, ground.migration.up)
        except Refused as refused:
            return _fails("after the way back the migration fails", refused, *steps)
        steps += [Observation(f"up again, {line}") for line in schema_differences(ground.state_after.schema, ground.state(database).schema)]
    if not steps:
        return Outcome(experiment=NAME, passed=True, summary="the way back restores the schema and keeps the rows, and the way up works again")
    lost = any(step.text.startswith("lost") for step in steps)
    return Outcome(
        experiment=NAME,
        passed=False,
        summary="the way back loses data" if lost else "the way back does not restore the schema",
        observations=tuple(steps),
    )


def _fails(what: str, refused: Refused, *steps: Observation) -> Outcome:
    text = f"{what} at statement {refused.statement.index}: {refused.failure.message}"
    return Outcome(experiment=NAME, passed=False, summary=text, observations=(*steps, Observation(text)))
