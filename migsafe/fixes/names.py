"""The names of new migrations: the runner's next version after an edited one."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from migsafe.patterns import lazy_pattern
from migsafe.sql.operations import (
    AlterRelation,
    Begin,
    Commit,
    CreateIndex,
    CreateTable,
    Do,
    Drop,
    Operation,
    ResetVariable,
    SetVariable,
    Update,
    ValidateConstraint,
)

_NAME = lazy_pattern(
    r"(?P<prefix>[vV]?)(?P<version>\d+)(?P<sep>(?!\.sql$|\.up\.)(?:__|[-_.]?))(?P<slug>.*?)"
    r"(?P<suffix>(?:\.(?:up|postgres|postgresql|pg))*(?:\.sql)?)$"
)
_FLYWAY = lazy_pattern(r"(?P<prefix>V)(?P<version>\d+(?:[._]\d+)*)(?P<sep>__)(?P<slug>.*?)(?P<suffix>\.sql)$")
_DASHED = lazy_pattern(r"(?P<version>\d{4}-\d{2}-\d{2}-\d{6}(?:-\d+)?)(?P<sep>_)(?P<slug>.*)$")
"""Diesel's times, in new versions with a number behind them."""
_DOWN_SUFFIX = lazy_pattern(r"((?:\.(?:down|rollback|postgres|postgresql|pg))*|[_-]down)\.sql$")
_SECONDS, _MINUTES = 14, 12
_LONGEST_SLUG = 60


class NoVersion(Exception):
    """There is no version for a new migration; the text is the reason, as the end of a sentence."""


class VersionedName(Struct, frozen=True):
    """The name of a file or folder that begins with a version. `dashed`: the version is a time, written with dashes; `has_parts`: it may
    have parts, as in 1.2."""

    prefix: str
    version: str
    sep: str
    slug: str
    suffix: str
    dashed: bool = False
    has_parts: bool = False

    def with_version(self, version: str, slug: str) -> "VersionedName":
        """Returns the name of another migration in the same style."""
        return replace(self, version=version, slug=slug, sep=self.sep or "_")

    def beside(self, down: str) -> str:
        """Returns the name of its down file, in the style of another down file."""
        suffix = _DOWN_SUFFIX.search(down)
        prefix = "U" if self.prefix == "V" and down.startswith("U") else self.prefix
        return str(replace(self, prefix=prefix, suffix=suffix[0] if suffix is not None else self.suffix))

    @property
    def number(self) -> str:
        """The version as it is written in the name."""
        number = self.version
        parts = (number[:4], number[4:6], number[6:8], number[8:14], number[14:]) if self.dashed else (number,)
        return "-".join(filter(None, parts))

    def __str__(self) -> str:
        return f"{self.prefix}{self.number}{self.sep}{self.slug}{self.suffix}"


def read_name(name: str, runner: str) -> VersionedName:
    """Returns the parts of a name. Raises NoVersion for one that does not begin with a version."""
    dashed = _DASHED.match(name)
    if dashed is not None:
        return VersionedName("", dashed["version"].replace("-", ""), dashed["sep"], dashed["slug"], "", dashed=True)
    has_parts = runner == "flyway"
    match = (_FLYWAY if has_parts else _NAME).match(name)
    if match is None:
        raise NoVersion(f"it needs another migration, and {name} has no version that one could follow")
    return VersionedName(match["prefix"], match["version"], match["sep"], match["slug"], match["suffix"], has_parts=has_parts)


def next_version(name: VersionedName, following: str | None, used: Collection[str]) -> str:
    """Returns an unused version after that of a name, and before the following one, if there is one. Raises NoVersion."""
    candidates = _sub_versions(name.version) if name.has_parts else _numbers(name.version)
    for version in candidates:
        if following is not None and _key(version) >= _key(following):
            continue
        if all(_key(version) != _key(other) for other in used):
            return version
    raise NoVersion(f"it needs another migration, and there is no version between {name.version} and {following}")


def is_later(name: VersionedName, other: VersionedName) -> bool:
    """Whether the version of a name is after that of another one."""
    return _key(name.version) > _key(other.version)


def _numbers(version: str) -> list[str]:
    """Returns the next numbers, or times, in the same form."""
    for digits, form, unit in ((_SECONDS, "%Y%m%d%H%M%S", timedelta(seconds=1)), (_MINUTES, "%Y%m%d%H%M", timedelta(minutes=1))):
        if len(version) == digits:
            try:
                start = datetime.strptime(version, form)
            except ValueError:
                continue
            return [(start + unit * step).strftime(form) for step in range(1, 100)]
    return [str(int(version) + step).zfill(len(version)) for step in range(1, 100)]


def _sub_versions(version: str) -> list[str]:
    """Returns Flyway's next versions: 1.2 is followed by 1.3, and before that by 1.2.1."""
    mark = "_" if "_" in version or "." not in version else "."
    *first, last = re.split(r"[._]", version)
    plain = [mark.join((*first, str(int(last) + step).zfill(len(last)))) for step in range(1, 100)]
    return [*plain, *(f"{version}{mark}{step}" for step in range(1, 100))]


def _key(version: str) -> list[int]:
    numbers = [int(part) for part in re.findall(r"\d+", version)]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return numbers


def slug_for(operations: Sequence[Operation], original: str, number: int) -> str:
    """Returns the words in the name of a new migration with these operations: what the first one does, or those of the original with a
    number."""
    match [operation for operation in operations if not isinstance(operation, SetVariable | ResetVariable | Begin | Commit)]:
        case [CreateIndex(name=str(name)), *_] | [Drop(), CreateIndex(name=str(name)), *_]:
            slug = f"create_{name}"
        case [CreateTable(table=table), *_]:
            slug = f"create_{table.name}"
        case [Drop(names=[name, *_])]:
            slug = f"drop_{name.name}"
        case [ValidateConstraint(constraint=name), *_]:
            slug = f"validate_{name}"
        case [AlterRelation(target=target), *_]:
            slug = f"alter_{target.name.name}"
        case [Update(table=table), *_]:
            slug = f"update_{table.name}"
        case [Do(), *inner] if updates := [op for op in inner if isinstance(op, Update)]:
            slug = f"fill_{updates[0].table.name}"
        case _:
            slug = f"{original}_{number}" if original else f"part_{number}"
    slug = re.sub(r"\W+", "_", slug)[:_LONGEST_SLUG]
    return slug.replace("_", "-") if "-" in original and "_" not in original else slug
