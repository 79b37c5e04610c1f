"""`python -m migsafe.documentation [FOLDER]`: writes the pages of the rules and their index, in a checkout to `docs/rules`, the overview of
the rules in its README, the table of their fixes in `docs/fixes.md`, and the JSON Schemas of the configuration."""

import sys
from pathlib import Path

from migsafe.configuration.schema import schema_files
from migsafe.documentation.markdown import between_marks, files, fix_table, with_overview
from migsafe.linting.rulebook import shipped_rules

ROOT = Path(__file__).parents[2]
DOCS, README, FIXES = ROOT / "docs" / "rules", ROOT / "README.md", ROOT / "docs" / "fixes.md"


def main() -> None:
    """Write the pages, and delete those of rules that no longer exist."""
    if len(sys.argv) < 2 and not DOCS.is_dir():
        sys.exit("Name the folder to write to. Without one, the pages are written to docs/rules of a checkout, and this is not a checkout.")
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS
    pages = files(shipped_rules())
    for name, text in pages.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for path in folder.rglob("*.md"):
        if path.relative_to(folder).as_posix() not in pages:
            path.unlink()
    if folder == DOCS:
        FIXES.write_text(between_marks(FIXES.read_text(encoding="utf-8"), fix_table(shipped_rules())), encoding="utf-8")
        README.write_text(with_overview(README.read_text(encoding="utf-8"), shipped_rules(), "docs/rules"), encoding="utf-8")
        for name, text in schema_files([rule.name for rule in shipped_rules()]).items():
            (DOCS.parent / name).write_text(text, encoding="utf-8")
    print(f"{folder}: {len(pages)} pages")


if __name__ == "__main__":
    main()
