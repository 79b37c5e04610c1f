"""How the values of a column are distributed over the rows: which value row `n` has, as SQL expressions in `n`.

Nothing is random: a value is chosen by a permutation of the rows, or by a hash of the number of the row that is the same on every server,
because hash partitions depend on it (PostgreSQL's hashfunc.c), so the same tables always get the same rows.
"""

from itertools import accumulate
from math import gcd

from msgspec import Struct

from migsafe.patterns import lazy_pattern

_NUMBER = lazy_pattern(r"'[^']*+(?:''[^']*+)*+'|\"(?:[^\"]|\"\")*\"|\bn\b")
_HASH_BITS = 20
_FINE_BITS = 31
_CLASSES = 20
"""Rows are permuted in so many classes, each as a whole or not at all; so the correlation of a key is a multiple of 1 / _CLASSES."""

_ODD = (1, 3, 7, 9, 11, 13, 17, 19)
"""Numbers without a common divisor with _CLASSES."""

_REPEATED = 10
"""So many rows for each value, on average, and nearly every value occurs although each row draws one."""

_NONE, _ALL = 0.02, 0.98
_GOLDEN = 0.6180339887
_EPSILON = 1e-6


class Distribution(Struct, frozen=True):
    """The values of a column: the share of NULLs, the number of different values (0: all are different), the shares of the most common ones
    among all rows, and the correlation with the order of the rows. `seed` distinguishes the columns of a table."""

    seed: int
    nulls: float = 0.0
    distinct: int = 0
    frequencies: tuple[float, ...] = ()
    correlation: float = 1.0

    def is_null(self) -> str:
        """Returns the condition for the rows that are NULL."""
        return f"{_hashed(self.seed)} < {round(self.nulls * 2**_HASH_BITS)}"

    def nullable(self, expression: str) -> str:
        """Returns an expression with the column's share of NULLs."""
        return f"CASE WHEN {self.is_null()} THEN NULL ELSE {expression} END" if self.nulls > 0 else expression

    def value(self, last: int) -> str:
        """Returns the number of row `n`'s value, from 1; `last` is the number of rows. Beyond it, different values remain different."""
        if not self.distinct:
            return self._position(last)
        wrapped = f"((n - 1) % {last} + 1)"
        if self.distinct * _REPEATED > last:
            # Drawn independently, many of so many values would not occur.
            return self._chosen(f"(({at(self._position(last), wrapped)} - 0.5::float8) / {last})")
        in_order = f"(({wrapped} - 0.5::float8) / {last})"
        drawn = f"({_hashed(self.seed + 1, _FINE_BITS)} / {2**_FINE_BITS}::float8)"
        ordered = abs(self.correlation)
        part = in_order if ordered > _ALL else drawn
        if _NONE < ordered <= _ALL:
            part = f"(CASE WHEN {_hashed(self.seed + 2)} < {round(ordered * 2**_HASH_BITS)} THEN {in_order} ELSE {drawn} END)"
        return self._chosen(part if self.correlation >= 0 else f"(1 - {part})")

    def _position(self, last: int) -> str:
        """Returns a permutation of the numbers of the rows with the correlation."""
        kept = round(abs(self.correlation) * _CLASSES)
        size = last // _CLASSES
        position = "n"
        if kept < _CLASSES and size > 1:
            whole, rest = f"((n - 1) / {_CLASSES})", f"((n - 1) % {_CLASSES})"
            permuted = f"({whole} * {_coprime(size, self.seed)} + {rest} * {1 + self.seed % size}) % {size} * {_CLASSES} + {rest} + 1"
            # The order of the classes depends on the column, so that two columns do not change together.
            stays = f"({rest} * {_ODD[self.seed % len(_ODD)]} + {self.seed % _CLASSES}) % {_CLASSES} < {kept}"
            position = f"(CASE WHEN n > {size * _CLASSES} OR {stays} THEN n ELSE {permuted} END)"
        return position if self.correlation >= 0 else f"(CASE WHEN n > {last} THEN n ELSE {last + 1} - {position} END)"

    def _chosen(self, part: str) -> str:
        """Returns the number of the value at a `part` of the rows, from 0 to 1, if equal values are next to each other."""
        known = max(1.0 - self.nulls, _EPSILON)
        shares = [min(frequency / known, 1.0) for frequency in self.frequencies[: self.distinct]]
        ends = [round(end, 6) for end in accumulate(shares) if end < 1.0 - _EPSILON]
        if not ends:
            return f"(1 + floor({part} * {self.distinct}))::int8" if not shares else "1::int8"
        others = self.distinct - len(ends)
        common = f"(1 + pg_catalog.width_bucket({part}, ARRAY[{', '.join(map(str, ends))}]::float8[]))"
        if others <= 1:
            return f"{common}::int8"
        rest = f"{1 + len(ends)} + floor(({part} - {ends[-1]}) / {round(1.0 - ends[-1], 6)} * {others})"
        return f"(CASE WHEN {part} < {ends[-1]} THEN {common} ELSE {rest} END)::int8"


def at(expression: str, number: str) -> str:
    """Returns an expression in `n` for the row with another number."""
    return _NUMBER.sub(lambda match: f"({number})" if match[0] == "n" else match[0], expression)


def depends_on_row(expression: str) -> bool:
    """Whether an expression may have another value in another row."""
    return any(match[0] == "n" for match in _NUMBER.finditer(expression))


def earlier_row(seed: int) -> str:
    """Returns the number of a row before row `n`; 1 for the first row."""
    return f"(1 + {_hashed(seed, _FINE_BITS)} % greatest(n - 1, 1))"


def _hashed(seed: int, bits: int = _HASH_BITS) -> str:
    return f"(pg_catalog.hashint8extended(n, {seed}) & {2**bits - 1})"


def _coprime(size: int, seed: int) -> int:
    """Returns a number without a common divisor with `size`, far from simple fractions of it, and another for each seed."""
    number = int(size * _GOLDEN) + seed % max(size // 7, 1)
    while gcd(number, size) != 1:
        number += 1
    return max(number, 1)
