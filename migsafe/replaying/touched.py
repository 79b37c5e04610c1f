"""The relations that migrations touch: only these tables, and those that their rows reference, need rows."""

from collections.abc import Iterable
from contextlib import suppress

from msgspec.structs import replace

from migsafe.errors import MigsafeError
from migsafe.prediction.predictor import Predictor
from migsafe.rendering.renderer import Renderer
from migsafe.replaying.seeding import Requirements, RequirementsFinder
from migsafe.sources import Half, Migration
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name


def touched_relations(migrations: Iterable[Migration], predictor: Predictor, renderer: Renderer) -> frozenset[Name] | None:
    """Returns the relations that migrations and their downgrades are predicted to lock; None if that is not completely known.

    `predictor` has the database before the first migration, and has it again afterwards. Where the schema is not completely known, names have
    no schema, because the search path is not known either.
    """
    names: set[Name] = set()
    try:
        with predictor.trial():
            for migration in migrations:
                whole = renderer.render_down(replace(migration, up=renderer.render_half(migration.up, predictor)), predictor)
                complete = _add(names, whole.up, predictor)
                if whole.down is not None:
                    with predictor.trial():
                        complete = _add(names, whole.down, predictor) and complete
                if not complete:
                    return None
    except MigsafeError:
        # The error is reported when the migration is replayed.
        return None
    return frozenset(names)


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


def _add(names: set[Name], half: Half, predictor: Predictor) -> bool:
    """Adds the relations that one direction of a migration touches; returns whether these are all."""
    complete = True
    for prediction in predictor.predict_migration(half):
        complete = complete and prediction.understood
        for effect in prediction.effects:
            name = effect.relation
            names.add(name if predictor.catalog.complete else Name(name.name))
    return complete
