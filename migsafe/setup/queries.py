"""The application's queries in a repository, for `queries` of the configuration."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from msgspec import Struct

from migsafe.errors import MigsafeError
from migsafe.workload.document import header
from migsafe.workload.query_names import names_queries
from migsafe.workload.reading import read_workload
from migsafe.workload.sources.files import ProjectFiles
from migsafe.workload.sources.sqlc import is_configuration, sqlc_files
from migsafe.workload.sources.sqlx import FOLDER, OLD_FILE

_NOT_OF_THE_APPLICATION = frozenset("test tests testdata testing spec specs fixtures example examples sample samples demo e2e".split())
_HEAD = 1 << 16


class QuerySource(Struct, frozen=True):
    """A file or folder of queries: its path from the repository's root, what it is, and how many queries it has."""

    path: str
    title: str
    count: int

    @property
    def counted(self) -> str:
        """The number of queries, in words."""
        return "1 query" if self.count == 1 else f"{self.count:,} queries"


def query_sources(root: Path, files: Sequence[str], migrations: Sequence[str]) -> list[QuerySource]:
    """Returns the files and folders of queries. `files` are those of the repository, `migrations` the folders of its histories."""
    wanted = [
        file
        for file in files
        if _NOT_OF_THE_APPLICATION.isdisjoint(PurePosixPath(file).parts[:-1])
        and not any(PurePosixPath(file).is_relative_to(folder) for folder in migrations)
    ]
    found = []
    for path, title in _candidates(root, wanted):
        try:
            count = len(read_workload([str(root / path)], str(root)).queries)
        except MigsafeError:
            continue
        if count:
            found.append(QuerySource(path, title, count))
    return found


def _candidates(root: Path, files: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yields the paths that may contain queries, and what they are."""
    project = ProjectFiles(str(root))
    of_sqlc: set[str] = set()
    for file in files:
        if is_configuration(file):
            try:
                configured = sqlc_files(project, file)
            except MigsafeError:
                continue
            of_sqlc.update((*configured.queries, *configured.others))
            yield file, "sqlc"
        name = PurePosixPath(file)
        if name.name == "Cargo.toml" and (root / name.parent / FOLDER).is_dir():
            yield (name.parent / FOLDER).as_posix(), "sqlx"
        elif name.name == OLD_FILE:
            yield file, "sqlx"
        elif name.suffix == ".jsonl" and _head(root / file).startswith(header()[:10].decode()):
            yield file, "recorded"
    named = {
        PurePosixPath(file).parent for file in files if file.endswith(".sql") and file not in of_sqlc and names_queries(_head(root / file))
    }
    for folder in sorted(named):
        if named.isdisjoint(folder.parents) and folder.parts:
            yield folder.as_posix(), "named queries"


def _head(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD).decode(errors="replace")
    except OSError:
        return ""
