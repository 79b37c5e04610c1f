"""The rules, and the renderer, that a project's configuration asks for."""

from collections.abc import Collection
from functools import partial
from pathlib import Path

from msgspec import Struct

from migsafe.configuration import Configuration
from migsafe.linting.rule import Need, Rule
from migsafe.linting.rulebook import PathOverride, Rulebook, choose_rules, find_rule, own_rules, shipped_rules, with_severities
from migsafe.rendering.renderer import Renderer, RenderingStore


class ListedRule(Struct, frozen=True):
    """A rule with the severity that the project gives it, and whether it is on."""

    rule: Rule
    on: bool


def load_rules(settings: Configuration) -> list[Rule]:
    """Returns the shipped rules and the project's own, sorted by name, each with the severity that the configuration gives it. Raises
    ConfigError for an own rule that cannot be loaded, and for a name in the configuration that no rule has."""
    rules = shipped_rules()
    if settings.rules is not None:
        rules = sorted((*rules, *own_rules(Path(settings.rules), rules)), key=lambda rule: rule.name)
    for name in (*settings.severity, *(name for part in settings.per_path for name in (*part.ignore, *part.severity))):
        find_rule(name, rules)
    return with_severities(rules, settings.severities)


def load_rulebook(settings: Configuration, provided: Collection[Need] = ()) -> Rulebook:
    """Returns the rules that are on, and for which files; of those that need more than upgrades, those whose need is `provided`."""
    rules = load_rules(settings)
    parts = [PathOverride(partial(settings.concerns, part), part.ignore, part.severities) for part in settings.per_path]
    chosen = [rule for rule in choose_rules(rules, settings.select, settings.ignore) if not rule.needs or rule.needs in provided]
    return Rulebook(chosen, [rule.name for rule in rules], parts)


def make_renderer(settings: Configuration, kept: RenderingStore | None = None) -> Renderer:
    """Returns the renderer of the migrations that are programs; `kept` has the renderings of earlier runs."""
    return Renderer(run=not settings.no_exec, seconds=settings.script_seconds, store=kept)


def list_rules(settings: Configuration) -> list[ListedRule]:
    """Returns every rule, and whether it is on."""
    rules = load_rules(settings)
    on = {rule.name for rule in choose_rules(rules, settings.select, settings.ignore)}
    return [ListedRule(rule, rule.name in on) for rule in rules]
