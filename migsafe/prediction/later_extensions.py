"""The extensions that a migration creates itself, and with which statements."""

from migsafe.patterns import lazy_pattern
from migsafe.session import sent_statements
from migsafe.sources import Half
from migsafe.sql import operations as sql

_CREATES_EXTENSION = lazy_pattern(r"create\s+extension\b")
"""It is searched in lower case: with IGNORECASE, Python tries it at every character."""
_LONGEST_SCRIPT = 2_000_000


def created_extensions(half: Half) -> dict[str, sql.CreateExtension]:
    """Returns the extensions that a migration creates, by name, each with the first such statement."""
    has_paths = half.program is not None and len(half.program.paths) > 1
    if has_paths or len(half.script.text) > _LONGEST_SCRIPT or not _CREATES_EXTENSION.search(half.script.text.lower()):
        return {}
    created: dict[str, sql.CreateExtension] = {}
    for statement, _, _ in sent_statements(half):
        for operation in statement.operations:
            if isinstance(operation, sql.CreateExtension):
                created.setdefault(operation.extension, operation)
    return created
