"""Runs of `migsafe` that start as quickly as a fork: a process that has loaded the engine, but not the rules, forks for each of them.

A fork answers staleness questions as a new process does. The cache looks at the files of all loaded modules when it keeps an answer, whenever
they were loaded, and the fork has its own environment, folder and standard streams. What a new process loads or costs, and what happens when
the engine's own files change, is for tests that start one.
"""

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from subprocess import PIPE, Popen
from typing import IO, NamedTuple

ROOT = Path(__file__).parents[2]


class Outcome(NamedTuple):
    """What a run wrote, its exit code, whether the engine ran, and the modules that it loaded beyond the server's."""

    code: int
    out: str
    err: str
    worked: bool
    modules: set[str]


class ForkServer:
    """The process that forks. To be used as a context manager."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "tests.support.fork_server"]
        self._process = Popen(command, stdin=PIPE, stdout=PIPE, text=True, cwd=ROOT, env={**environment, "PYTHONPATH": str(ROOT)})

    def __enter__(self) -> "ForkServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(self, arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str], stdin: str = "") -> Outcome:
        """Runs `migsafe` with these arguments in a folder."""
        assert self._process.stdin
        assert self._process.stdout
        with tempfile.TemporaryDirectory() as streams:
            for name, text in (("in", stdin), ("out", ""), ("err", "")):
                Path(streams, name).write_text(text)
            request = {"arguments": arguments, "folder": str(folder), "environment": dict(environment), "streams": streams}
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            reply = json.loads(self._process.stdout.readline())
            out, err = Path(streams, "out").read_text(), Path(streams, "err").read_text()
        return Outcome(reply["code"], out, err.rstrip("\n"), reply["worked"], set(reply["modules"]))


def _serve(requests: IO[str], replies: IO[str]) -> None:
    from migsafe import __main__  # noqa: F401, PLC0415
    from migsafe.cache import memory, trace, watch  # noqa: F401, PLC0415
    from migsafe.cli import linting  # noqa: F401, PLC0415
    from migsafe.cli.application import application  # noqa: PLC0415
    from migsafe.library import lint  # noqa: F401, PLC0415

    application()  # loads the commands

    # A file that was written just now is believed to be as it was when a later run finds it so.
    trace.TICK = 0
    loaded = set(sys.modules)
    for line in requests:
        ours, theirs = os.pipe()
        process = os.fork()
        if not process:
            os.close(ours)
            _run(json.loads(line), theirs, loaded)
        os.close(theirs)
        with os.fdopen(ours) as pipe:
            reply = pipe.read()
        os.waitpid(process, 0)
        replies.write(reply or json.dumps({"code": -1, "worked": False, "modules": []}))
        replies.write("\n")
        replies.flush()


def _run(request: dict[str, object], reply: int, loaded: set[str]) -> None:
    from migsafe import __main__ as command  # noqa: PLC0415

    streams = Path(str(request["streams"]))
    for number, name, flags in ((0, "in", os.O_RDONLY), (1, "out", os.O_WRONLY), (2, "err", os.O_WRONLY)):
        os.dup2(os.open(streams / name, flags), number)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
    environment = request["environment"]
    assert isinstance(environment, dict)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(str(request["folder"]))
    sys.argv = ["migsafe", *map(str, request["arguments"])]  # type: ignore[call-overload]
    worked = False
    run = command._run

    def working(key: object) -> int:
        nonlocal worked
        worked = True
        return run(key)  # type: ignore[arg-type]

    command._run = working  # type: ignore[assignment]
    code = 1
    try:
        code = command.main()
    except SystemExit as exit:
        code = int(exit.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        with os.fdopen(reply, "w") as pipe:
            json.dump({"code": code, "worked": worked, "modules": sorted(set(sys.modules) - loaded)}, pipe)
        os._exit(0)


if __name__ == "__main__":
    _serve(sys.stdin, sys.stdout)
