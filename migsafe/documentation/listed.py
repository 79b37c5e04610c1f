"""A rule among the others of a project."""

from msgspec import Struct

from migsafe.linting.rule import Rule


class Listed(Struct, frozen=True):
    """A rule with the severity that a project gives it, and whether it is on there."""

    rule: Rule
    on: bool
