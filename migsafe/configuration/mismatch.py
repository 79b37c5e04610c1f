"""Where a table of a configuration differs from the Struct that it should become: the key, and what is allowed there."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, inspect
from msgspec.structs import replace

from migsafe.errors import join_choices

_MOST_CHOICES = 10
_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a string", list: "a list", dict: "a table"}


class Mismatch(Struct, frozen=True):
    """A wrong value: its key (with a path into tables and lists), the problem, and what to write instead."""

    key: str
    problem: str
    hint: str = ""


def find_mismatch(table: Mapping[str, Any], to: type[Struct], *, from_text: bool = False) -> Mismatch | None:
    """Returns the first value of a table that does not fit the field of its name, or the first required key that is missing. With `from_text`,
    a number may be text, as in an option of the command line."""
    kind = inspect.type_info(to)
    assert isinstance(kind, inspect.StructType)
    for field in kind.fields:
        key = field.name.replace("_", "-")
        if key in table:
            for mismatch in _mismatches(table[key], field.type, key, from_text):
                return mismatch
        elif field.required:
            return Mismatch(key, "the key is missing")
    return None


def _mismatches(value: Any, kind: inspect.Type, key: str, from_text: bool) -> Iterator[Mismatch]:
    match kind:
        case inspect.Metadata(type=described, extra_json_schema=extra):
            for mismatch in _mismatches(value, described, key, from_text):
                is_duration = type(value) in (int, float) and "pattern" in (extra or {})
                hint = f'Write a duration in quotes, with its unit: "{value}s" or "{value}ms".'
                yield replace(mismatch, hint=hint) if is_duration else mismatch
        case inspect.UnionType(types=types):
            # A key that may be unset is the only union here, and TOML has no null.
            [kind_if_set] = [each for each in types if not isinstance(each, inspect.NoneType)]
            yield from _mismatches(value, kind_if_set, key, from_text)
        case inspect.LiteralType(values=values):
            if value not in values:
                yield _invalid(key, value, values)
        case inspect.IntType(ge=least, le=most):
            yield from _integer_mismatches(value, least, most, key, from_text)
        case inspect.StrType():
            yield from _kind_mismatches(value, str, key)
        case inspect.BoolType():
            yield from _kind_mismatches(value, bool, key)
        case inspect.VarTupleType(item_type=item_kind):
            if not isinstance(value, tuple):  # an option that can be repeated
                yield from _kind_mismatches(value, list, key)
            for number, item in enumerate(value if isinstance(value, list | tuple) else (), 1):
                yield from _mismatches(item, item_kind, f"{key}[{number}]", from_text)
        case inspect.DictType(value_type=item_kind):
            yield from _kind_mismatches(value, dict, key)
            for name, item in value.items():
                yield from _mismatches(item, item_kind, f"{key}.{name}", from_text)
        case inspect.StructType(cls=cls):
            if not isinstance(value, cls):
                yield from _kind_mismatches(value, dict, key)


def _integer_mismatches(value: Any, least: int | None, most: int | None, key: str, from_text: bool) -> Iterator[Mismatch]:
    if from_text and isinstance(value, str) and value.lstrip("-").isdecimal():
        value = int(value)
    if least is not None and most is not None and most - least < _MOST_CHOICES:
        if type(value) is not int or not least <= value <= most:
            yield _invalid(key, value, range(least, most + 1))
        return
    yield from _kind_mismatches(value, int, key)
    if least is not None and value < least:
        yield Mismatch(key, f"invalid value: {value}", f"It must be {least} or more.")


def _kind_mismatches(value: Any, expected: type, key: str) -> Iterator[Mismatch]:
    if type(value) is not expected:
        yield Mismatch(key, f"expected {_KINDS[expected]}, got {_KINDS.get(type(value), type(value).__name__)}")


def _invalid(key: str, value: Any, choices: Any) -> Mismatch:
    return Mismatch(key, f"invalid value: {value}", f"Use {join_choices(map(str, choices))}.")
