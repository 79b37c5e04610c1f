"""Event triggers: they have a name without a schema, and keep their function."""

from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import refuse_because_of
from migsafe.schema.objects import Object
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name

KIND = "event trigger"


class EventTrigger(Object, frozen=True, kw_only=True):
    """An event trigger. `function` is None if it is unknown."""

    function: int | None = None

    def dependencies(self) -> tuple[int, ...]:
        """Its function."""
        return () if self.function is None else (self.function,)


def event_trigger_named(catalog: Catalog, name: str) -> EventTrigger | None:
    """Returns the event trigger of a name; None if the history has none."""
    return next((known for known in catalog.objects_of(EventTrigger) if known.name.name == name), None)


def create(catalog: Catalog, op: sql.CreateObject) -> None:
    """CREATE EVENT TRIGGER."""
    if op.name is None or op.function is None:
        return
    existing = event_trigger_named(catalog, op.name.name)
    if existing is not None:
        refuse_because_of(
            catalog, existing, f'event trigger "{op.name.name}" already exists', help=f"-- first: DROP EVENT TRIGGER IF EXISTS {op.name};"
        )
        return
    function = next((known for known in catalog.functions(op.function) if not known.arguments), None)
    catalog.store(EventTrigger(oid=catalog.new_oid(), name=Name(op.name.name), function=function.oid if function is not None else None))


def rename(catalog: Catalog, old: str, new: str) -> None:
    """ALTER EVENT TRIGGER … RENAME TO."""
    known = event_trigger_named(catalog, old)
    if known is not None:
        catalog.change(known, name=Name(new))
