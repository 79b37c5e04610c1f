"""The operations of a script that unknown values take part in (see `transformation`).

A library's function that receives an unknown value cannot return what it returns in production: it raises an exception, or its result is made
up. The result is then another unknown value, and the script continues.
"""

from collections.abc import Callable, Sequence
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType, TracebackType
from typing import Any, Protocol

from migsafe.rendering.worker.frames import caller, transparent
from migsafe.rendering.worker.inert import unknown_of
from migsafe.rendering.worker.matching import matched
from migsafe.rendering.worker.transformation import CALL, CAUGHT, CONTAINS, FAILED, FORMAT, IS, ITEM, MATCHED, without_number_formats
from migsafe.rendering.worker.unknown import MARK, Unknown, UnknownOwner, contains, name_of, reason_of, run_of, truth_of, unknown_like

_DEEPEST = 3
_WIDEST = 50
_FUNCTIONS = (BuiltinFunctionType, FunctionType, MethodType)
_CONVERSIONS = frozenset(
    (int, float, complex, bytes, bytearray, dict, range, len, abs, round, ord, chr, sum, min, max, divmod, pow, hash, hex, bin, oct)
)
_QUESTIONS = frozenset((isinstance, issubclass, hasattr, callable))
_COMPUTING_MODULES = frozenset(
    (
        *(
            "re",
            "json",
            "uuid",
            "datetime",
            "_datetime",
            "decimal",
            "_decimal",
            "fractions",
            "math",
            "statistics",
            "time",
            "calendar",
            "locale",
        ),
        *("hashlib", "_hashlib", "hmac", "_blake2", "_sha2", "_sha1", "_md5", "base64", "binascii", "zlib", "gzip", "struct", "pickle"),
        *("urllib.parse", "html", "html.parser", "unicodedata", "textwrap", "string", "ast", "ipaddress", "fnmatch", "colorsys", "email.utils"),
    )
)
"""Modules whose functions compute their result from their arguments alone."""
_SESSION = "sqlalchemy.orm.session"
_SINGLE_ROWS = frozenset(("query", "get", "get_one", "refresh", "add", "add_all", "merge", "delete", "bulk_save_objects", "expire"))
"""Methods of a session that read, or that write the rows of single objects."""
_SENDING_MODULES = ("alembic.", "sqlalchemy.engine.", "sqlalchemy.orm.", "migsafe.rendering.worker.database.")


class Owner(UnknownOwner, Protocol):
    """The run that the operations belong to."""

    reasons: dict[str, str]
    """Why each mark in SQL is unknown."""

    def is_project_file(self, name: str | None) -> bool:
        """Whether a file is the script or code of its project."""

    def send_opaque(self, reason: str, text_range: tuple[int, int] | None = None) -> None:
        """Records a call whose SQL is unknown."""


class TolerantOperations:
    """The operations of the scripts of one run."""

    def __init__(self, run: Owner) -> None:
        self._run = run

    def names(self) -> dict[str, Callable[..., Any]]:
        """Returns the functions by the names that a transformed script calls."""
        functions: dict[str, Callable[..., Any]] = {CONTAINS: contains, IS: is_constant, CAUGHT: caught, MATCHED: matched}
        return functions | {FAILED: self.failed, CALL: self.call, ITEM: self.item, FORMAT: self.format}

    @transparent
    def call(self, function: Any, /, *arguments: Any, **named: Any) -> Any:
        """Returns the result of a call; an unknown value if it depends on one."""
        computed = self._computed(function, arguments) if arguments else None
        if computed is not None:
            return computed
        try:
            return function(*arguments, **named)
        except Exception as error:
            unknown = self._first_unknown((arguments, named, getattr(function, "__self__", None)))
            if unknown is None or self._is_in_project(error.__traceback__):
                raise
            if _sends(function):
                self._run.send_opaque(f"it depends on {name_of(unknown)}, {reason_of(unknown)}")
            return unknown_like(unknown, f"{_name(function)}({name_of(unknown)})")

    def _computed(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        """Returns the result of a function that only computes something, if it is unknown; otherwise None."""
        kind, first = type(function), arguments[0]
        if kind is not type and not issubclass(kind, _FUNCTIONS):
            return None
        receiver = getattr(function, "__self__", None)
        unknown: Unknown | None = None
        if function in _QUESTIONS or function is str:
            unknown = first if isinstance(first, Unknown) else None
        elif type(receiver) is dict:
            if isinstance(first, Unknown) and function.__name__ in ("get", "pop") and receiver and first not in receiver:
                unknown = first  # it may be one of the keys
        elif function in _CONVERSIONS or _home(function, receiver) in _COMPUTING_MODULES:
            unknown = self._first_unknown(arguments)
        if unknown is None or function is str:
            return unknown
        return unknown_like(unknown, f"{_name(function)}({name_of(unknown)})")

    @transparent
    def item(self, container: Any, key: Any) -> Any:
        """Returns an item; an unknown value if the key, or what the container contains, is unknown."""
        if isinstance(key, Unknown) and isinstance(container, list | tuple | str) and not isinstance(container, Unknown):
            return unknown_like(key, f"[{name_of(key)}]")
        try:
            return container[key]
        except (LookupError, TypeError):
            if isinstance(container, list) and isinstance(key, int) and len(container) == 1 and self._is_unknown_row(container[0]):
                return container[0]  # one row of unknown values stands for all rows of a query
            keys = list(container)[:_WIDEST] if isinstance(container, dict) else ()
            unknown = self._first_unknown((key, keys))
            if unknown is None:
                raise
            return unknown_like(unknown, f"[{name_of(unknown)}]")

    @transparent
    def failed(self, source: str, reason: str, start: int, end: int) -> Unknown:
        """Records that a statement fails here, and returns its unknown result."""
        if self._run.active:
            self._run.send_opaque(f"it {reason}", (start, end))
        return Unknown(self._run, source, f"which {reason}")

    @transparent
    def format(self, left: Any, right: Any) -> Any:
        """Returns `left % right`; in a text, unknown values are written as their marks."""
        try:
            return left % right
        except (TypeError, ValueError):
            if not isinstance(left, str) or self._first_unknown((right,)) is None:
                raise
            return without_number_formats(left) % right

    def _is_in_project(self, traceback: TracebackType | None) -> bool:
        """Whether an exception comes from code of the project, whose own operations are tolerant."""
        while traceback is not None:
            if self._run.is_project_file(traceback.tb_frame.f_code.co_filename):
                return True
            traceback = traceback.tb_next
        return False

    def _is_unknown_row(self, value: Any) -> bool:
        """Whether a value is a row, as of a driver or of SQLAlchemy, that contains unknown values."""
        return self._first_unknown((value, tuple(value) if isinstance(value, Sequence) else ())) is not None

    def _first_unknown(self, values: Any, depth: int = 0) -> Unknown | None:
        """Returns an unknown value among values and their items, or one that a text contains."""
        for value in values:
            unknown = self._unknown_in(value, depth)
            if unknown is not None:
                return unknown
        return None

    def _unknown_in(self, value: Any, depth: int) -> Unknown | None:
        if isinstance(value, Unknown):
            return value
        inert = unknown_of(value)
        if inert is not None:
            return inert
        if type(value) in (str, bytes):
            mark = MARK.search(value if type(value) is str else value.decode("utf-8", "ignore"))
            reason = self._run.reasons.get(mark[0]) if mark is not None else None
            return Unknown(self._run, mark[0], reason) if mark is not None and reason is not None else None
        if depth >= _DEEPEST:
            return None
        if type(value) in (list, tuple, set, frozenset):
            return self._first_unknown(list(value)[:_WIDEST], depth + 1)
        if type(value) is dict:
            return self._first_unknown([part for pair in list(value.items())[:_WIDEST] for part in pair], depth + 1)
        return None


@transparent
def caught(classes: Any) -> Any:
    """Returns the classes of exceptions that a script catches, without the unknown ones: nothing here raises those."""
    known = classes if isinstance(classes, tuple) else (classes,)
    return tuple(each for each in known if isinstance(each, type) and issubclass(each, BaseException))


@transparent
def is_constant(value: Any, constant: bool | None) -> bool:
    """Returns `value is constant`; if that is unknown, the run decides."""
    if value is constant:
        return True
    return (
        isinstance(value, Unknown)
        and (constant is not None or truth_of(value) is None)
        and run_of(value).decide(caller(), name_of(value), reason_of(value))
    )


def _home(function: Any, receiver: Any) -> str:
    """Returns the name of the module of a function, or of the class of a method."""
    owner = function if receiver is None or isinstance(receiver, ModuleType) else receiver if isinstance(receiver, type) else type(receiver)
    return str(getattr(owner, "__module__", ""))


def _sends(function: Any) -> bool:
    """Whether a function may send SQL that another session could wait for. Reading, and writing objects one by one, is not that."""
    if _home(function, getattr(function, "__self__", None)) == _SESSION and _name(function) in _SINGLE_ROWS:
        return False
    return f"{_home(function, getattr(function, '__self__', None))}.".startswith(_SENDING_MODULES)


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", None) or type(function).__name__)
