"""The shapes of queries and of the expressions of indexes, each read once, also by later runs."""

from functools import cache
from typing import Any

import msgspec

from migsafe import expressions
from migsafe.expressions.queries.plain.statements import plain_shape
from migsafe.expressions.queries.shapes import Condition, Operand, Shape, UnreadShape
from migsafe.sql.operations import Expression
from migsafe.text import Span

_FORMAT = 8
_MOST = 20_000
"""How many shapes are stored; with more, only those that the run used."""


class _Stored(msgspec.Struct):
    """Shapes as they are stored. `made_by` says which versions have made them."""

    made_by: str
    queries: dict[str, msgspec.Raw]
    conditions: dict[str, msgspec.Raw]
    operands: dict[str, msgspec.Raw]


class Shapes:
    """The shapes of texts. `stored` are those that `packed` of an earlier run returned; they are ignored if another version made them. Without
    `spells`, the formulas of queries have no text: that is for indexes only."""

    def __init__(self, stored: bytes | None = None, *, spells: bool = True) -> None:
        self._stored = _unpacked(stored)
        self._spells = spells
        self._queries: dict[str, Shape | UnreadShape] = {}
        self._conditions: dict[str, Condition | None] = {}
        self._operands: dict[str, Operand | None] = {}
        self._is_new = False

    def query(self, text: str) -> Shape | UnreadShape:
        """Returns the shape of a query."""
        if text not in self._queries:
            self._queries[text] = self._read(text, self._stored.queries, _QUERY, self._shape)
        return self._queries[text]

    def _shape(self, text: str) -> Shape | UnreadShape:
        plain = plain_shape(text) if not self._spells else None
        return plain if plain is not None else expressions.query_shape(text, spells=self._spells)

    def condition(self, sql: str) -> Condition | None:
        """Returns the predicate of an index; None if sqlglot cannot read it."""
        if sql not in self._conditions:
            self._conditions[sql] = self._read(sql, self._stored.conditions, _CONDITION, _read_condition)
        return self._conditions[sql]

    def operand(self, sql: str) -> Operand | None:
        """Returns the expression of an index's key; None if sqlglot cannot read it."""
        if sql not in self._operands:
            self._operands[sql] = self._read(sql, self._stored.operands, _OPERAND, _read_operand)
        return self._operands[sql]

    def _read(self, text: str, stored: "dict[str, msgspec.Raw]", decoder: "msgspec.msgpack.Decoder[Any]", read: Any) -> Any:
        if text in stored:
            try:
                return decoder.decode(stored[text])
            except msgspec.MsgspecError:
                pass  # a damaged entry costs time only
        self._is_new = True
        return read(text)

    def packed(self) -> bytes | None:
        """Returns all shapes for later runs; None if there are no new ones."""
        if not self._is_new:
            return None
        pairs = ((self._stored.queries, self._queries), (self._stored.conditions, self._conditions), (self._stored.operands, self._operands))
        is_full = len(self._stored.queries) + len(self._queries) > _MOST
        parts = [
            {**({} if is_full else stored), **{text: msgspec.Raw(msgspec.msgpack.encode(shape)) for text, shape in used.items()}}
            for stored, used in pairs
        ]
        return msgspec.msgpack.encode(_Stored(_versions(), *parts))


_QUERY = msgspec.msgpack.Decoder(Shape | UnreadShape)
_CONDITION = msgspec.msgpack.Decoder(Condition | None)
_OPERAND = msgspec.msgpack.Decoder(Operand | None)


def _unpacked(stored: bytes | None) -> _Stored:
    if stored is not None:
        try:
            unpacked = msgspec.msgpack.decode(stored, type=_Stored)
        except msgspec.MsgspecError:
            pass
        else:
            if unpacked.made_by == _versions():
                return unpacked
    return _Stored("", {}, {}, {})


@cache
def _versions() -> str:
    """Returns the versions of what reads a query."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  # takes a tenth of the time of all imports; only for storing

    versions = [str(_FORMAT)]
    for package in ("migsafe", "sqlglot"):
        try:
            versions.append(version(package))
        except PackageNotFoundError:
            versions.append("unknown")
    return " ".join(versions)


def _read_condition(sql: str) -> Condition | None:
    return expressions.condition_shape(Expression(sql=sql, span=Span(0, 0)))


def _read_operand(sql: str) -> Operand | None:
    return expressions.operand_shape(Expression(sql=sql, span=Span(0, 0)))


@cache
def shared_shapes(*, spells: bool = True) -> Shapes:
    """Returns the shapes of this process, for single questions."""
    return Shapes(spells=spells)
