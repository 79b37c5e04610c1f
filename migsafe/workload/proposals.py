"""The index that would serve a table: of its equalities, else of the order of ORDER BY … LIMIT, else of a range with two ends."""

from collections.abc import Iterable, Sequence

from migsafe.expressions.queries.shapes import All, Compare, Condition, Either, Formula, NullTest, Operand, Parameter, Several, Value
from migsafe.patterns import lazy_pattern
from migsafe.sql.operations import quoted as sql_name
from migsafe.workload.few_values import is_usually_unset
from migsafe.workload.needs import CandidateIndex
from migsafe.workload.ordering import forward
from migsafe.workload.serving import Order, names_rare_state
from migsafe.workload.terms import Strength, Term

_MOST_KEYS = 3
_MOST_RARE_STATES = 3
_SEARCHES = frozenset(("like", "ilike", "~", "~*", "%", "@@"))
_PARAMETER = lazy_pattern(r"\$\d")


def is_selective(term: Term) -> bool:
    """Whether a condition selects few rows of a table with an index."""
    return term.strength is Strength.STRONG and term.is_equality


def index_of_equalities(terms: Sequence[Term]) -> CandidateIndex:
    """Returns the index that meets equalities: those of columns, or of expressions if no column has one. The index of an expression such as a
    cast cannot be built while it fails for a row."""
    subjects = list(dict.fromkeys(term.subject for term in terms))
    subjects = [subject for subject in subjects if column_of(subject) is not None] or subjects
    return CandidateIndex(method="btree", keys=tuple(map(as_key, subjects[:_MOST_KEYS])))


def index_of_order(order: Order, terms: Iterable[Term]) -> CandidateIndex:
    """Returns the index that gives an order among the rows of single values: the columns that are equal to one value come first (manual, 11.4),
    except those that have this value in most rows. `terms` are the conditions on the table that hold when it is read.

    The index is partial if a column must be NULL or one of several constants, as in a queue: the rows that are not, which come first in many
    orders, would have to be read before the others, and an index on the column gives no order (measured on 15).
    """
    ordered = {subject for subject, _, _ in order.keys}
    free = [term for term in terms if term.subject not in ordered and _selects(term)]
    equal = dict.fromkeys(term.subject for term in free if term.operator == "=" or (term.operator == "is" and column_of(term.subject)))
    wanted = [_with_direction(*key) for key in forward(order.keys)]
    keys = (*map(as_key, list(equal)[: _MOST_KEYS - 1]), *wanted)
    return CandidateIndex(method="btree", keys=keys, predicate=" AND ".join(dict.fromkeys(filter(None, map(_as_predicate, free)))))


def _as_predicate(term: Term) -> str:
    """Returns a condition that needs a partial index to give an order, as SQL; empty if it is another one."""
    if column_of(term.subject) is None or term.others or term.strength is not Strength.WEAK:
        return ""
    if term.operator == "is null":
        return f"{as_key(term.subject)} IS NULL"
    if term.operator in ("in", "any") and isinstance(term.value, Several) and len(term.value.elements) > 1:
        values = [_as_constant(value) for value in term.value.elements if isinstance(value, Value) and value.text != "null"]
        return f"{as_key(term.subject)} IN ({', '.join(values)})" if len(values) == len(term.value.elements) else ""
    return ""


def _as_constant(value: Value) -> str:
    return "'" + value.text.replace("'", "''") + "'" if value.is_string else value.text


def _selects(term: Term) -> bool:
    return not is_usually_unset(column_of(term.subject) or "")


def index_of_window(terms: Iterable[Term]) -> CandidateIndex | None:
    """Returns the index that finds the rows between two values of one column; None if no column has a lower and an upper bound of which at
    least one is a parameter. PostgreSQL expects one row of 200 between them (DEFAULT_RANGE_INEQ_SEL in selfuncs.h)."""
    bounds: dict[str, dict[str, bool]] = {}
    for term in terms:
        if term.operator[0] in "<>" and term.operator in ("<", "<=", ">", ">=") and not term.others:
            sides = bounds.setdefault(term.subject, {})
            sides[term.operator[0]] = sides.get(term.operator[0], False) or _has_parameter(term)
    subject = next((subject for subject, sides in bounds.items() if len(sides) == 2 and any(sides.values())), None)
    return CandidateIndex(method="btree", keys=(as_key(subject),)) if subject is not None else None


def _has_parameter(term: Term) -> bool:
    value = term.value
    return isinstance(value, Parameter) or (isinstance(value, Formula) and _PARAMETER.search(value.text) is not None)


def is_search(condition: Condition) -> bool:
    """Whether a condition selects the few rows that contain what a user looks for. In the order of an index they come late."""
    match condition:
        case All():
            return any(map(is_search, condition.parts))
        case Either():
            return all(map(is_search, condition.parts))
        case Compare():
            return condition.operator in _SEARCHES
    return False


def may_select_many(terms: Iterable[Term]) -> bool:
    """Whether many rows may fulfil conditions: values of a column that has few of them, none of which is known to be rare. Of a list of many
    states, not all are."""
    return all((term.is_equality or term.selects_most) and (not names_rare_state(term) or _names_many_states(term)) for term in terms)


def _names_many_states(term: Term) -> bool:
    return isinstance(term.value, Several) and len(term.value.elements) > _MOST_RARE_STATES


def finds_rows_late(conditions: Sequence[Condition], most_optional: int = 1) -> bool:
    """Whether the rows that conditions select may come late in any order. Generic plans expect that of several optional conditions, too."""
    return any(map(is_search, conditions)) or sum(map(_is_optional, conditions)) > most_optional


def _is_optional(condition: Condition) -> bool:
    """Whether a value switches a condition off (`$1 IS NULL OR name = $1`). PostgreSQL expects that a test without a column is true for one row
    of 200 (DEFAULT_UNK_SEL and DEFAULT_EQ_SEL in selfuncs.h); in truth it is so for all rows or for none."""
    return isinstance(condition, Either) and any(map(_is_without_column, condition.parts))


def _is_without_column(condition: Condition) -> bool:
    match condition:
        case NullTest():
            operands: tuple[Operand, ...] = (condition.operand,)
        case Compare(operator="="):
            operands = (condition.left, condition.right)
        case _:
            return False
    return all(isinstance(each, Value | Parameter) or (isinstance(each, Formula) and not each.refs) for each in operands)


def as_key(subject: str) -> str:
    """Returns a column or an expression as a key of CREATE INDEX."""
    name = column_of(subject)
    return f"({subject})" if name is None else sql_name(name)


def column_of(subject: str) -> str | None:
    """Returns the name of the column that a subject is; None for an expression."""
    return subject[1:-1] if subject.startswith('"') and subject.endswith('"') and '"' not in subject[1:-1] else None


def _with_direction(subject: str, descending: bool, nulls_first: bool) -> str:
    key = as_key(subject)
    if descending:
        return f"{key} DESC" + ("" if nulls_first else " NULLS LAST")
    return key + (" NULLS FIRST" if nulls_first else "")
