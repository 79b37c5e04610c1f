"""The tool `locks`."""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.agent.sizes import Limit, Offset, check_sql, continuation, page_of, short_prose, short_statement
from migsafe.agent.tool import Answer, Paths, PgVersion, Problem, Progress, Sql, Tool, problem_lines, problems_of
from migsafe.agent.workspace import Workspace
from migsafe.library.locks import PredictedStatement, locks
from migsafe.prediction.effects.effect import Effect
from migsafe.sources import Half


class LocksArguments(Struct, frozen=True, kw_only=True):
    """The arguments of `locks`."""

    paths: Paths = None
    sql: Sql = None
    pg_version: PgVersion = None
    limit: Limit = 50
    offset: Offset = 0


class LockResult(Struct, frozen=True, kw_only=True):
    """What a statement does to one relation: its lock, what waits meanwhile, whether all rows are rewritten or read. `new`: the migration
    created it, so no query waits."""

    relation: str
    lock: str
    blocks: tuple[str, ...] = ()
    rewrite: bool = False
    scan: bool = False
    new: bool = False
    why: str = ""


class StatementResult(Struct, frozen=True, kw_only=True):
    """A statement. Statements of a file with the same `transaction` share one, and hold their locks until it ends; null is not sent at all.
    `refused` says why PostgreSQL would refuse it, `unknown` which effects are not known, `condition` when a script sends it."""

    path: str
    line: int
    sql: str
    transaction: int | None
    effects: tuple[LockResult, ...] = ()
    refused: str = ""
    unknown: str = ""
    condition: str = ""


class LocksResult(Struct, frozen=True, kw_only=True):
    """Statements in their order. `left_out` counts those after the last one here; `contradictions` say where a migration contradicts its
    history."""

    pg_version: int
    statements: tuple[StatementResult, ...] = ()
    left_out: int = 0
    contradictions: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def _locks(arguments: LocksArguments, workspace: Workspace, progress: Progress) -> Answer:
    prediction = locks(workspace.requested(arguments.paths), settings=workspace.settings(arguments.pg_version), text=check_sql(arguments.sql))
    workspace.check_results(predicted.migration.up.file.path for predicted in prediction.migrations)
    every = [(predicted.migration.up, statement) for predicted in prediction.migrations for statement in predicted.statements]
    shown, left_out = page_of(every, arguments.limit, arguments.offset)
    result = LocksResult(
        pg_version=prediction.pg_version,
        statements=tuple(_statement(half, statement) for half, statement in shown),
        left_out=left_out,
        contradictions=tuple(
            f"{each.script.path}:{each.script.position(each.span.start).line}: {each.text}" for each in prediction.contradictions
        ),
        problems=problems_of(prediction.problems),
    )
    return Answer(result=result, text="\n".join(_lines(result, arguments)))


def _statement(half: Half, predicted: PredictedStatement) -> StatementResult:
    span = predicted.statement.span
    return StatementResult(
        path=half.file.path,
        line=half.file.position(half.file_span(span).start).line,
        sql=short_statement(half.script.text[span.start : span.end]),
        transaction=predicted.transaction,
        effects=tuple(map(_effect, predicted.effects)),
        refused=short_prose(predicted.refused or ""),
        unknown=short_prose("; ".join(predicted.unknown) or ("" if predicted.understood else "not all effects are known")),
        condition=predicted.condition,
    )


def _effect(effect: Effect) -> LockResult:
    return LockResult(
        relation=str(effect.relation),
        lock=str(effect.lock),
        blocks=effect.blocks,
        rewrite=effect.rewrite,
        scan=effect.scan,
        new=effect.new,
        why=effect.why,
    )


def _lines(result: LocksResult, arguments: LocksArguments) -> Iterator[str]:
    for statement in result.statements:
        sent = f"transaction {statement.transaction}" if statement.transaction is not None else "not sent to the server"
        yield f"{statement.path}:{statement.line} ({sent}): {statement.sql}"
        yield from (f"    {_effect_line(effect)}" for effect in statement.effects)
        if statement.refused:
            yield f"    PostgreSQL refuses it: {statement.refused}"
        if statement.unknown:
            yield f"    unknown: {statement.unknown}"
        if statement.condition:
            yield f"    only {statement.condition}"
    if not result.statements:
        yield "no statements"
    yield from (f"contradiction: {text}" for text in result.contradictions)
    yield from problem_lines(result.problems)
    if more := continuation(result.left_out, "statements", arguments.limit, arguments.offset):
        yield more


def _effect_line(effect: LockResult) -> str:
    if effect.new:
        return f"{effect.relation}: {effect.lock}; the migration created it, so nothing waits"
    work = [word for word, is_done in (("rewrites all rows", effect.rewrite), ("reads all rows", effect.scan)) if is_done]
    why = f" ({effect.why})" if effect.why and work else ""
    return f"{effect.relation}: {effect.lock}, blocks {' and '.join(effect.blocks) or 'nothing'}{''.join(f', {each}' for each in work)}{why}"


LOCKS = Tool(
    name="locks",
    title="Predict locks",
    description=(
        "Predicts for each statement of migrations, or of SQL, which locks it takes, which queries they block, and whether it rewrites or reads"
        " whole tables. No database is needed."
    ),
    arguments=LocksArguments,
    result=LocksResult,
    run=_locks,
)
