"""The relations that migrations touch: only these tables, and those that their rows reference, need rows."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from migsafe.errors import MigsafeError
from migsafe.patterns import lazy_pattern
from migsafe.prediction.predictor import Predictor
from migsafe.rendering.renderer import Renderer
from migsafe.replaying.databases import Databases
from migsafe.replaying.recording.records import Recording
from migsafe.replaying.seeding import Requirements, RequirementsFinder
from migsafe.schema.catalog import Catalog
from migsafe.sources import Half, Migration
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name

_WORD = lazy_pattern(r"\w+")


class Touched(Struct, frozen=True, kw_only=True):
    """The relations that migrations and their downgrades touch, as far as predictions know. `complete`: these are all.

    Where the schema is not completely known, `qualified` is false and names have no schema, because the search path is not known either.
    `migrations` are the migrations with their statements.
    """

    names: frozenset[Name]
    complete: bool
    qualified: bool
    migrations: tuple[Migration, ...]


def predict_touched(migrations: Iterable[Migration], predictor: Predictor, renderer: Renderer) -> Touched | None:
    """Returns the relations that migrations are predicted to lock, and those that statements mention which are not understood; None if the
    migrations cannot be read. `predictor` has the database before the first migration, and has it again afterwards.
    """
    found = _Found(predictor)
    rendered: list[Migration] = []
    qualified = predictor.catalog.complete
    try:
        with predictor.trial():
            for migration in migrations:
                whole = renderer.render_down(replace(migration, up=renderer.render_half(migration.up, predictor)), predictor)
                rendered.append(whole)
                found.add(whole.up)
                if whole.down is not None:
                    with predictor.trial():
                        found.add(whole.down)
    except MigsafeError:
        # The error is reported when the migration is replayed.
        return None
    return Touched(names=frozenset(found.names), complete=found.complete, qualified=qualified, migrations=tuple(rendered))


def measure_touched(
    touched: Touched, databases: Databases, database: str, record: Callable[[str, Migration], Recording]
) -> frozenset[Name] | None:
    """Returns the relations of `touched`, and those that its migrations and their downgrades lock on a copy of the database; None if one of
    them fails there, because what follows the failure may touch other relations where there are rows. `record` runs a migration in a
    database. Code that does nothing without rows locks less on a copy that has none."""
    names = set(touched.names)
    copy = databases.create(database)
    try:
        for migration in touched.migrations:
            recording = record(copy, migration)
            names.update(_locked(recording, touched))
            if recording.failure is not None:
                return None
            if migration.down is not None:
                undone = databases.create(copy)
                try:
                    recording = record(undone, replace(migration, up=migration.down, down=None))
                finally:
                    databases.drop(undone)
                names.update(_locked(recording, touched))
                # What the schema refuses (class 42) fails in the same way if there are rows, and what follows it never runs.
                if recording.failure is not None and not recording.failure.sqlstate.startswith("42"):
                    return None
    finally:
        databases.drop(copy)
    return frozenset(names)


def _locked(recording: Recording, touched: Touched) -> Iterator[Name]:
    for record in recording.statements:
        for measured in record.measured_effects:
            yield measured.effect.relation if touched.qualified else Name(measured.effect.relation.name)


def required_rows(migrations: Iterable[Migration], predictor: Predictor, renderer: Renderer) -> Requirements:
    """Returns what migrations require of the rows before the first of them, as far as it is known. `predictor` has the database before that
    migration, and has it again afterwards."""
    finder = RequirementsFinder()
    with suppress(MigsafeError), predictor.trial():
        for migration in migrations:
            for prediction in predictor.predict_migration(renderer.render_half(migration.up, predictor)):
                for operation, _ in prediction.operations:
                    table = _table(operation)
                    if table is not None:
                        finder.add(operation, predictor.catalog.resolve(table) if predictor.catalog.complete else Name(table.name))
    return finder.found()


def _table(operation: sql.Operation) -> Name | None:
    """Returns the table that an operation alters or writes."""
    match operation:
        case sql.AlterRelation(target=target):
            return target.name
        case sql.CreateIndex(table=table) | sql.Insert(table=table) | sql.Update(table=table):
            return table
    return None


class _Found:
    """Collects what the halves of migrations touch."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self.names: set[Name] = set()
        self.complete = True

    def add(self, half: Half) -> None:
        """Adds the relations that one direction of a migration touches, and applies it."""
        catalog = self._predictor.catalog
        for prediction in self._predictor.predict_migration(half):
            self.names.update(self._name(effect.relation) for effect in prediction.effects)
            if not prediction.understood:
                self.complete = False
                span = prediction.statement.span
                mentioned = _words(half.script.text[span.start : span.end], catalog)
                self.names.update(self._name(relation.name) for relation in catalog.relations() if relation.name.name in mentioned)

    def _name(self, name: Name) -> Name:
        return name if self._predictor.catalog.complete else Name(name.name)


def _words(code: str, catalog: Catalog) -> set[str]:
    """Returns the words of a text in lower and in written case, and those of the functions that it may call."""
    words: set[str] = set()
    codes = [code]
    while codes:
        found = {word for written in _WORD.findall(codes.pop()) for word in (written, written.lower())} - words
        words |= found
        codes += [function.code for word in found for function in catalog.functions_named(word) if function.code is not None]
    return words
