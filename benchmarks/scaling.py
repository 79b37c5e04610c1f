"""How the cost of a lint grows with its input.

    python benchmarks/scaling.py [KIND ...] [--largest] [--runs N]

For each kind of input, the benchmark lints files of growing size, each in a process of its own without a cache, and prints the processor time,
the peak memory, and the exponent: 1 where twice the input takes twice the time, 2 where it takes four times. What a lint of an empty file
takes is subtracted first. The kinds:

    depth       parentheses nested in an expression
    statements  ALTER TABLE statements on a few tables, in one file
    migrations  the same, one statement in each file
    tables      CREATE TABLE with a foreign key and an index each
    columns     one CREATE TABLE
    literal     one string in an INSERT, in megabytes
    inserts     INSERTs of one row, as in a dump
    rows        the rows of one INSERT

`--largest` also runs the largest size of each kind, such as a string of 100 MB and a million INSERTs, which take minutes.
"""

import argparse
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_INSTALLED = "import sys; from migsafe.__main__ import main; sys.exit(main())"
_MEGABYTE = 1_000_000


class Cost(NamedTuple):
    """The processor seconds of a lint, and its peak memory in bytes."""

    seconds: float
    memory: int


class Kind(NamedTuple):
    """A kind of input: what writes a number of units of it into a folder, the sizes to measure, and the largest one."""

    write: Callable[[Path, int], None]
    sizes: tuple[int, ...]
    largest: int


def _one_file(text: Callable[[int], str]) -> Callable[[Path, int], None]:
    return lambda folder, size: (folder / "0001_change.sql").write_text(text(size)) and None


def _table(number: int) -> str:
    parent = f"t{number // 2}"
    return (
        f"CREATE TABLE t{number} (id bigint PRIMARY KEY, name text NOT NULL, parent_id bigint REFERENCES {parent} (id));\n"
        f"CREATE INDEX t{number}_parent_idx ON t{number} (parent_id);\n"
    )


def _tables(number: int) -> str:
    return "CREATE TABLE t0 (id bigint PRIMARY KEY);\n" + "".join(map(_table, range(1, number)))


def _alter(number: int) -> str:
    return f"ALTER TABLE t{number % 20} ADD COLUMN c{number} text;\n"


def _write_migrations(folder: Path, number: int) -> None:
    (folder / "00000_tables.sql").write_text(_tables(20))
    for each in range(number):
        (folder / f"{each + 1:05}_change.sql").write_text(_alter(each))


def _write_inserts(folder: Path, number: int) -> None:
    with (folder / "0001_change.sql").open("w") as file:
        file.write("CREATE TABLE t (id bigint PRIMARY KEY, name text);\n")
        file.writelines(f"INSERT INTO t (id, name) VALUES ({each}, 'the name of row {each}');\n" for each in range(number))


def _write_literal(folder: Path, megabytes: int) -> None:
    with (folder / "0001_change.sql").open("w") as file:
        file.write("CREATE TABLE t (id bigint PRIMARY KEY, body text);\nINSERT INTO t VALUES (1, '")
        file.writelines("it''s a long text; " * 50_000 for _ in range(megabytes))
        file.write("');\n")


def _rows(number: int) -> str:
    values = ",\n".join(f"({each}, now())" for each in range(number))
    return f"CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz);\nINSERT INTO t VALUES\n{values};\n"


KINDS = {
    "depth": Kind(_one_file(lambda size: f"SELECT {'(' * size}1{')' * size};\n"), (500, 1000, 2000), 10_000),
    "statements": Kind(_one_file(lambda size: _tables(20) + "".join(map(_alter, range(size)))), (1000, 2000, 4000), 20_000),
    "migrations": Kind(_write_migrations, (500, 1000, 2000), 5000),
    "tables": Kind(_one_file(_tables), (500, 1000, 2000), 10_000),
    "columns": Kind(
        _one_file(lambda size: f"CREATE TABLE t ({', '.join(f'c{number} integer NOT NULL' for number in range(size))});\n"),
        (400, 800, 1600),
        1600,
    ),
    "literal": Kind(_write_literal, (5, 10, 20), 100),
    "inserts": Kind(_write_inserts, (20_000, 40_000, 80_000), 1_000_000),
    "rows": Kind(_one_file(_rows), (5000, 10_000, 20_000), 100_000),
}


def measure(folder: Path, runs: int) -> Cost:
    """Returns the least cost of some lints of a folder."""
    return min(_measured(folder) for _ in range(runs))


def _measured(folder: Path) -> Cost:
    # Let Python cache its compiled modules, as it does for users.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", _INSTALLED, "lint", "--no-cache", "--jobs", "1", "--format", "json", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    assert process.stderr is not None
    message = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        sys.exit(f"migsafe failed with exit code {process.returncode}: {message}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def measure_kind(name: str, kind: Kind, runs: int, least: Cost, *, largest: bool) -> None:
    """Measure the sizes of a kind, and print a line for each."""
    before: tuple[int, float] | None = None
    for size in sorted({*kind.sizes, *((kind.largest,) if largest else ())}):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            kind.write(folder, size)
            length = sum(file.stat().st_size for file in folder.iterdir())
            cost = measure(folder, runs)
        own = max(cost.seconds - least.seconds, 0.001)
        exponent = f"{math.log(own / before[1]) / math.log(size / before[0]):.2f}" if before is not None else ""
        memory = (cost.memory - least.memory) / length
        print(
            f"{name:<11}{size:>10,}{length / _MEGABYTE:>9.2f} MB{cost.seconds:>9.2f} s{exponent:>10}"
            f"{cost.memory / _MEGABYTE:>9.0f} MB{f'{memory:.1f}' if length > _MEGABYTE else '':>12}",
            flush=True,
        )
        before = size, own


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"the kinds to measure; all without any: {', '.join(KINDS)}")
    parser.add_argument("--largest", action="store_true", help="also measure the largest size of each kind")
    parser.add_argument("--runs", type=int, default=3, help="the number of runs of each size, of which the fastest counts")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.kinds if name not in KINDS]
    if unknown:
        parser.error(f"unknown kind: {', '.join(unknown)} (known: {', '.join(KINDS)})")
    with tempfile.TemporaryDirectory() as temporary:
        (Path(temporary) / "0001_change.sql").write_text("SELECT 1;\n")
        least = measure(Path(temporary), arguments.runs + 1)
    print(f"{'':<11}{'size':>10}{'file':>12}{'processor':>11}{'exponent':>10}{'memory':>12}{'per byte':>12}")
    for name in arguments.kinds or KINDS:
        measure_kind(name, KINDS[name], arguments.runs, least, largest=arguments.largest)


if __name__ == "__main__":
    main()
