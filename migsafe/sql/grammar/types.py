"""Data types (Typename in PostgreSQL's grammar)."""

from migsafe.sql import features
from migsafe.sql.grammar.cursor import Cursor
from migsafe.sql.operations.values import Name, TypeName

# The names of types in the catalog, which a query may quote or qualify, and SQL's names of them. The type "char" is not SQL's CHAR.
_ALIASES = {
    "int4": "integer",
    "int2": "smallint",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "varchar": "character varying",
    "varbit": "bit varying",
    "timestamptz": "timestamp with time zone",
    "timetz": "time with time zone",
    "timestamp": "timestamp without time zone",
    "time": "time without time zone",
    "serial4": "serial",
    "serial2": "smallserial",
    "serial8": "bigserial",
}
_INTERVAL_FIELDS = ("year", "month", "day", "hour", "minute", "second")


class Types(Cursor):
    """A cursor that reads data types."""

    __slots__ = ()

    def type_name(self) -> TypeName:
        """Read a data type with its array brackets, SETOF and %TYPE."""
        setof = self.accept("setof")
        element_type = self.simple_type()
        dimensions = 0
        if self.accept("array"):
            dimensions = 1
            if self.accept("["):
                self.number()
                self.expect("]")
        else:
            while self.words[self.i] == "[":
                self.i += 1
                if self.words[self.i] != "]":
                    self.number()
                self.expect("]")
                dimensions += 1
        percent = self.at("%", "type")
        if percent:
            self.i += 2
        if setof or dimensions or percent:
            return TypeName(
                name=element_type.name,
                schema=element_type.schema,
                modifiers=element_type.modifiers,
                dimensions=dimensions,
                setof=setof,
                fields=element_type.fields,
                percent_type=percent,
            )
        return element_type

    def simple_type(self) -> TypeName:
        """Read a data type without brackets."""
        word = self.words[self.i]
        parse = _SPECIAL.get(word)
        if parse is not None and self.words[self.i + 1] != ".":
            self.i += 1
            return parse(self, word)
        first = self.type_or_function("a data type")
        name = self.rest_of_name(first) if self.words[self.i] == "." else None
        modifiers = self._modifiers()
        if name is None or name.schema == "pg_catalog":
            plain = first if name is None else name.name
            return TypeName(name=_ALIASES.get(plain, plain), schema=None, modifiers=modifiers)
        if name.schema is None:
            return TypeName(name=name.name, schema=None, modifiers=modifiers)
        return TypeName(name=name.name, schema=name.schema, modifiers=modifiers)

    def type_or_none(self) -> TypeName | None:
        """Read a data type, or NONE."""
        return None if self.accept("none") else self.type_name()

    def qualified_type(self) -> Name:
        """Read the name of a type that the statement creates or alters (any_name)."""
        return self.qualified("a type's name")

    def _modifiers(self) -> tuple[str, ...]:
        if self.words[self.i] != "(":
            return ()
        self.i += 1
        modifiers = [self._modifier()]
        while self.accept(","):
            modifiers.append(self._modifier())
        self.expect(")")
        return tuple(modifiers)

    def _modifier(self) -> str:
        start = self.i
        if self.words[self.i] in ("+", "-"):
            self.i += 1
        if self.words[self.i] in (")", ",", ""):
            self.fail("a type modifier")
        self.i += 1
        while self.words[self.i] not in (")", ",", ""):
            if self.words[self.i] == "(":
                self.skip_group()
            else:
                self.i += 1
        return self.text(start)

    def _plain(self, word: str) -> TypeName:
        return TypeName(name="integer" if word == "int" else word)

    def _numeric(self, word: str) -> TypeName:
        modifiers = self._modifiers()
        if len(modifiers) == 2 and _out_of_range(*modifiers):
            self.uses(features.NEGATIVE_SCALE)
        return TypeName(name="numeric", schema=None, modifiers=modifiers)

    def _float(self, word: str) -> TypeName:
        modifiers = self._modifiers()
        single = bool(modifiers) and modifiers[0].isdigit() and int(modifiers[0]) <= 24  # manual, 8.1.3
        return TypeName(name="real" if single else "double precision")

    def _double(self, word: str) -> TypeName:
        if self.accept("precision"):
            return TypeName(name="double precision")
        return self._generic(word)

    def _bit(self, word: str) -> TypeName:
        name = "bit varying" if self.accept("varying") else "bit"
        return TypeName(name=name, schema=None, modifiers=self._modifiers())

    def _character(self, word: str) -> TypeName:
        if word == "national":
            word = self.expect_any("character", "char")
        varying = word == "varchar" or self.accept("varying")
        return TypeName(name="character varying" if varying else "character", schema=None, modifiers=self._modifiers())

    def _time(self, word: str) -> TypeName:
        modifiers = self._modifiers()
        zone = "without"
        if self.at("with", "time", "zone") or self.at("without", "time", "zone"):
            zone = self.words[self.i]
            self.i += 3
        return TypeName(name=f"{word} {zone} time zone", schema=None, modifiers=modifiers)

    def _interval(self, word: str) -> TypeName:
        modifiers = self._modifiers()
        if modifiers:
            return TypeName(name="interval", schema=None, modifiers=modifiers)
        fields, modifiers = self.interval_fields()
        return TypeName(name="interval", schema=None, modifiers=modifiers, fields=fields)

    def interval_fields(self) -> tuple[str, tuple[str, ...]]:
        """Read the fields to which an interval is limited, such as `day to second`, and the precision of its seconds."""
        first = self.accept_any(_INTERVAL_FIELDS)
        if first is None:
            return "", ()
        last = self.expect_any(*_INTERVAL_FIELDS) if self.accept("to") else first
        modifiers = self._modifiers() if last == "second" else ()
        return (first if last == first else f"{first} to {last}"), modifiers

    def _generic(self, word: str) -> TypeName:
        return TypeName(name=word, schema=None, modifiers=self._modifiers())


def _out_of_range(precision: str, scale: str) -> bool:
    """Whether a scale of numeric is negative or above the precision."""
    return precision.isdecimal() and scale.lstrip("-").isdecimal() and not 0 <= int(scale) <= int(precision)


_SPECIAL = {
    **dict.fromkeys(("int", "integer", "smallint", "bigint", "real", "boolean", "json"), Types._plain),
    **dict.fromkeys(("numeric", "decimal", "dec"), Types._numeric),
    **dict.fromkeys(("character", "char", "varchar", "nchar", "national"), Types._character),
    **dict.fromkeys(("timestamp", "time"), Types._time),
    "float": Types._float,
    "double": Types._double,
    "bit": Types._bit,
    "interval": Types._interval,
}
