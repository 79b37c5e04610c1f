"""Operands of queries and expressions whose types PostgreSQL does not accept: conditions that are not boolean, constants, operators.

The names next to operators and constants say whether an expression needs a closer look; most do not, and get no tree.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from migsafe import expressions
from migsafe.patterns import lazy_pattern
from migsafe.prediction.refusals.definitions import type_text
from migsafe.schema.casts import CATEGORIES, cast
from migsafe.schema.catalog import Catalog
from migsafe.schema.constants import refused_constant
from migsafe.schema.objects import EnumType
from migsafe.schema.query_tables import table_columns
from migsafe.schema.refusal import Refusal
from migsafe.sql.operations import Query, TypeName
from migsafe.text import MARK_START

if TYPE_CHECKING:
    from migsafe.expressions import RefusedOperand

_NAME = r'(?:"?\w++"?\.)?"?(\w++)"?'
_PLAIN_NAME = r'(?:"?\w++"?\.)?"?\w++"?'
_STRING = r"'[^']*+(?:''[^']*+)*+'"
_SUSPICIOUS = lazy_pattern(
    r"(?:(?<!\w)|(?=[(,]))(?:"  # nothing begins within a word
    rf"(?:^|\b(?:where|and|or|not|when|on|having)\b)[\s(]*{_NAME}[\s)]*(?=$|;|\b(?:and|or|then|group|order|limit|returning)\b)"
    rf"|(?:^|[(,]|\b(?:where|and|or|not|on|when|having|set|case|coalesce)\b)\s*{_NAME}\s*(?:=|<>|!=|<=|>=|<|>|,|\b(?:not\s+)?in\s*\()\s*({_STRING})"
    rf"|{_NAME}\s*(?:\s(?:not\s+)?i?like\b|!?~)"
    rf"|{_NAME}\s*(?:\|\||[-+*/])\s*{_NAME}"
    rf"|\bany\s*\(\s*{_NAME}\s*\)"
    r"|\bcoalesce\s*\(([^()]*)\)"
    rf"|\b(?:then|else)\s+{_NAME}\s+(?=(?:when|else|end)\b)"
    rf"|{_NAME}\s*=\s*(?:\(?\s*(?:case|select)\b|\w+\s*\(|{_PLAIN_NAME}\s*(?:->>|\|\|))"
    r"|\b(over)\s*\("
    r")",
    re.IGNORECASE,
)
"""A bare name as a condition; a name and a constant; LIKE; an operator between names; ANY of a name; the arguments of COALESCE; a result of
CASE; a column that is set to one; a window function."""
_NOT_TEXT = frozenset(
    (
        *("smallint", "integer", "bigint", "numeric", "real", "double precision", "boolean", "uuid", "json", "jsonb", "date"),
        *("timestamp without time zone", "timestamp with time zone"),
    )
)
_OPERANDS = _NOT_TEXT | {"text", "character varying"}
Columns = Callable[[], Iterable[tuple[str, TypeName | None]]]
"""Returns the names and types of the columns that an expression may use."""


def refuse_operands(catalog: Catalog, query: Query, written: str, columns: Columns, *, place: str = "", stores: bool = False) -> Refusal | None:
    """Returns why PostgreSQL refuses a query because of the types of operands. `written` is the part of it that is looked at: if that is a
    condition, it has a `place` in PostgreSQL's messages; `stores`: it is an INSERT with a query, and may store constants or the results of
    CASE. It is resolved only if names in it stand where their types may not fit."""
    if not (catalog.complete or catalog.from_beginning) or MARK_START in written:
        return None
    is_stored = stores and ("'" in written or "case" in written.lower())
    if not is_stored and not _is_suspicious(catalog, written, columns, is_condition=bool(place)):
        return None
    for found in expressions.refused_operands(query, lambda name: table_columns(catalog, name)):
        refusal = _refuse(catalog, found, place) if found.kind != "operator" or not catalog.has_other_functions else None
        if refusal is not None:
            return refusal
    return None


def _refuse(catalog: Catalog, found: "RefusedOperand", place: str) -> Refusal | None:
    left = type_text(catalog, found.left)
    match found.kind:
        case "boolean":
            name = place if place and found.name == "WHERE" else found.name
            return Refusal(error=f"argument of {name} must be type boolean, not type {left}", help="-- compare it: = …, IS NOT NULL, …")
        case "constant":
            error = refused_constant(catalog, found.name, found.left, _quoted(found.name), stored=False)
            return Refusal(error=error, help=f"-- write a constant of the type {left}, or cast the column: ::text") if error else None
        case "match":
            right = type_text(catalog, found.right)
            return Refusal(error=f"{found.name} types {left} and {right} cannot be matched", help="-- cast one of the two")
        case "array":
            return Refusal(error="op ANY/ALL (array) requires array on right side", help="-- write IN (…), or give ANY an array")
        case "window":
            help = "-- compute the window function in a query in FROM, and compare its column outside"
            return Refusal(error="window functions are not allowed in WHERE", help=help)
        case "assignment" if _is_never_assigned(catalog, found.left, found.right):
            target = type_text(catalog, found.right)
            error = f'column "{found.name}" is of type {target} but expression is of type {left}'
            return Refusal(error=error, help=f"-- cast the value: (…)::{target}")
        case "operator":
            right = type_text(catalog, found.right)
            return Refusal(error=f"operator does not exist: {left} {found.name} {right}", help="-- cast one of the two sides")
    return None


def _quoted(text: str) -> str:
    return "'{}'".format(text.replace("'", "''"))


def _is_never_assigned(catalog: Catalog, source: TypeName, target: TypeName) -> bool:
    """Whether a column of a type certainly takes no value of another one."""
    if source.dimensions or target.dimensions or source.schema is not None or source.name not in CATEGORIES:
        return False
    user = catalog.type_of(target)
    if user is not None or target.schema is not None:
        return isinstance(user, EnumType)
    return target.name in _NOT_TEXT and cast(source.name, target.name, explicit=False, pg_version=catalog.pg_version) is None


def _is_suspicious(catalog: Catalog, text: str, columns: Columns, *, is_condition: bool) -> bool:
    """Whether names in a text stand where their types may not fit."""
    types: dict[str, TypeName] | None = None
    results: set[str] = set()
    for match in _SUSPICIOUS.finditer(text):
        bare, compared, string, matched, _, _, array, arguments, result, assigned, window = match.groups()
        if window is not None:
            if "where" in text[: match.start()].lower():
                return True
            continue
        if bare is not None and match.start() == 0 and not is_condition:
            continue
        if types is None:
            types = {name: data_type for name, data_type in columns() if data_type is not None}
        if compared is not None:
            is_misplaced = _is_refused(catalog, _type(types, compared), string)
        elif arguments is not None:
            is_misplaced = _is_mixed(catalog, types, arguments)
        elif result is not None:
            results.update(_category(types, result))
            is_misplaced = len(results) > 1
        else:
            is_misplaced = any(_is_misplaced(_type(types, name), bare, matched, assigned, array) for name in match.groups() if name is not None)
        if is_misplaced:
            return True
    return False


def _type(types: Mapping[str, TypeName], name: str) -> TypeName | None:
    return types.get(name) or types.get(name.lower())


def _is_refused(catalog: Catalog, data_type: TypeName | None, string: str) -> bool:
    return data_type is not None and refused_constant(catalog, "", data_type, string, stored=False) is not None


def _is_mixed(catalog: Catalog, types: Mapping[str, TypeName], arguments: str) -> bool:
    """Whether arguments have types of several categories, or a constant is not a value of the type of another one."""
    items = [item.strip() for item in arguments.split(",")]
    known = [data_type for item in items if (data_type := _type(types, item.rpartition(".")[2].strip('"'))) is not None]
    categories = {category for item in items for category in _category(types, item.rpartition(".")[2].strip('"'))}
    return len(categories) > 1 or any(_is_refused(catalog, each, item) for each in known[:1] for item in items if item.startswith("'"))


def _category(types: Mapping[str, TypeName], name: str) -> Iterator[str]:
    """Yields the category of the type of a column or a number, if it is known."""
    data_type = _type(types, name)
    category = "number" if name.isdigit() else CATEGORIES.get(data_type.name) if data_type is not None else None
    if category is not None:
        yield category


def _is_misplaced(data_type: TypeName | None, bare: str | None, matched: str | None, assigned: str | None, array: str | None) -> bool:
    """Whether a column of a type does not belong where it stands: as a condition, before LIKE, in ANY, next to an operator, or set to the
    result of CASE."""
    if data_type is None:
        return False
    if bare is not None:
        return data_type.name != "boolean"
    if matched is not None:
        return data_type.name in _NOT_TEXT
    if assigned is not None:
        return data_type.name in _NOT_TEXT or data_type.schema is not None
    return data_type.dimensions == 0 if array is not None else data_type.name in _OPERANDS
