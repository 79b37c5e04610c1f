"""The limits of INSERT and UPDATE."""

from migsafe.prediction.refusals.definitions import complete_table
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql

_SYSTEM_COLUMNS = frozenset(("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"))


@refuses(sql.Insert, sql.Update)
def write(catalog: Catalog, op: sql.Insert | sql.Update) -> Refusal | None:
    """A statement names each column once, and only columns that the table has."""
    table = complete_table(catalog, op.table)
    for name in op.columns if table is not None else ():
        if table is not None and table.column(name) is None and name not in _SYSTEM_COLUMNS:
            return Refusal(error=f'column "{name}" of relation "{table.name.name}" does not exist')
    if op.repeated is None:
        return None
    if isinstance(op, sql.Insert):
        return Refusal(error=f'column "{op.repeated}" specified more than once', help="-- leave out one of the two")
    return Refusal(error=f'multiple assignments to same column "{op.repeated}"', help="-- keep one of the assignments")
