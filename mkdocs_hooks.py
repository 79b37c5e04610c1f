"""The documentation site: pages outside docs/ become pages of the site, links to code lead to the repository, rules are listed by category.

The files themselves have links that work on the code host.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from migsafe.documentation.markdown import in_order
from migsafe.linting.rulebook import shipped_rules

ROOT = Path(__file__).parent
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "CONTRIBUTING.md", "CHANGELOG.md": "CHANGELOG.md"}
"""The pages outside docs/, and their names on the site."""

_LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)")
_CODE = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Lists the rules in the navigation, category by category, below their index."""
    categories = [{category: [f"rules/{category}/{rule.name}.md" for rule in rules]} for category, rules in in_order(shipped_rules())]
    config.nav = [{"Rules": [entry["Rules"], *categories]} if isinstance(entry, dict) and "Rules" in entry else entry for entry in config.nav]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages outside docs/."""
    for source, name in PAGES.items():
        # The first page has no neighbours to list.
        head = "---\nhide: [navigation]\n---\n" if name == "index.md" else ""
        files.append(File.generated(config, name, content=head + (ROOT / source).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Replaces links that lead out of docs/ by links to the site's page, or to the repository."""
    sources = {name: source for source, name in PAGES.items()}
    source = sources.get(page.file.src_uri, f"docs/{page.file.src_uri}")

    def replaced(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[1]))
        if not (ROOT / target).exists():
            return link[0]  # mkdocs reports it
        name = PAGES.get(target) or (target.removeprefix("docs/") if target.startswith("docs/") else None)
        if name is None:
            kind = "tree" if (ROOT / target).is_dir() else "blob"
            return f"]({config.repo_url}/{kind}/main/{target}"
        return f"]({posixpath.relpath(name, posixpath.dirname(page.file.src_uri) or '.')}"

    parts, end = [], 0
    for code in _CODE.finditer(markdown):
        parts += [_LINK.sub(replaced, markdown[end : code.start()]), code[0]]
        end = code.end()
    return "".join((*parts, _LINK.sub(replaced, markdown[end:])))
