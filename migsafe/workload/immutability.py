"""Whether PostgreSQL builds an index on an expression: only if the expression is immutable (manual, CREATE INDEX)."""

from msgspec.structs import replace

from migsafe import expressions
from migsafe.patterns import lazy_pattern
from migsafe.schema.objects import Relation
from migsafe.schema.volatility import is_never_immutable
from migsafe.sql.operations import Expression, Name
from migsafe.text import Span
from migsafe.workload.lookups import Lookups
from migsafe.workload.needs import CandidateIndex

_CALL = lazy_pattern(r"\b(\w+)\(")


def with_mutable_key(catalog: Lookups, table: Relation, candidate: CandidateIndex) -> CandidateIndex:
    """Returns a candidate index that says why it cannot be built, if a key of it is certainly not immutable."""
    reasons = (_mutable_part(catalog, table, key) for key in candidate.keys if key.startswith("("))
    reason = next((reason for reason in reasons if reason is not None), None)
    return replace(candidate, mutable=reason) if reason is not None else candidate


def _mutable_part(catalog: Lookups, table: Relation, key: str) -> str | None:
    """Returns why an expression is certainly not immutable, as a clause."""
    for name in dict.fromkeys(call.lower() for call in _CALL.findall(key)):
        functions = catalog.functions_named(name)
        if not functions:
            if is_never_immutable(Name(name), catalog.pg_version):
                return f"{name}() is not immutable"
        elif all(function.volatility != "immutable" and not function.inlined for function in functions):
            return f"the function {Name(name)} is not immutable"
    types = {column.name: column.type for column in table.columns if column.type is not None}
    enums = frozenset(name for name, data_type in types.items() if not data_type.dimensions and catalog.type_of(data_type) is not None)
    expression = Expression(sql=key, span=Span(0, 0))
    plain = {name: each for name, each in types.items() if name not in enums}
    return expressions.mutable_conversion(expression, plain, enums, catalog.pg_version)
