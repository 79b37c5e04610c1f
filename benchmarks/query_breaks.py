"""Whether migsafe knows which queries a migration breaks: old queries on the new schema, compared with what PREPARE says on a real server."""

import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from msgspec import Struct

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.query_truth import Connection, Preparations, migrations, run_migration
from migsafe.linting.queries.refused_types import refused_types
from migsafe.prediction.predictor import Predictor
from migsafe.replaying.servers.server import Server
from migsafe.sources import Half
from migsafe.sql import operations as sql
from migsafe.sql.statements import read
from migsafe.workload.assessment import Assessor
from migsafe.workload.query import Query
from migsafe.workload.reading import read_workload

_BEYOND_PREPARE = frozenset(("42P10",))
"""The errors of PostgreSQL's planner, which PREPARE does not report."""
_TIGHTENING = (
    sql.Drop,
    sql.DropColumn,
    sql.DropConstraint,
    sql.Rename,
    sql.RenameColumn,
    sql.RenameConstraint,
    sql.RenameEnumValue,
    sql.AlterColumnType,
    sql.SetNotNull,
    sql.SetSchema,
    sql.SetExpression,
)


class History(Struct, frozen=True, kw_only=True):
    """A history in a git repository: the folder of migrations and the path of the queries, in the repository."""

    name: str
    git: str
    migrations: str
    queries: str


class Breaks:
    """Compares both answers for every query of the commit before each migration that drops, renames or tightens."""

    def __init__(self, history: History, server: Server, folder: Path) -> None:
        self.history = history
        self.server = server
        self.folder = folder
        self.assessor = Assessor()
        self.predictor = Predictor(server.major)
        self.predictor.begin_history(from_first_migration=True)
        self.counts: Counter[str] = Counter()
        self.differences: list[str] = []
        self._queries: dict[str, tuple[Query, ...]] = {}

    def compare(self, database: str) -> None:
        """Runs the history, and compares."""
        self.server.create_database(database)
        with self.server.connect(database) as connection:
            for half in migrations(str(self.folder / self.history.migrations)):
                queries = self._queries_before(half) if tightens(half) else ()
                before = {query.text: prepared_state(connection, query) for query in queries}
                problem = run_migration(connection, half)
                self.predictor.apply(half)
                if problem:
                    print(f"    skipped: {problem[:160]}")
                    continue
                self.counts["migrations that drop, rename or tighten, with queries"] += bool(queries)
                broken = 0
                for query in queries:
                    broken += not before[query.text] and self._judge(connection, half, query, prepared_state(connection, query))
                self.counts["migrations that break a query"] += broken > 0
        self.server.drop_database(database)

    def _judge(self, connection: Connection, half: Half, query: Query, state: str) -> bool:
        """Compares the answers for a query that ran before the migration; returns whether the server rejects it now."""
        assessment = self.assessor.assess(query, self.predictor.catalog)
        failure = assessment.failure or refused_types(query, self.predictor.catalog, assessment)
        ours = failure.code if failure is not None else ""
        if ours in _BEYOND_PREPARE:
            state = _planned(connection, query)
            self.counts[f"pairs with {ours}, which only planning shows"] += 1
        self.counts["pairs"] += 1
        self.counts["pairs with the same answer"] += bool(ours) == bool(state)
        self.counts["breaks on the server"] += bool(state)
        self.counts["breaks found"] += bool(state) and bool(ours)
        self.counts["breaks found with the same SQLSTATE"] += bool(state) and ours == state
        self.counts["called broken, but prepared"] += bool(ours) and not state
        self.counts["pairs not understood or not known"] += bool(assessment.unresolved or assessment.uncertain)
        if bool(ours) != bool(state):
            place = query.places[0]
            answer = failure or assessment.uncertain or assessment.unresolved or "sees nothing"
            why = f"server {state or 'prepares'}, migsafe {answer}"
            text = " ".join(query.text.split())[:400]
            self.differences.append(f"{Path(half.script.path).name} · {place.path}:{place.line} {place.name}\n      {why}\n      {text}")
        return bool(state)

    def _queries_before(self, half: Half) -> tuple[Query, ...]:
        """Returns the queries of the commit before the one that added a migration."""
        path = str(Path(half.script.path).resolve().relative_to(self.folder.resolve()))
        return queries_at(self.history.git, path, "^", self.history.queries, self._queries)


def queries_at(git: str, migration: str, parent: str, queries: str, known: dict[str, tuple[Query, ...]]) -> tuple[Query, ...]:
    """Returns the queries of the commit that added a migration, or of its `parent` (`^`). `known` are those that were read, by tree."""
    commit = _git(git, "log", "--diff-filter=A", "--format=%H", "-1", "--", migration).strip()
    if not commit:
        return ()
    revision = f"{commit}{parent}"
    tree = _git(git, "rev-parse", "-q", "--verify", f"{revision}^{{tree}}" if queries == "." else f"{revision}:{queries}", check=False).strip()
    if not tree:
        return ()
    if tree not in known:
        with tempfile.TemporaryDirectory() as folder:
            extract(git, revision, [queries], Path(folder))
            known[tree] = read_workload([str(Path(folder) / queries)], folder).queries
    return known[tree]


def _git(directory: str, *arguments: str, check: bool = True) -> str:
    return subprocess.run(["git", "--git-dir", directory, *arguments], capture_output=True, text=True, check=check).stdout


def extract(git: str, revision: str, paths: list[str], folder: Path) -> None:
    """Extracts paths of a revision into a folder. Large files may be missing in the repository, at which `git archive` would end."""
    listed = _git(git, "ls-tree", "-r", revision, "--", *paths, check=False).splitlines()
    files = [(meta.split()[2], name) for meta, _, name in (line.partition("\t") for line in listed) if meta.startswith("100")]
    batch = ["git", "--git-dir", git, "cat-file", "--batch"]
    content = subprocess.run(batch, input="".join(f"{blob}\n" for blob, _ in files).encode(), capture_output=True, check=True).stdout
    at = 0
    for _, name in files:
        end = content.index(b"\n", at)
        head, at = content[at:end].split(), end + 1
        if head[-1] != b"missing":
            size = int(head[2])
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content[at : at + size])
            at += size + 1


def tightens(half: Half) -> bool:
    """Whether a migration drops, renames or tightens something."""
    return any(isinstance(operation, _TIGHTENING) for statement in read(half.script.text) for operation in statement.operations)


def prepared_state(connection: Connection, query: Query) -> str:
    """Returns the SQLSTATE with which the server rejects a query; empty if it prepares it."""
    plans = Preparations(connection)
    state = plans.prepare(query)
    plans.forget()
    return state


def _planned(connection: Connection, query: Query) -> str:
    """Returns the SQLSTATE with which the server rejects a query when it plans it."""
    plans = Preparations(connection)
    state = plans.prepare(query) or plans.rejection(query)
    plans.forget()
    return state
