"""The words for an effect, in reports and in editors."""

from collections.abc import Iterator, Sequence

from migsafe.prediction.effects.effect import Effect
from migsafe.terminal.width import visible

_MOST_INDEXES = 3


def blocking(effect: Effect) -> str:
    """Returns what waits for the locks of an effect, as a verb with its object."""
    if effect.new:
        return "blocks nothing: it is new"
    return f"blocks {' and '.join(effect.blocks) or 'nothing'}"


def details_of(effect: Effect) -> Iterator[str]:
    """Yields the details of an effect besides its lock. Few matter for a new relation: it is empty and unknown to other sessions."""
    if effect.kind != "table":
        yield effect.kind
    if effect.new:
        return
    work = [words for words, does in (("rewrites it", effect.rewrite), ("reads all of it", effect.scan and not effect.rewrite)) if does]
    if effect.rebuilt:
        work.append(f"rebuilds {visible(listed(effect.rebuilt, _MOST_INDEXES))}")
    if work:
        yield " and ".join(work) + (f": {visible(effect.why)}" if effect.why else "")
    if effect.blocks != effect.lock.blocks:
        yield f"{effect.index_lock} on an index: planning any query on the table waits for it"
    if effect.final_lock is not None:
        behind = " and ".join(effect.final_lock.blocks)
        yield f"{effect.final_lock} for a moment at the end: while it waits for a query, {behind} wait behind it"
    if effect.waits:
        yield "waits for transactions that use it"


def listed(names: Sequence[str], most: int) -> str:
    """Returns the names with commas; of too many, the first ones."""
    rest = len(names) - most
    return ", ".join(names) if rest <= 1 else f"{', '.join(names[:most])} and {rest} more"
