"""How each runner is told to run a migration outside a transaction."""

_ALONE = "-- in a migration of its own, because PostgreSQL refuses it inside a transaction"

_DIRECTIVES = {
    "atlas": "-- atlas:txmode none\n",
    "dbmate": "-- migrate:up transaction:false",
    "goose": "-- +goose NO TRANSACTION\n-- +goose Up",
    "liquibase": "--changeset author:id runInTransaction:false",
    "sql-migrate": "-- +migrate Up notransaction",
    "sqlx": "-- no-transaction",
    "yoyo": "-- transactional: false",
}
"""What stands in the script itself, on its first lines."""

_HABITS = {
    "diesel": "with `run_in_transaction = false` in the metadata.toml beside it",
    "flyway": (
        "with `executeInTransaction=false` in its .sql.conf; Flyway must run with `flyway.postgresql.transactional.lock=false`, "
        "or the statement waits for Flyway's own transaction"
    ),
    "golang-migrate": "with no other statement: golang-migrate sends the file as one query",
    "hasura": "run with psql, then `hasura migrate apply --skip-execution`: Hasura always opens a transaction",
    "prisma": "with no other statement: Prisma sends the file as one query",
    "supabase": "with no other statement: Supabase sends the file as one query",
}
"""What the user has to do where no line in the script does it."""


def directions(runner: str, sql: str) -> str:
    """A script to paste that runs `sql` outside a transaction under a runner."""
    if runner == "drizzle":
        return f"{_ALONE}: COMMIT ends the one that Drizzle opened\nCOMMIT;--> statement-breakpoint\n{sql}"
    if runner in _DIRECTIVES:
        return f"{_DIRECTIVES[runner]}\n{_ALONE}\n{sql}"
    if runner in _HABITS:
        return f"{_ALONE},\n-- {_HABITS[runner]}\n{sql}"
    return f"{_ALONE}\n{sql}"
