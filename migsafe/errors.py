"""What can go wrong for a reason that the user can mend."""

from collections.abc import Iterable


class MigsafeError(Exception):
    """Something that migsafe was asked to do and could not.

    `what` says what happened (and where, when that is known); `hint`, when there is one, what to do about it. Raised where
    the fact is known and shown once, by the command line, which then ends with exit code 2.
    """

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what}\n  {self.hint}" if self.hint else self.what


class UnreadableError(MigsafeError):
    """A file that exists but cannot be read as text: permissions, encoding, binary content."""


class ConfigError(MigsafeError):
    """A configuration that migsafe does not understand."""


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A question that names the known word nearest to a misspelt one; where none is near, `otherwise`, or all of them."""
    from difflib import get_close_matches  # noqa: PLC0415  # start-up must not pay for what only a mistake needs

    names = sorted(known)
    near = get_close_matches(word.lower(), names, 1)
    return f"Did you mean {near[0]}?" if near else otherwise or f"There are: {', '.join(names)}."
