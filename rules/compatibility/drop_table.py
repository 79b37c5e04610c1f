"""DROP TABLE breaks the running release and deletes the rows.

During a deployment the old release keeps running until it is replaced, and each of its statements that names the table fails. Only a backup
can restore the rows. Dropping a partition takes ACCESS EXCLUSIVE on its parent too: detach it first. First deploy a release that does not
use the table, and drop the table in a later one; renaming it in between shows whether it is still in use, and can be undone. The foreign
keys of the table are dropped with it, which takes ACCESS EXCLUSIVE on the tables that they reference. If CASCADE drops more than the table,
drop-cascade speaks for this rule.

Unsafe:
    DROP TABLE coupons;

Safe, because the table is new:
    CREATE TABLE coupons (code text PRIMARY KEY);
    DROP TABLE coupons;

See: https://www.postgresql.org/docs/current/sql-droptable.html
"""

from migsafe.linting.facts.ownership import is_created_here, is_name_created_here
from migsafe.linting.facts.query_uses import use_of_relations
from migsafe.linting.facts.wording import after_release, join_names
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.objects import Relation
from migsafe.sql.operations import ConstraintKind, Drop, Name


@rule(category="compatibility", severity=Severity.ERROR, no_fix="the application must change first, and only its authors know when it has")
def drop_table(op: Drop, at: Context) -> Finding | None:
    """Report every table of the statement that the migration did not create."""
    if op.kind not in ("table", "foreign table"):
        return None
    dropped = [name for name in op.names if not is_created_here(at, name) and not (op.if_exists and at.catalog.is_never_found(name))]
    if not dropped:
        return None
    tables = ", ".join(str(at.resolve(name)) for name in dropped)
    parents = [parent.name for name in dropped if (parent := _partitioned_parent(at, name)) is not None]
    referenced = _referenced(at, dropped)
    others = _and_parents(parents) + _and_referenced(referenced, is_one=len(dropped) == 1)
    them, their = ("them", "their") if len(dropped) > 1 else ("it", "its")
    drop = f"DROP {op.kind.upper()}"
    use = use_of_relations(at, dropped)
    # The running release does not know a name that the release has given to the table.
    is_renamed = all(is_name_created_here(at, "table", name) for name in dropped)
    consequence = "only a backup can restore them" if is_renamed else f"the running release fails wherever it still uses {them}"
    return at.finding(
        op,
        f"{drop} takes ACCESS EXCLUSIVE on {tables}{others} and removes {them} with {their} rows: {consequence}{use.words}",
        help=_detached_first(at, dropped) + after_release(f"a release that does not use {them}", f"no running release uses {them}", at.rule),
        relations=(*dropped, *parents, *referenced),
        lock=LockMode.ACCESS_EXCLUSIVE,
        severity=use.severity,
        queries=use.queries,
        use_words=use.words if use.queries else "",
    )


def _partitioned_parent(at: Context, name: Name) -> Relation | None:
    table = at.catalog.relation(name)
    parent = at.catalog.get(table.parents[0]) if table is not None and table.bound is not None and table.parents else None
    return parent if isinstance(parent, Relation) else None


def _and_parents(parents: list[Name]) -> str:
    return f" and on {join_names(parents)}, of which {'it is a partition' if len(parents) == 1 else 'they are partitions'}," if parents else ""


def _referenced(at: Context, dropped: list[Name]) -> list[Name]:
    """Returns the other tables that the foreign keys of the dropped tables, and of their partitions, reference: they are locked, too."""
    tables = [table for name in dropped if (table := at.catalog.relation(name)) is not None]
    own = {table.oid: table for table in (*tables, *(child for table in tables for child in at.catalog.descendants(table.oid)))}
    keys = (constraint for oid in own for constraint in at.catalog.constraints(oid) if constraint.kind is ConstraintKind.FOREIGN_KEY)
    oids = dict.fromkeys(key.references for key in keys if key.references is not None and key.references not in own)
    referenced = (at.catalog.get(oid) for oid in oids)
    return [table.name for table in referenced if isinstance(table, Relation) and not at.is_new(table.name)]


def _and_referenced(referenced: list[Name], *, is_one: bool) -> str:
    if not referenced:
        return ""
    return f" and on {join_names(referenced)}, which {'its' if is_one else 'their'} foreign keys reference,"


def _detached_first(at: Context, dropped: list[Name]) -> str:
    """Returns the DETACH of the partitions among the tables; a parent with a default partition does not accept CONCURRENTLY."""
    steps = []
    for name in dropped:
        parent = _partitioned_parent(at, name)
        if parent is not None:
            is_concurrent = at.catalog.default_partition(parent.oid) is None
            detach = f"ALTER TABLE {parent.name} DETACH PARTITION {name}{' CONCURRENTLY' if is_concurrent else ''};"
            steps.append(f"{at.outside_transaction(detach) if is_concurrent else detach}\n")
    return "".join(steps)
