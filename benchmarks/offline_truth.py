"""Compares what migsafe renders with `alembic upgrade --sql`, for every revision that Alembic itself can render.

    python benchmarks/offline_truth.py FOLDER… [--python PROGRAM] [--verbose]

Alembic renders each revision by itself, without the project's env.py, in a separate process (`alembic_steps.py`), with the program of
--python. UUIDs and times are not compared. Scripts that ask the database, or import the application, cannot be rendered offline.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from alembic_process import AlembicProcess, StepFailed, align, in_rendered_order, rendered_sql, short

from migsafe.configuration import Configuration
from migsafe.errors import MigsafeError
from migsafe.library.plan import find_plan
from migsafe.prediction.history import selected_migrations
from migsafe.rendering.renderer import Renderer
from migsafe.sources import Half


def compare(half: Half, alembic: AlembicProcess, *, verbose: bool) -> str:
    """Returns the result for one revision, and prints what differs."""
    rendered = rendered_sql(half)
    try:
        sent = [statement.sql for statement in in_rendered_order(alembic.run(half), rendered, exact=True)]
    except StepFailed as failure:
        if verbose:
            print(f"    not renderable: {half.file.path}: {short(str(failure))}")
        return "not renderable offline"
    alignment = align(rendered, sent, exact=True)
    if not alignment.extra and not alignment.missing:
        return "equal, partly opaque" if any(call.opaque for call in rendered) else "equal"
    if verbose:
        print(f"    {half.file.path}")
        for title, text in alignment.differences(rendered, sent):
            print(f"        {title} only: {short(text)}")
    return "different"


def measure(folder: str, alembic: AlembicProcess, *, verbose: bool) -> Counter[str]:
    """Compares all revisions of a history."""
    counts: Counter[str] = Counter()
    settings = Configuration()
    for selected in selected_migrations(find_plan([folder], settings, "compare"), settings.pg_version, Renderer()):
        if isinstance(selected, MigsafeError) or selected.migration.up.program is None:
            counts["not read"] += 1
            continue
        counts[compare(selected.migration.up, alembic, verbose=verbose)] += 1
        selected.predictor.apply(selected.migration.up)
    return counts


def main() -> int:
    """Compares the histories; returns 1 if something differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--python", default=sys.executable, help="the Python that runs Alembic; the default is this one")
    parser.add_argument("--verbose", action="store_true", help="show what differs, and why revisions cannot be rendered offline")
    arguments = parser.parse_args()
    totals: Counter[str] = Counter()
    alembic = AlembicProcess(arguments.python)
    try:
        for folder in arguments.folders:
            counts = measure(folder, alembic, verbose=arguments.verbose)
            totals += counts
            print(f"{folder}: " + ", ".join(f"{count} {name}" for name, count in sorted(counts.items())), flush=True)
    finally:
        alembic.close()
    print("all: " + ", ".join(f"{count} {name}" for name, count in sorted(totals.items())))
    return 1 if totals["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
