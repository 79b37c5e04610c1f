"""GitHub's action, step by step as a runner runs it: in a repository with a dangerous change, and with a server that stores comments as
GitHub does."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml  # type: ignore[import-untyped]

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
INPUTS = {name: str(given["default"]) for name, given in ACTION["inputs"].items()} | {"no-exec": "false"}
LONGEST = 65_536

Step = Callable[..., subprocess.CompletedProcess[str]]


class Comments(ThreadingHTTPServer):
    """The comments of one pull request; if they are `read_only`, writing is refused."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.comments: list[dict[str, Any]] = []
        self.writes: list[str] = []
        self.read_only = False

    def add(self, body: str, kind: str = "Bot") -> dict[str, Any]:
        comment = {"id": 1000 + len(self.comments), "body": body, "user": {"type": kind}}
        self.comments.append(comment)
        return comment

    def bodies(self) -> list[str]:
        return [comment["body"] for comment in self.comments]


class Answer(BaseHTTPRequestHandler):
    server: Comments

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        assert address.path == "/repos/shop/shop/issues/7/comments"
        asked = parse_qs(address.query)
        size, page = int(asked["per_page"][0]), int(asked["page"][0])
        self.reply(200, self.server.comments[(page - 1) * size : page * size])

    def do_POST(self) -> None:
        body = self.written()
        if self.may_write(body):
            assert self.path == "/repos/shop/shop/issues/7/comments"
            self.reply(201, self.server.add(body))

    def do_PATCH(self) -> None:
        body = self.written()
        if self.may_write(body):
            [comment] = [comment for comment in self.server.comments if self.path == f"/repos/shop/shop/issues/comments/{comment['id']}"]
            comment["body"] = body
            self.reply(200, comment)

    def written(self) -> str:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
        assert isinstance(body, str)
        return body

    def may_write(self, body: str) -> bool:
        code = 403 if self.server.read_only or self.headers["Authorization"] != "Bearer secret" else 422 if len(body) > LONGEST else 0
        if code:
            self.reply(code, {"message": "no"})
        else:
            self.server.writes.append(self.command)
        return not code

    def reply(self, code: int, content: object) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of the tests clean."""


@pytest.fixture
def github() -> Iterator[Comments]:
    with Comments() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def step(github: Comments, tmp_path: Path) -> Step:
    """Runs a step of the action with bash, in the environment that the runner would give it."""
    repository, temp = tmp_path / "repository", tmp_path / "temp"
    for folder in (repository / "migrations", temp / "migsafe" / "bin"):
        folder.mkdir(parents=True)
    installed = temp / "migsafe" / "bin" / "migsafe"
    installed.write_text(f'#!/bin/sh\necho "$1" >> "{tmp_path}/commands"\nexec "{sys.executable}" -m migsafe "$@"\n')
    python = temp / "migsafe" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    for program in (installed, python):
        program.chmod(0o755)

    def git(*arguments: str) -> None:
        own = ["-c", "user.name=Team", "-c", "user.email=team@example.com"]
        subprocess.run(["git", *own, *arguments], cwd=repository, check=True, capture_output=True)

    git("init")
    (repository / "migsafe.toml").write_text('migrations = ["migrations"]\n')
    (repository / "migrations" / "0001.sql").write_text("CREATE TABLE orders (id bigint PRIMARY KEY, note text);\n")
    git("add", ".")
    git("commit", "-m", "The shop opens")
    (repository / "migrations" / "0002.sql").write_text("CREATE INDEX orders_note_idx ON orders (note);\n")
    git("add", ".")
    git("commit", "-m", "Find notes")

    def run(name: str, *, env: dict[str, str] | None = None, **inputs: str) -> subprocess.CompletedProcess[str]:
        known = {"inputs": INPUTS | {"since": "HEAD~1"} | inputs}
        given = {key: _filled(str(value), known["inputs"]) for key, value in STEPS[name]["env"].items()}
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
            "PYTHONPATH": str(ROOT),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "RUNNER_TEMP": str(temp),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_REPOSITORY": "shop/shop",
            "GITHUB_API_URL": f"http://127.0.0.1:{github.server_port}",
            "GITHUB_ACTION_PATH": str(ROOT),
            "no_proxy": "127.0.0.1",
            **given,
            "GH_TOKEN": "secret",
            "NUMBER": "7",
            **(env or {}),
        }
        bash = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", STEPS[name]["run"]]
        return subprocess.run(bash, cwd=repository, env=environment, capture_output=True, text=True, check=False)

    return run


def _filled(expression: str, inputs: dict[str, str]) -> str:
    """The value of an `${{ inputs.… }}`; other expressions must be given by the test."""
    return re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: inputs[match[1]], expression)


def test_findings_become_annotations_a_summary_and_the_result(step: Step, tmp_path: Path) -> None:
    done = step("Judge")
    assert done.returncode == 0, done.stderr
    assert "::error file=migrations/0002.sql,line=1" in done.stdout
    assert "index-not-concurrent" in (tmp_path / "summary").read_text()
    assert (tmp_path / "output").read_text() == "code=1\n"
    assert step("Result", env={"CODE": "1"}).returncode == 1


def test_a_change_that_only_warns_can_pass(step: Step, tmp_path: Path) -> None:
    step("Judge", **{"fail-on": "never"})
    assert (tmp_path / "output").read_text() == "code=0\n"


def test_unreadable_migrations_fail(step: Step, tmp_path: Path) -> None:
    assert step("Judge", since="nowhere").returncode == 0
    assert (tmp_path / "output").read_text() == "code=2\n"


def test_one_run_serves_every_report(step: Step, tmp_path: Path) -> None:
    step("Judge", sarif="true")
    assert (tmp_path / "commands").read_text() == "lint\n"
    assert "index-not-concurrent" in (tmp_path / "temp" / "migsafe.sarif").read_text()
    assert STEPS["Code scanning"]["with"]["sarif_file"] == "${{ runner.temp }}/migsafe.sarif"
    assert "sarif=true\n" in (tmp_path / "output").read_text()


def test_inputs_go_before_the_configuration(step: Step, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    (repository / "ci.toml").write_text('migrations = ["migrations"]\nlock-timeout = "2s"\nignore = ["not-rerunnable"]\n')
    (repository / "stats.json").write_text('{"version": 1, "relations": {"public.orders": 5}}')
    step("Judge", sarif="true", config="ci.toml", stats="stats.json", **{"pg-version": "14"})
    [run] = json.loads((tmp_path / "temp" / "migsafe.sarif").read_text())["runs"]
    assert ([(result["ruleId"], result["level"]) for result in run["results"]], run["properties"]) == (
        [("index-not-concurrent", "note")],
        {"pgVersion": 14},
    )
    assert (tmp_path / "output").read_text().endswith("code=0\n")


def test_no_exec_runs_no_code_of_the_pull_request(step: Step, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    (repository / "tools").mkdir()
    (repository / "tools" / "rule.py").write_text("raise SystemExit('run')\n")
    (repository / "migsafe.toml").write_text('migrations = ["migrations"]\nrules = "tools"\n')
    done = step("Judge", replay="true", **{"no-exec": "true"})
    assert "index-not-concurrent" in done.stdout
    assert "::warning title=migsafe::replay is left out" in done.stdout
    assert (tmp_path / "commands").read_text() == "lint\n"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"event_name": "push"}, False),
        ({"event_name": "pull_request", "event.pull_request.head.repo.full_name": "shop/shop"}, False),
        ({"event_name": "pull_request", "event.pull_request.head.repo.full_name": "fork/shop"}, True),
        ({"event_name": "pull_request"}, True),  # the fork was deleted
        ({"event_name": "pull_request_target", "event.pull_request.head.repo.full_name": "shop/shop"}, True),
        ({"event_name": "workflow_run", "event.workflow_run.head_repository.full_name": "fork/shop"}, True),
    ],
)
def test_no_exec_is_the_default_for_foreign_code(event: dict[str, str], expected: bool) -> None:
    known = {"repository": "shop/shop"} | event
    expression = ACTION["inputs"]["no-exec"]["default"].removeprefix("${{").removesuffix("}}").replace("&&", "and").replace("||", "or")
    python = re.sub(r"github\.([\w.]+)", lambda match: repr(known.get(match[1], "")), expression)
    assert eval(python, {"startsWith": str.startswith}) is expected


def test_without_a_verdict_there_is_no_sarif_to_upload(step: Step, github: Comments, tmp_path: Path) -> None:
    step("Judge", since="nowhere", sarif="true")
    assert "sarif=true" not in (tmp_path / "output").read_text()
    assert "Nothing could be checked: the log of this job says why." in (tmp_path / "summary").read_text()
    step("Comment")
    assert "Nothing could be checked" in github.bodies()[0]


def test_a_pull_request_without_migrations_gets_no_comment(step: Step, github: Comments, tmp_path: Path) -> None:
    step("Judge", since="HEAD")
    assert (tmp_path / "output").read_text() == "idle=true\ncode=0\n"
    assert step("Comment", env={"IDLE": "true"}).returncode == 0
    assert github.writes == []
    github.add("<!-- migsafe -->\nwhat was said of a change that is gone", kind="Bot")
    step("Comment", env={"IDLE": "true"})
    assert github.writes == ["PATCH"]


def test_one_comment_is_written_and_then_kept_up_to_date(step: Step, github: Comments, tmp_path: Path) -> None:
    step("Judge")
    assert step("Comment").returncode == 0
    [first] = github.bodies()
    assert first == f"<!-- migsafe -->\n{(tmp_path / 'temp' / 'migsafe.md').read_text()}"
    assert "index-not-concurrent" in first
    step("Comment")
    assert github.writes == ["POST"]
    (tmp_path / "repository" / "migrations" / "0002.sql").write_text("SELECT 1;\n")
    step("Judge")
    step("Comment")
    assert github.writes == ["POST", "PATCH"]
    [second] = github.bodies()
    assert "index-not-concurrent" not in second


def test_only_the_action_s_own_comment_is_updated(step: Step, github: Comments) -> None:
    github.add("<!-- migsafe -->\nI write this myself", kind="User")
    for number in range(120):
        github.add(f"Looks good, {number}", kind="User")
    own = github.add("<!-- migsafe -->\nbefore")
    before = github.bodies()[:-1]
    step("Judge")
    step("Comment")
    assert github.writes == ["PATCH"]
    assert github.bodies()[:-1] == before
    assert "index-not-concurrent" in own["body"]


def test_a_report_that_is_too_long_is_cut(step: Step, github: Comments, tmp_path: Path) -> None:
    long = "### migsafe\n\n" + "words\n" * 9_000 + "```sql\n" + "SELECT 1;\n" * 9_000 + "```\n"
    (tmp_path / "temp" / "migsafe.md").write_text(long)
    step("Comment")
    [body] = github.bodies()
    assert "```" not in body
    assert body.endswith("\nwords\n\n*The rest is in the summary of the job.*\n")


def test_a_read_only_token_does_not_fail_the_job(step: Step, github: Comments) -> None:
    step("Judge")
    github.read_only = True
    done = step("Comment")
    assert done.returncode == 0
    assert "::warning title=migsafe::the comment could not be written (HTTP Error 403: Forbidden)" in done.stdout
    assert github.bodies() == []
