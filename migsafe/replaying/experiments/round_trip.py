"""The round trip: downgrade, then upgrade again."""

from migsafe.linting.downgrades import is_not_compiled
from migsafe.replaying.experiments.contents import Schema, schema_differences, unchanged_tables
from migsafe.replaying.experiments.outcome import Observation, Outcome
from migsafe.replaying.experiments.subject import Subject
from migsafe.replaying.sending import Refused, skip_reason
from migsafe.replaying.untried import is_display
from migsafe.session import sent_statements
from migsafe.sources import Half
from migsafe.sql.operations import CreateExtension

NAME = "round trip"


def round_trip(subject: Subject) -> Outcome:
    """Runs the downgrade and compares schema and rows with those before the migration; then upgrades and compares the schema again. A downgrade
    of which a statement cannot be sent is not tried; it fails if that is an error of SQLAlchemy."""
    down = subject.migration.down
    if down is None:
        return Outcome(experiment=NAME, passed=None, summary="the migration has no downgrade")
    unsent = _first_unsent(down)
    if unsent is not None and is_not_compiled(unsent[1]):
        text = f"the downgrade fails at line {unsent[0]}: {unsent[1].partition(': ')[2]}"
        return Outcome(experiment=NAME, passed=False, summary=text, observations=(Observation(text),))
    if unsent is not None:
        return Outcome(experiment=NAME, passed=None, summary=f"not tried: line {unsent[0]} of the downgrade was not sent: {unsent[1]}")
    observations: list[Observation] = []
    with subject.copy(subject.after) as database:
        try:
            subject.run(database, down)
        except Refused as refused:
            return _failed("the downgrade fails", refused)
        downgraded = subject.state(database)
        left = _without_shared_extensions(downgraded.schema, subject)
        observations += [Observation(f"after the downgrade, {line}") for line in schema_differences(subject.state_before.schema, left)]
        unchanged = unchanged_tables(subject.state_after.tables, downgraded.tables).intersection(subject.unwritten)
        observations += [Observation(f"lost: {line}") for line in subject.lost_rows(subject.state_before, downgraded, unchanged)]
        try:
            subject.run(database, subject.migration.up)
        except Refused as refused:
            return _failed("after the downgrade the migration fails", refused, *observations)
        observations += [
            Observation(f"after the second upgrade, {line}")
            for line in schema_differences(subject.state_after.schema, subject.state(database).schema)
        ]
    if not observations:
        return subject.passed(NAME, "the downgrade restores the schema and keeps the rows, and the upgrade works again")
    lost = any(observation.text.startswith("lost") for observation in observations)
    return Outcome(
        experiment=NAME,
        passed=False,
        summary="the downgrade does not restore the data" if lost else "the downgrade does not restore the schema",
        observations=tuple(observations),
    )


def _first_unsent(down: Half) -> tuple[int, str] | None:
    """Returns the line of the first statement of a downgrade that cannot be sent although it may do something, and the reason; None if all can
    be sent. What the user leaves out does not count."""
    for sent in sent_statements(down):
        reason = skip_reason(sent.statement, down)
        if reason and sent.statement.index not in down.left_out and not is_display(sent.statement):
            return down.file.position(down.file_span(sent.statement.span).start).line, reason
    return None


def _without_shared_extensions(schema: Schema, subject: Subject) -> Schema:
    """Returns a schema without the extensions that the migration created IF NOT EXISTS: other objects may need them, so a downgrade keeps
    them, and the next upgrade accepts them."""
    operations = (operation for sent in sent_statements(subject.migration.up) for operation in sent.statement.operations)
    created = {operation.extension for operation in operations if isinstance(operation, CreateExtension) and operation.if_not_exists}
    shared = {("extension", name) for name in created} - subject.state_before.schema.keys()
    return {key: definition for key, definition in schema.items() if key not in shared}


def _failed(event: str, refused: Refused, *observations: Observation) -> Outcome:
    text = f"{event} at line {refused.line}: {refused.failure.message}"
    return Outcome(experiment=NAME, passed=False, summary=text, observations=(*observations, Observation(text)))
