"""The deploy script of docs/rehearse.md: it works as it is written."""

import os
import re
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "rehearse.md"
SCRIPT = re.search(r"```sh\n(#!/bin/sh\n# deploy\.sh.*?)```", PAGE.read_text(), re.DOTALL)
STEPS = "expand\ta b.sql\t1\nexpand\tc.sql\t2\ndeploy\t\t\nbackfill\td.sql\t3\ncontract\te.sql\t4\n"
MIGSAFE = """#!/bin/sh
echo "migsafe $*" >> "$LOG"
while [ "$1" != --output ]; do shift; done
printf '%s' "$STEPS" > "$2"
if [ "$3" = --report ] && [ -z "$UNREADABLE" ]; then echo page > "$4"; fi
exit "$REHEARSED"
"""
HOOKS = """
migrate() { echo "migrate $1, $2" >> "$LOG"; cat > /dev/null; [ "$1" != "$REFUSED" ]; }
deploy_canary() { echo canary >> "$LOG"; [ -z "$SICK" ]; }
promote() { echo promote >> "$LOG"; [ -z "$STUCK" ]; }
roll_back() { echo roll back >> "$LOG"; }
"""
EXPAND = ["migrate a b.sql, 1", "migrate c.sql, 2"]
REST = ["migrate d.sql, 3", "migrate e.sql, 4"]


@pytest.mark.parametrize(
    ("settings", "code", "did"),
    [
        pytest.param({}, 0, [*EXPAND, "canary", "promote", *REST], id="all phases passed"),
        pytest.param({"REHEARSED": "1"}, 1, [], id="a phase failed"),
        pytest.param({"REHEARSED": "2"}, 2, [], id="something was not tried"),
        pytest.param({"SICK": "yes"}, 1, [*EXPAND, "canary", "roll back"], id="the canary fails"),
        pytest.param({"STUCK": "yes"}, 1, [*EXPAND, "canary", "promote", "roll back"], id="the promotion fails"),
        pytest.param({"REHEARSED": "2", "UNREADABLE": "yes"}, 2, [], id="an error without a page"),
        pytest.param({"REFUSED": "d.sql"}, 1, [*EXPAND, "canary", "promote", "migrate d.sql, 3"], id="a migration fails after the promotion"),
        pytest.param({"REFUSED": "a b.sql"}, 1, EXPAND[:1], id="a migration fails"),
    ],
)
def test_the_order_of_a_deployment(tmp_path: Path, settings: dict[str, str], code: int, did: list[str]) -> None:
    assert SCRIPT is not None
    for name, text in (("deploy.sh", SCRIPT[1]), ("migsafe", MIGSAFE), ("hooks", HOOKS)):
        (tmp_path / name).write_text(text)
    (tmp_path / "migsafe").chmod(0o755)
    environment = {"STEPS": STEPS, "REHEARSED": "0", "REFUSED": "", "SICK": "", "STUCK": "", "UNREADABLE": "", **settings}
    environment |= {"PATH": f"{tmp_path}:{os.environ['PATH']}", "LOG": str(tmp_path / "log"), "DEPLOY_HOOKS": str(tmp_path / "hooks")}
    done = subprocess.run(["sh", "deploy.sh", "v41"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    rehearsal, *rest = (tmp_path / "log").read_text().splitlines()
    assert rehearsal.startswith("migsafe rehearse --since v41 --format steps --output ")
    assert (rest, done.returncode) == (did, code), done.stderr
    assert ("rehearsal.html says why" in done.stderr) == (environment["REHEARSED"] != "0" and not environment["UNREADABLE"])
    assert ("The new release is stopped" in done.stderr) == ("roll back" in did)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("tmp.")] == []
