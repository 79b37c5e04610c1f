"""Whether a row of constants violates a CHECK."""

from collections.abc import Mapping

from migsafe.expressions.conditions import Conditions
from migsafe.expressions.constants import WrittenConstant, evaluate
from migsafe.expressions.predicates import IsNull, Predicate, comparison, conjunction, implies, negation
from migsafe.sql.operations import Expression, TypeName


def violates_check(check: Expression, row: Mapping[str, tuple[TypeName, str | None]]) -> bool:
    """Whether a CHECK is certainly false of a row. `row` has the known values: by column, its type, and the constant as SQL, None for NULL."""
    known: list[Predicate] = []
    for name, (data_type, value) in row.items():
        if value is None:
            known.append(IsNull(name))
            continue
        is_quoted = value.startswith("'")
        text = value[1:-1].replace("''", "'") if is_quoted else value
        constant = evaluate(WrittenConstant(text, is_quoted), data_type)
        if constant is not None:
            known.append(comparison(name, "=", constant))
            known.append(IsNull(name, is_negated=True))
    types = {name: data_type for name, (data_type, _) in row.items()}
    return bool(known) and implies(conjunction(known), negation(Conditions(types.get).predicate(check)))
