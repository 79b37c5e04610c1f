"""Histories that are compared with a revision of git, without a repository."""

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from migsafe.linting.judge import judge
from migsafe.linting.rule import Limits, Rule
from migsafe.linting.rulebook import Rulebook
from migsafe.linting.verdict import Verdict
from migsafe.prediction.history import SelectedMigration, selected_migrations
from migsafe.prediction.predictor import Predictor
from migsafe.rendering.renderer import Renderer
from migsafe.sources import RUNNERS, SourceSettings, find_migrations
from migsafe.sources.git import Comparison
from migsafe.text import Script

HEADING = re.compile(r"^(?:--|#) (\S+) (at the revision|now)\n", re.MULTILINE)


class PastComparison(Comparison):
    """A comparison with files that are given: those of a folder at the revision, and at the commit that the branch left."""

    def __init__(self, folder: str, tip: dict[str, str], base: dict[str, str] | None = None) -> None:
        self.revision = self.commit = "main"
        self._folder = folder
        self._tip = tip
        self._base = base if base is not None else tip

    @property
    def changed(self) -> set[str]:
        """All files: those with the same text are no changes."""
        return {str(path.resolve()) for path in Path(self._folder).rglob("*") if path.is_file()}

    def scripts(self, folder: str, *, tip: bool = False) -> dict[str, Script]:
        """Returns the given files."""
        texts = self._tip if tip else self._base
        inner = f"{folder.removeprefix(self._folder).strip('/')}/".lstrip("/")
        return {name.removeprefix(inner): Script(f"{self._folder}/{name}", text) for name, text in texts.items() if name.startswith(inner)}

    def former_folder(self, folder: str, files: object) -> str | None:
        """Returns None: nothing was renamed."""
        return None


def judge_compared(text: str, rules: Sequence[Rule], settings: SourceSettings | None = None, base: Collection[str] | None = None) -> Verdict:
    """Returns the verdict on the files of a text, each of which begins with a line `-- NAME now`, compared with those that begin with
    `-- NAME at the revision`. `base` are the names of those that the branch left behind it, if the revision has others since."""
    parts = HEADING.split(text)[1:]
    files = list(zip(parts[::3], parts[1::3], parts[2::3], strict=True))
    with TemporaryDirectory() as folder:
        for name, when, content in files:
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            if when == "now":
                path.write_text(content)
        past = {name: content for name, when, content in files if when != "now"}
        left = {name: sql for name, sql in past.items() if base is None or name in base}
        comparison = PastComparison(folder, past, left)
        plan = find_migrations([folder], settings).compared_with(comparison)
        removed = (SelectedMigration(migration, Predictor(17), lineage) for migration, lineage in plan.removed)
        selected = chain(selected_migrations(plan, 17, Renderer()), removed)
        runners = [*RUNNERS, *(source.runner for source in plan.sources)]
        verdict = judge(selected, Rulebook(rules), 17, runners, Limits(lock_timeout=2000))
        for finding in verdict.findings:
            finding.script.position(0)  # reports read the file, which will be deleted
    return verdict


def places(verdict: Verdict) -> Iterator[tuple[str, int, str]]:
    """Yields the name of the file, the line and the rule of each finding."""
    for finding in verdict.findings:
        yield Path(finding.script.path).name, finding.script.position(finding.span.start).line, finding.rule
