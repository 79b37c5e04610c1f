"""Versions, titles and file names of new revisions, as Alembic chooses them (alembic/script/base.py, ScriptDirectory)."""

import hashlib
import re
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct

from migsafe.fixes.alembic.steps import Refused
from migsafe.patterns import lazy_pattern
from migsafe.script_environment import ScriptEnvironment
from migsafe.sources.alembic.settings import file_template

_STEP = lazy_pattern(r", step (\d+)$")
_WORD = lazy_pattern(r"\w+")
_NUMBERED = lazy_pattern(r"(?P<number>\d{2,6})(?:_(?P<slug>\w+))?")
"""A version that a project numbers itself; longer ones are dates, or made by Alembic."""
_LONGEST_VERSION = 32
"""The length of the column in which Alembic records a version (alembic/ddl/impl.py, version_table_impl)."""
_CREATED = lazy_pattern(r"^Create Date:[ \t]*(.+?)[ \t]*$", re.MULTILINE)
_DEFAULT_TEMPLATE = "%(rev)s_%(slug)s"
_DATE_PARTS = ("year", "month", "day", "hour", "minute", "second")
_FIELD = lazy_pattern(r"(.*?)%\((\w*)\)0?\.?(\d*)[ds]", re.DOTALL)
"""A field of a template, with the text before it and its width."""


class RevisionName(Struct, frozen=True):
    """A new revision: its version, the first line of its docstring, the time at which it is created, and the name of its file."""

    version: str
    title: str
    created: str
    file: str


def name_revision(
    content: str,
    number: int,
    title: str,
    edited: str,
    edited_text: str,
    edited_path: str,
    taken: Collection[str],
    environment: ScriptEnvironment,
) -> RevisionName:
    """Returns the name of the revision that is the next but `number` after an edited one, whose version is `edited`. The same `content` has
    the same name. Raises Refused."""
    match = _STEP.search(title)
    step = (int(match[1]) if match else 1) + number
    new_title = f"{_STEP.sub('', title).rstrip('.')}, step {step}"
    version = _next_number(edited, number, new_title, taken) or _version(content, taken)
    template, longest = file_template(environment.config_file, environment.section, environment.project_file)
    # A project that names its files itself calls them as their versions.
    template = "%(rev)s" if Path(edited_path).stem == edited else template or _DEFAULT_TEMPLATE
    moment, written = _created(edited_text, edited_path, template, timedelta(minutes=number))
    values = {
        "rev": version,
        "slug": _slug(new_title, longest),
        "epoch": int(moment.timestamp()) if moment else 0,
        **{part: getattr(moment, part) if moment else 0 for part in _DATE_PARTS},
    }
    if moment is None and any(f"%({part})" in template for part in (*_DATE_PARTS, "epoch")):
        raise Refused(f"the names of revisions contain the time at which they are created, and that of {edited_path} is not known")
    try:
        name = template % values
    except (KeyError, ValueError, TypeError) as error:
        raise Refused(f"the file_template in {environment.config_file or environment.project_file} cannot be followed: {error}") from error
    return RevisionName(version, new_title, written, f"{name}.py")


def _version(content: str, taken: Collection[str]) -> str:
    """Returns an unused version that depends on the content only."""
    number = 0
    while True:
        version = hashlib.sha256(f"{content}{number or ''}".encode()).hexdigest()[-12:]
        if not any(other.startswith(version) for other in taken):
            return version
        number += 1


def _next_number(edited: str, number: int, title: str, taken: Collection[str]) -> str:
    """Returns the version that follows an edited one in a project that numbers its revisions (`0042`, `0042_orders`); empty if the project
    does not, or if the revision is not its last."""
    match = _NUMBERED.fullmatch(edited)
    numbers = [int(other["number"]) for other in map(_NUMBERED.fullmatch, taken) if other is not None]
    # One of Alembic's own versions may begin with digits: the numbers of a project are nearly as many as its revisions.
    if match is None or len(numbers) * 2 < len(taken) or max(numbers) != int(match["number"]) + number - 1:
        return ""
    following = str(int(match["number"]) + number).zfill(len(match["number"]))
    if match["slug"] is None:
        return following
    *words, _, step = _WORD.findall(title.removeprefix(match["number"]).replace("_", " ").lower())
    while words and len(edited) <= _LONGEST_VERSION < len("_".join((following, *words, "step", step))):
        words.pop()
    return "_".join((following, *words, "step", step))


def _slug(title: str, longest: int) -> str:
    """Returns a title as a part of a file name (ScriptDirectory._rev_path)."""
    slug = "_".join(_WORD.findall(title)).lower()
    return f"{slug[:longest].rsplit('_', 1)[0]}_" if len(slug) > longest else slug


def _created(text: str, path: str, template: str, later: timedelta) -> tuple[datetime | None, str]:
    """Returns a time after that at which the edited revision was created, also as that revision writes it."""
    match = _CREATED.search(text)
    if match is not None:
        with suppress(ValueError):
            moment = datetime.fromisoformat(match[1]) + later
            return moment, moment.isoformat(sep="T" if "T" in match[1] else " ")
    read = _time_in_name(Path(path).name, template)
    return (read + later if read is not None else None), match[1] if match else ""


def _time_in_name(name: str, template: str) -> datetime | None:
    """Returns the time in the name of a file that follows a template."""
    pattern, seen = "", set()
    for literal, field, width in _FIELD.findall(template + "%()s"):
        pattern += re.escape(literal)
        if field in _DATE_PARTS and field not in seen:
            seen.add(field)
            digits = rf"\d{{{int(width)}}}" if width else r"\d{4}" if field == "year" else r"\d+"
            pattern += f"(?P<{field}>{digits})"
        elif field:
            pattern += r"\w+"
    match = re.fullmatch(rf"{pattern}\.py", name)
    if match is None or "year" not in match.groupdict():
        return None
    year, month, day, hour, minute, second = (int(match.groupdict().get(part) or part in ("month", "day")) for part in _DATE_PARTS)
    with suppress(ValueError):
        return datetime(year, month, day, hour, minute, second)
    return None
