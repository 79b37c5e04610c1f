"""Scripts whose lines have the expected state after the statement that ends there.

    SET lock_timeout = '1s';  -- timeout 1000, path a|b, zone UTC, role r, block, holds SHARE

All other state is as in a new connection: lock_timeout 0, the search_path public, no transaction block, no lock on the table t. PostgreSQL
refuses a line with `refused`, which changes nothing. The file's name gives the transaction of the runner (`x.query.sql`); lines
`-- next query` separate the chunks.
"""

import re
from pathlib import Path

from migsafe.lock import LockMode
from migsafe.session import Session
from migsafe.sources import Half, Transaction
from migsafe.text import Script, Span

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.sql"))
REFUSED = "refused"
_NEXT = re.compile(r"^-- next query\n", re.MULTILINE)
_EXPECTATION = re.compile(r"; *(?:-- (.*))?$")


def read_half(path: Path) -> Half:
    """Reads the script as a runner sends it."""
    script = Script(str(path))
    ends = [match.start() for match in _NEXT.finditer(script.text)]
    starts = [0, *(match.end() for match in _NEXT.finditer(script.text))]
    chunks = tuple(Span(start, end) for start, end in zip(starts, [*ends, len(script.text)], strict=True))
    transaction = path.suffixes[0][1:] if len(path.suffixes) > 1 else "statement"
    return Half(script, chunks, Transaction(transaction))


def expectation(script: Script, end: int) -> str:
    """Returns the expected state in the line on which a statement ends."""
    comment = _EXPECTATION.search(script.line(script.position(end).line))
    assert comment, script.position(end)
    return comment[1] or ""


def describe_state(timeout: int, path: tuple[str, ...], zone: str | None, role: str | None, block: bool, lock: LockMode | None) -> str:
    """Describes a state in the format of these lines."""
    pieces = (
        f"timeout {timeout}" if timeout else "",
        f"path {'|'.join(path)}".rstrip() if path != ("public",) else "",
        f"zone {zone}" if zone else "",
        f"role {role}" if role else "",
        "block" if block else "",
        f"holds {lock}" if lock else "",
    )
    return ", ".join(piece for piece in pieces if piece)


def describe_session(session: Session) -> str:
    """Describes the state of the simulated session."""
    settings = session.settings
    timeout, role = settings.lock_timeout_ms or 0, settings.value("role")
    return describe_state(timeout, settings.search_path, settings.timezone, role, session.in_block, session.lock_on("t"))
