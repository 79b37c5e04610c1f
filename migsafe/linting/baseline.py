"""Yesterday's findings, so that a run reports only what is new.

A baseline is a JSON object with one finding a line, in the order of paths, so that two branches' changes merge like any other text. A
finding is known again by its file (as seen from the baseline's folder), its migration, its rule and the SQL that it is about, whatever the
spacing; where one statement stands several times, by which of them it is. Lines and messages are no part of it.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from migsafe.errors import ConfigError, MigsafeError
from migsafe.linting.finding import Finding, Severity
from migsafe.linting.judge import Verdict
from migsafe.text import read_text

DEFAULT_FILE = "migsafe-baseline.json"
"""The file's name where nobody gives it one."""

VERSION = 1
_SQL_SHOWN = 80
_STDIN = "-"


class Entry(Struct, frozen=True, order=True):
    """A finding as a baseline holds it. `sql` is there for people; `digest` says which SQL it was, `number` which of several alike."""

    path: str
    migration: str
    rule: str
    digest: str
    number: int
    sql: str

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """What it is known again by."""
        return (self.path, self.migration, self.rule, self.digest, self.number)


class _Document(Struct):
    version: int
    findings: list[Entry]


def read(file: str) -> list[Entry]:
    """The findings in a baseline. Raises MigsafeError where there is none to be read."""
    if not Path(file).exists():
        raise ConfigError(f"{file}: there is no such baseline", "`migsafe lint --write-baseline` writes it.")
    try:
        document = msgspec.json.decode(read_text(file), type=_Document)
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"{file}: is no baseline: {error}", "Mend it; or delete it, and `migsafe lint --write-baseline` writes a new one."
        ) from error
    if document.version != VERSION:
        raise ConfigError(f"{file}: is a baseline of version {document.version}; this migsafe knows version {VERSION}")
    return document.findings


def write(file: str, verdict: Verdict) -> int:
    """Record a verdict's findings, and keep what the baseline says of files and rules that the verdict is not about. Returns how many it
    records then. Raises MigsafeError."""
    before = read(file) if Path(file).exists() else []
    kept = [entry for entry in set(before) - _looked_at(before, verdict, file) if _stands(entry, file)]
    entries = sorted({entry.key: entry for entry in (*kept, *(entry for entry, _ in _entries(verdict.findings, file)))}.values())
    lines = ",\n".join(msgspec.json.encode(entry).decode() for entry in entries)
    text = f'{{"version": {VERSION}, "findings": [\n{lines}\n]}}\n' if entries else f'{{"version": {VERSION}, "findings": []}}\n'
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise MigsafeError(f"{file}: cannot be written: {(error.strerror or str(error)).lower()}") from error
    return len(entries)


def subtract_baseline(verdict: Verdict, baseline: Sequence[Entry], file: str) -> tuple[Verdict, list[Entry]]:
    """A verdict without what stands in a baseline, and what stands there and is gone."""
    known = {entry.key for entry in baseline}
    met = set()
    new = []
    for entry, finding in _entries(verdict.findings, file):
        if entry.key in known:
            met.add(entry.key)
        else:
            new.append(finding)
    number = Counter(finding.severity for finding in new)
    summary = replace(
        verdict.summary,
        errors=number[Severity.ERROR],
        warnings=number[Severity.WARNING],
        infos=number[Severity.INFO],
        suppressed=verdict.summary.suppressed + len(met),
    )
    left = replace(verdict, findings=new, summary=summary, baselined=len(met))
    looked_at = _looked_at(baseline, verdict, file)
    gone = [entry for entry in baseline if entry.key not in met and (entry in looked_at or not _stands(entry, file))]
    return left, gone


def _entries(findings: Iterable[Finding], file: str) -> Iterator[tuple[Entry, Finding]]:
    seen: Counter[tuple[str, str, str, str]] = Counter()
    for finding in findings:
        sql = " ".join(finding.script.text[finding.span.start : finding.span.end].split())
        digest = sha256(sql.encode(errors="surrogatepass")).hexdigest()[:16]
        same = (_path(finding.script.path, file), _unicode(finding.migration), finding.rule, digest)
        seen[same] += 1
        yield Entry(*same, seen[same], sql[:_SQL_SHOWN]), finding


def _looked_at(entries: Iterable[Entry], verdict: Verdict, file: str) -> set[Entry]:
    """The entries that a run would have found again."""
    paths, rules = {_path(path, file) for path in verdict.paths}, {rule.name for rule in verdict.rules}
    return {entry for entry in entries if entry.path in paths and entry.rule in rules}


def _stands(entry: Entry, file: str) -> bool:
    return entry.path == _STDIN or Path(file).parent.joinpath(entry.path).exists()


def _path(path: str, file: str) -> str:
    return path if path == _STDIN else _unicode(Path(os.path.relpath(path, Path(file).parent)).as_posix())


def _unicode(name: str) -> str:
    return name.encode(errors="surrogateescape").decode(errors="replace")
