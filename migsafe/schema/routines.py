"""Functions, triggers, rules, policies, statistics objects."""

import re
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from migsafe.patterns import lazy_pattern
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import refuse_because_of
from migsafe.schema.changes import SCHEMA_CHANGES
from migsafe.schema.column_uses import read_relations
from migsafe.schema.columns import stored_type
from migsafe.schema.formulas import identifiers, row_columns
from migsafe.schema.known_objects import SYSTEM_SCHEMAS
from migsafe.schema.objects import Attached, Function, Privilege, Relation, RelationKind, Trigger
from migsafe.schema.overloads import constant_text
from migsafe.schema.tables import add_trigger_part
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, TypeName
from migsafe.sql.statements import Statement, read

PUBLIC_EXECUTE = Privilege("public", "execute")
"""What every role may do with a new routine by default."""

_COMPILED = ("c", "internal")
_SECURITY = lazy_pattern(r"\bsecurity\s+(definer|invoker)\b", re.IGNORECASE)
_VOLATILITY = lazy_pattern(r"\b(immutable|stable|volatile)\b", re.IGNORECASE)
_SETS_PATH = lazy_pattern(r"\bset\s+search_path\b", re.IGNORECASE)
_SET_CLAUSE = lazy_pattern(r"\b(?:re)?set\s.*?(?=\s(?:re)?set\s|$)", re.IGNORECASE | re.DOTALL)
_RESETS_PATH = lazy_pattern(r"\breset\s+(?:search_path|all)\b", re.IGNORECASE)


@SCHEMA_CHANGES.register(sql.CreateFunction)
def create_function(catalog: Catalog, op: sql.CreateFunction) -> None:
    """CREATE FUNCTION, CREATE PROCEDURE."""
    name = catalog.in_first_schema(op.function)
    inputs = [argument for argument in op.arguments if argument.mode in ("in", "inout", "variadic")]
    arguments = tuple(str(argument.type) for argument in inputs)
    options = {(option.name, option.value) for option in op.options}
    inlinable = (
        not any(name in ("set", "strict", "returns null on null input") for name, _ in options) and ("security", "definer") not in options
    )
    properties = {
        "kind": op.kind,
        "volatility": op.volatility or "volatile",
        "language": op.language,
        "code": op.code,
        "returns": op.returns.name if op.returns is not None else "",
        "parameters": tuple(argument.name for argument in inputs),
        "result": function_result(op),
        "defaults": sum(argument.default is not None for argument in inputs),
        "constant_defaults": tuple(constant_text(argument.default.sql) if argument.default is not None else None for argument in inputs),
        "definer": ("security", "definer") in options,
        "has_search_path": op.is_standard or op.language in _COMPILED or any(_SETS_PATH.match(f"{name} {value}") for name, value in options),
        "settings": own_settings(f"SET {option.value}" for option in op.options if option.name == "set"),
        "types": tuple(_user_types(catalog, op)),
        **_used_relations(catalog, op),
        "inlined": op.kind == "function" and op.language == "sql" and inlinable and not (op.returns is not None and op.returns.setof),
    }
    for existing in catalog.functions(name):
        if existing.arguments == arguments:
            if not op.or_replace:
                refuse_because_of(
                    catalog,
                    existing,
                    f'function "{name.name}" already exists with same argument types',
                    help=f"-- CREATE OR REPLACE {op.kind.upper()}",
                )
            catalog.change(existing, **properties)
            return
    catalog.store(replace(Function(oid=catalog.new_oid(), name=name, arguments=arguments, privileges=(PUBLIC_EXECUTE,)), **properties))


def _used_relations(catalog: Catalog, op: sql.CreateFunction) -> dict[str, object]:
    """Returns what a body in the form of the SQL standard uses: PostgreSQL resolves it now, and records its dependencies."""
    body = read(op.code) if op.is_standard and op.code is not None else ()
    queries = [operation.query for statement in body for operation in statement.operations if isinstance(operation, sql.Select)]
    relations = read_relations(catalog, tuple(name for query in queries for name in query.reads))
    return {
        "reads": tuple(dict.fromkeys(relation.oid for relation in relations)),
        "queries": tuple(query.sql for query in queries),
        "read_relations": relations,
    }


def _user_types(catalog: Catalog, op: sql.CreateFunction) -> Iterator[TypeName]:
    for written in (*(argument.type for argument in op.arguments), op.returns):
        known = stored_type(catalog, written)
        if known is not None and known.schema is not None and known.schema not in SYSTEM_SCHEMAS:
            yield known


@SCHEMA_CHANGES.register(sql.AlterObject)
def alter_routine(catalog: Catalog, op: sql.AlterObject) -> None:
    """ALTER FUNCTION, PROCEDURE and ROUTINE; other objects are not in the catalogue."""
    if op.kind not in ("function", "procedure", "routine") or op.name is None:
        return
    functions = catalog.functions(op.name)
    if len(functions) == 1:
        catalog.store(altered_routine(functions[0], op))
    elif not functions and _VOLATILITY.search(op.detail):
        catalog.altered_functions.add(op.name.name)


def altered_routine(function: Function, op: sql.AlterObject) -> Function:
    """Returns a routine as ALTER leaves it: whose privileges and whose search_path it uses, and its volatility."""
    definer, volatility = _SECURITY.search(op.detail), _VOLATILITY.search(op.detail)
    has_search_path = function.has_search_path
    if _RESETS_PATH.search(op.detail):
        has_search_path = function.language in _COMPILED
    if _SETS_PATH.search(op.detail):
        has_search_path = True
    return replace(
        function,
        definer=definer[1].lower() == "definer" if definer is not None else function.definer,
        has_search_path=has_search_path,
        volatility=volatility[1].lower() if volatility is not None else function.volatility,
        settings=_altered_settings(function, op.detail),
    )


def own_settings(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Returns the settings that SET clauses of a routine give, as names and values, without those FROM CURRENT."""
    set_here = (operation for text in texts for statement in read(text) for operation in statement.operations)
    return tuple((op.variable, op.value) for op in set_here if isinstance(op, sql.SetVariable) and op.value is not None)


def _altered_settings(function: Function, detail: str) -> tuple[tuple[str, str], ...]:
    settings = dict(function.settings)
    for clause in _SET_CLAUSE.finditer(detail):
        match next(iter(read(clause[0])), None):
            case Statement(operations=(sql.SetVariable(variable=variable, value=str() as value),)):
                settings[variable] = value
            case Statement(operations=(sql.ResetVariable(variable=variable) | sql.SetVariable(variable=variable),)):
                settings = {} if variable is None else {name: value for name, value in settings.items() if name != variable}
    return tuple(settings.items())


def function_result(op: sql.CreateFunction) -> tuple[str, ...] | None:
    """Returns the type of a function's result, without modifiers, and the names and types of the columns if it is a row of several OUT
    parameters; None if a type is that of a column."""
    outputs = [argument for argument in op.arguments if argument.mode in ("out", "inout", "table")]
    types = [argument.type for argument in outputs] if outputs else [op.returns] if op.returns is not None else []
    if any(data_type.percent_type for data_type in types):
        return None
    setof = "setof " if any(argument.mode == "table" for argument in outputs) or (op.returns is not None and op.returns.setof) else ""
    texts = [str(replace(data_type, modifiers=(), setof=False, schema=None)) for data_type in types]
    if len(texts) == 1:
        return (setof + texts[0],)
    return (setof + ("record" if texts else "void"), *(f"{argument.name} {text}" for argument, text in zip(outputs, texts, strict=True)))


@SCHEMA_CHANGES.register(sql.CreateTrigger)
def create_trigger(catalog: Catalog, op: sql.CreateTrigger) -> None:
    """CREATE TRIGGER; a row trigger of a partitioned table is also created on its partitions."""
    table = catalog.relation(op.table)
    if table is None:
        return
    functions = catalog.functions(op.function)
    referenced = catalog.relation(op.references) if op.references is not None else None
    for existing in trigger_named(catalog, table, op.trigger):
        if not op.or_replace:
            refuse_because_of(
                catalog,
                existing,
                f'trigger "{op.trigger}" for relation "{table.name.name}" already exists',
                help=f"DROP TRIGGER IF EXISTS {Name(op.trigger)} ON {op.table};",
            )
        for part in catalog.dependents(existing.oid, Trigger):
            catalog.drop(part.oid)
        catalog.drop(existing.oid)
    words = row_columns(op.when.sql) if op.when is not None else ()
    columns = tuple(column.number for column in table.columns if column.name in op.columns or column.name in words)
    trigger = Trigger(
        oid=catalog.new_oid(),
        name=Name(op.trigger, table.name.schema),
        table=table.oid,
        events=op.events,
        function=functions[0].oid if len(functions) == 1 else None,
        columns=columns,
        references=referenced.oid if referenced is not None else None,
        row=op.row,
        deferred=op.constraint and bool(op.initially_deferred),
        timing=op.timing,
    )
    catalog.store(trigger)
    if op.row and table.kind is RelationKind.PARTITIONED:
        for child in catalog.children(table.oid):
            add_trigger_part(catalog, trigger, child)


@SCHEMA_CHANGES.register(sql.SetTrigger)
def set_trigger(catalog: Catalog, op: sql.SetTrigger) -> None:
    """ENABLE or DISABLE TRIGGER, of the partitions too; ALL includes the triggers that check foreign keys."""
    table = catalog.relation(op.target.name)
    if table is None:
        return
    is_disabled = op.firing in (sql.Firing.DISABLE, sql.Firing.REPLICA)
    relations = [table] if op.target.only or table.kind is not RelationKind.PARTITIONED else [table, *catalog.descendants(table.oid)]
    for relation in relations:
        for trigger in catalog.triggers(relation.oid):
            if op.trigger in (None, trigger.name.name) and trigger.disabled != is_disabled:
                catalog.change(trigger, disabled=is_disabled)
        if op.trigger is None and not op.user and relation.checks_disabled != is_disabled:
            catalog.change(relation, checks_disabled=is_disabled)


def trigger_named(catalog: Catalog, table: Relation, name: str) -> list[Trigger]:
    """Returns a table's trigger of this name, as a list of at most one."""
    return [trigger for trigger in catalog.triggers(table.oid) if trigger.name.name == name]


def attached(catalog: Catalog, table: Relation, kind: str, name: str) -> Attached | None:
    """Returns a table's rule or policy of this name."""
    for candidate in catalog.dependents(table.oid, Attached):
        if candidate.table == table.oid and candidate.kind == kind and candidate.name.name == name:
            return candidate
    return None


def _attach(catalog: Catalog, attached_object: Attached, table: Relation, *, or_replace: bool = False) -> None:
    existing = attached(catalog, table, attached_object.kind, attached_object.name.name)
    if existing is not None:
        if not or_replace:
            kind = {"policy": "table"}.get(attached_object.kind, "relation")
            refuse_because_of(
                catalog,
                existing,
                f'{attached_object.kind} "{attached_object.name.name}" for {kind} "{table.name.name}" already exists',
                help=f"DROP {attached_object.kind.upper()} IF EXISTS {Name(attached_object.name.name)} ON {table.name};",
            )
        catalog.drop(existing.oid)
    catalog.store(attached_object)


def _policy(catalog: Catalog, table: Relation, op: sql.CreatePolicy | sql.AlterPolicy) -> Attached:
    """Returns a policy with what its conditions use: they see the columns of its table."""
    conditions = [condition for condition in (op.using, op.check) if condition is not None]
    reads = {relation.oid for condition in conditions for name in condition.reads if (relation := catalog.relation(name)) is not None}
    names = (table.name, *(name for condition in conditions for name in condition.reads))
    return Attached(
        oid=catalog.new_oid(),
        name=Name(op.policy, table.name.schema),
        kind="policy",
        table=table.oid,
        reads=tuple(reads - {table.oid}),
        queries=tuple(
            " ".join(("SELECT 1 FROM", str(table.name), "AS", str(Name(table.name.name)), "WHERE", condition.sql))
            if condition is not None
            else ""
            for condition in (op.using, op.check)
        ),
        read_relations=read_relations(catalog, names),
        calls=tuple(call for condition in conditions for call in condition.calls),
    )


@SCHEMA_CHANGES.register(sql.CreatePolicy)
def create_policy(catalog: Catalog, op: sql.CreatePolicy) -> None:
    """CREATE POLICY."""
    table = catalog.relation(op.table)
    if table is not None:
        _attach(catalog, _policy(catalog, table, op), table)


@SCHEMA_CHANGES.register(sql.AlterPolicy)
def alter_policy(catalog: Catalog, op: sql.AlterPolicy) -> None:
    """ALTER POLICY. A condition that it does not give stays."""
    table = catalog.relation(op.table)
    if table is None:
        return
    existing, policy = attached(catalog, table, "policy", op.policy), _policy(catalog, table, op)
    if existing is None and table.complete:
        catalog.add_refusal(f'policy "{op.policy}" for table "{table.name.name}" does not exist')
    if existing is not None:
        policy = replace(
            policy,
            reads=tuple(dict.fromkeys((*existing.reads, *policy.reads))),
            queries=tuple(new or old for new, old in zip(policy.queries, existing.queries, strict=True)),
            read_relations=tuple(dict.fromkeys((*policy.read_relations, *existing.read_relations))),
        )
    _attach(catalog, policy, table, or_replace=True)


@SCHEMA_CHANGES.register(sql.CreateRule)
def create_rule(catalog: Catalog, op: sql.CreateRule) -> None:
    """CREATE RULE. It depends on the relations of its condition and its actions."""
    table = catalog.relation(op.table)
    if table is None:
        return
    actions = [action for action in op.actions if isinstance(action, sql.Insert | sql.Update | sql.Delete)]
    names = (*op.reads, *(action.table for action in actions))
    reads = {relation.oid for name in names if (relation := catalog.relation(name)) is not None}
    # A query of the columns that the rule certainly uses: those of NEW and OLD, and those that an action writes by name.
    written = [(action.table, action.columns) for action in actions if isinstance(action, sql.Insert | sql.Update)]
    used = [(table.name, row_columns(op.body)), *written]
    rule = Attached(
        oid=catalog.new_oid(),
        name=Name(op.rule, table.name.schema),
        kind="rule",
        table=table.oid,
        reads=tuple(reads - {table.oid}),
        queries=tuple(f"SELECT {', '.join(str(Name(column)) for column in columns)} FROM {name}" for name, columns in used if columns),  # noqa: S608
        read_relations=read_relations(catalog, tuple(name for name, columns in used if columns)),
    )
    _attach(catalog, rule, table, or_replace=op.or_replace)


@SCHEMA_CHANGES.register(sql.CreateStatistics)
def create_statistics(catalog: Catalog, op: sql.CreateStatistics) -> None:
    """CREATE STATISTICS."""
    table = catalog.relation(op.tables[0]) if op.tables else None
    if table is None or op.name is None:
        return
    name = catalog.in_first_schema(op.name)
    if catalog.object_named("statistics", name) is not None:
        if not op.if_not_exists:
            catalog.add_refusal(f'statistics object "{name.name}" already exists')
        return
    words = identifiers(op.keys)
    columns = tuple(column.number for column in table.columns if column.name in words)
    catalog.store(Attached(oid=catalog.new_oid(), name=name, kind="statistics", table=table.oid, columns=columns))
