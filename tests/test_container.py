"""The container image, as far as it can be checked without Docker: what the Dockerfile copies exists, reaches the build, and is all that an
installation needs."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.test_wheel import ROOT, environment, install, run

DOCKERFILE = (ROOT / "Dockerfile").read_text()
COPIES = [shlex.split(line)[1:] for line in DOCKERFILE.splitlines() if line.startswith("COPY ") and "--from" not in line]


@pytest.mark.process
def test_what_is_copied_is_all_that_an_installation_needs(tmp_path: Path) -> None:
    included = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    source = tmp_path / "src"
    source.mkdir()
    for *names, _ in COPIES:
        for name in names:
            assert name in included
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, source)
    scripts = environment(tmp_path / "venv")
    install(scripts, "--no-build-isolation", str(source))
    assert "error drop-table" in run(str(scripts / "migsafe"), "lint", str(ROOT / "fixtures" / "shop"), expected=1)


def test_base_images_are_pinned_and_the_user_is_not_root() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    [pinned] = re.findall(r"^ARG POSTGRES=(.*)", DOCKERFILE, re.MULTILINE)
    assert set(bases) == {"postgres:${POSTGRES}"}
    assert re.fullmatch(r"\d+\.\d+-bookworm", pinned)
    assert re.findall(r"^USER (.*)", DOCKERFILE, re.MULTILINE)[-1] == "1000"
