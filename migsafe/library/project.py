"""The rules as a project's configuration has them."""

from functools import partial
from pathlib import Path

from migsafe.configuration import Configuration
from migsafe.documentation.listed import Listed
from migsafe.linting.rule import Rule
from migsafe.linting.rulebook import PathOverride, Rulebook, choose_rules, find_rule, own_rules, shipped_rules, with_severities
from migsafe.rendering.renderer import Renderer, RenderingStore


def every_rule(settings: Configuration) -> list[Rule]:
    """Ours and the project's own, each with the severity that the configuration gives it, by name. Raises ConfigError for an own rule that
    cannot be loaded, and for a name in the configuration that no rule has."""
    rules = shipped_rules()
    if settings.rules is not None:
        rules = sorted((*rules, *own_rules(Path(settings.rules), rules)), key=lambda rule: rule.name)
    for name in (*settings.severity, *(name for part in settings.per_path for name in (*part.ignore, *part.severity))):
        find_rule(name, rules)
    return with_severities(rules, settings.severities)


def rulebook(settings: Configuration) -> Rulebook:
    """The rules that are on, and where."""
    rules = every_rule(settings)
    parts = [PathOverride(partial(settings.concerns, part), part.ignore, part.severities) for part in settings.per_path]
    return Rulebook(choose_rules(rules, settings.select, settings.ignore), [rule.name for rule in rules], parts)


def renderer(settings: Configuration, kept: RenderingStore | None = None) -> Renderer:
    """Who renders the migrations that are programs, but for those that are `kept`."""
    return Renderer(run=not settings.no_exec, seconds=settings.script_seconds, store=kept)


def listed(settings: Configuration) -> list[Listed]:
    """Every rule, and whether it is on."""
    rules = every_rule(settings)
    on = {rule.name for rule in choose_rules(rules, settings.select, settings.ignore)}
    return [Listed(rule, rule.name in on) for rule in rules]


def within(settings: Configuration, name: str) -> str:
    """A file beside the configuration, as seen from the current folder."""
    return str(Path(settings.folder, name))
