"""How fast migsafe is, compared with squawk and pgfence in the same run.

    python benchmarks/speed.py [FOLDER] [--runs N] [--cores N] [--pgfence FILE]

The benchmark times whole processes, which take turns (migsafe, squawk, migsafe, squawk…): on a history, and on one small file. migsafe runs
in six ways: as in CI, without a cache; cold, with an empty cache, which it fills; warm, with a cache that has all results; edited, on a copy
whose last migration changes before each run; on the last migration alone, without a cache; and with `--since`, on a git repository whose last
commit adds the last migration. The small file is also compared with a yardstick, `python -c "import sqlglot, typer"`, and with Python that
does nothing. Then parsing, schema and effects are timed separately, inside one process. Without FOLDER, the benchmark generates a history of
some thousands of statements, the same every time. The history may also be Alembic's; only migsafe reads it.

All tools get the same migrations: migsafe the folder, the others the files that migsafe judges there (without the down migrations). Each
prints its format for programs, because squawk's default format takes longer than its checks. The output is discarded. pgfence
(`npm install @flvmnt/pgfence`) is measured if its command is on PATH or named.
"""

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from migsafe.prediction.predictor import Predictor
from migsafe.session import sent_statements
from migsafe.sources import find_migrations
from migsafe.sql.split import split
from migsafe.sql.statements import read
from migsafe.text import Script

INSTALLED = "import sys; from migsafe.__main__ import main; sys.exit(main())"
"""The code of the installed command `migsafe`; `python -m` takes longer to start."""

_SMALL = 1000
"""The preferred size of the small file, in bytes."""


@dataclass
class Contender:
    """A command, and the wall-clock and processor seconds of its runs; `before` is called before each run, which is
    in `folder` if there is one."""

    name: str
    command: list[str]
    cache: Path | None = None
    folder: Path | None = None
    before: Callable[[], None] = lambda: None
    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    memory: int = 0
    """The greatest resident memory of a run, in kibibytes."""

    def run(self) -> None:
        """Run the command once more."""
        self.before()
        # Let Python cache its compiled modules, as it does for users.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        if self.cache is not None:
            environment["XDG_CACHE_HOME"] = str(self.cache)
        started = time.perf_counter()
        process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, cwd=self.folder)
        _, status, usage = os.wait4(process.pid, 0)
        self.seconds.append(time.perf_counter() - started)
        self.processor.append(usage.ru_utime + usage.ru_stime)
        self.memory = max(self.memory, usage.ru_maxrss)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 1):
            print(f"note: {self.name} ended with exit code {process.returncode}", file=sys.stderr)

    @property
    def median(self) -> float:
        """The median of the wall-clock seconds."""
        return statistics.median(self.seconds)


def run_in_turns(contenders: list[Contender], runs: int) -> None:
    """Run every command once to warm the file cache, then in turns."""
    for contender in contenders:
        contender.run()
        contender.seconds.clear()
        contender.processor.clear()
    for _ in range(runs):
        for contender in contenders:
            contender.run()


def print_table(title: str, contenders: list[Contender], statements: int | None) -> None:
    """Print a table of the times, with each median as a multiple of the first contender's."""
    print(f"\n{title}")
    print(f"  {'':24}{'median':>10}{'fastest':>10}{'processor':>11}{'memory':>10}{'statements/s':>14}{'first = 1':>11}")
    for contender in contenders:
        rate = f"{statements / contender.median:14,.0f}" if statements is not None else " " * 14
        print(
            f"  {contender.name:24}{_seconds(contender.median):>10}{_seconds(min(contender.seconds)):>10}"
            f"{_seconds(statistics.median(contender.processor)):>11}{contender.memory / 1024:>7.0f} MB{rate}"
            f"{contender.median / contenders[0].median:>11.2f}"
        )


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def time_parsing(files: list[Path], runs: int) -> float:
    """Returns the median seconds that this process needs to parse every file."""

    def parse() -> None:
        for file in files:
            for _ in read(Script(str(file)).text):
                pass

    return statistics.median(_timed(parse) for _ in range(runs))


def time_prediction(folder: Path, runs: int) -> tuple[float, float]:
    """Returns the median seconds that parsed statements take to update the schema, and those of schema and effects together."""
    histories = [
        [(step.migration.up.transaction, list(sent_statements(step.migration.up))) for step in source.steps()]
        for source in find_migrations([str(folder)]).sources
    ]

    def predict(with_effects: bool) -> None:
        for history in histories:
            predictor = Predictor(17)
            for transaction, statements in history:
                predictor.begin(transaction)
                for statement, first, last in statements:
                    predictor.predict_statement(statement, first=first, last=last, with_effects=with_effects)
                predictor.finish()

    schema = statistics.median(_timed(lambda: predict(False)) for _ in range(runs))
    return schema, statistics.median(_timed(lambda: predict(True)) for _ in range(runs))


def _timed(action: Callable[[], None]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def judged_files(folder: Path) -> Iterator[Path]:
    """Yields the scripts that migsafe judges in a folder, each once."""
    yield from dict.fromkeys(Path(migration.up.script.path) for migration in find_migrations([str(folder)]).migrations)


def find_small_file(files: list[Path]) -> Path:
    """Returns the file whose size is closest to a small migration's."""
    return min(files, key=lambda file: (abs(file.stat().st_size - _SMALL), str(file)))


TABLES = (
    "orders order_items customers addresses products prices stock payments refunds shipments carts vouchers reviews returns suppliers".split()
)
COLUMNS = "note state total quantity weight currency placed_at paid_at shipped_at code priority discount channel reference locale".split()
TYPES = ["text", "integer", "bigint", "numeric(12, 2)", "timestamptz", "boolean", "jsonb", "varchar(80)", "uuid", "date"]
TEMPLATES = [
    "ALTER TABLE {table} ADD COLUMN {column}_{n} {type};",
    "ALTER TABLE {table} ADD COLUMN {column}_{n} {type}, ADD COLUMN {other}_{n} {type};",
    "ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column}_{n} integer NOT NULL DEFAULT 0;",
    "ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;",
    "ALTER TABLE {table} ALTER COLUMN {column} TYPE {type} USING {column}::{type};",
    "ALTER TABLE {table} DROP COLUMN IF EXISTS {other}_{n};",
    "ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_{n} CHECK ({column} IS NOT NULL AND {column}::text <> '') NOT VALID;",
    "ALTER TABLE {table} VALIDATE CONSTRAINT {table}_{column}_{n};",
    "ALTER TABLE {table} ADD CONSTRAINT {table}_{n}_fkey FOREIGN KEY ({column}_id) REFERENCES {parent} (id) ON DELETE CASCADE;",
    "CREATE INDEX {table}_{column}_{n}_idx ON {table} ({column}, lower({other}));",
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS {table}_{column}_{n}_idx ON {table} USING btree ({column} DESC) WHERE {other} IS NOT NULL;",
    "CREATE UNIQUE INDEX {table}_{n}_key ON {table} ({column}, {other});",
    """CREATE TABLE IF NOT EXISTS {table}_{n} (
    id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    {parent}_id bigint NOT NULL REFERENCES {parent} (id) ON DELETE CASCADE,
    {column} {type} NOT NULL,
    {other} text DEFAULT 'none' CHECK ({other} <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE ({parent}_id, {column})
);""",
    "DROP TABLE IF EXISTS {table}_{n} CASCADE;",
    "COMMENT ON COLUMN {table}.{column} IS 'what the customer''s {other} was in run {n}';",
    "UPDATE {table} SET {column} = {other} WHERE {column} IS NULL AND id BETWEEN {n} AND {n} + 1000;",
    "INSERT INTO {table} ({column}, {other}) SELECT {column}, {other} FROM {parent} WHERE id > {n} ON CONFLICT DO NOTHING;",
    "GRANT SELECT, INSERT, UPDATE ON {table} TO shop_writer, shop_reader;",
    """CREATE OR REPLACE FUNCTION touch_{table}_{n}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.{column} := now();
    RETURN NEW;
END;
$$;""",
    """DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = '{table}_state_{n}') THEN
        CREATE TYPE {table}_state_{n} AS ENUM ('new', 'paid', 'sent');
    END IF;
END $$;""",
]


def write_history(folder: Path, migrations: int) -> None:
    """Write the history of a shop's database: numbered migrations of one to eight statements."""
    chance = random.Random(2024)
    for number in range(1, migrations + 1):
        statements = (
            chance.choice(TEMPLATES).format(
                table=chance.choice(TABLES),
                parent=chance.choice(TABLES),
                column=chance.choice(COLUMNS),
                other=chance.choice(COLUMNS),
                type=chance.choice(TYPES),
                n=number,
            )
            for _ in range(chance.randint(1, 8))
        )
        (folder / f"{number:04}_change.sql").write_text(f"-- Change {number} of the shop.\n" + "\n\n".join(statements) + "\n")


def migsafe_contenders(command: list[str], folder: Path, files: list[Path], temporary: Path) -> Iterator[Contender]:
    """Yields the ways in which migsafe runs on a history."""
    cold, copy = temporary / "cold", temporary / "copy" / folder.name
    shutil.copytree(folder, copy)
    last = copy / files[-1].relative_to(folder)
    original = last.read_text()
    addition = "# edited {}" if last.suffix == ".py" else "ALTER TABLE orders ADD edited_{} text;"
    number = count(1)

    def edit() -> None:
        last.write_text(f"{original}\n{addition.format(next(number))}\n")

    yield Contender("migsafe, no cache", [*command, "--no-cache", str(folder)])
    yield Contender("migsafe, cold cache", [*command, str(folder)], cold, before=partial(shutil.rmtree, cold, ignore_errors=True))
    yield Contender("migsafe, warm", [*command, str(folder)], temporary / "warm")
    yield Contender("migsafe, edited", [*command, str(copy)], temporary / "edited", before=edit)
    yield Contender("migsafe, last file", [*command, "--no-cache", str(files[-1])])
    if shutil.which("git"):
        repository = commit_last(folder, files[-1], temporary / "repository")
        yield Contender("migsafe, --since", [*command, "--no-cache", "--since", "HEAD~1", str(repository / folder.name)], folder=repository)


def commit_last(folder: Path, last: Path, repository: Path) -> Path:
    """Returns a git repository with a copy of a folder, whose last commit adds one file."""
    copy = repository / folder.name / last.relative_to(folder)
    shutil.copytree(folder, repository / folder.name)
    git = ["git", "-C", str(repository), "-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost"]
    copy.unlink()
    subprocess.run([*git, "init", "--quiet"], check=True)
    for _ in range(2):
        subprocess.run([*git, "add", "--all", "--force"], check=True)
        subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "Migrations"], check=True)
        shutil.copyfile(last, copy)
    return repository


def other_contenders(files: list[Path], pgfence: str | None) -> Iterator[Contender]:
    """Yields the other tools, with the files that migsafe judges; none for programs, which they do not read."""
    if any(file.suffix != ".sql" for file in files):
        return
    names = [*map(str, files)]
    squawk = shutil.which("squawk", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
    if squawk is not None:
        yield Contender("squawk", [squawk, "--reporter", "gcc", *names])
    else:
        print("note: squawk is not measured, because its command is missing: pip install squawk-cli", file=sys.stderr)
    if pgfence is not None:
        yield Contender("pgfence", [pgfence, "analyze", "--output", "json", *names])
    else:
        print("note: pgfence is not measured, because its command is missing: npm install @flvmnt/pgfence", file=sys.stderr)


def print_ratios(contenders: list[Contender]) -> None:
    """Print each contender's median as a multiple of that of the run without a cache, and that one's as a multiple of each other tool's."""
    first, *others = contenders
    for contender in others:
        if contender.name.startswith("migsafe"):
            print(f"  {contender.name} takes {contender.median / first.median:.2f} times as long as {first.name}")
        else:
            print(f"  {first.name} takes {first.median / contender.median:.2f} times as long as {contender.name}")


def compare(folder: Path, runs: int, pgfence: str | None) -> None:
    """Run all measurements on a folder and print them."""
    files = list(judged_files(folder))
    if not files:
        sys.exit(f"{folder}: no migration in this folder")
    is_sql = all(file.suffix == ".sql" for file in files)
    statements = sum(1 for file in files for _ in split(Script(str(file)).text)) if is_sql else None
    size = sum(file.stat().st_size for file in files)
    migsafe = [sys.executable, "-c", INSTALLED, "lint", "--format", "json"]

    with tempfile.TemporaryDirectory() as temporary:
        contenders = [*migsafe_contenders(migsafe, folder, files, Path(temporary)), *other_contenders(files, pgfence)]
        run_in_turns(contenders, runs)
    counted = f"{statements:,} statements in " if statements is not None else ""
    print_table(f"The whole history: {counted}{len(files):,} files, {size / 1e6:.1f} MB", contenders, statements)
    print_ratios(contenders)
    if not is_sql or statements is None:
        return

    small = find_small_file(files)
    with tempfile.TemporaryDirectory() as temporary:
        alone = Path(temporary) / "migrations"
        alone.mkdir()
        shutil.copy(small, alone)
        contenders = [
            Contender("migsafe, no cache", [*migsafe, "--no-cache", str(alone)]),
            Contender("migsafe, warm", [*migsafe, str(alone)], Path(temporary) / "warm"),
            *other_contenders([small], pgfence),
            Contender("yardstick", [sys.executable, "-c", "import sqlglot, typer"]),
            Contender("Python alone", [sys.executable, "-c", "pass"]),
        ]
        run_in_turns(contenders, 3 * runs)
    print_table(f"One small file of {small.stat().st_size:,} bytes; the yardstick imports sqlglot and typer", contenders, None)

    seconds = time_parsing(files, runs)
    rate = f"{statements / seconds:,.0f} statements/s, {size / seconds / 1e6:.1f} MB/s"
    schema, both = time_prediction(folder, runs)
    print(f"\nInside one process, for the whole history:\n  parsing             {_seconds(seconds):>8}  {rate}")
    print(f"  schema              {_seconds(schema):>8}  {schema / seconds:.2f} times parsing")
    print(f"  schema and effects  {_seconds(both):>8}  {both / seconds:.2f} times parsing")


def main() -> None:
    """Read the arguments and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="a folder of migrations; without it, a generated history")
    parser.add_argument("--runs", type=int, default=5, help="the number of measured runs of each command")
    parser.add_argument("--cores", type=int, default=2, help="the number of processor cores to use, if the system can limit them")
    parser.add_argument("--pgfence", default=shutil.which("pgfence"), help="the command pgfence; by default the one on PATH")
    parser.add_argument("--migrations", type=int, default=1000, help="the number of migrations in the generated history")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))[: arguments.cores]
        os.sched_setaffinity(0, cores)
        print(f"{len(cores)} core(s), {arguments.runs} runs of each command, in turns, Python {sys.version.split()[0]}")
    if arguments.folder is not None:
        compare(arguments.folder.resolve(), arguments.runs, arguments.pgfence)
        return
    with tempfile.TemporaryDirectory() as temporary:
        write_history(Path(temporary), arguments.migrations)
        compare(Path(temporary), arguments.runs, arguments.pgfence)


if __name__ == "__main__":
    main()
