"""The help of the commands: options in groups, and commands in groups, each with its whole first sentence.

Typer has such groups ("panels") only for its help in boxes, which needs rich: slow to load, and hard to copy from. A group is therefore named
with Typer's own `rich_help_panel`, and written here as a section of the plain help.
"""

from collections.abc import Iterable
from inspect import cleandoc
from typing import Any

from migsafe.patterns import lazy_pattern

CHECK, FIXES, REPORT, WRITE, DATABASE = "What to check", "Fixes", "What to report", "What to write", "The database"
SERVER, BUDGETS, PERMISSIONS, RUN = "The server", "Budgets and limits", "Permissions", "The run"
PANELS = (CHECK, FIXES, REPORT, WRITE, DATABASE, SERVER, BUDGETS, PERMISSIONS, RUN)
"""The groups of options, in the order of the help; an option without a group comes last."""
OTHERS = "Options"

COMMAND_PANELS = {
    "Start here": ("init", "lint", "config"),
    "Learn more about a migration or a rule": ("locks", "queries", "rules", "explain"),
    "Before and during a release": ("premortem", "replay", "rehearse", "stats"),
    "For editors and agents": ("server", "mcp"),
}
"""The groups of commands, in the order of the help; a command without a group comes last."""
_OTHER_COMMANDS = "Commands"

FIRST_STEPS = """\
Checks PostgreSQL migrations before they reach production: what they lock,
rewrite and break, and the safe way to do it.

\b
In a new repository, begin with
  migsafe init       find the migrations, propose a configuration and a CI job
  migsafe lint       check them all
or, without a configuration,
  migsafe lint db/migrations/
"""
"""The help of `migsafe` itself."""

_TYPE = lazy_pattern(r" <.*>$")


def write_options(parameters: Iterable[Any], context: Any, formatter: Any) -> None:
    """Write the arguments of a command, then its options by group."""
    arguments: list[tuple[str, str]] = []
    groups: dict[str, list[tuple[str, str]]] = {panel: [] for panel in (*PANELS, OTHERS)}
    for parameter in parameters:
        row = parameter.get_help_record(context)
        if row is None:
            continue
        if parameter.param_type_name == "argument":
            arguments.append((_TYPE.sub("", row[0]), row[1]))
        else:
            groups.setdefault(getattr(parameter, "rich_help_panel", None) or OTHERS, []).append(row)
    _write_section("Arguments", arguments, formatter)
    last = groups.pop(OTHERS)
    for panel, rows in groups.items():
        _write_section(panel, rows, formatter)
    _write_section(OTHERS, last, formatter)


def write_commands(commands: Iterable[tuple[str, Any]], formatter: Any) -> None:
    """Write the commands by group, each with the first sentence of its help."""
    rows = {name: (name, first_sentence(command.help or "")) for name, command in commands if not command.hidden}
    for panel, names in COMMAND_PANELS.items():
        _write_section(panel, [rows.pop(name) for name in names if name in rows], formatter)
    _write_section(_OTHER_COMMANDS, list(rows.values()), formatter)


def first_sentence(text: str) -> str:
    """Returns the first paragraph of a help text, on one line."""
    return " ".join(cleandoc(text).partition("\n\n")[0].split())


def _write_section(title: str, rows: list[tuple[str, str]], formatter: Any) -> None:
    if rows:
        with formatter.section(title):
            formatter.write_dl(rows)
