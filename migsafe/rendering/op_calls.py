"""SQL as calls of Alembic's `op`, with autocommit blocks around statements that cannot run in a transaction."""

import json
import re

from migsafe.patterns import lazy_pattern
from migsafe.prediction.effects.transaction_blocks import refused_in_transaction_block
from migsafe.schema.catalog import Catalog
from migsafe.sql import operations as sql
from migsafe.sql.operations import Constraint, ConstraintKind, IndexElement, Name, Operation, Option
from migsafe.sql.statements import Statement, read
from migsafe.text import Span

AUTOCOMMIT_BLOCK = "with op.get_context().autocommit_block():"
"""The block that commits the transaction, runs its statements outside of one, and begins a new one."""

_INDENT = "    "
_WIDTH = 100
_COMMENT = lazy_pattern(r"^[ \t]*--[ \t]?")
_STATEMENT = lazy_pattern(r"(?:ALTER|CREATE|DROP) .*;$")
_RECEIVER = lazy_pattern(r"(\w+)\.")
_RUNS_BEFORE = ("#", 'op.execute("SET ')
"""The first characters of comments, and of calls that can run before the other calls of a block."""
_BOUND = lazy_pattern(r"(?<![:\w\\]):(?=\w+(?!:))")
"""Colons that SQLAlchemy's `text` would interpret as parameters."""
_NEXT = ("next migration", "next revision")

_OUTSIDE = "# outside a transaction, too:"
"""Before a statement that PostgreSQL accepts in a transaction, and that should not run in one."""

_Arguments = dict[str, str]
"""The keyword arguments of a call, as source text."""


def as_op_calls(text: str, catalog: Catalog, *, in_transaction: bool = True) -> str:
    """Returns SQL with comments as the Python of an Alembic script; `catalog` is the database that it is for.

    Statements without a suitable call use `op.execute`. `in_transaction`: Alembic has opened a transaction for the script, so its own BEGIN
    and COMMIT are left out."""
    lines: list[str] = []
    end, in_block, asked = 0, False, False
    for statement in read(text):
        comments = _comments(text[end : statement.span.start])
        if in_transaction and isinstance(statement.operations[0], sql.Begin | sql.Commit):
            lines += comments
            end = statement.span.end
            continue
        asked = _OUTSIDE in comments or (asked and not comments)
        comments = [line for line in comments if line != _OUTSIDE]
        outside = asked or runs_outside(statement, catalog)
        same_block = outside and in_block and f"# {_NEXT[1]}" not in comments
        lines += [_INDENT + line for line in comments] if same_block else comments
        if outside and not same_block:
            lines.append(AUTOCOMMIT_BLOCK)
        call = statement_call(statement, text)
        # Lines within an SQL string must not be indented.
        has_long_string = any(line.count("'") % 2 for line in call)
        lines += [_INDENT * (outside and not (has_long_string and number)) + line for number, line in enumerate(call)]
        end, in_block = statement.span.end, outside
    return "\n".join((*lines, *_comments(text[end:])))


def outside_batch(code: str, script: str, call: Span) -> str:
    """Returns calls of `op`, with the instruction to put them outside the `batch_alter_table` block, if a call of a script is in one.

    A batch sends its calls when its block ends, so a call of `op` inside it runs before them (alembic operations/batch.py, flush)."""
    receiver = _RECEIVER.match(script, call.start)
    if receiver is None or receiver[1] == "op" or all(line.startswith(_RUNS_BEFORE) for line in code.splitlines()):
        return code
    if not re.search(rf"\.batch_alter_table\(.*\)\s+as\s+{receiver[1]}\s*:", script):
        return code
    return f"# end the batch_alter_table block before this: inside it, a call of op runs before those of {receiver[1]}\n{code}"


def _comments(between: str) -> list[str]:
    """Returns the text between two statements as Python comments."""
    lines = [_COMMENT.sub("", line).rstrip() for line in between.lstrip("; \t\n").splitlines()]
    # A statement that a person is to look at first is a call, too.
    calls = [executed_text(line.removesuffix(";")) if _STATEMENT.match(line) else [line.replace(*_NEXT)] for line in lines if line]
    return [f"# {line}" for call in calls for line in call]


def runs_outside(statement: Statement, catalog: Catalog) -> bool:
    """Whether a statement cannot run in a transaction block."""
    return any(refused_in_transaction_block(operation, catalog) is not None for operation in statement.operations) or any(
        isinstance(operation, sql.Commit) for operation in statement.operations[1:]
    )


def statement_call(statement: Statement, text: str) -> list[str]:
    """Returns the lines of the call that sends a statement of a text."""
    words = text[statement.span.start : statement.span.end]
    # An ALTER TABLE with several actions takes its lock only once, and comments in it should be kept.
    call = _call(statement.operations[0]) if len(statement.operations) == 1 and "--" not in words else None
    return call.splitlines() if call is not None else executed_text(words)


def executed_text(words: str) -> list[str]:
    """Returns the lines of the call of `op.execute` that sends a statement."""
    if "\n" not in words:
        return [f"op.execute({_escaped(words)})"]
    inner = _BOUND.sub(r"\\:", words).replace("\\", "\\\\").replace('"""', r"\"\"\"")
    return f'op.execute("""\n{inner}\n""")'.splitlines()


def _call(op: Operation) -> str | None:
    """Returns the call of `op` that sends an operation; None if no call expresses all of it."""
    match op:
        case sql.CreateIndex():
            return _create_index(op)
        case sql.Drop(kind="index", names=(Name(name, schema, None),), cascade=False):
            flags = {"postgresql_concurrently": _true_if(op.concurrently), "if_exists": _true_if(op.if_exists)}
            return _format_call("drop_index", [_string(name)], {"schema": _optional_string(schema), **flags})
        case sql.Drop(kind="table", names=(Name(name, schema, None),), cascade=False, if_exists=False):
            return _format_call("drop_table", [_string(name)], {"schema": _optional_string(schema)})
        case sql.Rename(kind="table", name=Name(name, schema, None), if_exists=False):
            return _format_call("rename_table", [_string(name), _string(op.new_name)], {"schema": _optional_string(schema)})
        case sql.AlterRelation(target=sql.Target(kind="table", name=Name(name, schema, None), only=False, if_exists=False)):
            return _alter_table(op, name, schema)
    return None


def _alter_table(op: sql.AlterRelation, table: str, schema: str | None) -> str | None:
    in_schema = {"schema": _optional_string(schema)}
    match op:
        case sql.AddConstraint(constraint=constraint):
            return _constraint(constraint, table, schema)
        case sql.SetNotNull(column=column) | sql.DropNotNull(column=column):
            nullable = str(isinstance(op, sql.DropNotNull))
            return _format_call("alter_column", [_string(table), _string(column)], {"nullable": nullable, **in_schema})
        case sql.DropColumn(column=column, if_exists=False, cascade=False):
            return _format_call("drop_column", [_string(table), _string(column)], in_schema)
        case sql.RenameColumn(column=column, new_name=new, cascade=False):
            return _format_call("alter_column", [_string(table), _string(column)], {"new_column_name": _string(new), **in_schema})
        case sql.DropConstraint(constraint=name, if_exists=False, cascade=False):
            return _format_call("drop_constraint", [_string(name), _string(table)], in_schema)
    return None


def _create_index(op: sql.CreateIndex) -> str | None:
    keys = [_key(element) for element in op.elements]
    include = [element.column for element in op.include]
    if op.name is None or op.table.catalog or op.only or op.tablespace or None in keys or None in include:
        return None
    options = _options(op.options)
    if options is None:
        return None
    classes = {element.column: str(element.opclass) for element in op.elements if element.column and element.opclass}
    return _format_call(
        "create_index",
        [_string(op.name), _string(op.table.name), _list([key for key in keys if key is not None])],
        {
            "schema": _optional_string(op.table.schema),
            "unique": _true_if(op.unique),
            "postgresql_concurrently": _true_if(op.concurrently),
            "if_not_exists": _true_if(op.if_not_exists),
            "postgresql_using": _optional_string(op.method),
            "postgresql_include": _strings(*(column for column in include if column is not None)) if include else "",
            "postgresql_ops": _pairs(classes),
            "postgresql_with": _pairs(options),
            "postgresql_nulls_not_distinct": _true_if(op.nulls_not_distinct),
            "postgresql_where": f"sa.text({_escaped(op.where.sql)})" if op.where is not None else "",
        },
    )


def _key(element: IndexElement) -> str | None:
    if element.collation or element.opclass_options or (element.opclass and (element.column is None or element.opclass.schema)):
        return None
    order = " DESC" * element.descending + {None: "", True: " NULLS FIRST", False: " NULLS LAST"}[element.nulls_first]
    if element.column is not None and not order:
        return _string(element.column)
    if element.opclass:
        return None
    key = str(Name(element.column)) if element.column is not None else f"({element.expression.sql})" if element.expression else ""
    return f"sa.text({_escaped(key + order)})"


def _constraint(constraint: Constraint, table: str, schema: str | None) -> str | None:
    if (
        constraint.name is None
        or constraint.no_inherit
        or not constraint.enforced
        or constraint.period
        or constraint.include
        or constraint.options
        or constraint.tablespace
    ):
        return None
    deferred = "" if constraint.initially_deferred is None else _string("DEFERRED" if constraint.initially_deferred else "IMMEDIATE")
    deferral = {"deferrable": "" if constraint.deferrable is None else str(constraint.deferrable), "initially": deferred}
    names = [_string(constraint.name), _string(table)]
    valid = {"postgresql_not_valid": _true_if(constraint.not_valid)}
    match constraint.kind:
        case ConstraintKind.FOREIGN_KEY if constraint.references is not None:
            return _foreign_key(
                constraint,
                constraint.references,
                [_string(constraint.name), _string(table)],
                {"source_schema": _optional_string(schema), **deferral, **valid},
            )
        case ConstraintKind.CHECK if constraint.check is not None:
            return _format_call(
                "create_check_constraint", [*names, _escaped(constraint.check.sql)], {"schema": _optional_string(schema), **deferral, **valid}
            )
        case ConstraintKind.UNIQUE if constraint.index is None and not constraint.nulls_not_distinct:
            return _format_call(
                "create_unique_constraint", [*names, _strings(*constraint.columns)], {"schema": _optional_string(schema), **deferral}
            )
    return None


def _foreign_key(key: Constraint, references: sql.Reference, names: list[str], keywords: _Arguments) -> str | None:
    if not references.columns or references.table.catalog or "(" in references.on_delete:
        return None
    referent = {
        "referent_schema": _optional_string(references.table.schema),
        "ondelete": _string(references.on_delete.upper()) if references.on_delete != "no action" else "",
        "onupdate": _string(references.on_update.upper()) if references.on_update != "no action" else "",
        "match": _string(references.match.upper()) if references.match != "simple" else "",
    }
    return _format_call(
        "create_foreign_key",
        [*names, _string(references.table.name), _strings(*key.columns), _strings(*references.columns)],
        {**referent, **keywords},
    )


def _options(options: tuple[Option, ...]) -> dict[str, str] | None:
    if any(option.value is None for option in options):
        return None
    return {option.name: str(option.value) for option in options}


def _format_call(function: str, arguments: list[str], keywords: _Arguments) -> str:
    """Returns the call, on one line if that is short enough, without the keywords that have no value."""
    words = [*arguments, *(f"{name}={value}" for name, value in keywords.items() if value)]
    line = f"op.{function}({', '.join(words)})"
    if len(line) <= _WIDTH:
        return line
    return "\n".join((f"op.{function}(", *(f"{_INDENT}{word}," for word in words), ")"))


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _escaped(text: str) -> str:
    """Returns an SQL string in which SQLAlchemy finds no parameters."""
    return _string(_BOUND.sub(r"\\:", text))


def _strings(*texts: str) -> str:
    return _list([_string(text) for text in texts])


def _list(values: list[str]) -> str:
    return f"[{', '.join(values)}]"


def _pairs(pairs: "dict[str, str]") -> str:
    return f"{{{', '.join(f'{_string(key)}: {_string(value)}' for key, value in pairs.items())}}}" if pairs else ""


def _optional_string(text: str | None) -> str:
    return _string(text) if text is not None else ""


def _true_if(flag: bool) -> str:
    return "True" if flag else ""
