"""The build of the wheel: the rules, which are at the top level of a checkout, become part of the package."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RulesHook(BuildHookInterface[Any]):
    """Adds `rules/` to a wheel as `migsafe/rules`. An editable install gets no copy: migsafe/rules/__init__.py finds the checkout's."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Registers the folder in `build_data`; `version` is `standard` or `editable`."""
        if version == "standard":
            build_data["force_include"]["rules"] = "migsafe/rules"
