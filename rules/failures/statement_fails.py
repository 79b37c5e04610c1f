"""PostgreSQL refuses the statement.

The migrations before this one, or the dump that the history starts with, say what the database contains. If a statement contradicts that, the
deployment stops there: the object does not exist or exists already, another object depends on it, or PostgreSQL does not support the statement
for this kind of object. What is not certainly known is not reported: an object that a condition may have created, a table that no migration
created. Because the statement does nothing, no other rule reports it. An UPDATE that gives a column a constant which its CHECK or NOT NULL does
not allow is reported too, although it succeeds where it finds no row to change.

The reasons are of these kinds:

- Objects: they do not exist or exist already, other objects depend on them, they are of another kind (a view, a partition, a foreign
  table), they belong to an extension or to another object, or a later statement of the same migration creates them.
- Columns and types: a type or a length that PostgreSQL does not know, a change without a cast, a default that is not a value of its column
  or that the new type does not have, generated and identity columns, a type that the session's search_path does not find.
- Constraints and indexes: what an index method, a partitioned table, an unlogged table or a partial index cannot do, expressions that are
  not immutable, keys without a unique index, exclusion and deferrable constraints, CONCURRENTLY where it is impossible.
- Partitions, inheritance, triggers, rules, policies, publications, views, storage parameters: what each of them does not allow.
- Functions: other parameters or results than CREATE OR REPLACE keeps, bodies in SQL that use what does not exist, calls with other
  arguments.
- Queries, also inside views and functions: columns, tables, operators and operands that do not exist or do not fit, columns that are
  neither grouped nor aggregated, UNION of other types, targets of ON CONFLICT.
- Values: constants that a type does not accept (numbers, dates, times, intervals, JSON, uuids, addresses, ranges, enums), that are too long
  or too large, that are missing for a column, or that a CHECK, a key or a foreign key refuses.
- Rows that the migrations themselves have inserted, copied with INSERT … SELECT or changed with UPDATE, against later constraints, keys,
  NOT NULL and types. Rows of the application are not known.
- Sessions: statements outside or inside of a transaction block, settings, READ ONLY, roles that do not exist, psql's own syntax.

Alembic itself sends a statement after each revision: it records the id in `alembic_version`, whose column is varchar(32). A longer id is
refused there, and the migration is rolled back. The first such id is reported, and none if a revision, env.py, or a module beside it mentions
the column, as those do that make it wider.

A migration that ends with an empty search_path, like the output of pg_dump, fails under the runners that record it on the same connection
in a table without its schema: Alembic, Diesel, goose, Prisma and sqlx. The other runners that keep the connection find no table of the next
migration that has no schema in its name. psql's meta-commands, and the rows after COPY … FROM stdin, fail with every runner that sends the
script to the server.

Unsafe, because a view uses the column:
    CREATE TABLE parcels (id bigint PRIMARY KEY, weight bigint);
    CREATE VIEW parcel_weights AS SELECT id, weight FROM parcels;
    -- next migration
    ALTER TABLE parcels ALTER COLUMN weight TYPE numeric;

Unsafe, because a foreign key references the table:
    CREATE TABLE carriers (id bigint PRIMARY KEY);
    CREATE TABLE parcels (id bigint PRIMARY KEY, carrier_id bigint REFERENCES carriers (id));
    CREATE INDEX parcels_carrier_id_idx ON parcels (carrier_id);
    -- next migration
    DROP TABLE carriers;

Safe, in the migration that creates the table:
    CREATE TABLE parcels (id bigint PRIMARY KEY, weight numeric);
    CREATE VIEW parcel_weights AS SELECT id, weight FROM parcels;

See: https://www.postgresql.org/docs/current/ddl-depend.html
    https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from msgspec.structs import replace

from migsafe import expressions
from migsafe.linting.rule import Context, Finding, MigrationEnd, RefusedOperation, Severity, rule
from migsafe.prediction.refusals.values import refuse_changed_rows
from migsafe.schema.refusal import Refusal, RefusalKind
from migsafe.sql.operations import CreateEnum, Operation, SetVariable, Update

_REPORTED_HERE = (RefusalKind.SCHEMA, RefusalKind.SESSION)
"""The other kinds of refusals have their own rules."""


@rule(category="failures", severity=Severity.ERROR, refuses=True, no_fix="only the author knows what the statement was meant to do")
def statement_fails(op: RefusedOperation | Update | MigrationEnd, at: Context) -> Finding | None:
    """Report why PostgreSQL does not run a statement, and a revision id that it does not record."""
    if isinstance(op, MigrationEnd):
        return _refused_version(op, at) if at.lineage.version_too_long else _refused_record(at)
    if isinstance(op, Update):
        return _refused_rows(op, at)
    if op.refusal.kind is RefusalKind.SCRIPT:
        return at.finding(op, f"the script fails here, before it sends anything: {op.refusal}", help=op.refusal.help)
    if op.refusal.kind not in _REPORTED_HERE:
        return None
    return at.finding(op, f"PostgreSQL refuses this statement: {op.refusal}", help=_help(op.refusal, at))


def _refused_rows(op: Update, at: Context) -> Finding | None:
    """Returns a finding about an UPDATE that gives a row what a constraint does not allow. Where it finds no row, it succeeds."""
    table = at.catalog.relation(op.table)
    if table is None or not op.certain or at.is_new(op.table):
        return None
    needs_value = any(column.not_null and column.name in op.columns for column in table.columns)
    if not needs_value and not any(constraint.check is not None for constraint in at.catalog.constraints(table.oid)):
        return None
    refusal = refuse_changed_rows(at.catalog, op.table, expressions.constants_assigned(at.text(*op.span)))
    if refusal is None:
        return None
    return at.finding(op, f"PostgreSQL refuses this statement as soon as it changes a row: {refusal}", help=refusal.help)


def _help(refusal: Refusal, at: Context) -> str:
    """Returns what works instead. An Enum in create_table() creates its type too, which another table may have done before."""
    operation = at.statement.operations[0] if at.statement.operations else None
    if not at.is_script or not isinstance(operation, CreateEnum) or not refusal.error.endswith("already exists"):
        return refusal.help
    instead = f"-- if an Enum in create_table() creates it: postgresql.ENUM(name='{operation.type.name}', create_type=False) does not"
    return "\n".join(filter(None, (refusal.help, instead)))


def _refused_record(at: Context) -> Finding | None:
    """Returns a finding at the statement that empties search_path, if the runner then does not find its table. The statements keep their
    hazards."""
    table, settings = at.migration.up.own_table, at.session.settings
    emptied = next((done for done in reversed(at.past) if _sets_path(done.operation)), None)
    if not table or not settings.path_is_set or settings.search_path or emptied is None:
        return None
    finding = at.finding(
        emptied.operation,
        f"the runner records the migration in {table}, without a schema in its name, on the same connection: PostgreSQL refuses that while "
        f'search_path is empty: relation "{table}" does not exist',
        help="RESET search_path;  -- at the end of the migration",
    )
    return replace(finding, statement=emptied.statement.index)


def _sets_path(operation: Operation) -> bool:
    return isinstance(operation, SetVariable) and operation.variable == "search_path"


def _refused_version(op: MigrationEnd, at: Context) -> Finding:
    """Returns a finding at the id. Its statement is not one of the script's, which keep their hazards."""
    id = at.migration.id
    finding = at.finding(
        at.place_in_file(at.lineage.version_span) or op,
        f"PostgreSQL refuses the statement with which Alembic records the revision: value too long for type character varying(32); the id has "
        f"{len(id)} characters, and alembic_version.version_num is varchar(32)",
        help="-- a shorter id, here and in the down_revision of the next revision; the words belong in the message",
    )
    return replace(finding, statement=finding.statement + 1)
