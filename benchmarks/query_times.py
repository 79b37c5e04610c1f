"""How much processor time it takes to resolve the queries of a project.

    python benchmarks/query_times.py NAME=MIGRATIONS:QUERIES… [--pg-version N] [--repeat N]

`MIGRATIONS` is the folder of a history, `QUERIES` a file or folder that `queries` in the configuration could name.
sqlglot reads each query into a shape, which the cache stores; names are then resolved, and indexes looked for, on the final schema.
Printed is the processor time for each query: with new shapes, with known ones, and for a database that has not changed since.
The least of several runs counts.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.index_truth import Project
from benchmarks.queries import final_catalog
from migsafe.workload.assessment import Assessor
from migsafe.workload.shapes import Shapes


def least(run: Callable[[], object], number: int, repeat: int) -> float:
    """Returns the least processor time of several runs, in milliseconds for each of a number of queries."""
    times: list[float] = []
    for _ in range(repeat):
        started = time.process_time()
        run()
        times.append(time.process_time() - started)
    return 1000 * min(times) / number


def measure(project: Project, pg_version: int, repeat: int) -> tuple[float, float, float]:
    """Returns the times with new shapes, with known ones, and for an unchanged database."""
    catalog = final_catalog(project.migrations, pg_version)
    shapes = Shapes()
    same = Assessor(shapes)

    def assess(assessor: Assessor) -> None:
        for query in project.queries:
            assessor.assess(query, catalog)

    number = len(project.queries) or 1
    assess(same)
    new = least(lambda: assess(Assessor(Shapes())), number, repeat)
    known = least(lambda: assess(Assessor(shapes)), number, repeat)
    return new, known, least(lambda: assess(same), number, repeat)


def main() -> int:
    """Reads the arguments, and prints a line for each project."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("projects", nargs="+", metavar="NAME=MIGRATIONS:QUERIES")
    parser.add_argument("--pg-version", type=int, default=17)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    print("milliseconds of processor time for each query")
    print(f"{'project':24} {'queries':>8} {'new shapes':>11} {'known shapes':>13} {'same schema':>12}")
    for argument in arguments.projects:
        project = Project(argument)
        new, known, unchanged = measure(project, arguments.pg_version, arguments.repeat)
        print(f"{project.name:24} {len(project.queries):8,} {new:11.2f} {known:13.2f} {unchanged:12.3f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
