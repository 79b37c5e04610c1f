"""The report for people: each statement with the relations that it locks, what the locks block, and what is rewritten or read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from migsafe.errors import UnreadableError
from migsafe.library.locks import PredictedMigration, PredictedStatement, Prediction
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.reports.excerpt import first_words
from migsafe.reports.locks.wording import blocking, details_of, listed
from migsafe.sources import Transaction
from migsafe.terminal.colours import BOLD, DIM, MAGENTA, RED
from migsafe.terminal.display import Display
from migsafe.terminal.width import WIDEST_PROSE, WIDTH_OF_A_FILE, columns, padded, visible, wrapped

_GAP = "  "
_LONGEST_NAME = 40
_MANY = 3
"""How many relations with equal effects get a line each."""
_MOST_NAMES = 10


@dataclass
class _Count:
    """Counts of statements by their effects."""

    migrations: int = 0
    statements: int = 0
    blocking: dict[tuple[str, ...], int] = field(default_factory=dict)
    rewriting: int = 0
    scanning: int = 0
    refused: int = 0
    unknown: int = 0


def report(prediction: Prediction, display: Display) -> str:
    """Returns every migration, then a line with the counts."""
    count = _Count()
    pieces = []
    for migration in prediction.migrations:
        pieces.append("\n".join(_migration(migration, display)) + "\n")
        _add(count, migration)
    return "\n".join((*pieces, _closing(count, prediction, display) + "\n"))


def _migration(predicted: PredictedMigration, display: Display) -> Iterator[str]:
    migration, statements = predicted.migration, predicted.statements
    half, script = migration.up, migration.up.script
    path = visible(half.file.path)
    # The name of a file with several migrations does not say which one this is.
    id_in_file = "" if _letters(migration.id) in _letters(half.file.path) else f" {visible(migration.id)}"
    yield f"{display.paint(path, BOLD)}{id_in_file} {display.paint(f'· {_transactions(predicted)}', DIM)}"
    lines = [half.file.position(half.file_span(statement.statement.span).start).line for statement in statements]
    gutter = max(len(str(max(lines, default=0))), 4)
    width = display.width or WIDTH_OF_A_FILE
    rows = _Rows([effect for statement in statements for effect in statement.effects], gutter + len(_GAP), display)
    for line, statement in zip(lines, statements, strict=True):
        span = statement.statement.span
        words = first_words(script.text[span.start : span.end], max(width - gutter - len(_GAP), 10))
        quiet = not statement.effects and statement.understood and statement.refused is None
        yield f"{display.paint(f'{line:{gutter}}', DIM)}{_GAP}{display.paint(words, DIM) if quiet else words}"
        yield from rows.of(statement)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _transactions(predicted: PredictedMigration) -> str:
    """Returns how the statements are grouped in transactions, which determines how long the locks are held."""
    numbers = [statement.transaction for statement in predicted.statements if statement.transaction is not None]
    if len(set(numbers)) < len(numbers):
        count = len(set(numbers))
        return f"{count} transactions: each holds its locks until it ends" if count > 1 else "one transaction: it holds its locks until it ends"
    return "one transaction" if predicted.migration.up.transaction is Transaction.FILE else "each statement in its own transaction"


class _Rows:
    """The rows below the statements of a migration, in common columns where the width allows it."""

    def __init__(self, effects: Sequence[Effect], indent: int, display: Display) -> None:
        self._display = display
        self._margin = " " * indent
        self._width = display.width
        names = [columns(_name(effect)) for effect in effects]
        longest = _LONGEST_NAME if display.width is None else min(display.width // 3, _LONGEST_NAME)
        self._names = max((name for name in names if name <= longest), default=0)
        self._locks = max((len(effect.lock.value) for effect in effects), default=0)
        self._blocked = max((len(blocking(effect)) for effect in effects), default=0)

    def of(self, predicted: PredictedStatement) -> Iterator[str]:
        """Yields the lines below a statement."""
        if predicted.refused is not None:
            yield from self._prose(f"PostgreSQL refuses it: {predicted.refused}", RED)
        elif not predicted.understood:
            unknown = "it may lock more" if predicted.effects else "its locks are unknown"
            yield from self._prose(f"{unknown}: {_reason(predicted)}", MAGENTA)
        if predicted.condition:
            yield from self._prose(predicted.condition, DIM)
        equal: dict[tuple[LockMode, str, str], list[Effect]] = {}
        for effect in predicted.effects:
            equal.setdefault((effect.lock, blocking(effect), "; ".join(details_of(effect))), []).append(effect)
        for (lock, blocks, details), effects in equal.items():
            if len(effects) <= _MANY:
                for effect in effects:
                    yield from self._row(effect, details)
            else:
                yield from self._prose(f"{lock}, {blocks}: {listed([_name(effect) for effect in effects], _MOST_NAMES)}", _colour(effects[0]))
                yield from self._prose(details, indent=_GAP) if details else ()

    def _row(self, effect: Effect, details: str) -> Iterator[str]:
        name = _name(effect)
        used = len(self._margin) + self._names + self._locks + self._blocked + 3 * len(_GAP)
        if columns(name) > self._names or (self._width is not None and used - len(_GAP) > self._width):
            yield from self._stacked(effect, name, details)
            return
        cells = ((effect.lock.value, self._locks), (blocking(effect), self._blocked))
        painted = (self._display.paint(text, _colour(effect)) + " " * (width - len(text)) for text, width in cells)
        row = self._margin + _GAP.join((padded(name, self._names), *painted))
        if not details:
            yield row.rstrip()
        elif self._width is None or used + columns(details) <= self._width:
            yield f"{row}{_GAP}{details}"
        else:
            yield row.rstrip()
            yield from self._prose(details, indent=_GAP)

    def _stacked(self, effect: Effect, name: str, details: str) -> Iterator[str]:
        """Yields a row that does not fit: the name on its own line."""
        yield from self._prose(name)
        yield from self._prose(f"{effect.lock}, {blocking(effect)}", _colour(effect), indent=_GAP)
        if details:
            yield from self._prose(details, indent=_GAP)

    def _prose(self, text: str, colour: str = "", indent: str = "") -> Iterator[str]:
        margin = self._margin + indent
        if self._width is None:
            yield margin + self._display.paint(text, colour)
            return
        for line in wrapped(text, max(min(self._width, WIDEST_PROSE) - len(margin), 20)):
            yield margin + self._display.paint(line, colour)


def _reason(predicted: PredictedStatement) -> str:
    """Returns why not all effects of a statement are known."""
    return "; ".join(visible(reason) for reason in predicted.unknown) or "migsafe does not know what it does"


def _name(effect: Effect) -> str:
    return visible(str(effect.relation))


def _colour(effect: Effect) -> str:
    blocked = () if effect.new else effect.blocks
    return RED if "reads" in blocked else MAGENTA if blocked else DIM


def _add(count: _Count, predicted: PredictedMigration) -> None:
    count.migrations += 1
    for statement in predicted.statements:
        known = [effect for effect in statement.effects if not effect.new and statement.refused is None]
        count.statements += 1
        blocked = max((effect.blocks for effect in known), key=len, default=())
        count.blocking[blocked] = count.blocking.get(blocked, 0) + 1
        count.rewriting += any(effect.rewrite for effect in known)
        count.scanning += any(effect.scan and not effect.rewrite for effect in known)
        count.refused += statement.refused is not None
        count.unknown += not statement.understood and statement.refused is None


def _closing(count: _Count, prediction: Prediction, display: Display) -> str:
    """Returns the counts, on one line or on as many as the terminal's width requires."""
    extent = f"{_number(count.statements, 'statement')} in {_number(count.migrations, 'migration')} on PostgreSQL {prediction.pg_version}:"
    missing = sum(isinstance(problem, UnreadableError) for problem in prediction.problems)
    parts = [*_nonzero(count), *([(f"{_number(missing, 'file')} could not be read", RED)] if missing else [])]
    parts = parts or [("nothing is blocked", "")]
    lines, used = [extent], len(extent)
    for index, (words, colour) in enumerate(parts):
        end = "." if index == len(parts) - 1 else ","
        used += len(words) + 2
        if display.width is not None and used > display.width:
            lines.append(" ")
            used = len(words) + 3
        lines[-1] += f" {display.paint(words, colour)}{end}"
    return "\n".join(lines)


def _nonzero(count: _Count) -> Iterator[tuple[str, str]]:
    """Yields the counts that are not zero, in words, with their colours."""
    for blocked, colour in ((("reads", "writes"), RED), (("writes",), MAGENTA)):
        if number := count.blocking.get(blocked, 0):
            yield f"{_verb(number, 'block')} {' and '.join(blocked)}", colour
    if count.rewriting:
        yield f"{_verb(count.rewriting, 'rewrite')} a table", ""
    if count.scanning:
        yield f"{_verb(count.scanning, 'read')} all of a table", ""
    if count.refused:
        yield f"{count.refused} refused", RED
    if count.unknown:
        yield f"{count.unknown} not fully understood", MAGENTA


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _verb(number: int, verb: str) -> str:
    return f"{number} {verb}{'s' if number == 1 else ''}"
