"""GitHub's action, step by step as a runner goes through it: in a repository with a bad change, and with a `gh` that writes down what it is
asked."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
INPUTS = {name: str(given["default"]) for name, given in ACTION["inputs"].items()}
GH = """\
#!/bin/sh
echo "$@" >> "$GH_SAID"
case "$*" in
  *--paginate*) printf '%s' "$GH_FOUND" ;;
  *) exit "${GH_CODE:-0}" ;;
esac
"""

Step = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def step(tmp_path: Path) -> Step:
    """Runs a step of the action as `bash` steps are run, with what the runner would put into its environment."""
    repository, temp, programs = tmp_path / "repository", tmp_path / "temp", tmp_path / "programs"
    for folder in (repository / "migrations", temp / "migsafe" / "bin", programs):
        folder.mkdir(parents=True)
    installed = temp / "migsafe" / "bin" / "migsafe"
    installed.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m migsafe "$@"\n')
    (programs / "gh").write_text(GH)
    for program in (installed, programs / "gh"):
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
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "RUNNER_TEMP": str(temp),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_REPOSITORY": "shop/shop",
            "GH_SAID": str(tmp_path / "said"),
            "GH_FOUND": "",
            **given,
            **(env or {}),
        }
        bash = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", STEPS[name]["run"]]
        return subprocess.run(bash, cwd=repository, env=environment, capture_output=True, text=True, check=False)

    return run


def _filled(expression: str, inputs: dict[str, str]) -> str:
    """The value of an `${{ inputs.… }}`; any other expression is for the test to give."""
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


def test_what_cannot_be_judged_fails(step: Step, tmp_path: Path) -> None:
    assert step("Judge", since="nowhere").returncode == 0
    assert (tmp_path / "output").read_text() == "code=2\n"


def test_sarif_is_written_for_the_upload(step: Step, tmp_path: Path) -> None:
    step("Judge", sarif="true")
    assert "index-not-concurrent" in (tmp_path / "temp" / "migsafe.sarif").read_text()
    assert STEPS["Code scanning"]["with"]["sarif_file"] == "${{ runner.temp }}/migsafe.sarif"


def test_one_comment_is_written_and_then_kept_up_to_date(step: Step, tmp_path: Path) -> None:
    step("Judge")
    said = tmp_path / "said"
    body = f"--field body=@{tmp_path / 'temp' / 'comment.md'}"
    assert step("Comment", env={"NUMBER": "7"}).returncode == 0
    assert said.read_text().splitlines()[-1] == f"api repos/shop/shop/issues/7/comments {body} --silent"
    assert (tmp_path / "temp" / "comment.md").read_text().startswith("<!-- migsafe -->\n")
    assert step("Comment", env={"NUMBER": "7", "GH_FOUND": "12\n34"}).returncode == 0
    assert said.read_text().splitlines()[-1] == f"api --method PATCH repos/shop/shop/issues/comments/12 {body} --silent"


def test_a_token_that_may_only_read_fails_nothing(step: Step) -> None:
    step("Judge")
    done = step("Comment", env={"NUMBER": "7", "GH_CODE": "1"})
    assert done.returncode == 0
    assert "::warning title=migsafe::the comment could not be written" in done.stdout
