"""Running a migration a second time, as happens when its first run was not recorded."""

from migsafe.replaying.experiments.contents import lost_rows, schema_differences
from migsafe.replaying.experiments.outcome import Observation, Outcome
from migsafe.replaying.experiments.subject import Subject
from migsafe.replaying.sending import Refused

NAME = "rerun"


def rerun(ground: Subject) -> Outcome:
    """Run the migration on what it left behind, and see what becomes of the schema and the rows."""
    with ground.copy(ground.after) as database:
        try:
            ground.run(database, ground.migration.up)
        except Refused as refused:
            # What is one transaction has either run or left nothing, so that no run has to be repeated on what it left.
            harmless = ground.is_one_transaction
            why = refused.failure.message
            return Outcome(
                experiment=NAME,
                passed=False,
                summary=f"a second run fails at statement {refused.statement.index}: {why}"
                + (", which does no harm: the first one is all or nothing" if harmless else ""),
                observations=(Observation(why, refused.statement.index),),
                harmless=harmless,
            )
        again = ground.state(database)
        changed = schema_differences(ground.state_after.schema, again.schema)
        changed += [f"rows changed again: {line}" for line in lost_rows(ground.state_after.rows, again.rows)]
    if changed:
        return Outcome(
            experiment=NAME, passed=False, summary="a second run does its work twice", observations=tuple(Observation(line) for line in changed)
        )
    return Outcome(experiment=NAME, passed=True, summary="a second run changes nothing")
