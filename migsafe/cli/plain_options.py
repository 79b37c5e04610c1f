"""The options of `migsafe lint` in their usual form, read without Typer: loading it takes a fifth of the time of linting a small file."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migsafe.cli.linting import LintOptions

FLAGS = frozenset(("--changed", "--down", "--no-cache", "--no-exec", "--statistics"))
VALUES = frozenset(
    (
        *("--baseline", "--config", "--fail-on", "--format", "--jobs", "--output"),
        *("--pg-version", "--runner", "--schema", "--since", "--stats", "--transaction"),
    )
)
LISTS = frozenset(("--also", "--exclude", "--ignore", "--select"))
"""The options that may occur in the usual form: without a value, with one, and with one each time."""


def plain_lint_options(arguments: Sequence[str]) -> "LintOptions | None":
    """Returns the options of a `migsafe lint`; None if Typer has to read them, for help, for an error, or for a form that is not plain."""
    if list(arguments[:1]) != ["lint"]:
        return None
    found: dict[str, Any] = {}
    rest = iter(arguments[1:])
    for argument in rest:
        if argument and (argument == "-" or not argument.startswith("-")):
            found.setdefault("paths", []).append(argument)
            continue
        option, given, value = argument.partition("=")
        name = option[2:].replace("-", "_")
        if argument in FLAGS:
            found[name] = True
            continue
        value = value if given else next(rest, "")
        if not value or value.startswith("-"):
            return None
        if option in LISTS:
            found.setdefault(name, []).append(value)
        elif option in VALUES and name not in found:
            found[name] = value
        else:
            return None
    from migsafe.cli.linting import LintOptions  # noqa: PLC0415  # other commands do not lint

    return LintOptions(**found)
