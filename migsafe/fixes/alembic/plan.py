"""What one fix does to a script: decided before anything is edited, so that a fix is applied in whole or not at all."""

from collections.abc import Iterator

import libcst as cst
from msgspec import Struct

from migsafe.fixes.alembic.code import Style
from migsafe.fixes.alembic.downgrades import Downgrade, DowngradeChanges
from migsafe.fixes.alembic.places import CallPlace, find_place
from migsafe.fixes.alembic.python_source import PythonSource
from migsafe.fixes.alembic.replaced_calls import ReplacedCall, find_replaced
from migsafe.fixes.alembic.steps import Refused, Step, Steps, steps_of
from migsafe.fixes.edits import ChosenFix
from migsafe.patterns import lazy_pattern
from migsafe.schema.catalog import Catalog
from migsafe.sources.migration import Call, Half, Migration
from migsafe.sql import operations as sql
from migsafe.sql.operations import Operation
from migsafe.sql.statements import Statement, read

FUNCTION = "upgrade"
_WORD = lazy_pattern(r"\w+")
_INDEPENDENT_OF_NOT_NULL = (
    *(sql.CreateIndex, sql.AddColumn, sql.SetNotNull, sql.SetDefault, sql.DropDefault, sql.ValidateConstraint, sql.Comment),
    *(sql.Select, sql.Insert, sql.Update, sql.Delete, sql.SetVariable, sql.ResetVariable, sql.DropConstraint, sql.DropColumn),
)
"""Operations that do the same whether or not a column is NOT NULL, and whether or not an index exists that is not unique."""

_INDEPENDENT_OF_UNIQUE = (sql.CreateIndex, sql.AddColumn, sql.SetDefault, sql.DropDefault)
"""Operations that do the same whether or not a unique index exists: none to which ON CONFLICT or a foreign key may refer."""


class FixPlan(Struct, frozen=True):
    """A fix that can be applied: the call that it changes, with all statements of that call, its steps, and what it does to downgrades.
    `divides`: the call also sends other statements, and still does so without its `nullable=False`. `replaced` are all the calls that a fix
    of several statements replaces; `place` is that of the last one."""

    fix: ChosenFix
    call: Call
    place: CallPlace
    statements: tuple[Statement, ...]
    steps: Steps
    downgrades: DowngradeChanges
    divides: bool = False
    replaced: tuple[ReplacedCall, ...] = ()

    @property
    def replaces(self) -> bool:
        """Whether the flagged statement does not stay as it is."""
        return not any(step.kept for step in self.steps.here)


def plan_fix(fix: ChosenFix, migration: Migration, source: PythonSource, style: Style, catalog: Catalog) -> FixPlan:
    """Returns what a fix does. Raises Refused."""
    half = migration.up
    program, call = half.program, half.call(fix.statement.span.start)
    if program is None or call is None or call.by_runner:
        raise Refused("the script does not send the statement by a call")
    if program.function != FUNCTION:
        raise Refused(f"the statement is not in {FUNCTION}()")
    if fix.way.for_all:
        return _plan_for_all(fix, migration, source, catalog)
    steps = steps_of(fix, half.script.text, catalog)
    _refuse_partial(fix, steps, half)
    place = find_place(source, call, FUNCTION)
    if place.conditional and fix.finding.category == "idempotency":
        raise Refused("it depends on a condition, which a second run may not meet")
    divides = sum(each.file_span == call.file_span for each in program.calls) > 1 and not any(step.kept for step in steps.here)
    if fix.way.removes and len(list(read(half.script.text, [call.sql_span]))) > 1:
        raise Refused("the call sends several statements")
    if divides and not _sets_not_null_beside(place, fix.statement):
        raise Refused("the call sends several statements")
    _refuse_unsuitable_transaction(migration, place, steps)
    if steps.next or steps.later:
        _refuse_unsuitable_function(source, place)
        _refuse_dependents(fix.statement, steps, migration)
    downgrade = Downgrade(source, migration.down, style, catalog)
    changes = downgrade.changes(fix.statement, steps)
    return FixPlan(fix, call, place, tuple(read(half.script.text, [call.sql_span])), steps, changes, divides)


def _plan_for_all(fix: ChosenFix, migration: Migration, source: PythonSource, catalog: Catalog) -> FixPlan:
    """Returns what a fix of several statements does, which takes the place of the last one. Raises Refused."""
    replaced = tuple(find_replaced(source, fix, migration.up, FUNCTION))
    steps = steps_of(fix, migration.up.script.text, catalog)
    if steps.next or steps.later or steps.end:
        raise Refused("it replaces several statements at once, and needs other revisions")
    call, place, _ = replaced[-1]
    _refuse_unsuitable_transaction(migration, place, steps)
    statements = tuple(read(migration.up.script.text, [call.sql_span]))
    return FixPlan(fix, call, place, statements, steps, DowngradeChanges(), replaced=replaced)


def _sets_not_null_beside(place: CallPlace, flagged: Statement) -> bool:
    """Whether a call sends SET NOT NULL among others because of an argument that can be left out."""
    arguments = {arg.keyword.value: arg.value for arg in place.call.args if arg.keyword is not None}
    nullable = arguments.get("nullable")
    is_false = isinstance(nullable, cst.Name) and nullable.value == "False"
    return is_false and "existing_nullable" not in arguments and isinstance(flagged.operations[0], sql.SetNotNull)


def _refuse_partial(fix: ChosenFix, steps: Steps, half: Half) -> None:
    """Refuses a fix of one of several operations of a statement, and one that also replaces another statement."""
    flagged, text = fix.statement, half.script.text
    if any(step.kept for step in steps.here):
        return
    if fix.finding.in_body:
        raise Refused("the statement is inside a DO block")
    if len(flagged.operations) > 1:
        raise Refused("the statement does something else as well")
    new = {_normal(step.text) for step in (*steps.here, *steps.end, *steps.moved)}
    others = (_normal(text[slice(*each.span)]) for each in read(text) if each.span != flagged.span)
    if any(other in new for other in others):
        raise Refused("it also moves another statement")


def _normal(text: str) -> str:
    return " ".join(text.split())


def _refuse_unsuitable_transaction(migration: Migration, place: CallPlace, steps: Steps) -> None:
    """Refuses steps that need their own transaction, or none, where they cannot have that."""
    outside = any(step.outside and not step.kept for step in (*steps.here, *steps.end)) and not place.in_autocommit
    if not outside and not steps.next:
        return
    if migration.up.begun_at is not None:
        advice = migration.own_transaction_advice
        raise Refused(f"env.py begins the transaction itself, so that autocommit_block() fails{f': first {advice}' if advice else ''}")
    if outside and place.other_block:
        raise Refused("it is in a `with` block, which may need the transaction")


def _refuse_unsuitable_function(source: PythonSource, place: CallPlace) -> None:
    if place.conditional:
        raise Refused("it depends on a condition, which a later revision would have to check as well")
    function = source.function(FUNCTION)
    if function is None or not isinstance(function.params, cst.Parameters) or function.params.params or function.params.star_kwarg:
        raise Refused(f"{FUNCTION}() has parameters, so a new revision cannot be written")


def _refuse_dependents(flagged: Statement, steps: Steps, migration: Migration) -> None:
    """Refuses a fix that moves something behind a statement of this revision that may depend on it, or removes what it needs."""
    text = migration.up.script.text
    table = _table(flagged.operations[0])
    needed = {word for part in (text[slice(*flagged.span)], *(step.text for step in steps.moved)) for word in _WORD.findall(part)}
    moved = [op for step in steps.moved for op in step.statement.operations if not isinstance(op, sql.ValidateConstraint | sql.DropConstraint)]
    built = {op.name for op in moved if isinstance(op, sql.CreateIndex)}
    # What a failed build has left is dropped before the index is built, and on nothing else may a statement depend.
    moved = [op for op in moved if not (isinstance(op, sql.Drop) and op.if_exists and {name.name for name in op.names} <= built)]
    for statement in read(text):
        words = set(_WORD.findall(text[slice(*statement.span)]))
        if statement.span.start <= flagged.span.start or (table and table not in words):
            continue
        removes = any(name in needed for op in statement.operations for name in _removed(op))
        if removes or steps.later or any(_may_need(statement, op, words) for op in moved):
            raise Refused("a later statement of the revision may depend on what would run after the revision")


def _removed(operation: Operation) -> list[str]:
    """Returns the names that no longer mean the same after an operation."""
    match operation:
        case sql.Drop(names=names):
            return [name.name for name in names]
        case sql.Rename(name=name):
            return [name.name]
        case sql.RenameColumn(column=name) | sql.DropColumn(column=name):
            return [name]
        case sql.RenameConstraint(constraint=name) | sql.DropConstraint(constraint=name):
            return [name]
    return []


def _may_need(statement: Statement, moved: Operation, words: set[str]) -> bool:
    """Whether a statement of the same table may depend on an operation that would run after it."""
    match moved:
        case sql.SetNotNull(column=column):
            return column in words and not all(map(_is_independent_of_not_null, statement.operations))
        case sql.CreateIndex(name=str(name), unique=unique):
            return name in words or not all(_is_independent_of_index(op, unique=unique) for op in statement.operations)
    return True


def _is_independent_of_not_null(operation: Operation) -> bool:
    match operation:
        case sql.AddConstraint(constraint=constraint):
            return constraint.kind is not sql.ConstraintKind.PRIMARY_KEY
    return isinstance(operation, _INDEPENDENT_OF_NOT_NULL)


def _is_independent_of_index(operation: Operation, *, unique: bool) -> bool:
    return isinstance(operation, _INDEPENDENT_OF_UNIQUE) if unique else _is_independent_of_not_null(operation)


def _table(operation: Operation) -> str:
    """Returns the name of the table that an operation changes; empty if it is not known."""
    match operation:
        case sql.AlterRelation(target=target):
            return target.name.name
        case sql.CreateIndex(table=table):
            return table.name
    return ""


def split_call(source: PythonSource, plan: FixPlan) -> Iterator[tuple[Statement, str, str]]:
    """Yields the statements of a call that sends several, each with the SQL before it and its own, as the literal has them. Raises Refused."""
    segments, literals = plan.call.segments, [node for node in source.nodes(cst.SimpleString) if _is_inside(source, node, plan.place.call)]
    first, last = plan.statements[0], plan.statements[-1]
    if len(segments) != 1 or not segments[0].is_plain or len(literals) != 1:
        raise Refused("it is one of several statements in a text that is not a plain string")
    segment = segments[0]
    if segment.sql_start > first.span.start or segment.sql_end < last.span.end:
        raise Refused("it is one of several statements in a text that is not a plain string")
    literal = literals[0]
    assert isinstance(literal, cst.SimpleString)
    shift = segment.file_start - segment.sql_start
    start = source.span(literal).start + len(literal.prefix) + len(literal.quote)
    for statement in plan.statements:
        begin, end = statement.span.start + shift, statement.span.end + shift
        if source.text[end : end + 1] == ";":
            end += 1
        yield statement, source.text[start:begin], source.text[begin:end]
        start = end


def literal_of(source: PythonSource, plan: FixPlan) -> cst.SimpleString:
    """Returns the only string literal of a call."""
    literal = next(node for node in source.nodes(cst.SimpleString) if _is_inside(source, node, plan.place.call))
    assert isinstance(literal, cst.SimpleString)
    return literal


def _is_inside(source: PythonSource, node: cst.CSTNode, outer: cst.CSTNode) -> bool:
    (start, end), (outer_start, outer_end) = source.span(node), source.span(outer)
    return outer_start <= start and end <= outer_end


def refuse_values(source: PythonSource, place: CallPlace, names: set[str]) -> None:
    """Refuses to replace a call that is built from values of the script: other than constants, they may differ the next time."""
    for node in source.nodes(cst.FormattedStringExpression, cst.Name):
        if not _is_inside(source, node, place.call):
            continue
        if isinstance(node, cst.FormattedStringExpression) or (isinstance(node, cst.Name) and _is_local(source, node, names)):
            raise Refused("the statement is built from values of the script")


def _is_local(source: PythonSource, node: cst.Name, names: set[str]) -> bool:
    above = source.parent(node)
    is_value = not (isinstance(above, cst.Attribute) and above.attr is node) and not (isinstance(above, cst.Arg) and above.keyword is node)
    return is_value and node.value not in names


def unmoved(steps: Steps) -> tuple[list[Step], list[Step], list[Step]]:
    """Returns the steps before the flagged statement, in place of it, and after it."""
    kept = next((number for number, step in enumerate(steps.here) if step.kept), None)
    if kept is None:
        return [], list(steps.here), []
    return list(steps.here[:kept]), [], list(steps.here[kept + 1 :])
