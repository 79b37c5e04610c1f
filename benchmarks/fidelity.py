"""How faithfully migsafe reads SQL: statement by statement against PostgreSQL's own grammar (pglast).

    python benchmarks/fidelity.py FOLDER [--examples N]

For every .sql file below FOLDER: the same cuts, and for each statement the same kind, subcommands, names and flags. What PostgreSQL's grammar
accepts must never be a syntax error here. Statements with template marks or psql variables, which PostgreSQL cannot parse, are counted apart.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pglast.parser import ParseError, parse_sql_json
from pglast.parser import split as postgres_split

from migsafe.errors import UnreadableError
from migsafe.sql.lexer import MARK
from migsafe.sql.operations import Broken, Unparsed
from migsafe.sql.split import MetaCommand, RawStatement, split
from migsafe.sql.statements import read
from migsafe.text import Script
from tests.sql.signatures import signature_of_operations, signature_of_tree

RECURSION_LIMIT = 20_000


class Comparison:
    """What has been counted, with an example or two of each disagreement."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.patterns: Counter[str] = Counter()
        self.examples: defaultdict[str, list[str]] = defaultdict(list)

    def disagree(self, pattern: str, example: str) -> None:
        """Note a disagreement."""
        self.counts["disagree"] += 1
        self.patterns[pattern] += 1
        self.examples[pattern].append(example)

    def file(self, path: Path) -> None:
        """Compare one file."""
        try:
            text = Script(str(path)).text
        except UnreadableError:
            self.counts["unreadable files"] += 1
            return
        self.counts["files"] += 1
        raws = list(split(text))
        self._cuts(path, text, raws)
        for raw in raws:
            if isinstance(raw, MetaCommand):
                self.counts["psql meta-commands"] += 1
            elif MARK in raw.kinds:
                self.counts["statements with marks"] += 1
            elif raw.unterminated is None:
                self._statement(path, text[raw.span.start : raw.span.end])
            else:
                self._statement(path, text[raw.span.start :])

    def _cuts(self, path: Path, text: str, raws: list[RawStatement | MetaCommand]) -> None:
        """Compare the cuts of a file that PostgreSQL can scan as a whole."""
        if any(isinstance(raw, MetaCommand) or MARK in raw.kinds or raw.data is not None for raw in raws):
            self.counts["files not cut as a whole"] += 1
            return
        try:
            theirs = [text[part].strip() for part in postgres_split(text, with_parser=True, only_slices=True)]
        except ParseError:
            self.counts["files not cut as a whole"] += 1
            return
        ours = [text[raw.span.start : raw.span.end] for raw in raws]
        if len(theirs) != len(ours) or any(not their.endswith(our) for their, our in zip(theirs, ours, strict=True)):
            if [_bare(their) for their in theirs] != [_bare(our) for our in ours]:
                self.disagree("cuts", str(path))

    def _statement(self, path: Path, sql: str) -> None:
        try:
            tree = json.loads(parse_sql_json(sql))["stmts"]
        except ParseError:
            tree = None
        statements = list(read(sql))
        operations = statements[0].operations if statements else ()
        refused = any(isinstance(operation, Broken | Unparsed) for operation in operations[:1])
        if tree is None:
            self.counts["refused by both" if refused else "refused by PostgreSQL only"] += 1
            return
        self.counts["compared"] += 1
        if refused:
            self.counts["syntax errors that are none"] += 1
            self.disagree(f"refused: {type(operations[0]).__name__}", f"{path}: {sql[:200]}")
            return
        if len(tree) != 1:
            self.disagree("several statements", f"{path}: {sql[:200]}")
            return
        theirs = signature_of_tree(tree[0]["stmt"])
        ours = signature_of_operations(operations)
        if theirs[0][0] == "do":
            ours = ours[:1]
        if theirs != ours:
            self.disagree(_pattern(theirs, ours), f"{path}: {sql[:300]}\n      PostgreSQL {theirs}\n      migsafe    {ours}")


def _bare(sql: str) -> str:
    """A statement without the comments around it."""
    found = list(split(sql))
    return sql[found[0].span.start : found[-1].span.end] if found else ""


def _pattern(theirs: list[tuple[str, ...]], ours: list[tuple[str, ...]]) -> str:
    """What differs first, in a few words."""
    for their, our in zip(theirs, ours, strict=False):
        if their != our:
            at = next((i for i, (a, b) in enumerate(zip(their, our, strict=False)) if a != b), -1)
            return f"{' '.join(their[:2])}: element {at}"
    return f"{' '.join(theirs[0][:1])}: {len(theirs)} operations against {len(ours)}"


def main() -> None:
    """Compare every file and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--examples", type=int, default=1, help="examples to show of each disagreement")
    arguments = parser.parse_args()
    sys.setrecursionlimit(RECURSION_LIMIT)
    comparison = Comparison()
    for path in sorted(arguments.folder.rglob("*.sql")):
        if path.is_file():
            comparison.file(path)
    compared, disagree = comparison.counts["compared"], comparison.counts["disagree"]
    for name, count in sorted(comparison.counts.items()):
        print(f"{count:8,}  {name}")
    if compared:
        print(f"agreement: {100 * (compared - disagree) / compared:.3f} %")
    for pattern, count in comparison.patterns.most_common():
        print(f"\n{count:6}  {pattern}")
        for example in comparison.examples[pattern][: arguments.examples]:
            print(f"      {example}")


if __name__ == "__main__":
    main()
