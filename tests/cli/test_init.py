"""`migsafe init` shows what it would write, and writes only after confirmation or with --yes; existing files keep their content."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from migsafe.cli import main
from migsafe.configuration.schema import FILE, SITE
from migsafe.setup.installation import requirement

pytestmark = pytest.mark.process

ORDERS = "CREATE TABLE orders (id bigint);\n"
PROJECT = '[project]\nname = "shop"\n'
HOOKS = """\
repos:
  # formatters
  - repo: https://example.com/formatter
    rev: v1
    hooks:
      - id: format

ci:
  autofix: false
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "db/migrations/0001_orders.sql", ORDERS)
    write(tmp_path, "tests/data/0001_orders.sql", ORDERS)
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def written(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_nothing_is_written_without_confirmation(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = written(repository)
    assert main(["init"]) == 0
    output = capsys.readouterr().out
    assert "db/migrations  1 migration, plain SQL" in output
    assert f"migsafe.toml  new file\n  #:schema {SITE}{FILE}\n  migrations = [\n" in output
    assert output.endswith("Nothing was written. To write the files, use --yes.\n")
    assert main(["init", "--yes", "--dry-run"]) == 0
    assert written(repository) == before


def test_the_written_files_work(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--yes", "--ci", "github"]) == 0
    assert set(written(repository)) == {
        *("db/migrations/0001_orders.sql", "tests/data/0001_orders.sql"),
        *("migsafe.toml", ".pre-commit-config.yaml", ".github/workflows/migsafe.yml"),
    }
    assert tomllib.loads((repository / "migsafe.toml").read_text()) == {"migrations": ["db/migrations"]}
    capsys.readouterr()
    assert main(["lint", "--no-cache", "--fail-on", "error"]) == 0
    assert "in 1 file" in capsys.readouterr().out
    assert is_valid(repository)


def test_queries_are_found(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(repository, "sqlc.yaml", "sql:\n- engine: postgresql\n  queries: db/sqlc\n")
    write(repository, "db/sqlc/a.sql", "-- name: A :one\nSELECT id FROM orders;\n-- name: B :one\nSELECT 1;\n")
    write(repository, "app/sql/inner/b.sql", "-- name: b^\nselect id from orders")
    write(repository, "app/sql/c.sql", "-- :name c :? :*\nselect id from orders")
    write(repository, "tests/sql/d.sql", "-- name: d^\nselect id from orders")
    write(repository, "dumps/e.sql", "--\n-- Name: orders; Type: TABLE; Schema: public; Owner: -\n--\n\nCREATE TABLE orders (id bigint);\n")
    assert main(["init", "--yes", "--ci", "none", "--no-hook"]) == 0
    assert "  sqlc.yaml  2 queries, sqlc\n" in capsys.readouterr().out
    configuration = tomllib.loads((repository / "migsafe.toml").read_text())
    assert configuration == {"migrations": ["db/migrations"], "queries": ["sqlc.yaml", "app/sql"]}
    assert main(["queries"]) == 0
    assert capsys.readouterr().out.endswith("\n\n2 queries.\n")


def test_queries_in_python_are_found(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = 'def get(c):\n    return c.execute("""SELECT id FROM orders""")\n'
    for path in ("app/db/orders.py", "app/web/views/pages.py", "app/tests/test_orders.py", "scripts/fill.py", "manage.py"):
        write(repository, path, query)
    write(repository, "app/words.py", 'print("select an order with execute(x)")\n')
    assert main(["init", "--yes", "--ci", "none", "--no-hook"]) == 0
    assert "  app  2 queries, SQL in Python\n" in capsys.readouterr().out
    assert tomllib.loads((repository / "migsafe.toml").read_text())["queries"] == ["app"]
    (repository / "migsafe.toml").unlink()
    write(repository, "app/db/sql/a.sql", "-- name: a^\nselect id from orders")
    assert main(["init", "--yes", "--ci", "none", "--no-hook"]) == 0
    assert tomllib.loads((repository / "migsafe.toml").read_text())["queries"] == ["app/db/sql", "app/db/orders.py", "app/web/views"]


def is_valid(root: Path) -> bool:
    check = [sys.executable, "-m", "pre_commit", "validate-config", ".pre-commit-config.yaml"]
    return subprocess.run(check, cwd=root, capture_output=True, check=False).returncode == 0


def git(root: Path, *arguments: str) -> str:
    own = ["-c", "user.name=Team", "-c", "user.email=team@example.com"]
    return subprocess.run(["git", *own, *arguments], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def judging_steps(ci: str, root: Path) -> list[str]:
    """Returns the commands of a job that fetch and judge, with the values that GitHub fills in."""
    job: dict[str, Any] = yaml.safe_load((root / (".gitlab/migsafe.yml" if ci == "gitlab" else ".github/workflows/migsafe.yml")).read_text())
    steps = job["migsafe"]["script"] if ci == "gitlab" else [step.get("run", "") for step in job["jobs"]["migrations"]["steps"]]
    return [step.replace("${{ github.base_ref }}", "main") for step in steps if step.startswith(("migsafe ", "git "))]


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_the_ci_job_fails_for_a_dangerous_change(ci: str, repository: Path, tmp_path: Path) -> None:
    git(repository, "init", "--initial-branch", "main")
    assert main(["init", "--yes", "--ci", ci]) == 0
    git(repository, "add", ".")
    git(repository, "commit", "--message", "The shop opens")
    publish(repository, tmp_path / "origin.git")
    environment = job_environment(tmp_path)

    def job() -> int:
        script = "\n".join(judging_steps(ci, repository))
        assert script
        return subprocess.run(["bash", "-e", "-c", script], cwd=repository, env=environment, capture_output=True, check=False).returncode

    assert job() == 0
    write(repository, "db/migrations/0002_notes.sql", "DROP TABLE orders;\n")
    git(repository, "add", "db")
    git(repository, "commit", "--message", "Tidy up")
    assert job() == 1
    if ci == "gitlab":
        issues = json.loads((repository / "gl-code-quality-report.json").read_text())
        assert "drop-table" in [issue["check_name"] for issue in issues]


def publish(repository: Path, origin: Path) -> None:
    """Makes a repository from which the checkout is cloned, with its main branch."""
    git(repository, "clone", "--quiet", "--bare", ".", str(origin))
    git(repository, "remote", "add", "origin", str(origin))
    git(repository, "fetch", "--quiet", "origin")


def job_environment(tmp_path: Path) -> dict[str, str]:
    """Returns the environment of a job, in which migsafe is installed."""
    program = tmp_path / "bin" / "migsafe"
    write(tmp_path, "bin/migsafe", f'#!/bin/sh\nexec "{sys.executable}" -m migsafe "$@"\n')
    program.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    }


def test_the_gitlab_job_sees_what_was_merged_since(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = tmp_path / "shop"
    write(repository, "sql/V1__orders.sql", ORDERS)
    monkeypatch.chdir(repository)
    assert main(["init", "--yes", "--ci", "gitlab"]) == 0
    git(repository, "init", "--initial-branch", "main")
    git(repository, "add", ".")
    git(repository, "commit", "--message", "The shop opens")
    publish(repository, tmp_path / "origin.git")
    git(repository, "checkout", "--quiet", "-b", "branch")
    write(repository, "sql/V2__carts.sql", "CREATE TABLE carts (id bigint PRIMARY KEY);\n")
    git(repository, "add", ".")
    git(repository, "commit", "--message", "Carts")
    git(tmp_path, "clone", "--quiet", "origin.git", "other")
    write(tmp_path / "other", "sql/V3__items.sql", "CREATE TABLE items (id bigint PRIMARY KEY);\n")
    git(tmp_path / "other", "add", ".")
    git(tmp_path / "other", "commit", "--message", "Items")
    git(tmp_path / "other", "push", "--quiet", "origin", "main")
    script = "\n".join(judging_steps("gitlab", repository))
    subprocess.run(["bash", "-e", "-c", script], env=job_environment(tmp_path), capture_output=True, check=False)
    issues = json.loads((repository / "gl-code-quality-report.json").read_text())
    assert "out-of-order" in [issue["check_name"] for issue in issues]


def test_existing_files_are_extended(repository: Path) -> None:
    write(repository, "pyproject.toml", PROJECT)
    write(repository, ".pre-commit-config.yaml", HOOKS)
    write(repository, ".gitlab-ci.yml", "build:\n  script: make\n")
    assert main(["init", "--yes"]) == 0
    files = written(repository)
    assert tomllib.loads(files["pyproject.toml"])["project"] == {"name": "shop"}
    assert tomllib.loads(files["pyproject.toml"])["tool"]["migsafe"] == {"migrations": ["db/migrations"]}
    hooks = files[".pre-commit-config.yaml"]
    assert hooks.startswith(HOOKS.partition("\nci:")[0])
    assert hooks.endswith("\nci:\n  autofix: false\n")
    assert hooks.index("  - repo: local\n") < hooks.index("\nci:")
    assert is_valid(repository)
    assert files[".gitlab-ci.yml"] == "build:\n  script: make\n\ninclude:\n  - local: .gitlab/migsafe.yml\n"
    assert main(["init", "--yes"]) == 0
    assert written(repository) == files


def test_a_section_for_agents_is_written_once(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--yes", "--ci", "none"]) == 0
    assert "AGENTS.md" not in written(repository)
    assert "`migsafe init --agents` also writes a section of AGENTS.md" in capsys.readouterr().out
    write(repository, "AGENTS.md", "# The shop\n")
    assert main(["init", "--dry-run"]) == 0
    assert written(repository)["AGENTS.md"] == "# The shop\n"
    assert main(["init", "--yes"]) == 0
    text = written(repository)["AGENTS.md"]
    assert text.startswith("# The shop\n\n## Database migrations\n")
    assert "`migsafe lint --changed`" in text
    assert main(["init", "--yes", "--agents"]) == 0
    assert written(repository)["AGENTS.md"] == text
    (repository / "AGENTS.md").unlink()
    assert main(["init", "--yes", "--agents"]) == 0
    assert written(repository)["AGENTS.md"] == text.removeprefix("# The shop\n\n")


def test_files_that_cannot_be_extended_are_reported(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(repository, ".pre-commit-config.yaml", "repos: []\n")
    write(repository, ".gitlab-ci.yml", "include: other.yml\n")
    write(repository, "migsafe.toml", 'migrations = ["db/migrations"]\n')
    assert main(["init", "--yes"]) == 0
    output = capsys.readouterr().out
    assert ".pre-commit-config.yaml  unchanged: its `repos` is not a list in block style; add this by hand\n  - repo: local\n" in output
    assert ".gitlab-ci.yml  unchanged: it has an `include`; add this to it by hand\n  - local: .gitlab/migsafe.yml\n" in output
    assert "migsafe.toml  unchanged" in output
    assert written(repository)[".pre-commit-config.yaml"] == "repos: []\n"


def test_alembic_gets_the_application_in_the_job(repository: Path) -> None:
    write(repository, "alembic.ini", "[alembic]\nscript_location = alembic\n")
    write(repository, "alembic/env.py", "")
    write(repository, "alembic/versions/1_one.py", "revision = '1'\ndown_revision = None\ndef upgrade():\n    pass\n")
    assert main(["init", "--yes", "--no-hook", "alembic"]) == 0
    assert ".pre-commit-config.yaml" not in written(repository)
    assert main(["init", "--yes", "alembic"]) == 0
    # pre-commit makes the environment of the hook: it works when no virtual environment is active.
    hook = yaml.safe_load(written(repository)[".pre-commit-config.yaml"])["repos"][0]["hooks"][0]
    assert (hook["language"], hook["additional_dependencies"]) == ("python", [requirement()])


@pytest.mark.parametrize(
    ("files", "installed"),
    [
        ({"pyproject.toml": PROJECT}, []),
        ({"pyproject.toml": PROJECT + '[build-system]\nrequires = ["hatchling"]\n'}, ["pip install ."]),
        ({"setup.py": "", "backend/requirements.txt": "alembic\n"}, ["pip install -r backend/requirements.txt"]),
        ({"backend/setup.py": ""}, ["pip install ./backend"]),
    ],
)
def test_the_job_installs_only_what_can_be_installed(files: dict[str, str], installed: list[str], repository: Path) -> None:
    write(repository, "backend/alembic/env.py", "")
    write(repository, "backend/alembic/versions/1_one.py", "revision = '1'\ndown_revision = None\ndef upgrade():\n    pass\n")
    for name, text in files.items():
        write(repository, name, text)
    assert main(["init", "--yes", "--ci", "github"]) == 0
    steps = yaml.safe_load(written(repository)[".github/workflows/migsafe.yml"])["jobs"]["migrations"]["steps"]
    assert [step["run"] for step in steps if step.get("run", "").startswith("pip")] == [*installed, f'pip install "{requirement()}"']


@pytest.mark.parametrize(
    ("project", "python", "installs"),
    [
        ('[project]\nname = "shop"\nrequires-python = ">=3.10"\n', "3.12", True),
        ('[project]\nname = "shop"\nrequires-python = ">=3.13"\n', "3.13", True),
        ('[project]\nname = "shop"\nrequires-python = ">=3.9,<3.12"\n', "3.11", True),
        ('[project]\nname = "shop"\nrequires-python = "~=3.11.2"\n', "3.11", True),
        ('[project]\nname = "shop"\nrequires-python = ">=3.11,!=3.12.*,<=3.13"\n', "3.11", True),
        ('[tool.poetry]\nname = "shop"\n[tool.poetry.dependencies]\npython = "^3.13.2"\n', "3.13", True),
        ('[tool.poetry]\nname = "shop"\n[tool.poetry.dependencies]\npython = "~3.10"\n', "3.12", False),
    ],
)
@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_the_job_has_a_python_that_the_application_accepts(project: str, python: str, installs: bool, ci: str, repository: Path) -> None:
    write(repository, "pyproject.toml", f'{project}[build-system]\nrequires = ["hatchling"]\n')
    write(repository, "alembic/env.py", "")
    write(repository, "alembic/versions/1_one.py", "revision = '1'\ndown_revision = None\ndef upgrade():\n    pass\n")
    assert main(["init", "--yes", "--ci", ci]) == 0
    name, line = {
        "github": (".github/workflows/migsafe.yml", f'python-version: "{python}"\n'),
        "gitlab": (".gitlab/migsafe.yml", f"image: python:{python}\n"),
    }[ci]
    assert line in written(repository)[name]
    assert ("pip install .   #" in written(repository)[name]) is installs


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"reports/queries/1_top.sql": "SELECT 1;", "reports/queries/2_sum.sql": "CREATE VIEW v AS SELECT 1;"}, "they look like queries"),
        ({"logs/1_events.sql": "CREATE TABLE events (id UInt64) ENGINE = MergeTree ORDER BY id;"}, "it is written for ClickHouse"),
        ({"shop/mysql_migrations/1_a.sql": ORDERS}, "it is for mysql"),
        ({"old/1_a.sql": "CREATE TABLE a (\n  id integer,\n  made DATETIME NOT NULL,\n  data BLOB\n);"}, "it is written for MySQL or SQLite"),
        ({"old/1_a.sql": "CREATE TABLE a (\n  made text DEFAULT (datetime('now'))\n);"}, "it is written for SQLite"),
        ({"old/1_a.sql": "CREATE TABLE `a` (id INT UNSIGNED AUTO_INCREMENT);"}, "it is written for MySQL"),
        (
            {
                "cache/store/1_a.sql": ORDERS,
                "cache/Cargo.toml": '[dependencies]\nsqlx = { version = "0.8", features = ["sqlite", "migrate"] }\n',
            },
            "its crate uses SQLite",
        ),
        (
            {
                "cache/m/2024-01-01-000000_a/up.sql": ORDERS,
                "cache/Cargo.toml": '[dependencies.diesel]\nworkspace = true\nfeatures = ["mysql"]\n',
                "Cargo.toml": '[workspace.dependencies]\ndiesel = "2.2"\n',
            },
            "its crate uses MySQL",
        ),
        ({"schema/rollback_dbs/1.2.0/1.sql": "DROP TABLE orders;"}, "its scripts undo migrations"),
        ({"app/db.sql/1.sql": "--\n-- PostgreSQL database dump\n--\n" + ORDERS}, "it is a dump of the schema"),
        (
            {"web/migrations/1_fix.sql": ORDERS, **{f"web/migrations/171000000000{n}-a.ts": "// MigrationInterface" for n in range(2)}},
            "its scripts are few among migrations that migsafe does not read",
        ),
        (
            {
                "src/main/resources/db/tables/V1__a.sql": ORDERS,
                "src/main/resources/db/rows/V2__a.sql": "INSERT INTO orders (id) VALUES (1);",
                "src/main/resources/application.properties": "spring.flyway.locations=classpath:db/tables",
                "src/main/resources/application-dev.properties": "spring.flyway.locations=classpath:db/tables,classpath:db/rows",
            },
            "Flyway's settings name it only for the profile dev",
        ),
        (
            {
                "src/main/resources/db/tables/V1__a.sql": ORDERS,
                "src/main/resources/db/old/V2__a.sql": ORDERS,
                "src/main/resources/application.properties": "spring.flyway.locations=classpath:db/tables",
            },
            "Flyway's settings name the folder beside it, but not this one",
        ),
    ],
)
def test_what_is_not_a_history_is_left_out(files: dict[str, str], reason: str, repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in files.items():
        write(repository, name, text)
    assert main(["init", "--yes"]) == 0
    assert reason in capsys.readouterr().out
    assert set(_migrations(repository)) <= {"db/migrations", "src/main/resources/db/tables"}


@pytest.mark.parametrize(
    ("schema", "is_left_out"),
    [
        ("CREATE TABLE carts (id bigint PRIMARY KEY, note text, kind text);\nCREATE INDEX carts_kind ON carts (kind);", True),
        ("CREATE TABLE carts (id bigint PRIMARY KEY);", False),
    ],
)
def test_the_schema_to_which_the_migrations_beside_it_lead(
    schema: str, is_left_out: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "store/schema.sql", schema)
    write(tmp_path, "store/migrations/migration_001_002.sql", "CREATE TABLE a (id int);")
    write(tmp_path, "store/migrations/migration_002_003.sql", "CREATE TABLE b (id int);\nDROP TABLE a;")
    write(tmp_path, "store/migrations/migration_003_004.sql", "ALTER TABLE b RENAME TO carts;\nALTER TABLE carts ADD COLUMN note text;")
    write(tmp_path, "store/migrations/migration_010_011.sql", "CREATE INDEX IF NOT EXISTS carts_kind ON carts (kind);")
    assert main(["init", "--dry-run"]) == 0
    offered, _, rest = capsys.readouterr().out.partition("Left out")
    assert ("store  1 migration" not in offered) is is_left_out
    reason = "store  1 migration, plain SQL, as psql -f runs it: it is the schema to which the migrations in store/migrations lead"
    assert (reason in rest) is is_left_out
    assert "store/migrations  4 migrations" in offered


@pytest.mark.parametrize(
    "manifests",
    [
        {"store/Cargo.toml": '[dependencies]\nsqlx = { version = "0.8", features = ["sqlite", "postgres"] }\n'},
        {
            "store/Cargo.toml": '[dependencies]\nsqlx = { workspace = true, features = ["sqlite"] }\n',
            "Cargo.toml": '[workspace.dependencies]\nsqlx = { version = "0.8", features = ["runtime-tokio", "postgres"] }\n',
        },
        {"store/Cargo.toml": '[dependencies]\nsqlx = "0.8"\n'},
    ],
)
def test_a_crate_that_may_use_postgresql_is_offered(manifests: dict[str, str], repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path, text in {"store/migrations/1_a.sql": ORDERS, **manifests}.items():
        write(repository, path, text)
    assert main(["init", "--yes"]) == 0
    assert "store/migrations  1 migration, sqlx" in capsys.readouterr().out


def test_a_folder_that_alembic_does_not_read(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    revision = 'from alembic import op\nrevision = "{}"\ndown_revision = None\ndef upgrade():\n    op.execute("DROP TABLE a")\n'
    for folder, version in (("versions", "b2"), ("versions/archive", "a1"), ("versions/logs/versions", "c3")):
        write(repository, f"app/alembic/{folder}/{version}.py", revision.format(version))
    for place in ("alembic", "alembic/versions/logs"):
        write(repository, f"app/{place}/env.py", "from alembic import context\n")
    write(repository, "app/alembic.ini", "[alembic]\nscript_location = alembic\n")
    assert main(["init", "--yes"]) == 0
    reason = "  app/alembic/versions/archive  1 migration, Alembic: Alembic does not read the folders in app/alembic/versions\n"
    assert reason in capsys.readouterr().out
    assert _migrations(repository)[0] == "app/alembic/versions"
    assert "app/alembic/versions/logs/versions" in _migrations(repository)
    (repository / "migsafe.toml").unlink()
    write(repository, "app/alembic.ini", "[alembic]\nscript_location = alembic\nrecursive_version_locations = true\n")
    assert main(["init"]) == 0
    assert "does not read" not in capsys.readouterr().out


def test_a_table_named_cluster_is_not_of_clickhouse(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cluster = "CREATE TABLE cluster (id bigint PRIMARY KEY);\nCREATE INDEX ON cluster (id);\nGRANT SELECT ON cluster TO reader;\n"
    write(repository, "fleet/migrations/1_cluster.up.sql", cluster)
    write(repository, "events/migrations/1_events.up.sql", "CREATE TABLE events ON CLUSTER main (id UInt64) ENGINE = Log;\n")
    assert main(["init"]) == 0
    output = capsys.readouterr().out
    assert "  fleet/migrations  1 migration, golang-migrate\n" in output
    assert "  events/migrations  1 migration, golang-migrate: it is written for ClickHouse" in output


def _migrations(repository: Path) -> list[str]:
    configured: list[str] = tomllib.loads((repository / "migsafe.toml").read_text())["migrations"]
    return configured


def test_migrations_without_numbers_are_named(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("shop-12-orders.sql", "shop-7-notes.sql"):
        write(repository, f"stock/migration/{name}", "ALTER TABLE stock ADD COLUMN note text;\n")
        write(repository, f"stock/mysql/migrations/{name}", "ALTER TABLE stock ADD COLUMN note text;\n")
        write(repository, f"stock/reports/{name}", "ALTER TABLE stock ADD COLUMN note text;\n")
        write(repository, f"stock/migrations/queries/{name}", "SELECT * FROM stock;\n")
        write(repository, f"db/migrations/old/{name}", "ALTER TABLE stock ADD COLUMN note text;\n")
    assert main(["init", "--yes"]) == 0
    output = capsys.readouterr().out
    assert "  stock/migration  2 migrations, plain SQL, as psql -f runs it: the names of its scripts have no numbers" in output
    assert "reports" not in output
    assert "queries  " not in output
    assert "mysql" not in output
    assert "db/migrations/old" not in output
    assert tomllib.loads((repository / "migsafe.toml").read_text()) == {"migrations": ["db/migrations"]}


def test_scripts_of_revisions_are_no_second_history(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(repository, "app/alembic/env.py", "")
    write(repository, "app/alembic/versions/1_one.py", "revision = '1'\ndown_revision = None\ndef upgrade():\n    pass\n")
    write(repository, "app/alembic/sql/1_one.sql", ORDERS)
    assert main(["init", "--dry-run"]) == 0
    assert "its scripts belong to the revisions in app/alembic/versions" in capsys.readouterr().out


def test_other_migrations_are_named(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(2):
        write(repository, f"shop/db/migrate/2026010100000{number}_orders.rb", "")
    write(repository, "shop/db/structure.sql", "SELECT pg_catalog.set_config('search_path', '', false);\n" + ORDERS)
    assert main(["init", "--dry-run"]) == 0
    output = capsys.readouterr().out
    assert "Not read by migsafe:\n  shop/db/migrate  2 files, Rails, in Ruby\n" in output
    assert "migsafe lint --schema shop/db/structure.sql" in output


def test_the_sql_of_django_can_be_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(2):
        write(tmp_path, f"shop/migrations/000{number}_orders.py", "")
    assert main(["init"]) == 2
    assert "`python manage.py sqlmigrate APP MIGRATION | migsafe lint -`" in capsys.readouterr().err
    write(tmp_path, "db/migrations/1_a.sql", ORDERS)
    assert main(["init", "--dry-run"]) == 0
    assert "`python manage.py sqlmigrate APP MIGRATION | migsafe lint -` checks the SQL of one." in capsys.readouterr().out


def test_history_ends_with_the_last_deployed_version(repository: Path) -> None:
    write(repository, "service/src/main/resources/db/migration/V1__a.sql", ORDERS)
    write(repository, "service/src/main/resources/db/migration/R__b.sql", "SELECT 1;")
    assert main(["init", "--yes", "service/src/main/resources/db/migration"]) == 0
    assert '# start-after = "1" ' in (repository / "migsafe.toml").read_text()


def test_loose_scripts_beside_migrations_of_another_runner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(2):
        write(tmp_path, f"src/migrations/2026010100000{number}-orders.js", "")
    write(tmp_path, "scripts/reset.sql", ORDERS)
    assert main(["init"]) == 2
    assert "scripts is left out: no runner is recognised, and other migrations have one" in capsys.readouterr().err


def test_migrations_that_do_not_run_on_postgresql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "prisma/migrations/1_a/migration.sql", ORDERS)
    write(tmp_path, "prisma/migrations/migration_lock.toml", 'provider = "mysql"')
    assert main(["init"]) == 2
    assert "prisma/migrations is left out: they are for mysql\n  migsafe checks migrations of PostgreSQL only." in capsys.readouterr().err
    write(tmp_path, "supabase/migrations/20260101000000_a.sql", ORDERS)
    write(tmp_path, "supabase/migrations/20260102000000-b.sql", ORDERS)
    assert main(["init", "--dry-run"]) == 0
    output = capsys.readouterr().out
    assert "prisma/migrations  1 migration, Prisma: they are for mysql" in output
    assert "supabase/migrations/20260102000000-b.sql  1 migration, Supabase: Supabase does not run it as a migration" in output


def test_a_repository_with_other_migrations_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(2):
        write(tmp_path, f"db/migrate/2026010100000{number}_orders.rb", "")
    assert main(["init"]) == 2
    assert "not read: db/migrate: 2 files, Rails, in Ruby" in capsys.readouterr().err


@pytest.mark.parametrize("folder", ["testdata", "internal/testutil", "crates/test_migrations", "plugins/example_shop"])
def test_copies_for_tests_are_left_out(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for place in ("migrations", f"{folder}/migrations"):
        write(tmp_path, f"{place}/000001_a.up.sql", ORDERS)
    assert main(["init", "--dry-run"]) == 0
    assert f"{folder}/migrations  1 migration, golang-migrate: it looks like tests or examples" in capsys.readouterr().out


def test_drafts_beside_migrations_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "store/migrations/postgres/000001_a.up.sql", ORDERS)
    write(tmp_path, "store/migrations/postgres/000001_a.down.sql", "DROP TABLE orders;")
    for folder in ("future/postgres", "postgres-templates"):
        write(tmp_path, f"store/migrations/{folder}/000002_b.sql", ORDERS)
    assert main(["init", "--dry-run"]) == 0
    output = capsys.readouterr().out
    assert "Found:\n  store/migrations/postgres  1 migration, golang-migrate\nLeft out" in output
    assert output.count("it looks like drafts or an archive") == 2


@pytest.mark.parametrize(
    ("name", "text", "tool"),
    [
        ("src/Migrations/17150285372{}-CreateOrders.ts", "export class A implements MigrationInterface {", "TypeORM, in TypeScript"),
        ("src/migrations/202601010000{}-orders.js", "module.exports = { up: (queryInterface) => {} }", "Sequelize, in JavaScript"),
        ("db/migrations/202601010000{}_orders.js", "exports.up = (knex) => knex.schema.createTable('a', () => {})", "Knex, in JavaScript"),
        ("schemas/alterations/1.0.0-16772089{}-orders.ts", "", "a runner in JavaScript or TypeScript"),
        ("priv/repo/migrations/201401282018{}_orders.exs", "", "Ecto, in Elixir"),
        ("priv/repo/manual_migrations/201401282018{}_orders.exs", "", "Ecto, in Elixir"),
        ("migrate/0{}_orders.rb", "", "Sequel, in Ruby"),
        ("migrations/Version202601010000{}.php", "", "Doctrine, in PHP"),
        ("db/migrations/202601010000{}_orders.php", "", "Phinx, in PHP"),
    ],
)
def test_the_library_of_scripts_is_named(
    name: str, text: str, tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in (11, 12):
        write(tmp_path, name.format(number), text)
    folder = name.rpartition("/")[0]
    # What is not migrations of production does not hide them, and is not offered instead.
    write(tmp_path, f"{folder}/notes.sql", "SELECT 1;")
    write(tmp_path, "test/1_a.sql", ORDERS)
    write(tmp_path, "tables/orders.sql", ORDERS)
    assert main(["init"]) == 2
    assert f"not read: {folder}: 2 files, {tool}\n" in capsys.readouterr().err


def test_scripts_without_order_beside_other_migrations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in (11, 12):
        write(tmp_path, f"db/alterations/1.0.0-16772089{number}-orders.ts", "")
    write(tmp_path, "schema/orders.sql", ORDERS)
    assert main(["init"]) == 2
    assert "schema is left out: its scripts have no order, and other migrations have one" in capsys.readouterr().err


def test_many_folders_of_a_tool_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    for app in "abcdef":
        for number in range(2):
            write(tmp_path, f"{app}/migrations/000{number}_orders.py", "")
    assert main(["init"]) == 2
    assert "not read: a/migrations and 5 more folders: 12 files, Django, in Python\n" in capsys.readouterr().err


def test_a_migration_of_another_database_is_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("migrate", "clickhouse_migrate"):
        for number in range(2):
            write(tmp_path, f"db/{folder}/2026010100000{number}_orders.rb", "")
    assert main(["init"]) == 2
    assert "clickhouse" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["init", "nowhere"], "nowhere: there is no such file or folder"),
        (["init", "--ci", "jenkins"], "--ci: unknown CI: jenkins"),
    ],
)
def test_invalid_arguments_are_errors(repository: Path, arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert repository.is_dir()
    assert main(arguments) == 2
    assert complaint in capsys.readouterr().err


def test_a_repository_without_migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 2
    assert "no migrations found\n  Name their folder" in capsys.readouterr().err


def test_a_named_pipe_is_not_read(repository: Path) -> None:
    for name in ("pipe.sql", "pipe.jsonl", "pipe.py"):
        os.mkfifo(repository / name)
    command = [sys.executable, "-m", "migsafe", "init", "--dry-run"]
    assert subprocess.run(command, cwd=repository, capture_output=True, timeout=60, check=False).returncode == 0


def test_an_invalid_pyproject_is_an_error(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(repository, "pyproject.toml", "[project\n")
    assert main(["init", "--yes"]) == 2
    assert "pyproject.toml: not valid TOML" in capsys.readouterr().err
