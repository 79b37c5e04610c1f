"""Projects of all layouts, reached from wherever the user names them."""

from pathlib import Path

import msgspec
import pytest

from migsafe.errors import MigsafeError
from migsafe.script_environment import ScriptEnvironment
from migsafe.sources import Plan, SourceSettings, find_migrations

Files = dict[str, str]

ENV = "from alembic import context\ncontext.configure(connection=connection)\n"
PER_MIGRATION = "from alembic import context\ncontext.configure(connection=connection, transaction_per_migration=True)\n"
INI = "[alembic]\nscript_location = {}\n"


def script(version: str, *down: str, extra: str = "") -> str:
    before = repr(down[0] if len(down) == 1 else down or None)
    return f'revision = "{version}"\ndown_revision = {before}\n{extra}\ndef upgrade():\n    op.drop_table("t")\n\ndef downgrade():\n    pass\n'


CHAIN = {"2b_items.py": script("2b", "1a"), "1a_orders.py": script("1a"), "3c_join.py": script("3c", "2b", "2d"), "2d_x.py": script("2d", "1a")}
ORDER = ["1a", "2d", "2b", "3c"]


def within(folder: str, files: Files) -> Files:
    return {f"{folder}/{name}": text for name, text in files.items()}


def write(files: Files) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def versions(plan: Plan) -> list[list[str]]:
    assert not plan.problems
    return [source.versions for source in plan.sources]


LAYOUTS: dict[str, Files] = {
    "beside the ini": {"app/alembic.ini": INI.format("alembic"), "app/alembic/env.py": ENV, **within("app/alembic/versions", CHAIN)},
    "from the root": {"app/alembic.ini": INI.format("app/alembic"), "app/alembic/env.py": ENV, **within("app/alembic/versions", CHAIN)},
    "%(here)s": {"app/alembic.ini": INI.format("%(here)s/alembic"), "app/alembic/env.py": ENV, **within("app/alembic/versions", CHAIN)},
    "a name of its own": {"app/db.ini": INI.format("alembic"), "app/alembic/env.py": ENV, **within("app/alembic/versions", CHAIN)},
    "pyproject": {
        "app/pyproject.toml": '[tool.alembic]\nscript_location = "%(here)s/alembic"\n',
        "app/alembic/env.py": ENV,
        **within("app/alembic/versions", CHAIN),
    },
    "a package": {
        "app/alembic.ini": INI.format("shop.db:alembic"),
        "app/shop/db/alembic/env.py": ENV,
        **within("app/shop/db/alembic/versions", CHAIN),
    },
    "a package in src": {
        "app/alembic.ini": INI.format("shop:alembic"),
        "app/src/shop/alembic/env.py": ENV,
        **within("app/src/shop/alembic/versions", CHAIN),
    },
    "Flask-Migrate": {"app/migrations/alembic.ini": "[alembic]\n", "app/migrations/env.py": ENV, **within("app/migrations/versions", CHAIN)},
    "no ini": {"app/migrations/env.py": ENV, **within("app/migrations/versions", CHAIN)},
    "scripts alone": within("app/migrations", CHAIN),
    "below versions": {
        "app/alembic.ini": INI.format("alembic") + "recursive_version_locations = true\n",
        "app/alembic/env.py": ENV,
        "app/alembic/versions/2023/1a_orders.py": CHAIN["1a_orders.py"],
        **within("app/alembic/versions/2024", {name: text for name, text in CHAIN.items() if not name.startswith("1a")}),
    },
    "two folders": {
        "app/alembic.ini": INI.format("alembic") + "version_locations = %(here)s/one:%(here)s/two\npath_separator = :\n",
        "app/alembic/env.py": ENV,
        "app/one/1a_orders.py": CHAIN["1a_orders.py"],
        **within("app/two", {name: text for name, text in CHAIN.items() if not name.startswith("1a")}),
    },
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_history_is_the_same_however_it_is_reached(layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = LAYOUTS[layout]
    write(files)
    folders = {Path(), *(parent for name in files for parent in Path(name).parents)}
    for folder in sorted(folders):
        if folder.name != "src" or layout == "a package in src":
            assert versions(find_migrations([str(folder)])) == [ORDER], folder
    last = next(name for name in files if "3c" in name)
    plan = find_migrations([last])
    assert [migration.id for migration in plan.migrations] == ["3c"]
    assert [migration.id for migration in plan.history] == ["1a", "2d", "2b"]
    assert plan.migrations[0].up.file.path == last
    monkeypatch.chdir(Path(last).parent)
    assert [migration.up.file.path for migration in find_migrations(["3c_join.py"]).migrations] == ["3c_join.py"]
    assert versions(find_migrations(["."])) == [ORDER]


def test_an_ini_may_have_several_environments() -> None:
    write(
        {
            "alembic.ini": "[DEFAULT]\nx = 1\n[orders]\nscript_location = orders\n[billing]\nscript_location = billing\n[loggers]\nkeys = a\n",
            **within("orders/versions", CHAIN),
            "orders/env.py": ENV,
            "billing/env.py": PER_MIGRATION,
            "billing/versions/9f.py": script("9f"),
        }
    )
    plan = find_migrations(["."])
    assert versions(plan) == [ORDER, ["9f"]]
    assert {migration.id: migration.own_transaction_advice for migration in plan.migrations if migration.id in ("1a", "9f")} == {
        "1a": "pass `transaction_per_migration=True` to `context.configure()` in orders/env.py",
        "9f": None,
    }


def test_the_history_of_a_file_is_what_it_depends_on() -> None:
    write(within("versions", {**CHAIN, "4e_beside.py": script("4e", "2b"), "5f_waits.py": script("5f", "2b", extra='depends_on = "4e"')}))
    for name, history in {"2b_items": ["1a"], "4e_beside": ["1a", "2b"], "5f_waits": ["1a", "2b", "4e"]}.items():
        assert [migration.id for migration in find_migrations([f"versions/{name}.py"]).history] == history


def test_several_files_are_one_release_and_a_folder_is_not() -> None:
    write(within("versions", CHAIN))
    [source] = find_migrations(["versions/3c_join.py", "versions/2b_items.py"]).sources
    assert [(step.migration.id, step.selected, step.transaction_continues) for step in source.steps()] == [
        ("1a", False, False),
        ("2d", False, False),
        ("2b", True, True),
        ("3c", True, False),
    ]
    assert not any(step.transaction_continues for source in find_migrations(["versions"]).sources for step in source.steps())
    write({"env.py": PER_MIGRATION})
    [source] = find_migrations(["versions/3c_join.py", "versions/2b_items.py"]).sources
    assert not any(step.transaction_continues for step in source.steps())


def test_starting_after_a_revision_excludes_what_it_depends_on() -> None:
    write(within("versions", CHAIN))
    [source] = find_migrations(["versions"]).starting_after("2b_items").sources
    assert [(step.migration.id, step.selected) for step in source.steps()] == [("1a", False), ("2d", True), ("2b", False), ("3c", True)]


def test_files_that_are_not_revisions_are_ignored() -> None:
    others = {
        "__init__.py": "",
        ".#2b_items.py": script("2b"),
        "2b_items.py~": script("2b"),
        "names.py": "NAMES = ()",
        "1a.pyc": "",
        "note.sql": "x",
    }
    write(within("versions", {**CHAIN, **others, "__pycache__/2b_items.py": script("2b")}))
    plan = find_migrations(["."])
    assert versions(plan) == [ORDER]
    assert list(plan.skipped) == ["versions/.#2b_items.py", "versions/names.py"]


def test_sql_files_next_to_alembic_are_found() -> None:
    write(
        {
            "alembic.ini": INI.format("alembic"),
            "alembic/env.py": ENV,
            **within("alembic/versions", CHAIN),
            "queue/sql/0001_jobs.sql": "SELECT 1;",
        }
    )
    assert [(source.path, source.runner.name) for source in find_migrations(["."]).sources] == [
        ("alembic/versions", "alembic"),
        ("queue/sql", "plain"),
    ]


def test_an_unreadable_script_does_not_affect_other_scripts() -> None:
    write(within("versions", {**CHAIN, "2b_items.py": 'revision = "2b"\ndown_revision = "1a"\ndef upgrade(:\n'}))
    plan = find_migrations(["versions"])
    assert [migration.id for migration in plan.migrations] == ["1a", "2d", "3c"]
    assert [problem.message for problem in plan.problems] == ["versions/2b_items.py:3: is not Python: invalid syntax"]
    assert plan.sources[0].lineages["versions/3c_join.py"].missing_parents == ()


@pytest.mark.parametrize(
    ("ini", "message"),
    [
        ("[alembic\nscript_location = x\n", "alembic.ini: is not valid: "),
        ("[alembic]\nscript_location = %(nowhere)s/x\n", "alembic.ini: [alembic] script_location: "),
        ("[alembic]\nscript_location = .\nversion_locations = a b\npath_separator = tab\n", "alembic.ini: path_separator cannot be tab"),
    ],
)
def test_invalid_settings_are_reported(ini: str, message: str) -> None:
    write({"alembic.ini": ini, **within("versions", CHAIN)})
    for path in (".", "versions/3c_join.py"):
        problems = find_migrations([path]).problems
        assert any(problem.message.startswith(message) for problem in problems), problems


@pytest.mark.parametrize("path", [".", "versions", "versions/3c_join.py"])
def test_an_env_that_is_not_python_is_named(path: str) -> None:
    write({"alembic.ini": INI.format("."), "env.py": "from alembic import context\ncontext.configure(", **within("versions", CHAIN)})
    plan = find_migrations([path])
    assert [problem.message for problem in plan.problems] == ["env.py:2: is not Python: '(' was never closed"]
    assert plan.migrations[-1].id == "3c"
    assert plan.migrations[-1].own_transaction_advice == "pass `transaction_per_migration=True` to `context.configure()` in env.py"


@pytest.mark.parametrize("line", ['revision = "{}"; down_revision = {}', 'revision, down_revision = "{}", {}'])
def test_a_revision_and_its_parent_may_be_declared_on_one_line(line: str) -> None:
    write({f"changes/{name}.py": line.format(name, down) + "\ndef upgrade(): pass\n" for name, down in (("1a", None), ("2b", '"1a"'))})
    assert versions(find_migrations(["changes"])) == [["1a", "2b"]]


def test_the_parent_of_an_unreadable_script_is_found_on_the_line_of_its_revision() -> None:
    write({"versions/1a.py": script("1a"), "versions/2b.py": 'revision = "2b"; down_revision = "1a"\ndef upgrade(:\n', "env.py": ENV})
    write({"versions/3c.py": script("3c", "2b")})
    assert [source.versions for source in find_migrations(["versions"]).sources] == [["1a", "2b", "3c"]]


def test_drafts_may_depend_on_revisions_beside_them() -> None:
    write({"app/env.py": ENV, **within("app/versions", CHAIN), "app/drafts/4d.py": script("4d", "3c"), "app/drafts/5e.py": script("5e", "9z")})
    drafts = next(source for source in find_migrations(["."]).sources if "4d" in source.versions)
    missing = {path.rpartition("/")[2]: lineage.missing_parents for path, lineage in drafts.lineages.items()}
    assert missing["4d.py"][0].elsewhere == "it is in app/versions, which is another folder of revisions"
    assert missing["5e.py"][0].elsewhere == ""


def test_a_parent_that_was_moved_out_of_the_versions_is_missing() -> None:
    write({"app/env.py": ENV, "app/archive/1a.py": script("1a"), "app/versions/2b.py": script("2b", "1a")})
    source = next(source for source in find_migrations(["app/versions"]).sources)
    assert [parent.elsewhere for lineage in source.lineages.values() for parent in lineage.missing_parents] == [""]


def test_a_named_runner_is_not_guessed() -> None:
    write({**within("versions", CHAIN), "other/0001.sql": "SELECT 1;"})
    assert versions(find_migrations(["."], SourceSettings(runner="alembic"))) == [ORDER]
    with pytest.raises(MigsafeError, match="contains no migrations"):
        find_migrations(["other"], SourceSettings(runner="alembic"))


@pytest.mark.parametrize("path", ["env.py", "alembic.ini", "versions/names.py"])
def test_a_file_that_is_not_a_migration_is_an_error(path: str) -> None:
    write({"alembic.ini": INI.format("."), "env.py": ENV, "versions/names.py": "NAMES = ()", **within("versions", CHAIN)})
    assert [problem.message for problem in find_migrations([path]).problems] == [f"{path}: is not a migration"]


def test_halves_are_programs_to_be_rendered() -> None:
    write(within("versions", {"1a.py": script("1a").replace("pass", 'op.create_table("t")'), "2b.py": script("2b", "1a")}))
    first, second = find_migrations(["versions"]).migrations
    assert first.down is not None
    assert [(half.script.text, half.chunks, half.program and half.program.function) for half in (first.up, first.down)] == [
        ("", (), "upgrade"),
        ("", (), "downgrade"),
    ]
    assert first.up.file.path == "versions/1a.py"
    assert second.down is None


def test_flask_migrate_is_recognised_by_the_application_that_env_py_reads() -> None:
    for folder, env in (("flask", f"from flask import current_app\n{ENV}"), ("plain", ENV)):
        write({f"{folder}/alembic.ini": "[alembic]\n", f"{folder}/env.py": env, **within(f"{folder}/versions", CHAIN)})
        program = find_migrations([folder]).migrations[0].up.program
        assert program is not None
        assert msgspec.json.decode(program.environment, type=ScriptEnvironment).is_flask == (folder == "flask")
