"""The calls that a script skips in a second run, because it asks the database whether their work is already done."""

from collections.abc import Callable, Sequence

import msgspec

from migsafe.rendering.messages import RenderedCall, RenderResult


def may_stop_between(result: RenderResult, *, in_transaction: bool) -> bool:
    """Whether a run can stop after some of its statements are committed: it has several transactions."""
    return len(result.calls) > 1 and (not in_transaction or any(call.by_runner for call in result.calls))


def with_skipped_calls(result: RenderResult, render_after: Callable[[Sequence[str]], RenderResult]) -> RenderResult:
    """Returns the result, with its calls marked that a second run does not make.

    `render_after` renders the script again, on the database after the SQL given to it: here all that the first run sends before its last
    statement. If the second run ends early, or contains code that cannot be known where the first did not, nothing is marked.
    """
    last = max((number for number, call in enumerate(result.calls) if not call.by_runner), default=0)
    again = render_after([call.sql for call in result.calls[:last] if not call.opaque])
    first_opaque = {_place(call) for call in result.calls if call.opaque}
    if any(call.opaque and _place(call) not in first_opaque for call in again.calls):
        return result
    sent = {(*_place(call), call.sql) for call in again.calls}
    calls = [
        msgspec.structs.replace(call, skipped_when_done=(*_place(call), call.sql) not in sent)
        if number < last and not call.opaque and not call.by_runner
        else call
        for number, call in enumerate(result.calls)
    ]
    return msgspec.structs.replace(result, calls=tuple(calls))


def _place(call: RenderedCall) -> tuple[int, int]:
    return call.start, call.end
