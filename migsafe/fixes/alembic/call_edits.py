"""The code that replaces the calls of fixes."""

import builtins
from collections.abc import Iterator, Sequence

import libcst as cst
from msgspec import structs

from migsafe.fixes.alembic.code import Piece, Style, kept_code, step_code, with_comments
from migsafe.fixes.alembic.keywords import adds_nullable_instead, keywords_for, with_keywords, with_nullable_column, without_not_null
from migsafe.fixes.alembic.places import CallPlace
from migsafe.fixes.alembic.plan import FixPlan, literal_of, refuse_values, split_call, unmoved
from migsafe.fixes.alembic.python_source import PythonSource
from migsafe.fixes.alembic.replaced_calls import code_of_steps
from migsafe.fixes.alembic.steps import Refused, Step
from migsafe.sql.operations import Operation
from migsafe.sql.statements import Statement
from migsafe.text import Span


def pieces_of_place(source: PythonSource, style: Style, plans: Sequence[FixPlan]) -> list[Piece]:
    """Returns the code that replaces a call, or a batch of calls, for the fixes of its statements. Raises Refused."""
    batch = plans[0].place.batch
    if plans[0].replaced:
        if len(plans) > 1:
            raise Refused("another fix replaces the same statements")
        return code_of_steps(source, style, plans[0].replaced, plans[0].steps.here)
    if batch is None:
        return _of_call(source, style, plans)
    pieces: list[Piece] = []
    waiting: list[cst.BaseStatement] = []
    for statement in batch.body.body:
        assert isinstance(statement, cst.BaseStatement)
        own = [plan for plan in plans if plan.place.line is statement]
        if not own:
            waiting.append(statement)
            continue
        pieces += [_batch_of(source, batch, waiting)] if waiting else []
        waiting = []
        pieces += _of_call(source, style, own)
    return [*pieces, _batch_of(source, batch, waiting)] if waiting else pieces


def number_before(plans: Sequence[FixPlan]) -> int:
    """Returns how many of the pieces of a place precede its call, which stays; 0 for a place of several statements."""
    is_alone = plans[0].place.batch is None and len(plans[0].statements) == 1
    return sum(len(unmoved(plan.steps)[0]) for plan in plans) if is_alone else 0


def _batch_of(source: PythonSource, batch: cst.With, statements: Sequence[cst.BaseStatement]) -> Piece:
    """Returns a batch with some consecutive statements of another one, and the comments above and behind them."""
    parts = [source.text[source.span(batch).start : first_line(source, batch.body.body[0])]]
    last = batch.body.body[-1]
    for each in statements:
        # What follows the last statement on its line is not a part of the batch.
        end = source.span(each).end if each is last else source.next_line(source.span(each).end)
        parts.append(source.text[first_line(source, each) : end])
    return kept_code("".join(parts), outside=False)


def first_line(source: PythonSource, statement: cst.CSTNode) -> int:
    """Returns where the comments above a statement begin."""
    start = source.line_start(source.span(statement).start)
    while source.text[source.line_start(start - 1) : start].lstrip().startswith("#"):
        start = source.line_start(start - 1)
    return start


def _of_call(source: PythonSource, style: Style, plans: Sequence[FixPlan]) -> list[Piece]:
    plan = plans[0]
    if len(plan.statements) == 1:
        call = source.source(plan.place.line)
        if any(each.divides for each in plans):
            call = without_not_null(call, source.newline)
        return list(_of_statement(source, style, plans, _with_call(source, plan, call, outside=False)))
    pieces: list[Piece] = []
    waiting = ""
    for statement, before, text in split_call(source, plan):
        own = [each for each in plans if each.fix.statement.span == statement.span]
        if not own:
            waiting += before + text
            continue
        is_kept = not any(each.replaces for each in own)
        if waiting.strip():
            pieces.append(_with_text(source, plan, waiting))
        kept = _with_text(source, plan, before + text)
        fixed = list(_of_statement(source, style, own, kept))
        comments = [] if is_kept else [f"# {line.strip().removeprefix('--').strip()}" for line in before.splitlines() if line.strip()]
        pieces += with_comments(fixed, comments)
        waiting = ""
    return [*pieces, _with_text(source, plan, waiting)] if waiting.strip() else pieces


def _with_text(source: PythonSource, plan: FixPlan, text: str) -> Piece:
    """Returns the call with another SQL text in its literal."""
    literal, line = literal_of(source, plan), source.span(plan.place.line)
    span = source.span(literal)
    opening, closing = f"{literal.prefix}{literal.quote}", literal.quote
    whole = source.text
    return kept_code(f"{whole[line.start : span.start]}{opening}{text}{closing}{whole[span.end : line.end]}", outside=False)


def _of_statement(source: PythonSource, style: Style, plans: Sequence[FixPlan], kept: Piece) -> Iterator[Piece]:
    """Yields the code of a statement with what its fixes put before it, in place of it, and after it."""
    replacing = next((plan for plan in plans if plan.replaces), None)
    as_text = _method(plans[0].place) == "execute"
    for plan in plans:
        yield from (step_code(step, style, as_text=as_text) for step in unmoved(plan.steps)[0])
    if replacing is None or replacing.divides:
        yield structs.replace(kept, main=True)
    if replacing is not None:
        steps = unmoved(replacing.steps)[1]
        main = _main_step(replacing.fix.statement, steps)
        for step in steps:
            if step.unchanged:
                piece = structs.replace(kept, outside=step.outside)
            else:
                piece = _with_arguments(source, replacing, step) or _new_code(source, style, replacing, step, as_text=as_text)
            yield structs.replace(piece, main=step is main)
    for plan in plans:
        yield from (step_code(step, style, as_text=as_text) for step in unmoved(plan.steps)[2])


def _main_step(flagged: Statement, steps: Sequence[Step]) -> Step | None:
    """Returns the step that does what the flagged statement did; the first one if none does."""
    kinds = {type(operation) for operation in flagged.operations}
    return next((step for step in steps if kinds.intersection(map(type, step.statement.operations))), steps[0] if steps else None)


def _method(place: CallPlace) -> str:
    return place.call.func.attr.value if isinstance(place.call.func, cst.Attribute) else ""


def _with_arguments(source: PythonSource, plan: FixPlan, step: Step) -> Piece | None:
    """Returns the call with other arguments, if these are enough for a step."""
    old, new = _only_operation(plan.fix.statement), _only_operation(step.statement)
    if old is None or new is None:
        return None
    method, call = _method(plan.place), source.source(plan.place.line)
    changed: str | None = None
    if adds_nullable_instead(method, old, new):
        changed = with_nullable_column(call, source.newline)
    elif not any(arg.star for arg in plan.place.call.args):
        keywords = keywords_for(method, old, new)
        changed = with_keywords(call, keywords, source.newline) if keywords is not None else None
    return _with_call(source, plan, changed, outside=step.outside) if changed is not None else None


def _with_call(source: PythonSource, plan: FixPlan, call: str, *, outside: bool) -> Piece:
    """Returns a call with another text, in a batch of its own if it is in one."""
    if plan.place.batch is None:
        return kept_code(call, outside=outside)
    whole = _batch_of(source, plan.place.batch, [plan.place.line])
    return kept_code(source.newline.join(whole.lines).replace(source.source(plan.place.line), call), outside=outside)


def _only_operation(statement: Statement) -> Operation | None:
    return statement.operations[0] if len(statement.operations) == 1 else None


def _new_code(source: PythonSource, style: Style, plan: FixPlan, step: Step, *, as_text: bool) -> Piece:
    refuse_values(source, plan.place, _constant_names(source, plan.place))
    return step_code(step, style, as_text=as_text)


def _constant_names(source: PythonSource, place: CallPlace) -> set[str]:
    """Returns the names that mean the same each time: of modules, of constants at the top level, of the batch."""
    names = set(dir(builtins))
    for node in source.nodes(cst.ImportAlias, cst.AssignTarget, cst.AnnAssign):
        match node:
            case cst.ImportAlias():
                names.add(node.evaluated_alias or node.evaluated_name.split(".")[0])
            case cst.AssignTarget(target=cst.Name(value=name)) | cst.AnnAssign(target=cst.Name(value=name)) if not any(
                isinstance(above, cst.FunctionDef) for above in source.parents(node)
            ):
                names.add(name)
    if place.batch is not None:
        names |= {item.asname.name.value for item in place.batch.items if item.asname is not None and isinstance(item.asname.name, cst.Name)}
    if isinstance(place.call.func, cst.Attribute) and isinstance(place.call.func.value, cst.Name):
        names.add(place.call.func.value.value)
    return names


def without_second_replacements(plans: Sequence[FixPlan]) -> list[FixPlan]:
    """Returns the fixes without those that replace a statement which an earlier one replaces: they are for what that makes of it."""
    replaced: set[Span] = set()
    chosen = []
    for plan in plans:
        span = plan.fix.statement.span
        if not plan.replaces or span not in replaced:
            chosen.append(plan)
        if plan.replaces:
            replaced.add(span)
    return chosen


def check_pieces(source: PythonSource, style: Style, plan: FixPlan) -> None:
    """Raises Refused if the code of a fix cannot be written."""
    if not plan.statements:
        raise Refused("the call sends no statement")
    pieces_of_place(source, style, [plan])
