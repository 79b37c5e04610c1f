"""What a user installs: the wheel, in an environment that has never seen the checkout."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed from a wheel; its dependencies are borrowed from the environment that runs the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))
    [wheel] = folder.glob("migsafe_cli-*.whl")
    venv.create(folder / "venv", with_pip=False)
    paths = {"base": str(folder / "venv"), "platbase": str(folder / "venv")}
    packages, scripts = Path(sysconfig.get_path("purelib", vars=paths)), Path(sysconfig.get_path("scripts", vars=paths))
    python = scripts / "python"
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    run(str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--ignore-installed", str(wheel))
    return scripts / "migsafe"


def run(*command: str, expected: int = 0) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "FORCE_COLOR")}
    result = subprocess.run(command, capture_output=True, text=True, cwd=Path(command[0]).parent, env=environment, check=False)
    assert result.returncode == expected, result.stdout + result.stderr
    return result.stdout


def test_the_wheel_lints_with_the_rules_it_carries(installed: Path) -> None:
    assert "error drop-table" in run(str(installed), "lint", str(ROOT / "fixtures" / "shop"), expected=1)


def test_the_wheel_brings_its_rules_as_a_package(installed: Path) -> None:
    where = run(str(installed.parent / "python"), "-c", "import migsafe.rules.locking as it; print(it.__path__[0])").strip()
    assert Path(where).parts[-3:] == ("migsafe", "rules", "locking")
    assert ROOT not in Path(where).parents
