"""What is needed to apply the suppressions of a script."""

from migsafe.linting.rule import Context
from migsafe.linting.suppressions import Suppression
from migsafe.patterns import lazy_pattern
from migsafe.sources import Half
from migsafe.text import Script, Span

_ONLY_COMMENT = lazy_pattern(r"\s*(?:--|#)")


def with_comments(script: Script, place: Span) -> Span:
    """Returns the lines of a place, with the comments above them."""
    first, last = script.position(place.start).line, script.position(place.end).line
    while first > 1 and _ONLY_COMMENT.match(script.line(first - 1)):
        first -= 1
    return Span(script.line_start(first), script.line_start(last + 1))


class ScriptSuppressions:
    """What is needed to apply the suppressions of one script: its judged chunks, each with the context of its migration, its halves, and the
    places of its statements: each statement's span, and that of the call that sends it."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.judged_chunks: list[tuple[Span, Context]] = []
        self.halves: list[Half] = []
        self.downgrades: list[Context] = []
        self.statement_places: dict[tuple[str, int], tuple[Span, ...]] = {}

    @property
    def is_opaque(self) -> bool:
        """Whether the script is a program of which some calls are unknown: because it depends on data, or could not be run here. What it
        suppresses may be there."""
        return any(call.opaque for half in self.halves if half.program is not None for call in half.program.calls)

    def context(self, suppression: Suppression) -> Context:
        """Returns the context of the migration that contains a suppression, or of the first one."""
        start = suppression.span.start
        return next((at for chunk, at in self.judged_chunks if chunk.start <= start < chunk.end), self.judged_chunks[0][1])

    def nearest_statement(self, suppression: Suppression, at: Context) -> int:
        """Returns the number of the statement that contains or follows a suppression; behind the last statement, the number of that one."""
        numbers = [(places[-1].end, number) for (migration, number), places in self.statement_places.items() if migration == at.migration.id]
        following = [number for end, number in numbers if end > suppression.span.start]
        return following[0] if following else max((number for _, number in numbers), default=1)
