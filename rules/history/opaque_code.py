"""Code whose effect is only known when it runs.

EXECUTE of a string that is built from variables or query results may lock, rewrite or drop anything. migsafe reads a constant string, and
format() on constants, like any other SQL. Not reported are a GRANT, COMMENT, CREATE ROLE or OWNER TO of which only names are unknown, because
they take nothing away, a SET DEFAULT of which only the value is unknown, and a DROP INDEX in code that looks for INVALID indexes (`NOT
indisvalid`). migsafe also follows the functions and procedures that the migrations create. CALL of any other procedure is reported, and so is
a function of an extension that changes or locks existing tables: for example run_maintenance of pg_partman, create_hypertable of TimescaleDB,
create_distributed_table of Citus, AddGeometryColumn of PostGIS. Of several findings with one cause in a run, the first is reported: one
function that the migrations call, one setting that a script reads, the same reason in one migration of SQL. A schema that is a template
without a value (`${schema}` of Flyway, `{{ .Schema }}`) is reported once, if the migrations also name its tables without it: migsafe then
judges one table as two.

Unsafe:
    DO $$
    DECLARE
        partition text;
    BEGIN
        FOR partition IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'orders_2%' LOOP
            EXECUTE 'ALTER TABLE ' || quote_ident(partition) || ' ADD COLUMN note text';
        END LOOP;
    END $$;

Safe:
    DO $$
    BEGIN
        EXECUTE 'ALTER TABLE orders_2024 ADD COLUMN note text';
        EXECUTE format('ALTER TABLE %I ADD COLUMN remark text', 'orders_2024');
    END $$;

See: https://www.postgresql.org/docs/current/plpgsql-statements.html#PLPGSQL-STATEMENTS-EXECUTING-DYN
"""

from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.rendering.messages import BUILT_FROM_UNKNOWN, DATABASE_ONLY, NAMES_UNKNOWN, SCHEMA_ONLY
from migsafe.rendering.script_failures import is_after_failure
from migsafe.schema.unknown_calls import UnknownCall, unknown_call
from migsafe.sql.operations import Call, OpaqueCode, Operation, Select, SetDefault, SetOwner
from migsafe.sql.templates import is_harmless
from migsafe.text import MARK_START

_TEMPLATES = ("${", "{{")
_ASKED = tuple(why.removeprefix("which ") for why in (DATABASE_ONLY, SCHEMA_ONLY))


@rule(category="history", severity=Severity.WARNING, no_fix="what the code does is only known at run time")
def opaque_code(op: OpaqueCode | Call | Select | MigrationEnd, at: Context) -> Finding | None:
    """Report the code, with the reason; at the end, a script that has more paths than were tried, or a schema that is not known."""
    match op:
        case MigrationEnd():
            program = at.migration.up.program
            if program is None:
                return _unknown_schema(at)
            if not program.has_untried_paths:
                return None
            message = f"{program.function}() has more paths than migsafe tries: what it does on the others is not judged"
            return at.finding(at.place_in_file(program.definition) or op, message)
        case OpaqueCode(of_invalid_index=True):
            return None
        case OpaqueCode(reason=reason) if is_after_failure(at.migration.up.failures, at.statement.span.start, reason):
            return None
        case OpaqueCode(operations=operations) if operations and all(map(_is_known_enough, operations)):
            return None
        case OpaqueCode(confined=True):
            return at.finding(op, f"details of this statement are only known at run time: {_reason(op)}", cause=_cause(op, at))
        case OpaqueCode():
            return at.finding(op, f"the effect of this code is only known at run time: {_reason(op)}", cause=_cause(op, at))
    call = unknown_call(at.catalog, op)
    return _unknown_call(op, call, at) if call is not None else None


def _is_known_enough(run: Operation) -> bool:
    """Whether nothing that matters depends on the unknown parts: what a SET DEFAULT does is the same with every value."""
    return is_harmless(run) or isinstance(run, SetOwner) or (isinstance(run, SetDefault) and MARK_START not in run.column)


def _unknown_schema(at: Context) -> Finding | None:
    """Returns the finding about the first statement on a table whose schema is a template without a value, although the history knows the table
    by another schema: what the statement needs of the table is not known."""
    if not any(mark in at.migration.up.script.text for mark in _TEMPLATES):
        return None
    for done in at.past:
        for effect in done.effects:
            schema, name = effect.relation.schema or "", effect.relation.name
            relation = at.catalog.relation(effect.relation) if schema.startswith(_TEMPLATES) else None
            if not schema.startswith(_TEMPLATES) or (relation is not None and relation.complete):
                continue
            other = next((each for each in at.catalog.namesakes(name) if each.complete and each.name.schema != schema), None)
            if other is not None:
                message = (
                    f"{schema} has no value, neither in the settings of the project nor in the configuration: migsafe does not know that "
                    f"{effect.relation} may be {other.name}, and judges the statement without what it knows of the table"
                )
                help = f'[tool.migsafe.template-values]\n{_bare(schema)} = "{other.name.schema}"'
                return at.finding(done, message, help=help, relations=[effect.relation], cause=f"template {schema}")
    return None


def _bare(template: str) -> str:
    """Returns the name in a template, as a key of TOML."""
    name = template.strip("${} .-")
    return name if name.replace("_", "").replace("-", "").isalnum() else f'"{name}"'


def _reason(op: OpaqueCode) -> str:
    return f"{op.reason}, in the function {op.routine}" if op.routine else op.reason


def _cause(op: OpaqueCode, at: Context) -> str:
    """Returns what makes other code unknown, too: a function that the migrations call, or a value that a script has from its environment. Each
    query that a script asks is a cause of its own. In a SQL file, loops that build one kind of statement are read together."""
    if not at.is_script:
        return op.routine or f"{at.migration.id} in {at.migration.up.file.path}: {op.reason}"
    is_value = op.reason.startswith((BUILT_FROM_UNKNOWN, NAMES_UNKNOWN)) and not any(why in op.reason for why in _ASKED)
    return op.routine or (op.reason if is_value else "")


def _unknown_call(op: Call | Select, call: UnknownCall, at: Context) -> Finding | None:
    relations, cause = [relation.name for relation in call.relations], ""
    if call.extension is not None:
        if relations and all(map(at.is_new, relations)):
            return None
        extension = call.extension
        message = f"{call.name}() of {extension.name} {extension.work}; migsafe does not predict its locks, see {extension.manual}"
    elif call.language is not None:
        message = f"the effect of this CALL is only known at run time: the procedure {call.name} is written in {call.language}"
    else:
        message = f"the effect of this CALL is only known at run time: no migration creates the procedure {call.name}"
        cause = str(call.name)
    return at.finding(op, message, relations=relations, cause=cause)
