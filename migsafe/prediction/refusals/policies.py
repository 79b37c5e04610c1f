"""The conditions that a policy may have (CreatePolicy in src/backend/commands/policy.c)."""

from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql


@refuses(sql.CreatePolicy)
def fit_command(_: Catalog, op: sql.CreatePolicy) -> Refusal | None:
    """USING decides about rows that exist, WITH CHECK about new rows."""
    if op.check is not None and op.command in ("select", "delete"):
        return Refusal(error="WITH CHECK cannot be applied to SELECT or DELETE", help=f"-- write USING ({op.check.sql})")
    if op.using is not None and op.command == "insert":
        return Refusal(error="only WITH CHECK expression allowed for INSERT", help=f"-- write WITH CHECK ({op.using.sql})")
    return None
