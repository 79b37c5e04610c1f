"""The second run of a migration, as happens if the first run was not recorded."""

from migsafe.replaying.experiments.contents import schema_differences, unchanged_tables
from migsafe.replaying.experiments.outcome import Observation, Outcome
from migsafe.replaying.experiments.subject import Subject
from migsafe.replaying.sending import Refused

NAME = "rerun"


def rerun(subject: Subject) -> Outcome:
    """Runs the migration on the database that it left, and compares schema and rows."""
    with subject.copy(subject.after) as database:
        try:
            subject.run(database, subject.migration.up)
        except Refused as refused:
            # A migration that is one transaction has either committed or left nothing, so it never runs on its own results.
            harmless = subject.is_one_transaction
            error = refused.failure.message
            return Outcome(
                experiment=NAME,
                passed=False,
                summary=f"a second run fails at line {refused.line}: {error}"
                + (" (harmless: the migration is one transaction)" if harmless else ""),
                observations=(Observation(error, refused.statement.index),),
                harmless=harmless,
            )
        second = subject.state(database)
        changed = schema_differences(subject.state_after.schema, second.schema)
        unchanged = unchanged_tables(subject.state_after.tables, second.tables)
        changed += [f"rows changed again: {line}" for line in subject.lost_rows(subject.state_after, second, unchanged)]
    if changed:
        return Outcome(
            experiment=NAME,
            passed=False,
            summary="a second run changes the database again",
            observations=tuple(Observation(line) for line in changed),
        )
    return subject.passed(NAME, "a second run changes nothing")
