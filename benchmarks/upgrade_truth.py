"""Upgrades Alembic histories on a real server with Alembic itself, and compares statements, locks and schema with what migsafe predicts.

    python benchmarks/upgrade_truth.py FOLDER… [--python PROGRAM] [--bindir DIR] [--verbose]

A history starts in an empty database. Alembic runs each upgrade in a transaction of its own (`alembic_steps.py`, with the program of --python,
in whose environment the application's packages can be installed; modules that cannot be imported are replaced by placeholders). Three things
are compared after each step:

- the statements that SQLAlchemy sends with those that migsafe renders, without constants, queries and what Alembic itself sends. Where the
  rendering depends on the server, the statements that are sent decide which of the uncertain calls are on its path;
- for each relation that existed before the statement, the strongest lock, if it is at least SHARE UPDATE EXCLUSIVE;
- the catalogue of the server with that of the model (`tests/schema/catalogue.py`).

A step that fails on the server is skipped. If the statements of a step are different, the model continues with those that were sent.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from alembic_process import AlembicProcess, RenderedSql, SentStatement, StepFailed, align, in_rendered_order, rendered_sql, short
from lock_truth import choose_installation

from migsafe.configuration import Configuration
from migsafe.errors import MigsafeError
from migsafe.library.plan import find_plan
from migsafe.lock import LockMode
from migsafe.prediction.history import selected_migrations
from migsafe.prediction.predictor import Predictor
from migsafe.rendering.renderer import Renderer
from migsafe.replaying.servers.server import Server
from migsafe.sources import Half
from migsafe.text import Script, Span
from tests.schema.catalogue import difference, from_model, from_server

_DATABASE = "history"
_FROM = LockMode.SHARE_UPDATE_EXCLUSIVE
_MODES = {mode.pg_locks: mode for mode in LockMode}
_QUERY = re.compile(r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*(?:SELECT|SHOW|WITH|EXPLAIN|VALUES|TABLE|\()\b", re.IGNORECASE | re.DOTALL)
_CHANGES = re.compile(r"\b(?:INSERT|UPDATE|DELETE|setval|nextval|set_config|pg_advisory\w*|\w*create_\w+)\b", re.IGNORECASE)
_ROLE = re.compile(r'role "(.+?)" does not exist')
_EXTENSION_PARTS = """SELECT 'function ' || p.pronamespace::regnamespace || '.' || p.proname || '/' || p.pronargs FROM pg_proc p
    JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
    UNION ALL SELECT 'relation ' || c.oid::regclass FROM pg_class c JOIN pg_depend d ON d.objid = c.oid AND d.deptype = 'e'"""

_EXTENSION_TYPES = """SELECT t.typnamespace::regnamespace || '.' || t.typname FROM pg_type t
    JOIN pg_depend d ON d.objid = t.oid AND d.deptype = 'e'"""


class History:
    """The comparison of one history."""

    def __init__(self, folder: str, server: Server, alembic: AlembicProcess, *, verbose: bool) -> None:
        self.folder = folder
        self.server = server
        self.alembic = alembic
        self.verbose = verbose
        self.counts: Counter[str] = Counter()
        self._differences: set[str] = set()

    def compare(self) -> None:
        """Upgrades the history step by step."""
        major = self.server.installation.major
        renderer = Renderer()
        for selected in selected_migrations(find_plan([self.folder], Configuration(), "upgrade"), major, renderer):
            if isinstance(selected, MigsafeError):
                self._count("not read", selected)
                continue
            # The database is created empty: what no step has created does not exist.
            selected.predictor.catalog.complete = True
            half = renderer.render_half(msgspec.structs.replace(selected.migration.up), selected.predictor)
            self._compare_step(half, selected.predictor)

    def _count(self, result: str, place: object, details: Iterator[str] | list[str] | tuple[str, ...] = ()) -> None:
        self.counts[result] += 1
        shown = list(details)
        if self.verbose and (shown or result in ("failed", "not read")):
            print(f"    {result}: {place}")
            for line in shown:
                print(f"        {short(line)}")

    def _compare_step(self, half: Half, predictor: Predictor) -> None:
        path = half.file.path
        try:
            sent = self._upgrade(half)
        except StepFailed as failure:
            self._count("failed", path, [str(failure)])
            return
        rendered = [call for call in rendered_sql(half) if call.opaque or not _is_query(call.sql)]
        changes = in_rendered_order([statement for statement in sent if not _is_query(statement.sql)], rendered, exact=False)
        alignment = align(rendered, [statement.sql for statement in changes], exact=False)
        differences = alignment.differences(rendered, [statement.sql for statement in changes])
        covered = len(changes) - len({number for _, number in alignment.pairs}) - len(alignment.missing)
        result = "statements different" if differences else "statements equal, partly opaque" if covered else "statements equal"
        self._count(result, path, [f"{title} only: {text}" for title, text in differences])
        if differences or covered:
            chosen, measured = _sent_half(half, changes), {number: [statement] for number, statement in enumerate(changes)}
        else:
            path_numbers = sorted({number for number, _ in alignment.pairs})
            chosen, measured = _path_half(half, rendered, path_numbers), {}
            for first, second in alignment.pairs:
                measured.setdefault(path_numbers.index(first), []).append(changes[second])
        self._compare_locks(chosen, measured, predictor)
        self._compare_schema(path, predictor)

    def _upgrade(self, half: Half) -> list[SentStatement]:
        for _ in range(10):
            try:
                return self.alembic.run(half)
            except StepFailed as failure:
                missing = _ROLE.search(str(failure))
                if missing is None:
                    raise
                with self.server.connect() as connection:
                    connection.execute(f'CREATE ROLE "{missing[1]}"'.encode())
        raise StepFailed("it needs too many roles")

    def _compare_locks(self, half: Half, measured: dict[int, list[SentStatement]], predictor: Predictor) -> None:
        """Predicts the statements of a half, and compares the locks of each chunk with those of the statements that it was sent as."""
        chunks = [chunk for chunk in half.chunks if not _is_by_runner(half, chunk)]
        predicted: dict[int, dict[str, LockMode]] = {}
        not_understood: set[int] = set()
        for prediction in predictor.predict_migration(half):
            start = prediction.statement.span.start
            number = next((index for index, chunk in enumerate(chunks) if chunk.start <= start < max(chunk.end, chunk.start + 1)), -1)
            locks = predicted.setdefault(number, {})
            for effect in prediction.effects:
                name = f"{effect.relation.schema}.{effect.relation.name}"
                locks[name] = max(effect.lock, locks.get(name, effect.lock))
            if not prediction.understood:
                not_understood.add(number)
            if prediction.refusal is not None:
                self._count("refusals of statements that ran", half.file.path, [str(prediction.refusal)])
        for number, statements in measured.items():
            result = self._compare_chunk(predicted.get(number, {}), statements)
            if result and number in not_understood:
                self._count("locks different, not understood", half.file.path, result)
            elif result is not None:
                self._count("locks different" if result else "locks equal", half.file.path, result)
            else:
                self.counts["locks not measured"] += 1

    def _compare_chunk(self, predicted: dict[str, LockMode], statements: list[SentStatement]) -> list[str] | None:
        """Returns the differences; None if the locks were not measured, because the statement ran outside a transaction."""
        if any(statement.locks is None for statement in statements):
            return None
        held = {name: _MODES[mode] for name, mode in (statements[0].held or {}).items()}
        added: dict[str, LockMode] = {}
        for statement in statements:
            for name, mode in (statement.locks or {}).items():
                added[name] = max(_MODES[mode], added.get(name, _MODES[mode]))
        problems = []
        for name in sorted(added.keys() | predicted.keys()):
            ours, real = predicted.get(name), added.get(name)
            before = held.get(name)
            if real is not None and real >= _FROM and (ours is None or ours < real):
                problems.append(f"{name}: measured {real}, predicted {ours or 'nothing'}")
            elif ours is not None and ours >= _FROM and name in held | added and max(real or ours, before or ours, ours) != (real or before):
                problems.append(f"{name}: measured {real or before or 'nothing'}, predicted {ours}")
        return [f"{text}: {statements[0].sql}" for text in problems]

    def _compare_schema(self, path: str, predictor: Predictor) -> None:
        with self.server.connect(_DATABASE) as connection:
            server = from_server(connection)
            parts = {name for (name,) in connection.execute(_EXTENSION_PARTS).fetchall()}
            types = [name for (name,) in connection.execute(_EXTENSION_TYPES).fetchall()]
        server = _unquoted({name: entry for name, entry in server.items() if name not in parts})
        for entry in server.values():
            for name in types:
                # The model does not know in which schema an extension creates its types.
                if isinstance(type_name := entry.get("type"), str) and type_name.startswith(name):
                    entry["type"] = type_name.partition(".")[2]
        now = {line for line in difference(server, _unquoted(from_model(predictor.catalog))) if "⟨" not in line.rpartition(", model ")[2]}
        new = sorted(now - self._differences)
        self._differences = now
        self._count("schema different" if new else "schema equal", path, new)


def _is_query(sql: str) -> bool:
    """Whether a statement only reads: the rendering does not contain the queries of SQLAlchemy's inspector."""
    if _QUERY.match(sql) is None:
        return False
    return "pg_catalog." in sql or _CHANGES.search(re.sub(r"'(?:[^']|'')*'", "", sql)) is None


def _unquoted(value: Any) -> Any:
    """Returns a catalogue without the quotes around names, which only the server adds."""
    match value:
        case str():
            return value.replace('"', "")
        case tuple():
            return tuple(map(_unquoted, value))
        case dict():
            return {_unquoted(name): _unquoted(entry) for name, entry in value.items()}
    return value


def _is_by_runner(half: Half, chunk: Span) -> bool:
    calls = half.program.calls if half.program is not None else ()
    return any(call.by_runner and call.sql_span == chunk for call in calls)


def _path_half(half: Half, rendered: list[RenderedSql], numbers: list[int]) -> Half:
    """Returns a half with the calls that were sent, and those of the runner."""
    assert half.program is not None
    kept = {rendered[number].number for number in numbers}
    calls = tuple(
        msgspec.structs.replace(call, certain=True) for number, call in enumerate(half.program.calls) if number in kept or call.by_runner
    )
    program = msgspec.structs.replace(half.program, calls=calls, paths=())
    return msgspec.structs.replace(half, program=program, chunks=tuple(call.sql_span for call in calls))


def _sent_half(half: Half, sent: list[SentStatement]) -> Half:
    """Returns a half that sends what the server got."""
    text, chunks = "", []
    for statement in sent:
        body = statement.sql.rstrip().rstrip(";") + ";"
        chunks.append(Span(len(text), len(text) + len(body)))
        text += body + "\n"
    return Half(Script(half.file.path, text), tuple(chunks), half.transaction)


def main() -> int:
    """Upgrades, compares, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--python", default=sys.executable, help="the Python that runs Alembic; the default is this one")
    parser.add_argument("--bindir", type=Path, help="the folder of PostgreSQL's programs; the default is the newest PostgreSQL on this machine")
    parser.add_argument("--verbose", action="store_true", help="show what differs, and why steps failed")
    arguments = parser.parse_args()
    totals: Counter[str] = Counter()
    with Server(choose_installation(arguments.bindir)) as server:
        print(server.installation)
        for folder in arguments.folders:
            server.create_database(_DATABASE)
            alembic = AlembicProcess(arguments.python, f"postgresql+psycopg://postgres@/{_DATABASE}?host={server.folder}")
            history = History(folder, server, alembic, verbose=arguments.verbose)
            try:
                history.compare()
            finally:
                alembic.close()
                server.drop_database(_DATABASE)
            print(f"{folder}: " + ", ".join(f"{count} {name}" for name, count in sorted(history.counts.items())), flush=True)
            totals += history.counts
    print("all: " + ", ".join(f"{count} {name}" for name, count in sorted(totals.items())))
    return 1 if any(name.endswith("different") or name.startswith("refusals") for name in totals) else 0


if __name__ == "__main__":
    sys.exit(main())
