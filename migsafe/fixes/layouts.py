"""What the files of each runner look like: where a migration says that it runs outside a transaction, and what begins its halves.

The directives are those that `migsafe.sources` reads; its modules name the sources of each.
"""

import re
from collections.abc import Callable, Mapping

from msgspec import Struct


class Layout(Struct, frozen=True):
    """The files of a runner.

    `up` and `up_outside` begin the upgrade in a new file (`{parent}` is the migration before it), `down` and `down_outside` the downgrade if it
    is in the same file. `leave` turns the text of a migration, from the beginning of its file, into one that runs outside a transaction; None
    if the runner has no such directive. `settings` are the name and text of a file beside it that says so. `statement` wraps a statement that
    contains semicolons. `folder`: each migration has a folder of its own, with this script in it. `none_outside`: the runner cannot send
    anything outside a transaction; the text says what to do instead. `in_place`: new migrations would need more than files, so everything
    stays in one, with COMMIT and BEGIN. `mark` stands between statements; `block_lines` match the lines around statements with semicolons.
    `note` says what the runner needs after its files have changed.
    """

    up: str = ""
    up_outside: str = ""
    down: str = ""
    down_outside: str = ""
    leave: Callable[[str], str] | None = None
    settings: tuple[str, str] | None = None
    statement: Callable[[str], str] = lambda sql: sql
    folder: str = ""
    none_outside: str = ""
    in_place: bool = False
    mark: str = ""
    block_lines: re.Pattern[str] | None = None
    note: str = ""


def _first_line(line: str) -> Callable[[str], str]:
    return lambda text: f"{line}{text}"


def _replaced(pattern: str, more: str) -> Callable[[str], str]:
    """Returns a function that adds words to the first line that matches a pattern."""
    return lambda text: re.sub(pattern, lambda match: match[0] + more, text, count=1, flags=re.MULTILINE | re.IGNORECASE)


def _in_statement_block(prefix: str) -> Callable[[str], str]:
    """Returns a function that marks a statement with semicolons in it, for a runner that divides files at semicolons."""

    def wrapped(sql: str) -> str:
        begin, inner = f"-- {prefix} StatementBegin\n", sql.rstrip().rstrip(";")
        return f"{begin}{sql}\n-- {prefix} StatementEnd" if ";" in inner and not sql.startswith(begin) else sql

    return wrapped


def _with_escaped_semicolons(sql: str) -> str:
    """Returns a statement for Play, which divides files at single semicolons."""
    inner = sql.rstrip().rstrip(";")
    return f"{inner.replace(';', ';;')};" if ";" in inner else sql


def joined_at_mark(before: str, after: str, mark: str) -> str:
    """Returns the text around a removed statement, with one mark between the statements that are left, and none around them."""
    if not mark:
        return before + after
    if not after.strip():
        return before.rstrip().removesuffix(mark).rstrip() + after
    rest = after.lstrip()
    if rest.startswith(mark) and (not before.strip() or before.rstrip().endswith(mark)):
        return before + rest.removeprefix(mark).lstrip()
    return before + after


def marked_once(lead: str, mark: str, *, is_first: bool) -> str:
    """Returns the text before a statement with only the first of its marks, without any before the first statement: the statements between the
    marks are gone."""
    if not mark or mark not in lead:
        return lead
    first, found, rest = lead.partition(mark)
    own = re.compile(rf"{re.escape(mark)}[ \t]*\r?\n?")
    return own.sub("", lead) if is_first else first + found + own.sub("", rest)


LAYOUTS: Mapping[str, Layout] = {
    "plain": Layout(none_outside='the configuration says `transaction = "file"`, so every statement runs in a transaction'),
    "custom": Layout(none_outside="the runner's own way to leave its transaction is not known"),
    "versioned": Layout(in_place=True),
    "golang-migrate": Layout(leave=str),
    "postgrator": Layout(leave=str),
    "prisma": Layout(leave=str, folder="migration.sql"),
    "supabase": Layout(leave=str),
    "sqlx": Layout(up_outside="-- no-transaction\n", down_outside="-- no-transaction\n", leave=_first_line("-- no-transaction\n")),
    "dbmate": Layout(
        up="-- migrate:up\n",
        up_outside="-- migrate:up transaction:false\n",
        down="-- migrate:down\n",
        down_outside="-- migrate:down transaction:false\n",
        leave=_replaced(r"^--[ \t]*migrate:up\b", " transaction:false"),
    ),
    "goose": Layout(
        up="-- +goose Up\n",
        up_outside="-- +goose NO TRANSACTION\n-- +goose Up\n",
        down="-- +goose Down\n",
        down_outside="-- +goose Down\n",
        leave=_first_line("-- +goose NO TRANSACTION\n"),
        statement=_in_statement_block("+goose"),
        block_lines=re.compile(r"(?:\r?\n)?^-- \+goose Statement(?:Begin|End)[^\r\n]*", re.MULTILINE),
    ),
    "sql-migrate": Layout(
        up="-- +migrate Up\n",
        up_outside="-- +migrate Up notransaction\n",
        down="-- +migrate Down\n",
        down_outside="-- +migrate Down notransaction\n",
        leave=_replaced(r"^-- \+migrate [ \t]*Up\b", " notransaction"),
        statement=_in_statement_block("+migrate"),
        block_lines=re.compile(r"(?:\r?\n)?^-- \+migrate Statement(?:Begin|End)[^\r\n]*", re.MULTILINE),
    ),
    "tern": Layout(
        up_outside="---- tern: disable-tx ----\n",
        down="---- create above / drop below ----\n",
        down_outside="---- create above / drop below ----\n---- tern: disable-tx ----\n",
        leave=_first_line("---- tern: disable-tx ----\n"),
    ),
    "node-pg-migrate": Layout(
        up="-- Up Migration\n",
        down="-- Down Migration\n",
        none_outside="node-pg-migrate sends SQL in a transaction: write the migration in JavaScript, with `pgm.noTransaction()`",
    ),
    "flyway": Layout(leave=str, settings=("{name}.conf", "executeInTransaction=false\n")),
    "diesel": Layout(leave=str, folder="up.sql", settings=("metadata.toml", "run_in_transaction = false\n")),
    "hasura": Layout(folder="up.sql", none_outside="Hasura sends every migration in a transaction: run the statement with psql"),
    "refinery": Layout(none_outside="refinery sends every migration in a transaction: run the statement with psql"),
    "pop": Layout(none_outside="its file would need another name, `….autocommit.up.sql`"),
    "bun": Layout(none_outside="its file would need another name, `….up.sql` without `.tx`", mark="--bun:split"),
    "atlas": Layout(
        up_outside="-- atlas:txmode none\n\n",
        leave=_first_line("-- atlas:txmode none\n\n"),
        note="run `atlas migrate hash`: atlas.sum has the sums of the files as they were",
    ),
    "yoyo": Layout(
        up="-- depends: {parent}\n",
        up_outside="-- depends: {parent}\n-- transactional: false\n",
        leave=_first_line("-- transactional: false\n"),
    ),
    "play": Layout(statement=_with_escaped_semicolons),
    "graphile-migrate": Layout(
        none_outside="only a migration of its own can be outside: current.sql with `--! no-transaction` at its top, committed separately",
        note="a committed migration has the sum of its text in its header: run `graphile-migrate uncommit` before, and `commit` after",
    ),
    "mybatis": Layout(
        down="-- //@UNDO\n", none_outside="MyBatis Migrations sends every script in a transaction unless an environment sets `auto_commit`"
    ),
    "postgres-migrations": Layout(
        up_outside="-- postgres-migrations disable-transaction\n", leave=_first_line("-- postgres-migrations disable-transaction\n")
    ),
    "drizzle": Layout(in_place=True, mark="--> statement-breakpoint"),
    "liquibase": Layout(leave=_replaced(r"^[ \t]*--[ \t]*changeset[ \t][^\r\n]*", " runInTransaction:false")),
}
"""The layouts, by the name of the runner."""
