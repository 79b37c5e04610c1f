"""Constants that cannot become values of a type: what PostgreSQL's input functions and its assignment casts refuse."""

import re

from migsafe.patterns import lazy_pattern
from migsafe.schema.casts import BUILT_IN, cast
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.input_syntax import refused_input
from migsafe.schema.objects import EnumType
from migsafe.sql.operations import TypeName
from migsafe.text import MARK_START

_STRING = lazy_pattern(r"'([^']*+(?:''[^']*+)*+)'")
_ARRAY = lazy_pattern(r"'([^']*+(?:''[^']*+)*+)'(?:\s*::\s*\w[\w ]*+(?:\(\s*\d+(?:\s*,\s*\d+)?\s*\)\s*)?(?:\[\d*\])+)?")
_ARRAY_START = lazy_pattern(r"\s*(?:[{\\]|\[\s*[-+\d]+\s*[:\]])")
_NUMBER = lazy_pattern(r"[+-]?\s*(\d+)(\.\d*)?")
_INTEGER_TEXT = lazy_pattern(r"\s*[+-]?(?:\d[\d_]*|0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+)\s*")
_DECIMAL_TEXT = lazy_pattern(
    r"\s*[+-]?(?:(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?|0[xXoObB][0-9a-fA-F_]+|nan|inf|infinity)\s*", re.IGNORECASE
)
_DAY = lazy_pattern(r"(\d{4})-(\d\d)-(\d\d)(?!\d)")
_TIME_WORDS = frozenset(("now", "today", "tomorrow", "yesterday", "epoch", "infinity", "-infinity", "+infinity", "allballs"))
_IGNORED = lazy_pattern(r"[^\w\s+-]")
"""Punctuation, which ParseDateTime() in utils/adt/datetime.c ignores: 'now()' is the same as 'now'."""
_AFTER_SIGN = lazy_pattern(r"(?<=[+-])\s+")
_BOOLEAN_WORDS = ("true", "false", "yes", "no")
_LARGEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
_DECIMALS = frozenset(("numeric", "real", "double precision"))
_TIMES = frozenset(("date", "timestamp without time zone", "timestamp with time zone"))
_NAMES_IN_ERRORS = {"timestamp without time zone": "timestamp"}


def refused_constant(
    catalog: Catalog, column: str, data_type: TypeName | None, constant: str, *, default: bool = False, stored: bool = True
) -> str | None:
    """Returns the error with which PostgreSQL refuses a constant for a column: as its value, or as its `default`. One that is not `stored` at
    once may be too long or too large.

    `constant` is SQL. The result is None if the expression is not a plain constant, if the type is not known, or if PostgreSQL may accept it.
    """
    if data_type is None or data_type.setof:
        return None
    user = catalog.type_of(data_type)
    if isinstance(user, EnumType):
        if not user.values or not certainly_exists(catalog, user) or not user.complete:
            return None  # opaque code may have added a value
        name = str(user.name if user.name.schema not in catalog.search_path else user.name._replace(schema=None))
        labels: tuple[str, ...] | None = user.values
    elif user is None and data_type.schema in (None, "pg_catalog") and data_type.name in BUILT_IN:
        name, labels = data_type.name, None
    else:
        return None
    text = constant.strip()
    if any(mark in text for mark in (MARK_START, "${", "{{", "{%")):
        return None
    if data_type.dimensions:
        source = _type_of(text)
        written = "default expression" if default else "expression"
        return _malformed_array(text) if source is None else f'column "{column}" is of type {name}[] but {written} is of type {source}'
    string = _STRING.fullmatch(text)
    if string is not None:
        value = string[1].replace("''", "'")
        if labels is not None:
            return None if value in labels else f'invalid input value for enum {name}: "{value}"'
        return _refused_text(data_type, value) or (_too_long(data_type, value) if stored else None)
    source = _type_of(text)
    if labels is None and stored and source is not None and (error := _too_large(data_type, text)) is not None:
        return error
    if source is None or (labels is None and cast(source, name, explicit=False, pg_version=catalog.pg_version) is not None):
        return None
    return f'column "{column}" is of type {name} but {"default " if default else ""}expression is of type {source}'


def _malformed_array(text: str) -> str | None:
    """Returns the error of array_in() for a string that begins neither as an array nor as its bounds (`[1:2]={…}`)."""
    string = _ARRAY.fullmatch(text)
    if string is None or _ARRAY_START.match(string[1]) is not None:
        return None
    return 'malformed array literal: "{}"'.format(string[1].replace("''", "'"))


def _type_of(text: str) -> str | None:
    """Returns the type that PostgreSQL gives to a number or to TRUE and FALSE."""
    if text.lower() in ("true", "false"):
        return "boolean"
    number = _NUMBER.fullmatch(text)
    if number is None:
        return None
    if number[2] is not None or int(number[1]) > _LARGEST["bigint"]:
        return "numeric"
    return "integer" if int(number[1]) <= _LARGEST["integer"] else "bigint"


def _refused_text(data_type: TypeName, value: str) -> str | None:
    """Returns the error of the input function of a built-in type."""
    name = data_type.name
    is_valid, bare = True, value.strip().lower()
    if name in _LARGEST:
        is_valid = _INTEGER_TEXT.fullmatch(value) is not None
        if is_valid and bare.lstrip("+-").isdigit() and int(bare.lstrip("+-")) > _LARGEST[name] + bare.startswith("-"):
            return f'value "{value}" is out of range for type {name}'
    elif name in _DECIMALS:
        is_valid = _DECIMAL_TEXT.fullmatch(value) is not None
    elif name == "boolean":
        is_valid = bare in ("on", "of", "off", "1", "0") or (bare != "" and any(word.startswith(bare) for word in _BOOLEAN_WORDS))
    elif name == "uuid":
        is_valid = re.fullmatch(r"[0-9a-f]{32}", re.sub(r"[-{}]", "", value.lower())) is not None
    elif name in _TIMES:
        if value.startswith("0000-00-00"):
            return f'date/time field value out of range: "{value}"'
        if _is_no_day(bare):
            return f'date/time field value out of range: "{value}"'
        words = _AFTER_SIGN.sub("", _IGNORED.sub(" ", bare)).split()
        is_valid = (bool(words) and all(word in _TIME_WORDS for word in words)) or any(character.isdigit() for character in value)
    elif name in ("json", "jsonb"):
        return None if _is_json(value) else "invalid input syntax for type json"
    else:
        return refused_input(name, value)
    return None if is_valid else f'invalid input syntax for type {_NAMES_IN_ERRORS.get(name, name)}: "{value}"'


def _is_no_day(text: str) -> bool:
    """Whether a text in the form of ISO 8601 names a day that its month does not have."""
    match = _DAY.match(text)
    if match is None:
        return False
    from calendar import monthrange  # noqa: PLC0415  # imports `locale`; few histories write a day

    year, month, day = (int(number) for number in match.groups())
    return not (1 <= month <= 12 and 1 <= day <= monthrange(max(year, 1), month)[1])


def _too_large(data_type: TypeName, text: str) -> str | None:
    """Returns the error of a number that a type does not hold. A fraction is rounded first."""
    number = text.replace(" ", "")
    if data_type.name in _LARGEST and number.lstrip("+-").isdigit():
        is_out = int(number.lstrip("+-")) > _LARGEST[data_type.name] + number.startswith("-")
        return f"{data_type.name} out of range" if is_out else None
    if data_type.name != "numeric" or not data_type.modifiers or not all(modifier.strip().isdigit() for modifier in data_type.modifiers):
        return None
    precision, scale = int(data_type.modifiers[0]), int(data_type.modifiers[1]) if len(data_type.modifiers) > 1 else 0
    whole = number.lstrip("+-").partition(".")[0].lstrip("0")
    return "numeric field overflow" if len(whole) > max(precision - scale, 0) else None


def _is_json(value: str) -> bool:
    import json  # noqa: PLC0415  # few histories write a JSON value

    try:
        json.loads(value)
    except ValueError:
        return False
    return True


def _too_long(data_type: TypeName, value: str) -> str | None:
    """Returns the error of a string that does not fit in the length of a column; spaces at its end are cut."""
    length = data_type.modifiers[0] if data_type.name in ("character varying", "character") and data_type.modifiers else None
    if length is None or not str(length).isdigit() or len(value.rstrip(" ")) <= int(length):
        return None
    return f"value too long for type {data_type.name}({length})"
