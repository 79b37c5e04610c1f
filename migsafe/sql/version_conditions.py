"""Conditions on the version of the server, which the configured release decides."""

import re
from collections.abc import Collection

from migsafe import versions
from migsafe.patterns import lazy_pattern

RELEASES = frozenset(range(versions.OLDEST, versions.NEWEST + 1))
"""The releases for which a condition is decided."""

_NUMBER = (
    r"(?:select|cast)*(?:pg_catalog\.)?current_setting'server_version_num'(?:,true|,false)?(?:(?:::|as)\w+)*",
    r"(?:select|cast)*settingfrompg_(?:catalog\.pg_)?settingswherename='server_version_num'(?:(?:::|as)\w+)*",
    r"(?:select|cast)*setting(?:::|as)\w+frompg_(?:catalog\.pg_)?settingswherename='server_version_num'",
)
"""The forms of the version as a number (150004), without parentheses and white space."""
_MAJOR = (
    r"(?:select)?(?:pg_catalog\.)?current_setting'server_version'::(?:numeric|float\d?|real|doubleprecision)",
    r"(?:select)?split_part(?:pg_catalog\.)?current_setting'server_version','\.',1(?:::|as)(?:int\d?|integer|numeric)",
)
"""The forms of the release with its minor version (15.4), or without it (15)."""
_COMPARISON = lazy_pattern(
    r"(?P<left>.+?)(?P<operator>>=|<=|<>|!=|=|<|>)(?P<right>\d+)|(?P<number>\d+)(?P<mirrored>>=|<=|<>|!=|=|<|>)(?P<value>.+)"
)
_MIRRORED = {">=": "<=", "<=": ">=", ">": "<", "<": ">"}
_LIKE = lazy_pattern(r"version\(\)\s+(?P<negated>not\s+)?like\s+'(?P<prefix>[^'%_]*)%'", re.IGNORECASE)
_CODE = r"\b(?P<name>\w+)\s+(?:constant\s+)?\w+\s*(?::=|=|\bdefault\b)\s*(?P<value>.+)$"
_ASSIGNED = (re.compile(_CODE, re.DOTALL), re.compile(r"\b(?P<name>\w+)\s*:=\s*(?P<value>.+)$", re.DOTALL))
_SELECTED = lazy_pattern(r"\bselect\s+(?P<value>.+?)\s+into\s+(?:strict\s+)?(?P<name>\w+)\s*(?P<rest>from\b.+)?$", re.DOTALL)


def releases_where(condition: str, variables: Collection[str] = ()) -> frozenset[int] | None:
    """Returns the releases on which a condition is true; None if it is not only about the version, or if the minor version decides it.

    `variables` are those with the version as a number (`version_variables`).
    """
    like = _LIKE.fullmatch(condition.strip(" ()\n\t"))
    if like is not None:
        return _like(like["prefix"], negated=like["negated"] is not None)
    text = _compact(condition)
    negated = text.startswith("not")
    comparison = _COMPARISON.fullmatch(text.removeprefix("not"))
    if comparison is None:
        return None
    if comparison["number"] is not None:
        operator = _MIRRORED.get(comparison["mirrored"], comparison["mirrored"])
        found = _compared(comparison["value"], operator, int(comparison["number"]), variables)
    else:
        found = _compared(comparison["left"], comparison["operator"], int(comparison["right"]), variables)
    return RELEASES - found if found is not None and negated else found


def _compared(left: str, operator: str, number: int, variables: Collection[str]) -> frozenset[int] | None:
    if left in variables or any(re.fullmatch(form, left) for form in _NUMBER):
        values = {release: (release * 10000, release * 10000 + 99) for release in RELEASES}
    elif any(re.fullmatch(form, left) for form in _MAJOR):
        values = {release: (release * 1000, release * 1000 + (0 if left.startswith(("split", "selectsplit")) else 999)) for release in RELEASES}
        number *= 1000
    else:
        return None
    decided = {release: {_is_true(operator, value, number) for value in (*ends, *_inside(ends, number))} for release, ends in values.items()}
    if any(len(outcomes) > 1 for outcomes in decided.values()):
        return None
    return frozenset(release for release, outcomes in decided.items() if outcomes == {True})


def _inside(ends: tuple[int, int], number: int) -> tuple[int, ...]:
    return (number,) if ends[0] <= number <= ends[1] else ()


def _is_true(operator: str, value: int, number: int) -> bool:
    match operator:
        case ">=":
            return value >= number
        case "<=":
            return value <= number
        case ">":
            return value > number
        case "<":
            return value < number
        case "=":
            return value == number
    return value != number


def _like(prefix: str, *, negated: bool) -> frozenset[int] | None:
    """Returns the releases on which version(), for example `PostgreSQL 15.4 on …`, begins with a text."""
    texts = {release: f"PostgreSQL {release}" for release in RELEASES}
    if any(prefix.startswith(text) and prefix.rstrip(".") != text for text in texts.values()):
        return None
    found = frozenset(release for release, text in texts.items() if text.startswith(prefix.rstrip(".")))
    return RELEASES - found if negated else found


def version_variables(body: str) -> frozenset[str]:
    """Returns the variables of a PL/pgSQL body that are assigned once, the version as a number."""
    found: list[str] = []
    assigned: list[str] = []
    for part in body.lower().split(";"):
        selected = _SELECTED.search(part)
        matches = [selected] if selected is not None else [match for pattern in _ASSIGNED if (match := pattern.search(part)) is not None][:1]
        for match in matches:
            assigned.append(match["name"])
            rest = (match["rest"] or "") if selected is not None else ""
            if any(re.fullmatch(form, _compact(match["value"] + " " + rest)) for form in _NUMBER):
                found.append(match["name"])
    return frozenset(name for name in found if assigned.count(name) == 1)


def _compact(text: str) -> str:
    return re.sub(r"[\s()]+", "", text.lower())
