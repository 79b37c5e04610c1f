"""What a hover shows: the locks of a statement or an operation, what they block, and the findings there."""

from collections.abc import Iterator, Mapping, Sequence

from lsprotocol import types

from migsafe.documentation.page import Prose, page
from migsafe.editor.diagnostics import rule_page
from migsafe.editor.documents import Document
from migsafe.linting.finding import Finding
from migsafe.linting.rule import Rule
from migsafe.prediction.effects.effect import Effect
from migsafe.prediction.statement_prediction import StatementPrediction
from migsafe.reports.locks.wording import blocking, details_of
from migsafe.reports.markup import code, escaped, fenced
from migsafe.schema.statistics import row_count
from migsafe.sources import Half
from migsafe.text import Span

_MOST_EFFECTS = 8
_SEPARATOR = "\n\n---\n\n"


def hover(document: Document, position: types.Position) -> types.Hover | None:
    """Returns the locks of the statement at a position, or of the operation if the statement has several, and the findings there."""
    offset = document.places.offset(position)
    at = Span(offset, offset)
    found = _innermost([each for each in document.statements() if each[2].start <= offset <= each[2].end], offset)
    findings = document.findings_in(at)
    parts, place = [], None
    if found is not None:
        half, prediction, place = found
        text, place = _statement(half, prediction, place, offset, document.row_counts)
        parts.append(text)
    rules = document.rules
    # The page of one rule is an answer; the pages of several are too much to read in a hover.
    with_reason = len(findings) == 1
    parts += [_finding(finding, rules.get(finding.rule), document.language, with_reason=with_reason) for finding in findings]
    if not parts:
        return None
    place = findings[0].span if place is None else place
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, _SEPARATOR.join(parts)), document.places.range(place))


def _innermost(found: Sequence[tuple[Half, StatementPrediction, Span]], offset: int) -> tuple[Half, StatementPrediction, Span] | None:
    """Returns the statement at an offset of those that contain it: one call of a script may send several."""
    places = [(half, prediction, half.file_span(prediction.statement.span)) for half, prediction, _ in found]
    inside = [each for each in places if each[2].start <= offset <= each[2].end]
    return min(inside or found, key=lambda each: each[2].end - each[2].start, default=None)


def _statement(half: Half, prediction: StatementPrediction, place: Span, offset: int, rows: Mapping[str, int]) -> tuple[str, Span]:
    """Returns what a statement does, and its place; of a statement with several operations, those of the operation at the offset."""
    lines = []
    operations = prediction.operations if len(prediction.operations) > 1 else ()
    spans = [(half.file_span(operation.span), effects) for operation, effects in operations]
    inside = [(span, effects) for span, effects in spans if span.start <= offset <= span.end and span != place]
    if inside:
        span, effects = min(inside, key=lambda each: each[0].end - each[0].start)
        lines += ["This part of the statement:", "", *_effects(effects, rows), "", "The whole statement:", ""]
        place = span
    lines += _effects(prediction.effects, rows)
    if prediction.refusal is not None:
        lines += ["", f"PostgreSQL refuses it: {escaped(str(prediction.refusal))}"]
    elif not prediction.understood:
        known = "It may lock more" if prediction.effects else "Its locks are unknown"
        lines += ["", f"{known}: {escaped('; '.join(prediction.unknown))}"]
    return "\n".join(lines), place


def _effects(effects: Sequence[Effect], rows: Mapping[str, int]) -> Iterator[str]:
    """Yields a line for each relation, the one with the strongest lock first."""
    if not effects:
        yield "No lock on a table."
    for effect in sorted(effects, key=lambda effect: -effect.lock.strength)[:_MOST_EFFECTS]:
        number = row_count(rows, effect.relation)
        size = [f"about {number:,} row{'' if number == 1 else 's'}"] if number is not None else []
        facts = "; ".join(escaped(fact) for fact in (blocking(effect), *details_of(effect), *size))
        yield f"- **{effect.lock}** on {code(str(effect.relation))}: {facts}"
    if len(effects) > _MOST_EFFECTS:
        yield f"- and {len(effects) - _MOST_EFFECTS} more"


def _finding(finding: Finding, rule: Rule | None, language: str, *, with_reason: bool) -> str:
    """Returns a finding: its message, the safe way, and the beginning of the rule's page if the reason is wanted."""
    address = rule_page(rule)
    name = code(finding.rule) if address is None else f"[{code(finding.rule)}]({address})"
    parts = [f"**{finding.severity.word}** {name}: {escaped(finding.message)}"]
    if finding.help:
        parts += ["Safe:", fenced(finding.help, language)]
    reason = next((block.text for block in page(rule.documentation).blocks if isinstance(block, Prose)), "") if rule is not None else ""
    if reason and with_reason:
        parts += [escaped(reason), f"`migsafe explain {finding.rule}` shows examples."]
    return "\n\n".join(parts)
