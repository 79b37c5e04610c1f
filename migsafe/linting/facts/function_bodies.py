"""The bodies of routines and DO blocks that PostgreSQL refuses."""

import re

from msgspec.structs import replace

from migsafe.linting.rule import Context
from migsafe.patterns import lazy_pattern
from migsafe.sql.body_errors import BodyError, Routine
from migsafe.sql.body_syntax import body_error, body_features
from migsafe.sql.operations import CreateFunction, Do, FeatureUse
from migsafe.text import MARK_START, Span

_DOLLAR_STRING = lazy_pattern(r"(?:as\b\s*)?(?P<tag>\$[^$\s]*\$)(?P<code>.*)(?P=tag)$", re.IGNORECASE | re.DOTALL)
_STRING = lazy_pattern(r"(?:as\b\s*)?'(?P<code>[^'\\]*+(?:''[^'\\]*+)*+)'$", re.IGNORECASE | re.DOTALL)
_OFF = frozenset(("off", "false", "no", "0"))


def invalid_body(op: CreateFunction | Do, at: Context) -> tuple[Span, BodyError] | None:
    """Returns the first error of a body with its place in the script; None if the body is valid, unknown, or not checked."""
    if not op.certain or op.caught:
        return None
    start, code = _body(op, at)
    if code is not None and MARK_START in code:
        return None  # a part of it is not known
    error = body_error(code, op.language or "sql", routine_of(op)) if code is not None else None
    if error is None or (_is_unchecked(at) and not (error.is_structure and isinstance(op, Do))):
        return None
    return (Span(error.span.start + start, error.span.end + start) if start is not None else op.span), error


def features_of_body(op: CreateFunction, at: Context) -> tuple[FeatureUse, ...]:
    """Returns the uses of newer syntax in a body that PostgreSQL reads when it creates the routine, with places in the script."""
    start, code = _body(op, at)
    if code is None or _is_unchecked(at):
        return ()
    uses = body_features(code, op.language or "sql", routine_of(op))
    return tuple(replace(use, span=Span(use.span.start + start, use.span.end + start) if start is not None else op.span) for use in uses)


def routine_of(op: CreateFunction | Do) -> Routine:
    """Returns what decides about a body beside its text."""
    if isinstance(op, Do):
        return Routine(kind="block")
    outputs = [argument for argument in op.arguments if argument.mode in ("out", "inout", "table")]
    return Routine(
        kind=op.kind,
        name=op.function.name,
        returns=op.returns.name if op.returns is not None else "",
        returns_set=(op.returns is not None and op.returns.setof) or any(argument.mode == "table" for argument in outputs),
        has_outputs=bool(outputs),
        parameters=tuple(argument.name for argument in op.arguments if argument.name is not None),
    )


def _is_unchecked(at: Context) -> bool:
    return (at.session.settings.value("check_function_bodies") or "").strip("'").lower() in _OFF


def _body(op: CreateFunction | Do, at: Context) -> tuple[int | None, str | None]:
    """Returns the offset of a body in the script, None if it has escapes, and its text."""
    code = op.code if isinstance(op, CreateFunction) else None
    if op.body is None or (isinstance(op, CreateFunction) and code is None):
        return None, None
    text = at.text(*op.body)
    dollar = _DOLLAR_STRING.match(text)
    if dollar is not None:
        return op.body.start + dollar.start("code"), dollar["code"]
    plain = _STRING.match(text)
    if plain is None:
        # An SQL-standard body is part of the statement, and read with it.
        return None, code if text[:2].lower() == "as" else None
    return (op.body.start + plain.start("code") if "''" not in plain["code"] else None), plain["code"].replace("''", "'")
