"""PostgreSQL's types for the column types of well-known packages, which need not be installed."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import BigInteger, DateTime, LargeBinary, String, Text, Unicode, UnicodeText
from sqlalchemy.dialects.postgresql import DATERANGE, INET, INT4RANGE, INT8RANGE, JSON, NUMRANGE, TSRANGE, TSVECTOR, UUID
from sqlalchemy.types import TypeEngine

from migsafe.rendering.worker.plugins.spatial import geometry_type
from migsafe.rendering.worker.types import NamedType
from migsafe.rendering.worker.unknown import Unknown, name_of, unknown_like

Make = Callable[..., TypeEngine[Any]]


def _with_length(name: str) -> Make:
    def make(dim: int | None = None, **_: Any) -> TypeEngine[Any]:
        return NamedType(f"{name}({dim})" if dim is not None else name)

    return make


def _always(type_: TypeEngine[Any]) -> Make:
    return lambda *_, **__: type_


def _choice(*_: Any, impl: Any = None, **__: Any) -> TypeEngine[Any]:
    return impl if isinstance(impl, TypeEngine) else impl() if isinstance(impl, type) else Unicode(255)


_KNOWN: Mapping[str, Mapping[str, Make]] = {
    "sqlalchemy_utils": {
        "TSVectorType": _always(TSVECTOR()),
        "UUIDType": _always(UUID()),
        "JSONType": _always(JSON()),
        "EmailType": lambda length=255, *_, **__: String(length),
        "URLType": _always(Text()),
        "IPAddressType": lambda max_length=50, *_, **__: Unicode(max_length),
        "INETType": _always(INET()),
        "ArrowType": lambda *_, **__: DateTime(),
        "EnrichedDateTimeType": lambda *_, **__: DateTime(),
        "StringEncryptedType": lambda *_, **__: String(),
        "EncryptedType": lambda *_, **__: LargeBinary(),
        "LtreeType": _always(NamedType("LTREE")),
        "ChoiceType": _choice,
        "PhoneNumberType": lambda region=None, max_length=20, *_, **__: Unicode(max_length),
        "TimezoneType": _always(String(50)),
        "ColorType": lambda max_length=20, *_, **__: Unicode(max_length),
        "CountryType": _always(String(2)),
        "CurrencyType": _always(String(3)),
        "LocaleType": _always(Unicode(10)),
        "DateRangeType": _always(DATERANGE()),
        "DateTimeRangeType": _always(TSRANGE()),
        "IntRangeType": _always(INT4RANGE()),
        "Int8RangeType": _always(INT8RANGE()),
        "NumericRangeType": _always(NUMRANGE()),
        "ScalarListType": _always(UnicodeText()),
        "WeekDaysType": _always(NamedType("BIT(7)")),
    },
    "fastapi_users_db_sqlalchemy": {"GUID": _always(UUID()), "TIMESTAMPAware": lambda timezone=True, *_, **__: DateTime(timezone=timezone)},
    "pgvector": {"Vector": _with_length("VECTOR"), "VECTOR": _with_length("VECTOR"), "HALFVEC": _with_length("HALFVEC")},
    "geoalchemy2": {"Geometry": geometry_type("geometry"), "Geography": geometry_type("geography"), "Raster": _always(NamedType("raster"))},
    "sqlmodel": {
        "AutoString": lambda length=None, *_, **__: String(length),
        "Uuid": _always(UUID()),  # sqlmodel.sql.sqltypes.types is sqlalchemy.types
        "GUID": _always(UUID()),
    },
    "citext": {"CIText": _always(NamedType("CITEXT"))},
    "advanced_alchemy": {"GUID": _always(UUID()), "DateTimeUTC": _always(DateTime(timezone=True)), "BigIntIdentity": _always(BigInteger())},
    "sqlalchemy_json": {"MutableJson": _always(JSON()), "NestedMutableJson": _always(JSON())},
}


_CONVERSIONS = ("process_bind_param", "process_result_value", "process_literal_param")
"""Methods by which a type converts single values; scripts call those of encrypted types."""


def known_type(value: Unknown, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> TypeEngine[Any] | None:
    """Returns the type that a call of a class that is not installed would return; None if it is unknown."""
    name = name_of(value)
    package, _, rest = name.partition(".")
    make = _KNOWN.get(package, {}).get(rest.rpartition(".")[2])
    if make is None:
        return None
    try:
        type_ = make(*arguments, **named)
    except TypeError:
        return None
    if "Encrypted" in rest:
        for method in _CONVERSIONS:
            setattr(type_, method, _converting(unknown_like(value, f"{name}.{method}()")))
    return type_


def _converting(result: Unknown) -> Callable[..., Unknown]:
    return lambda *_, **__: result
