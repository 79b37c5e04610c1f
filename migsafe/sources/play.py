r"""Play evolutions: `conf/evolutions/<database>/<number>.sql`, with `# --- !Ups` and `# --- !Downs` (or `-- !Ups`) in one file.

As in playframework persistence/play-jdbc-evolutions: the names are numbers, also with zeros in front, from 1 on (EvolutionsApi.scala,
EnvironmentEvolutionsReader); a marker is a line that begins with `#` or `--`, and a half may have several parts, which are joined
(ResourceEvolutionsReader); statements end at a single `;`, and `;;` stands for a semicolon in one (Evolutions.scala, Script.statements). They
are sent one by one on a connection with autocommit; with `autocommit = false`, all evolutions of a run are one transaction
(DatabaseEvolutions.evolve). In production, a file that has changed, and so one between others, stops the application until its downs are
allowed (ApplicationEvolutions).
"""

import re

from migsafe.patterns import lazy_pattern
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Half, Migration, Transaction, whole_script
from migsafe.sources.project_files import readable_text
from migsafe.sources.runner import EditHandling, Folder, MigrationFile, Runner, natural_key
from migsafe.sources.sections import sections
from migsafe.text import Script, Span

_MARKER = lazy_pattern(r"^[ \t]*(?:#|--)[^\r\n]*!(?P<half>Ups|Downs)[^\r\n]*\r?\n?", re.MULTILINE)
_NAME = lazy_pattern(r"\d{1,15}\.sql")
_ESCAPED = lazy_pattern(r"(?<!;);;(?!;)")
_SETTINGS = ("application.conf", "production.conf", "prod.conf", "reference.conf")
_NO_AUTOCOMMIT = lazy_pattern(r"^[^#\n]*\bevolutions\b(?:[^#\n]*|\s*[{=][^}]*\n[^#\n}]*)\bautocommit\s*[=:]\s*\"?false\b", re.MULTILINE)
_ADVICE = "set `play.evolutions.autocommit = true` in application.conf"


class PlayFile(MigrationFile, frozen=True, kw_only=True):
    """A script, with whether its application switches autocommit off."""

    together: bool


def _files(folder: Folder) -> list[MigrationFile]:
    together = _is_one_transaction(folder)
    names = sorted(filter(_NAME.fullmatch, folder.sql_files), key=natural_key)
    return [PlayFile(name.removesuffix(".sql"), folder.script(name), together=together) for name in names]


def _is_one_transaction(folder: Folder) -> bool:
    """Whether the application's settings, which are in the `conf` folder above, switch autocommit off for evolutions."""
    for above in list(folder.self_and_parents())[:4]:
        texts = [readable_text(above / name) for name in _SETTINGS if (above / name).is_file()]
        if texts:
            return any(text is not None and _NO_AUTOCOMMIT.search(text) for text in texts)
    return False


def _read(file: MigrationFile) -> list[Migration]:
    together = isinstance(file, PlayFile) and file.together
    transaction = Transaction.FILE if together else Transaction.STATEMENT
    script = _unescaped(file.up)
    spans: dict[str, list[Span]] = {"ups": [], "downs": []}
    for half, marker, span in sections(script.text, _MARKER):
        spans[half].append(Span(marker.end(), span.end))  # `#` begins no comment in SQL
    advice = _ADVICE if together else None
    if not spans["ups"] and not spans["downs"]:  # Play runs nothing of the file; its statements are linted all the same
        return [Migration(file.id, "play", whole_script(script, transaction), own_transaction_advice=advice)]
    up, down = (Half(script, tuple(spans[half]), transaction) for half in ("ups", "downs"))
    return [Migration(file.id, "play", up, down if spans["downs"] else None, own_transaction_advice=advice)]


def _unescaped(script: Script) -> Script:
    """Returns the script as Play sends it; a space takes the place of the second semicolon, so that all offsets stay."""
    text = _ESCAPED.sub("; ", script.text)
    return Script(script.path, text) if text != script.text else script


PLAY = Runner(
    name="play",
    title="Play evolutions",
    default_transaction=Transaction.STATEMENT,
    recognises=lambda folder: folder.mentions(_MARKER) and any(map(_NAME.fullmatch, folder.sql_files)),
    files=_files,
    read=_read,
    outside_transaction_advice=_ADVICE,
    retry_advice="mark the evolution as resolved after you have undone what it did, and start the application again",
    connection_advice='in application.conf, `db.default.url = "jdbc:postgresql://…?options=-c%20lock_timeout=2s"`',
    unique_versions=True,
    late=LateHandling.REFUSES,
    edited=EditHandling.REFUSES,
)
