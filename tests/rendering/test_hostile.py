"""Scripts that do harm: each affects only itself. The worker contains faults; it is not a sandbox."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from migsafe.rendering.renderer import Renderer
from migsafe.rendering.worker_environment import worker_environment
from tests.rendering.conftest import after, called, program, script, sent

pytestmark = pytest.mark.process

DROP = 'op.drop_column("a", "x")'
DROPPED = "ALTER TABLE a DROP COLUMN x;"


@pytest.fixture(scope="module")
def quick() -> Iterator[Renderer]:
    with Renderer(seconds=1) as renderer:
        yield renderer


HARMFUL = {
    "while True: pass": ("it exceeds the time limit", "while True: pass"),
    """
    while True:
        try:
            op.get_bind().execute(sa.text("SELECT 1")).scalar()
        except BaseException:
            pass
    """: ("it exceeds the time limit", None),
    "sum(range(10**13))": ("it exceeds the time limit", None),
    "import sys; sys.exit(3)": ("it ends the process here, with sys.exit()", "sys.exit(3)"),
    "import os; os._exit(3)": ("it ends the process here", "os._exit(3)"),
    "import os, signal; os.kill(os.getpid(), signal.SIGKILL)": ("it fails here with Forbidden: signals (os.kill) are not allowed here", None),
    "import ctypes; ctypes.string_at(0)": ("it ends its worker process", None),
    "raise BaseException('no')": (None, None),
    "x = bytearray(1 << 40)": ("it needs more memory than the limit", "bytearray(1 << 40)"),
    "f = lambda: f(); f()": ("its calls are nested too deeply", "f()"),
    "import socket; socket.create_connection(('127.0.0.1', 5432))": (
        "it fails here with Forbidden: the network (socket.getaddrinfo) is not allowed here",
        "socket.create_connection(('127.0.0.1', 5432))",
    ),
    "import urllib.request; urllib.request.urlopen('http://192.0.2.1/')": ("it fails here with", None),
    "import subprocess; subprocess.run(['true'])": ("it fails here with Forbidden: other programs", None),
}


@pytest.mark.parametrize("body", HARMFUL)
def test_a_harmful_script_affects_only_itself(quick: Renderer, body: str) -> None:
    reason, call = HARMFUL[body]
    half = quick.render_half(program(script(f"{DROP}\n{dedent(body).strip()}")), after(""))
    assert half.program is not None
    last = half.program.calls[-1]
    if reason is not None:
        assert last.opaque.startswith(reason)
    if call is not None:
        assert called(half)[-1] == call
    if reason is None or "worker process" not in reason:
        assert reason is None or "time limit" in reason or sent(half)[0] == DROPPED
    assert sent(quick.render_half(program(script(DROP)), after(""))) == [DROPPED]


def test_output_of_a_script_is_discarded(quick: Renderer, capfd: pytest.CaptureFixture[str]) -> None:
    half = quick.render_half(
        program(
            script(
                f"""
                import os, sys
                print("x" * 1000000)
                os.write(1, b"y" * 1000000)
                sys.stderr.write("z" * 1000000)
                assert sys.stdin.read() == ""
                {DROP}
                """
            )
        ),
        after(""),
    )
    assert sent(half) == [DROPPED]
    assert capfd.readouterr() == ("", "")


PATCHES = (
    "op.drop_column = None",
    "import alembic.op; del alembic.op.drop_column",
    "sa.Column.__init__ = None",
    "import builtins; builtins.len = lambda _: 7",
    "import os; os.getcwd = None",
    "from alembic.operations import Operations; Operations.drop_column = lambda *_: None",
    "setattr(sa, 'text', None)",
    "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()",
)


@pytest.mark.parametrize("patch", PATCHES)
def test_later_scripts_do_not_see_a_changed_module(quick: Renderer, patch: str) -> None:
    quick.render_half(program(script(patch)), after(""))
    assert sent(
        quick.render_half(program(script(f'{DROP}\nop.add_column("a", sa.Column("y", sa.Text()))\nop.execute(sa.text("SELECT 1"))')), after(""))
    ) == [
        DROPPED,
        "ALTER TABLE a ADD COLUMN y TEXT;",
        "SELECT 1;",
    ]


def test_a_script_cannot_change_files(quick: Renderer, tmp_path: Path) -> None:
    file = tmp_path / "0001_first.py"
    file.write_text("kept")
    bodies = (
        f"import os; os.remove({str(file)!r})",
        f"import shutil; shutil.rmtree({str(tmp_path)!r})",
        f"open({str(file)!r}, 'w')",
        f"import pathlib; pathlib.Path({str(file)!r}).rename({str(tmp_path / 'other')!r})",
    )
    for body in bodies:
        half = quick.render_half(program(script(body), path=str(tmp_path / "0002_it.py")), after(""))
        assert sent(half)[0].startswith("[it fails here with Forbidden: file changes")
    assert file.read_text() == "kept"


def test_a_script_does_not_get_the_database_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGPASSWORD", "DATABASE_URL", "SQLALCHEMY_DATABASE_URI", "DB_DSN", "SECRET_KEY"):
        monkeypatch.setenv(name, "postgresql://shop:secret@production/shop")
    assert not [name for name, value in worker_environment().items() if "production" in value]
    with Renderer() as renderer:
        half = renderer.render_half(program(script("import os; op.execute(f\"SELECT '{sorted(os.environ)}'\")")), after(""))
    assert "PGHOST" not in half.script.text
    assert "PATH" in half.script.text


RUN = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job inherits an ignored SIGINT
from migsafe.rendering.renderer import Renderer
from tests.rendering.conftest import after, program, script
renderer = Renderer(seconds=60)
renderer.render_half(program(script("pass")), after(""))
print(renderer._process._process.pid, flush=True)
renderer.render_half(program(script("while True: pass")), after(""))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_the_worker_ends_with_its_parent(number: int) -> None:
    with subprocess.Popen([sys.executable, "-c", RUN], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        worker = int(process.stdout.readline())
        time.sleep(0.2)
        process.send_signal(number)
        process.wait()
    deadline = time.monotonic() + 10
    while is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(worker)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/status")
    return not (status.exists() and "State:\tZ" in status.read_text())
