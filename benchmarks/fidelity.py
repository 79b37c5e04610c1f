"""How faithfully migsafe reads SQL: every statement below a folder, against PostgreSQL's own grammar (pglast).

    python benchmarks/fidelity.py FOLDER [--limit N] [--verbose]

Compared are the cuts, and of each statement the signature (tests/sql/oracle): its kind, its subcommands, the names and flags, types,
expressions, the relations that it reads, the functions that it calls. A file that PostgreSQL's grammar takes as a whole is compared as a whole;
any other one (psql meta-commands, template marks, COPY data, a broken statement) statement by statement, as migsafe cut it.
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
    """What has been compared so far: counts, and where the two grammars disagree, by pattern."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.disagreements: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}

    def disagree(self, pattern: str, example: str) -> None:
        """Note a statement that the two grammars read differently."""
        self.disagreements[pattern] += 1
        self.examples.setdefault(pattern, []).append(example)

    def lenient(self, pattern: str, example: str) -> None:
        """Note a statement that PostgreSQL refuses and migsafe does not."""
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
    trees = _whole(text, pairs)
    if trees is not None and not _same_beginnings(report, path, pairs, trees):
        trees = None
    for at, (raw, statement) in enumerate(pairs):
        where = script.position(statement.span.start)
        place = f"{path}:{where.line}:{where.column}"
        if isinstance(raw, MetaCommand):
            report.counts["psql meta-commands"] += 1
        elif trees is not None:
            _compare(report, place, text, statement, trees[at].stmt)
        else:
            _compare_alone(report, place, text, raw, statement)
    if trees is not None:
        _compare_cuts(report, path, text, [statement.span for _, statement in pairs], trees)


def _whole(text: str, pairs: list[Pair]) -> tuple[Any, ...] | None:
    """The trees of a whole script; None where PostgreSQL does not take it, or where psql would not send it as it stands."""
    if any(isinstance(raw, MetaCommand) or raw.data is not None for raw, _ in pairs):
        return None
    try:
        trees = pglast.parse_sql(text)
    except (ParseError, ValueError):
        return None
    return trees


def _same_beginnings(report: Report, path: Path, pairs: list[Pair], trees: tuple[Any, ...]) -> bool:
    ours = [statement.span.start for _, statement in pairs]
    real = [tree.stmt_location or 0 for tree in trees]
    if ours == real:
        return True
    first = next((pair for pair in zip_longest(ours, real) if pair[0] != pair[1]), (None, None))
    report.disagree("cut: beginning", f"{path}: migsafe begins at {first[0]}, PostgreSQL at {first[1]}")
    return False


def _compare_cuts(report: Report, path: Path, text: str, ours: list[Span], trees: tuple[Any, ...]) -> None:
    """Compare where statements end; that they begin at the same places is known."""
    report.counts["statements whose cuts were compared"] += len(ours)
    for span, tree in zip(ours, trees, strict=True):
        end = (tree.stmt_location or 0) + tree.stmt_len if tree.stmt_len else len(text)
        if span.end > end or any(True for _ in split(text, span.end, end)):
            report.disagree("cut: end", f"{path}: migsafe ends at {span.end}, PostgreSQL at {end}")


def _compare_alone(report: Report, place: str, text: str, raw: RawStatement, statement: Statement) -> None:
    """Compare a statement as migsafe cut it."""
    sql = text[statement.span.start : statement.span.end]
    refusal = None
    try:
        trees = pglast.parse_sql(sql)
    except (ParseError, ValueError) as error:
        trees, refusal = (), str(error)
    if len(trees) == 1:
        _compare(report, place, text, statement, trees[0].stmt)
    elif trees:
        report.counts["statements compared"] += 1
        report.disagree("cut: several statements in one", f"{place}: {_short(sql)}")
    elif PLACEHOLDER in raw.kinds:
        report.counts["statements with template marks or psql variables"] += 1
    elif _refusal(statement):
        report.counts["statements that both refuse"] += 1
    else:
        report.counts["statements that only PostgreSQL refuses"] += 1
        word = _pattern_of_refusal(sql)
        report.lenient(f"{word}: {str(refusal).partition(', at index')[0]}", f"{place}: {_short(sql)}")


def _pattern_of_refusal(sql: str) -> str:
    return " ".join(sql.split()[:2]).lower()


def _refusal(statement: Statement) -> Broken | Unparsed | None:
    return next((operation for operation in statement.operations if isinstance(operation, Broken | Unparsed)), None)


def _compare(report: Report, place: str, text: str, statement: Statement, tree: Any) -> None:
    report.counts["statements compared"] += 1
    sql = text[statement.span.start : statement.span.end]
    first = statement.operations[0]
    if isinstance(first, Broken | Unparsed):
        report.counts["statements that only migsafe refuses"] += 1
        words = first.expected if isinstance(first, Broken) else first.reason
        report.disagree(f"{type(first).__name__}: {type(tree).__name__}: {words}", f"{place}: {_short(sql)}")
        return
    try:
        real = oracle.of_tree(tree)
        ours = oracle.of_operations([item for item in statement.operations if not isinstance(item, OpaqueCode | PsqlCommand)])
    except RecursionError:
        report.counts["statements too deep to compare"] += 1
        return
    found = oracle.difference(real, ours)
    if found is not None:
        both = f"\n        PostgreSQL: {_short(found[0])}\n        migsafe:    {_short(found[1])}"
        report.disagree(oracle.pattern(*found), f"{place}: {_short(sql)}{both}")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def sql_files(folder: Path) -> Iterator[Path]:
    """The SQL files below a folder, in order; a file is itself."""
    if folder.is_file():
        yield folder
    yield from (path for path in sorted(folder.rglob("*.sql")) if path.is_file())


def main() -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, help="stop after so many files")
    parser.add_argument("--verbose", action="store_true", help="show every example of a pattern, not the first one")
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
    for words, count in sorted(report.counts.items()):
        print(f"{count:9,}  {words}")
    print(f"{differing:9,}  disagreements in {len(report.disagreements)} patterns")
    print(f"{100 * (1 - differing / compared) if compared else 100:9.3f}  % agreement   ({seconds:.1f} s)")
    for title, patterns in (("Disagreements", report.disagreements), ("PostgreSQL refuses, migsafe does not", report.accepted)):
        if patterns:
            print(f"\n{title}:")
        for pattern, count in patterns.most_common():
            print(f"\n{count:6}  {pattern}")
            for example in report.examples[pattern] if verbose else report.examples[pattern][:1]:
                print(f"      {example}")


if __name__ == "__main__":
    sys.exit(main())
