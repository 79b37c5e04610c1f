"""The values that a shell completes: words of an option, and names of rules and runners.

Completing must not run code of the repository: the names of a project's own rules are read from the syntax of their files.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from migsafe.errors import MigsafeError

Completion = tuple[str, str]
"""A value and its explanation, which some shells show."""


def choices(words: Sequence[str]) -> Callable[[str], list[str]]:
    """Returns the completion of an option with these values."""

    def complete(incomplete: str) -> list[str]:
        return [word for word in words if word.startswith(incomplete)]

    return complete


def rule_names(incomplete: str) -> list[Completion]:
    """Completes the name of a rule; in a list separated by commas, the last one."""
    before, comma, begun = incomplete.rpartition(",")
    named = before.split(",")
    return [(f"{before}{comma}{name}", text) for name, text in _rules() if name.startswith(begun) and name not in named]


def runner_names(incomplete: str) -> list[Completion]:
    """Completes the name of a runner."""
    from migsafe.sources import RUNNERS  # noqa: PLC0415  # only needed for a completion

    return [(runner.name, runner.title) for runner in RUNNERS if runner.name.startswith(incomplete)]


def _rules() -> Iterator[Completion]:
    from migsafe.linting.rulebook import shipped_rules  # noqa: PLC0415  # only needed for a completion

    yield from ((rule.name, rule.summary) for rule in shipped_rules())
    yield from _own_rules()


def _own_rules() -> Iterator[Completion]:
    """Yields the names of the project's own rules; none if the configuration cannot be read."""
    from migsafe.configuration import read_configuration  # noqa: PLC0415  # only needed for a completion
    from migsafe.linting.rulebook import own_rule_names  # noqa: PLC0415

    try:
        folder = read_configuration().rules
    except MigsafeError:
        return
    if folder is not None:
        yield from ((name, "a rule of this project") for name in sorted(own_rule_names(Path(folder))))
