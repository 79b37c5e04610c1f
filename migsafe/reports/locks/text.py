"""What a person reads: each statement with the relations that it locks, what that stops, and what is rewritten or read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from migsafe.errors import UnreadableError
from migsafe.library.locks import PredictedMigration, PredictedStatement, Prediction
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.reports import Look
from migsafe.reports.excerpt import visible
from migsafe.reports.locks.cells import columns, first_words, padded, wrapped
from migsafe.sources import Transaction
from migsafe.sql.operations import Broken, Call, OpaqueCode, Unparsed
from migsafe.terminal.colours import BOLD, DIM, MAGENTA, RED

_WIDTH_OF_A_FILE = 120
_WIDEST_PROSE = 100
_GAP = "  "
_LONGEST_NAME = 40
_MANY = 3
"""How many relations with the same fate have a line each."""
_MOST_NAMES = 10
_MOST_INDEXES = 3


@dataclass
class _Count:
    """What the statements come to, in numbers."""

    migrations: int = 0
    statements: int = 0
    stopping: dict[tuple[str, ...], int] = field(default_factory=dict)
    rewriting: int = 0
    scanning: int = 0
    refused: int = 0
    unknown: int = 0


def report(prediction: Prediction, look: Look) -> str:
    """Every migration, then one line that sums up."""
    count = _Count()
    pieces = []
    for migration in prediction.migrations:
        pieces.append("\n".join(_migration(migration, look)) + "\n")
        _add(count, migration)
    return "\n".join((*pieces, _closing(count, prediction, look) + "\n"))


def _migration(predicted: PredictedMigration, look: Look) -> Iterator[str]:
    migration, statements = predicted.migration, predicted.statements
    half, script = migration.up, migration.up.script
    path = visible(half.file.path)
    # Where one file holds several migrations, its name does not tell which.
    of_file = "" if _letters(migration.id) in _letters(half.file.path) else f" {visible(migration.id)}"
    yield f"{_paint(path, BOLD, look)}{of_file} {_paint(f'· {_manner(predicted)}', DIM, look)}"
    lines = [half.file.position(half.file_span(each.statement.span).start).line for each in statements]
    gutter = max(len(str(max(lines, default=0))), 4)
    width = look.width or _WIDTH_OF_A_FILE
    rows = _Rows([effect for each in statements for effect in each.effects], gutter + len(_GAP), look)
    for line, each in zip(lines, statements, strict=True):
        span = each.statement.span
        words = first_words(script.text[span.start : span.end], max(width - gutter - len(_GAP), 10))
        quiet = not each.effects and each.understood and each.refused is None
        yield f"{_paint(f'{line:{gutter}}', DIM, look)}{_GAP}{_paint(words, DIM, look) if quiet else words}"
        yield from rows.of(each)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _manner(predicted: PredictedMigration) -> str:
    """How the migration runs, which says how long its locks are held."""
    numbers = [each.transaction for each in predicted.statements if each.transaction is not None]
    if len(set(numbers)) < len(numbers):
        several = len(set(numbers)) > 1
        return f"{len(set(numbers))} transactions: each holds its locks to its end" if several else "one transaction: locks are held to its end"
    return "one transaction" if predicted.migration.up.transaction is Transaction.FILE else "each statement by itself"


class _Rows:
    """What stands below the statements of a migration, in columns that all of them share where the width allows it."""

    def __init__(self, effects: Sequence[Effect], indent: int, look: Look) -> None:
        self._look = look
        self._margin = " " * indent
        self._width = look.width
        names = [columns(_name(effect)) for effect in effects]
        longest = _LONGEST_NAME if look.width is None else min(look.width // 3, _LONGEST_NAME)
        self._names = max((name for name in names if name <= longest), default=0)
        self._locks = max((len(effect.lock.value) for effect in effects), default=0)
        self._stops = max((len(_stops(effect)) for effect in effects), default=0)

    def of(self, predicted: PredictedStatement) -> Iterator[str]:
        """The lines below a statement."""
        if predicted.refused is not None:
            yield from self._prose(f"PostgreSQL refuses it: {predicted.refused}", RED)
        elif not predicted.understood:
            unknown = "it may lock more" if predicted.effects else "what it locks is not known"
            yield from self._prose(f"{unknown}: {_reason(predicted)}", MAGENTA)
        alike: dict[tuple[LockMode, str, str], list[Effect]] = {}
        for effect in predicted.effects:
            alike.setdefault((effect.lock, _stops(effect), "; ".join(_details(effect))), []).append(effect)
        for (lock, stops, details), effects in alike.items():
            if len(effects) <= _MANY:
                for effect in effects:
                    yield from self._row(effect, details)
            else:
                yield from self._prose(f"{lock}, {stops}: {_listed([_name(effect) for effect in effects], _MOST_NAMES)}", _colour(effects[0]))
                yield from self._prose(details, indent=_GAP) if details else ()

    def _row(self, effect: Effect, details: str) -> Iterator[str]:
        name = _name(effect)
        used = len(self._margin) + self._names + self._locks + self._stops + 3 * len(_GAP)
        if columns(name) > self._names or (self._width is not None and used - len(_GAP) > self._width):
            yield from self._stacked(effect, name, details)
            return
        cells = ((effect.lock.value, self._locks), (_stops(effect), self._stops))
        painted = (_paint(text, _colour(effect), self._look) + " " * (width - len(text)) for text, width in cells)
        row = self._margin + _GAP.join((padded(name, self._names), *painted))
        if not details:
            yield row.rstrip()
        elif self._width is None or used + columns(details) <= self._width:
            yield f"{row}{_GAP}{details}"
        else:
            yield row.rstrip()
            yield from self._prose(details, indent=_GAP)

    def _stacked(self, effect: Effect, name: str, details: str) -> Iterator[str]:
        """A row for which there are not enough columns: the name on a line of its own."""
        yield from self._prose(name)
        yield from self._prose(f"{effect.lock}, {_stops(effect)}", _colour(effect), indent=_GAP)
        if details:
            yield from self._prose(details, indent=_GAP)

    def _prose(self, text: str, colour: str = "", indent: str = "") -> Iterator[str]:
        margin = self._margin + indent
        if self._width is None:
            yield margin + _paint(text, colour, self._look)
            return
        for line in wrapped(text, max(min(self._width, _WIDEST_PROSE) - len(margin), 20)):
            yield margin + _paint(line, colour, self._look)


def _reason(predicted: PredictedStatement) -> str:
    """Why not all of a statement is known."""
    reasons: list[str] = []
    for operation in predicted.statement.operations:
        match operation:
            case Unparsed(reason=reason) | OpaqueCode(reason=reason):
                reasons.append(visible(reason))
            case Broken(expected=expected, found=found):
                reasons.append(visible(f"expected {expected}, found {found}"))
            case Call(procedure=procedure):
                reasons.append(visible(f"what {procedure} does is not looked at"))
    return "; ".join(dict.fromkeys(reasons)) or "migsafe cannot follow it"


def _listed(names: Sequence[str], most: int) -> str:
    """Names one after the other; of too many, the first ones."""
    rest = len(names) - most
    return ", ".join(names) if rest <= 1 else f"{', '.join(names[:most])} and {rest} more"


def _name(effect: Effect) -> str:
    return visible(str(effect.relation))


def _stops(effect: Effect) -> str:
    if effect.new:
        return "stops nobody: it is new"
    return f"stops {' and '.join(effect.blocks) or 'nothing'}"


def _colour(effect: Effect) -> str:
    stopped = () if effect.new else effect.blocks
    return RED if "reads" in stopped else MAGENTA if stopped else DIM


def _details(effect: Effect) -> Iterator[str]:
    """What is to say of an effect besides the lock; of a table that nobody knows and that holds next to nothing, little."""
    if effect.kind != "table":
        yield effect.kind
    if effect.new:
        return
    done = [words for words, does in (("rewrites it", effect.rewrite), ("reads all of it", effect.scan and not effect.rewrite)) if does]
    if effect.rebuilt:
        done.append(f"builds {visible(_listed(effect.rebuilt, _MOST_INDEXES))} anew")
    if done:
        yield " and ".join(done) + (f": {visible(effect.why)}" if effect.why else "")
    if effect.blocks != effect.lock.blocks:
        yield f"{effect.index_lock} on an index, for which the planning of every query waits"
    if effect.waits:
        yield "waits for transactions that use it"


def _add(count: _Count, predicted: PredictedMigration) -> None:
    count.migrations += 1
    for each in predicted.statements:
        known = [effect for effect in each.effects if not effect.new and each.refused is None]
        count.statements += 1
        stopped = max((effect.blocks for effect in known), key=len, default=())
        count.stopping[stopped] = count.stopping.get(stopped, 0) + 1
        count.rewriting += any(effect.rewrite for effect in known)
        count.scanning += any(effect.scan and not effect.rewrite for effect in known)
        count.refused += each.refused is not None
        count.unknown += not each.understood and each.refused is None


def _closing(count: _Count, prediction: Prediction, look: Look) -> str:
    """What it comes to: a line, or as many as a terminal needs."""
    extent = f"{_number(count.statements, 'statement')} in {_number(count.migrations, 'migration')} on PostgreSQL {prediction.pg_version}:"
    missing = sum(isinstance(problem, UnreadableError) for problem in prediction.problems)
    said = [*_said(count), *([(f"{_number(missing, 'file')} could not be read", RED)] if missing else [])]
    said = said or [("reads and writes go on", "")]
    lines, used = [extent], len(extent)
    for place, (words, colour) in enumerate(said):
        end = "." if place == len(said) - 1 else ","
        used += len(words) + 2
        if look.width is not None and used > look.width:
            lines.append(" ")
            used = len(words) + 3
        lines[-1] += f" {_paint(words, colour, look)}{end}"
    return "\n".join(lines)


def _said(count: _Count) -> Iterator[tuple[str, str]]:
    """The numbers worth a word, with their colours."""
    for stopped, colour in ((("reads", "writes"), RED), (("writes",), MAGENTA)):
        if number := count.stopping.get(stopped, 0):
            yield f"{_verb(number, 'stop')} {' and '.join(stopped)}", colour
    if count.rewriting:
        yield f"{_verb(count.rewriting, 'rewrite')} a table", ""
    if count.scanning:
        yield f"{_verb(count.scanning, 'read')} all of a table", ""
    if count.refused:
        yield f"{count.refused} refused", RED
    if count.unknown:
        yield f"{count.unknown} not known in full", MAGENTA


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _verb(number: int, verb: str) -> str:
    return f"{number} {verb}{'s' if number == 1 else ''}"


def _paint(text: str, code: str, look: Look) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if look.colour and code else text
