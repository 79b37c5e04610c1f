"""Scripts whose lines say what holds after the statement that ends there.

    SET lock_timeout = '1s';  -- timeout 1000, path a|b, zone UTC, role r, block, holds SHARE

What is not named is as in a new connection: lock_timeout 0, the search_path public, no transaction block, no lock on the table t. A line
that says `refused` changes nothing, and PostgreSQL refuses it. The file's name says the transaction of the runner (`x.query.sql`); lines
`-- next query` part the chunks.
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
_SAYS = re.compile(r"; *(?:-- (.*))?$")


def half(path: Path) -> Half:
    """The script as a runner sends it."""
    script = Script(str(path))
    ends = [match.start() for match in _NEXT.finditer(script.text)]
    starts = [0, *(match.end() for match in _NEXT.finditer(script.text))]
    chunks = tuple(Span(start, end) for start, end in zip(starts, [*ends, len(script.text)], strict=True))
    named = path.suffixes[0][1:] if len(path.suffixes) > 1 else "statement"
    return Half(script, chunks, Transaction(named))


def expectation(script: Script, end: int) -> str:
    """What the line on which a statement ends says."""
    said = _SAYS.search(script.line(script.position(end).line))
    assert said, script.position(end)
    return said[1] or ""


def state(timeout: int, path: tuple[str, ...], zone: str | None, role: str | None, block: bool, lock: LockMode | None) -> str:
    """What a line says of this."""
    pieces = (
        f"timeout {timeout}" if timeout else "",
        f"path {'|'.join(path)}".rstrip() if path != ("public",) else "",
        f"zone {zone}" if zone else "",
        f"role {role}" if role else "",
        "block" if block else "",
        f"holds {lock}" if lock else "",
    )
    return ", ".join(piece for piece in pieces if piece)


def modelled(session: Session) -> str:
    """What holds in the model."""
    settings = session.settings
    timeout, role = settings.lock_timeout_ms or 0, settings.value("role")
    return state(timeout, settings.search_path, settings.timezone, role, session.in_block, session.lock_on("t"))
