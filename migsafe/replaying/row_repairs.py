"""Generated rows that made a migration fail: the tables are filled again without what it refuses, or emptied."""

from migsafe.replaying.databases import Database
from migsafe.replaying.instruments import MigrationTask
from migsafe.replaying.recording.records import Recording
from migsafe.replaying.refusals import missing_object
from migsafe.replaying.repairs import Repairs
from migsafe.replaying.row_failures import (
    Emptying,
    RowCause,
    are_nulls_or_duplicates_refused,
    check_for_rows,
    is_runnable,
    is_written,
    row_cause,
)
from migsafe.replaying.servers.host import Host
from migsafe.schema.catalog import Catalog

_UNIQUE_VIOLATION = "23505"


class RowRepairs:
    """Changes generated rows: in the copy of a database as it was `before` a migration, or in the database if there is no copy."""

    def __init__(self, host: Host, repairs: Repairs) -> None:
        self._host = host
        self._repairs = repairs

    def fill_plainly(self, database: Database, before: str | None, recording: Recording, task: MigrationTask, catalog: Catalog) -> str:
        """Fills the tables whose generated NULLs or repeated values may have made a migration fail again, without these. Returns a sentence
        about it; empty if they are not the cause."""
        seeder, failure = database.seeder, recording.failure
        if seeder is None or failure is None or not are_nulls_or_duplicates_refused(recording) or not self.are_generated(database, recording):
            return ""
        touched = {effect.relation for prediction in task.predictions for effect in prediction.effects}
        if is_written(recording) and seeder.has_known_nulls(touched):
            return ""
        is_about_one = row_cause(recording) is RowCause.EXISTING and failure.table in seeder.made
        check = check_for_rows(recording, catalog)
        with self._host.connect(before or database.name) as connection:
            if failure.table in seeder.made and failure.table is not None and failure.column and not is_written(recording):
                if seeder.known_nulls(failure.table, failure.column) or not seeder.gave_nulls(connection, failure.table, failure.column):
                    return ""  # production's rows have NULLs, too
            filled = seeder.fill_plainly(connection, {failure.table} if is_about_one and failure.table is not None else touched)
            check = f". Before the migration, this finds them in production: {check}" if check and is_runnable(connection, check) else ""
        if not filled:
            return ""
        tables = ", ".join(sorted(map(str, filled)))
        return (
            f"{task.migration.up.file.path} failed on generated NULLs or repeated values ({failure.message}), and ran again on rows of "
            f"{tables} without any. Production may have such rows, or none{check}"
        )

    def empty(self, database: Database, before: str | None, recording: Recording, task: MigrationTask, catalog: Catalog) -> Emptying | None:
        """Empties the tables whose rows made a migration fail; returns None if they are not the cause."""
        seeder, failure, cause = database.seeder, recording.failure, row_cause(recording)
        if failure is not None and cause is None and not self._repairs.is_named(missing_object(failure), task.migration.up):
            cause = RowCause.GENERATED  # dynamic SQL has the name from a row
        if seeder is None or failure is None or cause is None or not self.are_generated(database, recording):
            return None
        touched = {effect.relation for prediction in task.predictions for effect in prediction.effects}
        check = check_for_rows(recording, catalog) if cause is RowCause.EXISTING else ""
        with self._host.connect(before or database.name) as connection:
            # Rows that an INSERT writes may be equal to generated ones of their table, and to those of no other.
            is_duplicate = failure.sqlstate == _UNIQUE_VIOLATION and is_written(recording)
            is_about_one = (cause is not RowCause.GENERATED or is_duplicate) and failure.table in seeder.made
            emptied = seeder.empty(connection, {failure.table} if is_about_one and failure.table is not None else touched)
            check = check if check and is_runnable(connection, check) else ""
        nulls = seeder.known_nulls(failure.table, failure.column) if failure.table is not None and failure.column else 0.0
        return Emptying(failure.message, recording.statements[-1].statement.index, emptied, cause, check, nulls)

    def are_generated(self, database: Database, recording: Recording) -> bool:
        """Whether the rows that made a migration fail may be generated ones. A database that the user gave has rows of its own."""
        made = database.seeder.made if database.seeder is not None else {}
        failure = recording.failure
        return bool(made) and not (self._host.origin and failure is not None and failure.table is not None and failure.table not in made)
