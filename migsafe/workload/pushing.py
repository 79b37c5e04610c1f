"""Conditions on the result of a query in FROM, which PostgreSQL moves into that query (subquery_push_qual in allpaths.c, and subqueries that it
pulls up)."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet

from migsafe.expressions.queries.shapes import Compare, Condition, Formula, Operand, Parameter, Ref, Shape
from migsafe.workload.conditions import quoted
from migsafe.workload.scopes import BoundSource, Level, all_levels
from migsafe.workload.terms import OUTER, Strength, Term, Terms


class PushedConditions:
    """The conditions that were moved into the queries of a query."""

    def __init__(self, root: Level) -> None:
        self._pushed: dict[int, list[Condition]] = {}
        levels = list(all_levels(root))
        uses = Counter(id(source.level) for level in levels for source in level.sources if source.is_cte)
        self._inlined = {
            id(inner)
            for level in levels
            for cte, inner in zip(level.shape.ctes, level.ctes, strict=True)
            if uses[id(inner)] == 1 and not cte.materialized and not level.shape.recursive
        }
        """The WITH queries that are used once: PostgreSQL treats them as queries in FROM (manual, 7.8.3)."""

    def into(self, level: Level) -> Sequence[Condition]:
        """Returns the conditions that were moved into a query."""
        return self._pushed.get(id(level), ())

    def push(
        self,
        level: Level,
        terms: Terms,
        conditions: Iterable[tuple[Condition, set[int] | None]],
        found_without: Callable[[int], AbstractSet[int]] | None = None,
    ) -> None:
        """Moves the equalities with values into the queries in FROM. With `found_without`, also those with columns of the elements of FROM that
        are found without the rows of the query itself: it receives the query's number."""
        if all(source.level is None for source in level.sources):
            return
        all_conditions = list(conditions)
        for at, source in enumerate(level.sources):
            inner = source.level
            if inner is None or (source.is_cte and id(inner) not in self._inlined):
                continue
            own = [condition for condition, allowed in all_conditions if allowed is None or at in allowed]
            known: AbstractSet[int] | None = None
            for term in terms.of(at, own):
                position = _position(source, inner, term.subject)
                if position is None or not term.is_equality or term.query is not None:
                    continue
                if term.others and known is None:
                    known = found_without(at) if found_without is not None else frozenset()
                if known is None or term.others <= known:
                    self._into(inner, position, term)

    def push_compared(self, level: Level) -> None:
        """Moves the left side of IN, a value of a row that is found without it, into the query on the right side."""
        self._into(level, 0, Term(subject="", operator="=", strength=Strength.STRONG, others=frozenset((OUTER,))))

    def _into(self, level: Level, position: int, term: Term) -> None:
        shape = level.shape
        # PostgreSQL does not pull up a query with DISTINCT, so a column of another element of FROM cannot find rows in it.
        if shape.limited or (term.others and shape.distinct):
            return
        if shape.kind == "set":
            for branch in level.inner:
                self._into(branch, position, term)
        elif shape.kind == "select":
            operands = _outputs(shape, level)
            operand = operands[position] if position < len(operands) else None
            if isinstance(operand, Ref | Formula) and (not shape.grouped or (not term.others and _is_group(shape, position, operand))):
                # The value of another table's column is a value like that of a parameter.
                value = term.value if not term.others and term.value is not None else Parameter(0)
                condition = Compare(operand, term.operator, value)
                pushed = self._pushed.setdefault(id(level), [])
                if condition not in pushed:
                    pushed.append(condition)


def _is_group(shape: Shape, position: int, operand: Operand) -> bool:
    """Whether a query groups by an output column: a condition with a value on it selects whole groups, and PostgreSQL moves it from HAVING to
    WHERE (subquery_planner)."""
    if shape.grouping is None or not shape.has_group or not isinstance(operand, Ref):
        return False
    keys = (key for key in shape.grouping.keys if key.name == operand.name)
    return position in shape.grouping.positions or any(None in (key.table, operand.table) or key.table == operand.table for key in keys)


def _position(source: BoundSource, level: Level, subject: str) -> int | None:
    if source.relation is not None:
        return next((at for at, name in enumerate(source.columns) if quoted(name) == subject), None)
    renamed = source.shape.columns
    names = [*renamed, *(name for name, _ in level.outputs[len(renamed) :])]
    return next((at for at, name in enumerate(names) if name is not None and quoted(name) == subject), None)


def _outputs(shape: Shape, level: Level) -> list[Operand | None]:
    """Returns the expressions of the output columns, with those that `*` stands for."""
    operands: list[Operand | None] = []
    for output in shape.outputs:
        if not output.star:
            operands.append(output.operand)
            continue
        for source in level.sources:
            if output.table is None or source.alias == output.table:
                names = (name for name in source.columns if output.table is not None or name not in source.hidden)
                operands += [Ref(name, source.alias) for name in names]
    return operands
