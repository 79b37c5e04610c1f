"""The rules, and the renderer, that a project's configuration asks for."""

from collections.abc import Collection
from functools import partial
from pathlib import Path

from msgspec import Struct

from migsafe.configuration import Configuration
from migsafe.linting.rule import Need, Rule
from migsafe.linting.rulebook import (
    PathOverride,
    Rulebook,
    choose_rules,
    find_rule,
    own_rule_names,
    own_rules,
    shipped_rules,
    with_severities,
)
from migsafe.rendering.renderer import Renderer, RenderingStore


class ListedRule(Struct, frozen=True):
    """A rule with the severity that the project gives it, and whether it is on."""

    rule: Rule
    on: bool


def load_rules(settings: Configuration) -> list[Rule]:
    """Returns the shipped rules and, unless no code of the project may run, the project's own, sorted by name, each with the severity that the
    configuration gives it. Raises ConfigError for an own rule that cannot be loaded, and for a name in the configuration that no rule has."""
    rules = shipped_rules()
    if settings.rules is not None and not settings.no_exec:
        rules = sorted((*rules, *own_rules(Path(settings.rules), rules)), key=lambda rule: rule.name)
    left_out = names_left_out(settings)
    for name in (*settings.severity, *(name for part in settings.per_path for name in (*part.ignore, *part.severity))):
        if name not in left_out:
            find_rule(name, rules)
    return with_severities(rules, settings.severities)


def names_left_out(settings: Configuration) -> frozenset[str]:
    """Returns the names of the project's own rules if they are not loaded, because no code of the project may run."""
    return own_rule_names(Path(settings.rules)) if settings.rules is not None and settings.no_exec else frozenset()


def load_rulebook(settings: Configuration, provided: Collection[Need] = ()) -> Rulebook:
    """Returns the rules that are on, and for which files; of those that need more than upgrades, those whose need is `provided`."""
    rules = load_rules(settings)
    parts = [PathOverride(partial(settings.concerns, part), part.ignore, part.severities) for part in settings.per_path]
    left_out = names_left_out(settings)
    chosen = choose_rules(rules, settings.select, settings.ignore, left_out)
    usable = [rule for rule in chosen if not rule.needs or rule.needs in provided]
    return Rulebook(usable, [*(rule.name for rule in rules), *left_out], parts)


def make_renderer(settings: Configuration, kept: RenderingStore | None = None) -> Renderer:
    """Returns the renderer of the migrations that are programs; `kept` has the renderings of earlier runs."""
    return Renderer(run=not settings.no_exec, seconds=settings.script_seconds, store=kept)


def list_rules(settings: Configuration) -> list[ListedRule]:
    """Returns every rule, and whether it is on."""
    rules = load_rules(settings)
    on = {rule.name for rule in choose_rules(rules, settings.select, settings.ignore, names_left_out(settings))}
    return [ListedRule(rule, rule.name in on) for rule in rules]
