"""A new migration comes before one that has been merged.

This happens when a branch lives longer than the one that was merged before it. Databases that have applied the later migration are past the
new one: golang-migrate, Drizzle and Alembic skip it there without an error, Flyway, goose, Atlas and Supabase refuse to run. New databases
apply both, so the problem does not appear in tests. Give the migration a version after the last one. dbmate, sqlx, Prisma, Diesel, Hasura and
others apply every migration that is not recorded, so that nothing is reported for them; nor for Flyway with `outOfOrder`. Where the runner is
not known, the severity is info: describe it in the configuration, with `out-of-order`.

The rule compares with a revision of git: `migsafe lint --since origin/main`, or `--changed`.

Unsafe:
    -- 0041_orders.sql at the revision
    CREATE TABLE orders (id bigint PRIMARY KEY);
    -- 0043_order_notes.sql at the revision
    ALTER TABLE orders ADD COLUMN note text;
    -- 0041_orders.sql now
    CREATE TABLE orders (id bigint PRIMARY KEY);
    -- 0042_order_flags.sql now
    ALTER TABLE orders ADD COLUMN flag boolean;
    -- 0043_order_notes.sql now
    ALTER TABLE orders ADD COLUMN note text;

Safe:
    -- 0041_orders.sql at the revision
    CREATE TABLE orders (id bigint PRIMARY KEY);
    -- 0043_order_notes.sql at the revision
    ALTER TABLE orders ADD COLUMN note text;
    -- 0041_orders.sql now
    CREATE TABLE orders (id bigint PRIMARY KEY);
    -- 0043_order_notes.sql now
    ALTER TABLE orders ADD COLUMN note text;
    -- 0044_order_flags.sql now
    ALTER TABLE orders ADD COLUMN flag boolean;
"""

from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.sources import LateHandling, LatePlace


@rule(
    category="history", severity=Severity.ERROR, about_file=True, needs="revision", no_fix="only the author knows where the migration has run"
)
def out_of_order(op: MigrationEnd, at: Context) -> Finding | None:
    """Report the new migration at its parent revision, or at its first statement."""
    late = at.lineage.late
    if late is None:
        return None
    message, help = _described(late, at.migration.id)
    place = at.place_in_file(at.lineage.parents_span) or (at.past[0] if at.past else op)
    is_assumed = late.reason == "order" and late.handling is LateHandling.UNKNOWN and not late.runner
    return at.finding(place, message, help=help, severity=Severity.INFO if is_assumed else None)


def _described(late: LatePlace, version: str) -> tuple[str, str]:
    """Returns the message and the help."""
    match late.reason:
        case "inserted":
            return (
                f"the new revision {version} comes before {late.later}, which stands at {late.revision}: {_skips(late)}",
                "# let it follow the last revision, and leave the down_revision of the others as it is",
            )
        case "branch":
            return (
                f"the new revision {version} follows {late.parent}, and so does {late.later}, which stands at {late.revision}: once both are "
                "merged, the history has two heads, and `alembic upgrade head` refuses to run",
                f'down_revision = "{late.later.version}"  # or the last revision after it',
            )
        case "same":
            return (
                f"the new migration {version} has the version of {late.later.path}, which stands at {late.revision}: "
                "the runner refuses both, or never runs one of them",
                "-- give it a version after the last one",
            )
    return (
        f"the new migration {version} comes before {late.later}, which stands at {late.revision}: {_skips(late)}",
        f"-- give it a version after {late.later.version}",
    )


def _skips(late: LatePlace) -> str:
    database = "a database that has applied the later one"
    match late.handling:
        case LateHandling.SKIPS:
            return f"{late.runner or 'the runner'} never applies it to {database}"
        case LateHandling.REFUSES:
            return f"{late.runner or 'the runner'} refuses to run on {database}"
        case _:
            return f"{late.runner or 'a runner that compares with the last version'} skips it on {database}, or refuses to run"
