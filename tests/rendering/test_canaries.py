"""The assumptions about Python, SQLAlchemy and Alembic that go beyond what they document.

A failure here says which module of migsafe depends on what has changed, before any rendering goes wrong. docs/architecture.md explains each.
"""

import ast
import importlib
import inspect
import os
import subprocess
import sys
import typing
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, cast

import alembic
import pytest
import sqlalchemy
from alembic import op
from alembic.ddl.impl import DefaultImpl
from alembic.operations import Operations
from alembic.operations.batch import BatchOperationsImpl
from alembic.operations.ops import AlterColumnOp
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from sqlalchemy import ARRAY, JSON, Column, Enum, MetaData, Table, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.engine.reflection import Inspector
from sqlalchemy.ext.mutable import MutableBase
from sqlalchemy.orm import RelationshipProperty, bulk_persistence, declarative_base, loading, persistence, relationship
from sqlalchemy.schema import CreateTable

from migsafe.rendering.messages import Answer
from migsafe.rendering.worker import frames, sqlalchemy_internals
from migsafe.rendering.worker.annotations import install_annotations
from migsafe.rendering.worker.database import Database, RecordingConnection
from migsafe.rendering.worker.guards import Guards, Snapshot
from migsafe.rendering.worker.project import ProjectCode
from migsafe.rendering.worker.relationships import leave_out_unknown_relationships
from migsafe.rendering.worker.script_file import ScriptFile
from migsafe.rendering.worker.script_run import Run
from migsafe.rendering.worker.transformation import CONTAINS
from migsafe.rendering.worker.unknown import Unknown

PYTHON = f"Python {sys.version.partition(' ')[0]}"
SQLALCHEMY = f"SQLAlchemy {sqlalchemy.__version__}"
ALEMBIC = f"Alembic {alembic.__version__}"


def require(holds: object, library: str, behaviour: str, module: str) -> None:
    """Fails, naming the module that depends on an assumption, if the assumption no longer holds."""
    if not holds:
        pytest.fail(f"{library} no longer {behaviour}: migsafe/rendering/worker/{module} depends on it; see docs/architecture.md")


@pytest.fixture
def run() -> Run:
    def ask(name: str, arguments: tuple[str | None, ...], sent: tuple[str, ...]) -> Answer:
        return Answer(known=False)

    run = Run(ScriptFile("script.py", ""), ProjectCode(Guards(), Snapshot()), {}, ask)
    run.active = True
    return run


def execute(source: str, **names: object) -> dict[str, Any]:
    found: dict[str, Any] = dict(names)
    exec(compile(source, "script.py", "exec"), found)
    return found


# Frames and bytecode


def test_a_frame_gives_the_range_of_its_call() -> None:
    source = "first(\n    note(1),\n)\n"
    called: list[tuple[int, int]] = []

    def note(value: int) -> None:
        frame = frames.caller()
        called.extend(frames.instruction_points(frame.f_code)[frames.instruction_number(frame)])

    execute(source, note=note, first=lambda *_: None)
    [call] = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and ast.unparse(node) == "note(1)"]
    expected = [(call.lineno, call.col_offset), (call.end_lineno, call.end_col_offset)]
    require(called == expected, PYTHON, "gives the source position of the call that a frame is in (co_positions, f_lasti)", "frames.py")


def test_a_frame_gives_the_range_of_its_block() -> None:
    entered: list[tuple[int, int]] = []

    class Block:
        def __enter__(self) -> None:
            note(frames.caller())

        def __exit__(self, *_: object) -> None:
            note(frames.caller())

    def note(frame: FrameType) -> None:
        entered.append(frames.instruction_points(frame.f_code)[frames.instruction_number(frame)][0])

    execute("pass\nwith block():\n    pass\n", block=Block)
    require({line for line, _ in entered} == {2}, PYTHON, "gives the position of the `with` that enters and leaves a block", "script_file.py")


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("a, b, c = value", 3),
        ("a, = value", 1),
        (f"{', '.join(f'name{number}' for number in range(300))} = value", 300),
        ("for a in value: break", None),
        ("list(value)", None),
    ],
)
def test_bytecode_contains_the_number_of_names_that_a_value_is_unpacked_into(source: str, count: int | None) -> None:
    counts: list[int | None] = []

    class Value:
        def __iter__(self) -> Any:
            counts.append(frames.unpack_count(frames.caller()))
            return iter(range(count or 1))

    execute(source, value=Value())
    require(counts == [count], PYTHON, "unpacks a value with UNPACK_SEQUENCE, which holds the number of names", "frames.py")


def test_an_import_can_be_recognised_on_the_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "canary_module.py").write_text("import sys\nFRAME = sys._getframe()\n")
    monkeypatch.syspath_prepend(tmp_path)
    frame: FrameType = importlib.import_module("canary_module").FRAME
    del sys.modules["canary_module"]
    require(frames.is_importing(frame), PYTHON, "imports modules in a function called _find_and_load", "frames.py")
    assert not frames.is_importing(frames.caller(0))
    finder = importlib.machinery.FileFinder
    require(finder.find_spec.__code__.co_filename == frames.IMPORTLIB_FILE, PYTHON, f"searches folders in {frames.IMPORTLIB_FILE}", "frames.py")


# What the worker replaces in Python


def test_builtins_may_be_a_mapping_that_creates_missing_names() -> None:
    class Names(dict[str, Any]):
        def __missing__(self, name: str) -> str:
            return f"made up: {name}"

    builtins = Names({"__import__": lambda name, *_: f"imported: {name}"})
    found = execute("import a\ndef inside():\n    return other\nname, nested = some, inside()\n", __builtins__=builtins)
    require(
        (found["a"], found["name"], found["nested"]) == ("imported: a", "made up: some", "made up: other"),
        PYTHON,
        "takes built-in names and __import__ from the module's __builtins__, a subclass of dict",
        "imports.py",
    )


def test_a_name_in_a_syntax_tree_need_not_be_an_identifier() -> None:
    tree = ast.fix_missing_locations(ast.Expression(ast.Name(CONTAINS, ast.Load())))
    require(eval(compile(tree, "script.py", "eval"), {CONTAINS: True}), PYTHON, "compiles names with a space in them", "transformation.py")


def test_python_asks_for_the_state_of_a_file_with_os_stat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    stat = os.stat

    def noting(path: Any, **options: Any) -> os.stat_result:
        asked.append(str(path))
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", noting)
    for check in (os.path.exists, os.path.isfile, os.path.isdir, lambda path: Path(path).exists(), lambda path: Path(path).is_file()):
        asked.clear()
        check(str(tmp_path / "missing"))
        require(asked == [str(tmp_path / "missing")], PYTHON, "asks for files through os.stat in os.path and pathlib", "dependencies.py")


def test_environment_variables_are_read_through_the_class_of_os_environ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(os.environ), "__getitem__", lambda *_: "replaced")
    found = (os.environ["CANARY_VARIABLE"], os.environ.get("CANARY_VARIABLE"), os.getenv("CANARY_VARIABLE"))
    require(
        set(found) == {"replaced"}, PYTHON, "reads environment variables through __getitem__ of os.environ's class", "environment_variables.py"
    )


EVENTS = """
import os, socket, subprocess, sys
seen = set()
sys.addaudithook(lambda event, _: seen.add(event))
open("file", "w").close(); os.listdir("."); list(os.scandir(".")); os.rename("file", "other"); os.truncate("other", 0); os.chmod("other", 0o600)
os.mkdir("folder"); os.rmdir("folder"); os.remove("other"); exec("1"); os.kill(os.getpid(), 0); os.system("true"); os.chdir(".")
subprocess.run(["true"]); import colorsys
try:
    socket.socket().connect(("127.0.0.1", 1))
except OSError:
    pass
print(*sorted(seen))
"""


@pytest.mark.process
def test_python_reports_what_a_script_does_to_audit_hooks(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", EVENTS], capture_output=True, text=True, check=True, cwd=tmp_path)
    expected = {"open", "os.listdir", "os.scandir", "os.rename", "os.truncate", "os.chmod", "os.mkdir", "os.rmdir", "os.remove", "exec"}
    expected |= {"os.kill", "os.system", "os.chdir", "subprocess.Popen", "import", "socket.__new__", "socket.connect"}
    missing = expected - set(done.stdout.split())
    require(not missing, PYTHON, f"raises the audit events {', '.join(sorted(missing))}", "guards.py and worker/dependencies.py")


# SQLAlchemy


def test_a_compiled_statement_has_its_conversions_and_columns() -> None:
    dialect: Any = postgresql.dialect()  # type: ignore[no-untyped-call]
    table = Table("t", MetaData(), Column("data", JSON))
    compiled: Any = table.insert().values(data={}).compile(dialect=dialect)
    require(
        list(sqlalchemy_internals.bind_processors(compiled)) == ["data"],
        SQLALCHEMY,
        "has PGCompiler._bind_processors",
        "sqlalchemy_internals.py",
    )
    columns = sqlalchemy_internals.result_columns(select(table).compile(dialect=dialect)) or ()
    require([column[0] for column in columns] == ["data"], SQLALCHEMY, "has SQLCompiler._result_columns", "sqlalchemy_internals.py")


def test_an_engine_makes_connections_of_a_given_class(run: Run) -> None:
    connection = Database(run).connection
    require(isinstance(connection, RecordingConnection), SQLALCHEMY, "makes connections of Engine._connection_cls", "sqlalchemy_internals.py")
    connection.execute(text("SELECT 1"))
    require(
        [call.sql for call in run.calls] == ["SELECT 1"],
        SQLALCHEMY,
        "connects without a query under _initialize=False",
        "sqlalchemy_internals.py",
    )


def test_an_unknown_value_can_be_a_type(run: Run) -> None:
    table = Table("t", MetaData(), Column("a", Unknown(run, "Money", "which is not known")))  # type: ignore[call-overload]
    compiled = str(CreateTable(table).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    require('"⟨Money⟩"' in compiled, SQLALCHEMY, "recognises types by _sqla_type and _compiler_dispatch", "sqlalchemy_internals.py")


def test_an_unknown_value_can_be_an_annotation(run: Run) -> None:
    initialise = typing.ForwardRef.__init__
    try:
        install_annotations()
        annotation: Any = typing.Optional
        argument = typing.get_args(annotation[Unknown(run, "Money", "which is not known")])[0]
        require(argument.__forward_arg__ == "object", PYTHON, "makes a ForwardRef of a string in an annotation", "annotations.py")
    finally:
        typing.ForwardRef.__init__ = initialise  # type: ignore[method-assign]


def test_creating_and_dropping_can_be_distinguished(run: Run) -> None:
    status, connection = postgresql.ENUM("new", "done", name="status"), Database(run).connection
    status.create(connection, checkfirst=True)
    status.drop(connection, checkfirst=True)
    sent = [call.sql.split()[0] for call in run.calls]
    require(sent == ["CREATE", "DROP"], SQLALCHEMY, "drops objects in a class called …Dropper", "sqlalchemy_internals.py")


def test_sqlalchemy_checks_for_tables_with_has_table(run: Run) -> None:
    table, connection = Table("t", MetaData(), Column("a", JSON)), Database(run).connection
    table.create(connection, checkfirst=True)
    table.drop(connection, checkfirst=True)
    sent = [call.sql.split()[0] for call in run.calls]
    require(
        sent == ["CREATE", "DROP"],
        SQLALCHEMY,
        "looks for a table with Dialect.has_table, or has_multi_table, in a class called …Dropper or …Generator",
        "inspection.py",
    )


def test_a_session_writes_its_objects_in_two_modules() -> None:
    for module in (persistence, bulk_persistence):
        frame = cast("FrameType", SimpleNamespace(f_code=SimpleNamespace(co_filename=module.__file__), f_back=None))
        name = module.__name__.replace(".", "/")
        require(sqlalchemy_internals.is_writing_objects(frame), SQLALCHEMY, f"writes objects in {name}.py", "sqlalchemy_internals.py")


def test_an_inspector_calls_the_dialect() -> None:
    class Code:
        f_code = Inspector.has_table.__code__

    require(sqlalchemy_internals.is_in_inspector(Code()), SQLALCHEMY, "has its inspector in engine/reflection.py", "sqlalchemy_internals.py")  # type: ignore[arg-type]
    for name in ("get_multi_columns", "get_multi_indexes", "get_multi_pk_constraint", "get_multi_foreign_keys"):
        require(hasattr(DefaultDialect, name), SQLALCHEMY, f"has DefaultDialect.{name}", "inspection.py")
    for name in ("_load_enums", "_load_domains"):
        require(hasattr(postgresql.base.PGDialect, name), SQLALCHEMY, f"has PGDialect.{name}", "inspection.py")
    require(hasattr(postgresql.dialect(), "_backslash_escapes"), SQLALCHEMY, "has PGDialect._backslash_escapes", "database.py")  # type: ignore[no-untyped-call]


def test_a_relationship_that_cannot_be_configured_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RelationshipProperty, "init", RelationshipProperty.init)  # restored afterwards
    monkeypatch.setattr(sqlalchemy.sql.util, "sort_tables", sqlalchemy.sql.util.sort_tables)
    base = declarative_base()

    class Order(base):  # type: ignore[valid-type, misc]
        __tablename__ = "orders"
        id = Column(sqlalchemy.Integer, primary_key=True)
        lines = relationship("Absent")

    leave_out_unknown_relationships(ProjectCode(Guards(), Snapshot()).owner)
    assert "SELECT orders.id" in str(select(Order)), "RelationshipProperty.init, Mapper._props or local_attrs: see relationships.py"
    assert str(Order.lines) == "⟨Order.lines⟩"


def test_patched_functions_accept_the_arguments_of_the_patches() -> None:
    parameters = list(inspect.signature(ARRAY.__init__).parameters)
    expected = ["self", "item_type", "as_tuple", "dimensions", "zero_indexes"]
    require(parameters == expected, SQLALCHEMY, f"has ARRAY({', '.join(expected[1:])})", "sqlalchemy_patches.py")
    parameters = list(inspect.signature(loading._decorate_polymorphic_switch).parameters)
    require(parameters[3] == "mapper", SQLALCHEMY, "has _decorate_polymorphic_switch(…, mapper, …)", "sqlalchemy_patches.py")
    require("coerce" in vars(MutableBase), SQLALCHEMY, "has MutableBase.coerce", "sqlalchemy_patches.py")
    parameters = list(inspect.signature(Column._set_parent).parameters)
    require("allow_replacements" in parameters, SQLALCHEMY, "has Column._set_parent(…, allow_replacements)", "sqlalchemy_patches.py")
    require(isinstance(vars(Table("t", MetaData())).get("indexes"), set), SQLALCHEMY, "has Table.indexes, a set", "sqlalchemy_patches.py")
    require("bind" not in inspect.signature(MetaData.__init__).parameters, SQLALCHEMY, "lacks MetaData(bind=…)", "sqlalchemy_patches.py")
    made = Enum("a", "b", name="ab", native_enum=False, length=10)
    require(made.name == "ab" and made.length == 10, SQLALCHEMY, "has Enum(*values, name, native_enum, length)", "sqlalchemy_patches.py")
    for name in ("select", "insert", "update", "delete", "exists"):
        for module in (sqlalchemy, sqlalchemy.sql, sqlalchemy.sql.expression):
            require(hasattr(module, name), SQLALCHEMY, f"has {module.__name__}.{name}", "sqlalchemy_patches.py")


# Alembic


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Operations, "_install_proxy"),
        (Operations, "run_async"),
        (EnvironmentContext, "_install_proxy"),
        (MigrationContext, "_stdout_connection"),
        (MigrationContext, "_in_connection_transaction"),
        (DefaultImpl, "static_output"),
        (DefaultImpl, "emit_begin"),
        (DefaultImpl, "emit_commit"),
        (DefaultImpl, "bulk_insert"),
        (DefaultImpl, "command_terminator"),
    ],
)
def test_alembic_has_the_overridden_methods(owner: type, name: str) -> None:
    require(hasattr(owner, name), ALEMBIC, f"has {owner.__name__}.{name}", "alembic_offline.py")


def test_alembic_sends_statements_through_one_method() -> None:
    parameters = list(inspect.signature(DefaultImpl._exec).parameters)
    expected = ["self", "construct", "execution_options", "multiparams", "params"]
    require(parameters[: len(expected)] == expected, ALEMBIC, f"has DefaultImpl._exec({', '.join(expected[1:])})", "alembic_offline.py")


def test_a_migration_context_keeps_its_mode_and_connection_as_attributes() -> None:
    dialect: Any = postgresql.dialect()  # type: ignore[no-untyped-call]
    context = MigrationContext(dialect, None, {"as_sql": True})
    require({"as_sql", "connection"} <= set(vars(context)), ALEMBIC, "sets MigrationContext.as_sql and .connection", "alembic_offline.py")
    operations = Operations(context)
    batch = BatchOperationsImpl(operations, "t", None, "auto", None, True, (), {}, {}, (), None)  # type: ignore[arg-type]
    require(isinstance(vars(batch).get("batch"), list), ALEMBIC, "collects the operations of a batch in a list", "alembic_offline.py")


def test_alembic_alters_columns_with_keywords_for_their_old_state() -> None:
    parameters = inspect.signature(AlterColumnOp.__init__).parameters
    for name in ("existing_type", "existing_nullable", "existing_server_default"):
        require(name in parameters, ALEMBIC, f"has AlterColumnOp({name}=…)", "alembic_offline.py")


def test_alembic_op_asks_its_module_for_names_that_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(op, "__getattr__", lambda name: f"made up: {name}", raising=False)
    require(op.no_such_operation == "made up: no_such_operation", ALEMBIC, "has a plain module as alembic.op", "alembic_offline.py")
