"""How long a keystroke takes in the language server, on a history of some thousands of statements.

    python benchmarks/editor.py [--migrations N] [--keystrokes N] [--alembic]

The benchmark generates a history (without --alembic that of benchmarks/speed.py), starts `migsafe server`, opens the last migration, and types
a statement into it, one character at a time. A keystroke takes from sending the change until the diagnostics of this version arrive. It also
measures a hover and the inlay hints after each keystroke, and the first diagnostics, for which the whole history is read.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from speed import write_history  # noqa: E402  # benchmarks/ is not a package

from migsafe.session import sent_statements  # noqa: E402
from migsafe.sources import find_migrations  # noqa: E402
from tests.support.language_client import LanguageClient  # noqa: E402

TYPED = "\nALTER TABLE carts ADD COLUMN IF NOT EXISTS weight_kg numeric NOT NULL DEFAULT 0, ALTER COLUMN total SET NOT NULL;\n"
TYPED_IN_SCRIPT = '    op.create_index("t7_c7_c57", "t7", ["c57", "c107"], unique=True)\n'
SCRIPT = '''"""Change {number}"""

import sqlalchemy as sa
from alembic import op

revision = "{number:04}"
down_revision = {parent!r}


def upgrade() -> None:
{operations}

def downgrade() -> None:
    pass
'''


def write_scripts(folder: Path, migrations: int) -> None:
    """Writes a history of Alembic: fifty tables, then columns with indexes."""
    for number in range(migrations):
        table = f"t{number % 50}"
        if number < 50:
            operations = f'    op.create_table("{table}", sa.Column("id", sa.BigInteger(), primary_key=True))\n'
        else:
            column = f'    op.add_column("{table}", sa.Column("c{number}", sa.Integer(), nullable=True))\n'
            operations = f'{column}    op.create_index("{table}_c{number}", "{table}", ["c{number}"])\n'
        parent = f"{number - 1:04}" if number else None
        (folder / f"{number:04}_change.py").write_text(SCRIPT.format(number=number, parent=parent, operations=operations))


def keystrokes(text: str, typed: str, at: int, number: int) -> Iterator[str]:
    """Yields the text after each character that is typed at a place, again and again."""
    for stroke in range(number):
        yield text[:at] + typed[: stroke % len(typed) + 1] + text[at:]


def timed(action: Callable[[], object]) -> float:
    """Returns how long an action takes, in milliseconds."""
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000


def print_figures(name: str, times: list[float]) -> None:
    """Prints the median and the 95th percentile."""
    print(f"{name:12}  median {statistics.median(times):6.1f} ms   95th percentile {statistics.quantiles(times, n=20)[-1]:6.1f} ms")


def measure(folder: Path, number: int, typed: str) -> None:
    """Types into the last migration of a folder, and prints the figures."""
    plan = find_migrations([str(folder)])
    last = plan.migrations[-1].up.file
    at = last.text.index("\n\ndef downgrade") + 1 if last.path.endswith(".py") else len(last.text)
    if not last.path.endswith(".py"):
        print(f"{sum(1 for each in plan.migrations for _ in sent_statements(each.up))} statements in {len(plan.migrations)} migrations")
    else:
        print(f"{len(plan.migrations)} revisions")
    path = Path(last.path).relative_to(folder.parent).as_posix()
    with LanguageClient([sys.executable, "-m", "migsafe", "server"], folder.parent) as client:
        print(f"first diagnostics {timed(lambda: client.open(path, last.text)) / 1000:.1f} s")
        times: dict[str, list[float]] = {"keystroke": [], "hover": [], "inlay hints": []}
        line = last.text.count("\n", 0, at) - 1
        for text in keystrokes(last.text, typed, at, number):
            times["keystroke"].append(timed(lambda text=text: client.change(path, text)))  # type: ignore[misc]
            times["hover"].append(timed(lambda: client.request("textDocument/hover", client.at(path, line, 8))))
            times["inlay hints"].append(timed(lambda: client.request("textDocument/inlayHint", client.range(path, 0, 999))))
        for name, values in times.items():
            print_figures(name, values)
        client.exit()


def main() -> None:
    """Generates a history, and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--migrations", type=int, default=450, help="the number of migrations in the generated history")
    parser.add_argument("--keystrokes", type=int, default=200, help="the number of keystrokes")
    parser.add_argument("--alembic", action="store_true", help="a history of Alembic scripts")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve() / "migrations"
        folder.mkdir()
        (write_scripts if arguments.alembic else write_history)(folder, arguments.migrations)
        measure(folder, arguments.keystrokes, TYPED_IN_SCRIPT if arguments.alembic else TYPED)


if __name__ == "__main__":
    main()
