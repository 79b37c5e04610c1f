"""The baseline: known findings, so that a run reports only new ones.

A baseline is a JSON object with one finding per line, sorted by path, so that the changes of two branches merge like any other text. A finding
is recognized by its file (relative to the folder of the baseline), its migration, its rule and its SQL, whatever the spacing; of several equal
statements by their number. Lines and messages do not matter. It contains the findings that a report leaves out because another one speaks for
them, too: otherwise they would be new when that one is suppressed.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from migsafe.errors import ConfigError
from migsafe.linting.finding import Finding
from migsafe.linting.verdict import Verdict, with_findings
from migsafe.paths import relative_path
from migsafe.terminal.output import write_whole
from migsafe.text import Span, read_text

DEFAULT_FILE = "migsafe-baseline.json"
"""The default name of the file."""

VERSION = 1
_SQL_SHOWN = 80
_STDIN = "-"


class Entry(Struct, frozen=True, order=True):
    """A finding in a baseline. `sql` is for people; `digest` identifies the SQL, `number` distinguishes equal statements."""

    path: str
    migration: str
    rule: str
    digest: str
    number: int
    sql: str

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """Returns what identifies the finding."""
        return (self.path, self.migration, self.rule, self.digest, self.number)


class _Document(Struct):
    version: int
    findings: list[Entry]


def read(file: str) -> list[Entry]:
    """Returns the findings in a baseline. Raises MigsafeError if it cannot be read."""
    if not Path(file).exists():
        raise ConfigError(f"{file}: the baseline does not exist", "`migsafe lint --write-baseline` writes it.")
    try:
        document = msgspec.json.decode(read_text(file), type=_Document)
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"{file}: is not a valid baseline: {error}", "Correct it, or delete it and write a new one with `migsafe lint --write-baseline`."
        ) from error
    if document.version != VERSION:
        raise ConfigError(f"{file}: the baseline has version {document.version}; this migsafe supports version {VERSION}")
    return document.findings


def write(file: str, verdict: Verdict) -> int:
    """Writes the findings of a verdict to a baseline, and keeps its entries about files and rules that the verdict does not cover. Returns
    the number of entries. Raises MigsafeError."""
    before = read(file) if Path(file).exists() else []
    kept = [entry for entry in set(before) - _covered(before, verdict, file) if _exists(entry, file)]
    entries = sorted({entry.key: entry for entry in (*kept, *(entry for entry, _ in _entries(verdict.unreduced, file)))}.values())
    lines = ",\n".join(msgspec.json.encode(entry).decode() for entry in entries)
    text = f'{{"version": {VERSION}, "findings": [\n{lines}\n]}}\n' if entries else f'{{"version": {VERSION}, "findings": []}}\n'
    write_whole(text, file)
    return len(entries)


def subtract_baseline(verdict: Verdict, baseline: Sequence[Entry], file: str) -> tuple[Verdict, list[Entry]]:
    """Returns the verdict without the findings in a baseline, and the entries of the baseline that no longer occur."""
    known = {entry.key for entry in baseline}
    seen = set()
    new = []
    for entry, finding in _entries(verdict.unreduced, file):
        if entry.key in known:
            seen.add(entry.key)
        else:
            new.append(finding)
    summary = replace(verdict.summary, suppressed=verdict.summary.suppressed + len(seen))
    remaining = with_findings(replace(verdict, summary=summary, baselined=len(seen)), new)
    covered = _covered(baseline, verdict, file)
    resolved = [entry for entry in baseline if entry.key not in seen and (entry in covered or not _exists(entry, file))]
    return remaining, resolved


def _entries(findings: Iterable[Finding], file: str) -> Iterator[tuple[Entry, Finding]]:
    # Several findings of a rule about one statement have one entry.
    numbers: dict[tuple[str, str, str, str], dict[Span, int]] = {}
    for finding in findings:
        sql = " ".join(finding.script.text[finding.span.start : finding.span.end].split())
        digest = sha256(sql.encode(errors="surrogatepass")).hexdigest()[:16]
        same = (_path(finding.script.path, file), _unicode(finding.migration), finding.rule, digest)
        statements = numbers.setdefault(same, {})
        yield Entry(*same, statements.setdefault(finding.span, len(statements) + 1), sql[:_SQL_SHOWN]), finding


def _covered(entries: Iterable[Entry], verdict: Verdict, file: str) -> set[Entry]:
    """Returns the entries whose file and rule the verdict covers."""
    paths, rules = {_path(path, file) for path in verdict.paths}, {rule.name for rule in verdict.rules}
    return {entry for entry in entries if entry.path in paths and entry.rule in rules}


def _exists(entry: Entry, file: str) -> bool:
    return entry.path == _STDIN or Path(file).parent.joinpath(entry.path).exists()


def _path(path: str, file: str) -> str:
    return path if path == _STDIN else _unicode(relative_path(path, Path(file).parent))


def _unicode(name: str) -> str:
    return name.encode(errors="surrogateescape").decode(errors="replace")
