"""Running a migration a second time, as happens when its first run was not recorded."""

from migsafe.replay.digest import rows_lost, schema_differences
from migsafe.replay.experiments import Outcome, Step
from migsafe.replay.experiments.ground import Ground
from migsafe.replay.sending import Refused, send
from migsafe.sources import Transaction

NAME = "rerun"


def rerun(ground: Ground) -> Outcome:
    """Run the migration on what it left behind, and see what becomes of the schema and the rows."""
    half = ground.migration.up
    with ground.copy(ground.after) as database:
        try:
            with ground.working(database) as connection:
                send(connection, half)
        except Refused as refused:
            # A runner that wraps the migration undoes a run that fails, so that none has to be repeated on what it left.
            harmless = half.transaction in (Transaction.FILE, Transaction.QUERY) and len(half.chunks) == 1
            why = refused.failure.message
            return Outcome(
                experiment=NAME,
                passed=False,
                summary=f"a second run fails at statement {refused.statement.index}: {why}"
                + (", which does no harm: the first one is all or nothing" if harmless else ""),
                steps=(Step(why, refused.statement.index),),
                harmless=harmless,
            )
        changed = schema_differences(ground.schema_after, ground.schema(database))
        changed += [f"rows changed again: {line}" for line in rows_lost(ground.rows_after, ground.rows(database))]
    if changed:
        return Outcome(experiment=NAME, passed=False, summary="a second run does its work twice", steps=tuple(Step(line) for line in changed))
    return Outcome(experiment=NAME, passed=True, summary="a second run changes nothing")
