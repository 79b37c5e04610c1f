"""Whether an object that the history created still exists."""

from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Constraint, Index, Object, Relation


def certainly_exists(catalog: Catalog, known: Object) -> bool:
    """Whether no opaque code can have dropped an object since it was created."""
    if known.oid > catalog.origin.opaque_until:
        return True
    table = catalog.get(known.table) if isinstance(known, Index | Constraint) else known
    return not isinstance(table, Relation) or table.complete
