"""The commands that PostgreSQL does not run in a READ ONLY transaction (ClassifyUtilityCommandAsReadOnly in utility.c)."""

from migsafe.schema.catalog import Catalog
from migsafe.schema.refusal import Refusal, RefusalKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import AlterRelation, Operation, Persistence

_COMMANDS: dict[type[Operation], str] = {
    sql.CreateTable: "CREATE TABLE",
    sql.CreateIndex: "CREATE INDEX",
    sql.CreateView: "CREATE VIEW",
    sql.CreateSequence: "CREATE SEQUENCE",
    sql.CreateEnum: "CREATE TYPE",
    sql.CreateCompositeType: "CREATE TYPE",
    sql.CreateDomain: "CREATE DOMAIN",
    sql.CreateSchema: "CREATE SCHEMA",
    sql.CreateExtension: "CREATE EXTENSION",
    sql.CreateTrigger: "CREATE TRIGGER",
    sql.CreatePolicy: "CREATE POLICY",
    sql.AddEnumValue: "ALTER TYPE",
    sql.Truncate: "TRUNCATE TABLE",
    sql.Comment: "COMMENT",
}
_DROPPED = frozenset("table index view sequence type domain schema extension trigger policy function procedure".split()) | {"materialized view"}


def refuse_in_read_only(catalog: Catalog, op: Operation) -> Refusal | None:
    """Returns why PostgreSQL refuses an operation in a READ ONLY transaction; None if it does not, or if that is not known."""
    command = _command(catalog, op)
    if command is None:
        return None
    return Refusal(
        error=f"cannot execute {command} in a read-only transaction",
        help="-- BEGIN READ WRITE; or SET TRANSACTION READ WRITE before the first query",
        kind=RefusalKind.SESSION,
    )


def _command(catalog: Catalog, op: Operation) -> str | None:
    match op:
        case sql.Insert() | sql.Update() | sql.Delete():
            table = catalog.relation(op.table)
            is_permanent = table is not None and table.persistence is not Persistence.TEMPORARY
            return type(op).__name__.upper() if is_permanent else None
        case AlterRelation():
            return f"ALTER {op.target.kind.upper()}"
        case sql.Drop():
            return f"DROP {op.kind.upper()}" if op.kind in _DROPPED else None
        case sql.CreateFunction():
            return f"CREATE {op.kind.upper()}"
    return _COMMANDS.get(type(op))
