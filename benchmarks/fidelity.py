"""How correctly migsafe parses SQL: compares every statement below a folder with PostgreSQL's own grammar (pglast).

    python benchmarks/fidelity.py FOLDER [--limit N] [--verbose]

The benchmark compares where statements begin and end, and the signature of each statement (tests/sql/oracle): its kind, subcommands, names,
flags, types and expressions, the relations that it reads, and the functions that it calls. A file that PostgreSQL's grammar accepts is compared
as a whole. Any other file (psql meta-commands, placeholders of templates, COPY data, a broken statement) is compared statement by statement.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pglast
from pglast.parser import ParseError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from migsafe.errors import UnreadableError
from migsafe.sql.lexer import PLACEHOLDER
from migsafe.sql.operations import Broken, OpaqueCode, PsqlCommand, Unparsed
from migsafe.sql.split import MetaCommand, RawStatement, split
from migsafe.sql.statements import Statement, read
from migsafe.text import Script, Span
from tests.sql import oracle

_SHOWN = 300
_RECURSION_LIMIT = 20_000


Pair = tuple[RawStatement | MetaCommand, Statement]


class Report:
    """The results of the comparison: counts, and the disagreements of the two grammars, by pattern."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.disagreements: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}

    def add_disagreement(self, pattern: str, example: str) -> None:
        """Record a statement that the two grammars parse differently."""
        self.disagreements[pattern] += 1
        self.examples.setdefault(pattern, []).append(example)

    def add_accepted(self, pattern: str, example: str) -> None:
        """Record a statement that PostgreSQL refuses and migsafe accepts."""
        self.accepted[pattern] += 1
        self.examples.setdefault(pattern, []).append(example)


def compare_file(path: Path, report: Report) -> None:
    """Compare one file."""
    try:
        script = Script(str(path))
        text = script.text
    except UnreadableError:
        report.counts["files skipped (not UTF-8, or binary)"] += 1
        return
    report.counts["files"] += 1
    pairs = list(zip(split(text), read(text), strict=True))
    trees = _parse_script(text, pairs)
    if trees is not None and not _has_same_starts(report, path, pairs, trees):
        trees = None
    for index, (raw, statement) in enumerate(pairs):
        position = script.position(statement.span.start)
        location = f"{path}:{position.line}:{position.column}"
        if isinstance(raw, MetaCommand):
            report.counts["psql meta-commands"] += 1
        elif trees is not None:
            _compare(report, location, text, statement, trees[index].stmt)
        else:
            _compare_alone(report, location, text, raw, statement)
    if trees is not None:
        _compare_ends(report, path, text, [statement.span for _, statement in pairs], trees)


def _parse_script(text: str, pairs: list[Pair]) -> tuple[Any, ...] | None:
    """Returns the trees of a whole script; None if PostgreSQL refuses it, or if psql would not send it unchanged."""
    if any(isinstance(raw, MetaCommand) or raw.data is not None for raw, _ in pairs):
        return None
    try:
        trees = pglast.parse_sql(text)
    except (ParseError, ValueError):
        return None
    return trees


def _has_same_starts(report: Report, path: Path, pairs: list[Pair], trees: tuple[Any, ...]) -> bool:
    ours = [statement.span.start for _, statement in pairs]
    real = [tree.stmt_location or 0 for tree in trees]
    if ours == real:
        return True
    our_start, real_start = next((pair for pair in zip_longest(ours, real) if pair[0] != pair[1]), (None, None))
    report.add_disagreement("start of a statement", f"{path}: migsafe starts a statement at {our_start}, PostgreSQL at {real_start}")
    return False


def _compare_ends(report: Report, path: Path, text: str, ours: list[Span], trees: tuple[Any, ...]) -> None:
    """Compare where statements end, after their starts have been found equal."""
    report.counts["statements whose start and end were compared"] += len(ours)
    for span, tree in zip(ours, trees, strict=True):
        end = (tree.stmt_location or 0) + tree.stmt_len if tree.stmt_len else len(text)
        if span.end > end or any(True for _ in split(text, span.end, end)):
            report.add_disagreement("end of a statement", f"{path}: migsafe ends a statement at {span.end}, PostgreSQL at {end}")


def _compare_alone(report: Report, location: str, text: str, raw: RawStatement, statement: Statement) -> None:
    """Compare one statement, with the start and end that migsafe found."""
    sql = text[statement.span.start : statement.span.end]
    refusal = None
    try:
        trees = pglast.parse_sql(sql)
    except (ParseError, ValueError) as error:
        trees, refusal = (), str(error)
    if len(trees) == 1:
        _compare(report, location, text, statement, trees[0].stmt)
    elif trees:
        report.counts["statements compared"] += 1
        report.add_disagreement("several statements that migsafe parses as one", f"{location}: {_short(sql)}")
    elif PLACEHOLDER in raw.kinds:
        report.counts["statements with placeholders of templates or psql variables"] += 1
    elif _refusal(statement):
        report.counts["statements that both refuse"] += 1
    else:
        report.counts["statements that only PostgreSQL refuses"] += 1
        words = _first_words(sql)
        report.add_accepted(f"{words}: {str(refusal).partition(', at index')[0]}", f"{location}: {_short(sql)}")


def _first_words(sql: str) -> str:
    return " ".join(sql.split()[:2]).lower()


def _refusal(statement: Statement) -> Broken | Unparsed | None:
    return next((operation for operation in statement.operations if isinstance(operation, Broken | Unparsed)), None)


def _compare(report: Report, location: str, text: str, statement: Statement, tree: Any) -> None:
    report.counts["statements compared"] += 1
    sql = text[statement.span.start : statement.span.end]
    first = statement.operations[0]
    if isinstance(first, Broken | Unparsed):
        report.counts["statements that only migsafe refuses"] += 1
        reason = first.expected if isinstance(first, Broken) else first.reason
        report.add_disagreement(f"{type(first).__name__}: {type(tree).__name__}: {reason}", f"{location}: {_short(sql)}")
        return
    try:
        real = oracle.of_tree(tree)
        ours = oracle.of_operations([operation for operation in statement.operations if not isinstance(operation, OpaqueCode | PsqlCommand)])
    except RecursionError:
        report.counts["statements too deep to compare"] += 1
        return
    difference = oracle.difference(real, ours)
    if difference is not None:
        both = f"\n        PostgreSQL: {_short(difference[0])}\n        migsafe:    {_short(difference[1])}"
        report.add_disagreement(oracle.pattern(*difference), f"{location}: {_short(sql)}{both}")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def sql_files(folder: Path) -> Iterator[Path]:
    """Yields the SQL files below a folder, in order; for a path of a file, that file."""
    if folder.is_file():
        yield folder
    yield from (path for path in sorted(folder.rglob("*.sql")) if path.is_file())


def main() -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, help="stop after this number of files")
    parser.add_argument("--verbose", action="store_true", help="show every example of a pattern, not only the first")
    arguments = parser.parse_args()
    sys.setrecursionlimit(_RECURSION_LIMIT)
    report = Report()
    started = time.perf_counter()
    for count, path in enumerate(sql_files(arguments.folder)):
        if count == arguments.limit:
            break
        compare_file(path, report)
    _print(report, time.perf_counter() - started, verbose=arguments.verbose)
    return 1 if report.counts["statements that only migsafe refuses"] else 0


def _print(report: Report, seconds: float, *, verbose: bool) -> None:
    compared = report.counts["statements compared"]
    differing = sum(report.disagreements.values())
    for title, count in sorted(report.counts.items()):
        print(f"{count:9,}  {title}")
    print(f"{differing:9,}  disagreements in {len(report.disagreements)} patterns")
    print(f"{100 * (1 - differing / compared) if compared else 100:9.3f}  % agreement   ({seconds:.1f} s)")
    for title, patterns in (("Disagreements", report.disagreements), ("PostgreSQL refuses, migsafe accepts", report.accepted)):
        if patterns:
            print(f"\n{title}:")
        for pattern, count in patterns.most_common():
            print(f"\n{count:6}  {pattern}")
            for example in report.examples[pattern] if verbose else report.examples[pattern][:1]:
                print(f"      {example}")


if __name__ == "__main__":
    sys.exit(main())
