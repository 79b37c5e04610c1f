"""Errors that the user can fix."""

from collections.abc import Iterable


class MigsafeError(Exception):
    """Something that migsafe was asked to do and could not.

    `message` is the problem and its place (file, line, key, option); `hint`, if there is one, says what to do. An error is raised where the
    problem is detected and shown once, by the command line, which then ends with exit code 2.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class UnreadableError(MigsafeError):
    """A file that cannot be read as text: permissions, encoding, binary content."""


def unreadable(path: object, error: Exception) -> UnreadableError:
    """Returns the error of a file that cannot be read."""
    return UnreadableError(f"{path}: cannot be read: {reason_of(error)}")


def unwritable(path: object, error: Exception, hint: str = "") -> MigsafeError:
    """Returns the error of a file that cannot be written."""
    return MigsafeError(f"{path}: cannot be written: {reason_of(error)}", hint)


def reason_of(error: Exception) -> str:
    """Returns what the system says about a file, as the end of a sentence; for other errors their text."""
    return (getattr(error, "strerror", None) or str(error)).lower()


class ConfigError(MigsafeError):
    """An invalid configuration or option."""


class MissingExtraError(MigsafeError):
    """A command whose packages are not installed, because they belong to an extra."""

    def __init__(self, command: str, package: str, extra: str) -> None:
        super().__init__(
            f"`migsafe {command}` needs the package {package}, which is not installed",
            f"Install the extra: `pip install 'migsafe-cli[{extra}]'`.",
        )


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """Returns a question that names the known word nearest to a misspelt one; if none is near, `otherwise`, or the list of all words."""
    from difflib import get_close_matches  # noqa: PLC0415  # slow to import, and only needed for a mistake

    names = sorted(known)
    near = get_close_matches(word.lower(), names, 1)
    return f"Did you mean {near[0]}?" if near else otherwise or f"Known are: {', '.join(names)}."


def join_choices(choices: Iterable[str]) -> str:
    """Returns words as a choice: `a, b or c`."""
    *others, last = choices
    return f"{', '.join(others)} or {last}" if others else last
