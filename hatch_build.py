"""The build of the distributions: the rules, which are at the top level of a checkout, become part of the package, and the README's links work
outside the repository."""

import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface


class RulesHook(BuildHookInterface[Any]):
    """Adds `rules/` to a wheel as `migsafe/rules`. An editable install gets no copy: migsafe/rules/__init__.py finds the checkout's."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Registers the folder in `build_data`; `version` is `standard` or `editable`."""
        if version == "standard":
            build_data["force_include"]["rules"] = "migsafe/rules"


class ReadmeHook(MetadataHookInterface):
    """Makes the README the description of the package: on its page, relative links would lead nowhere."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Sets `readme` in `metadata`."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        absolute = re.sub(r"\]\((?![a-z]+:|#)", f"]({metadata['urls']['Source']}/blob/main/", text)
        metadata["readme"] = {"content-type": "text/markdown", "text": absolute}
