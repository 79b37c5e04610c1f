"""What a user installs: a wheel, an editable install, or nothing but the checkout."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[1]
IMPORTABLE = """
import importlib.util, migsafe.rules.locking
print(migsafe.rules.locking.__path__[0])
print([name for name in ("migsafe", "tests", "benchmarks", "fixtures", "docs", "action") if importlib.util.find_spec(f"migsafe.{name}")])
"""


def environment(folder: Path) -> Path:
    """Makes a virtual environment with the dependencies of the one that runs the tests, and without migsafe; returns its scripts."""
    venv.create(folder, with_pip=False)
    paths = {"base": str(folder), "platbase": str(folder)}
    borrowed = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (Path(sysconfig.get_path("purelib", vars=paths)) / "borrowed.pth").write_text("\n".join(borrowed))
    return Path(sysconfig.get_path("scripts", vars=paths))


def install(scripts: Path, *what: str) -> None:
    run(str(scripts / "python"), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--ignore-installed", *what)


def run(*command: str, expected: int = 0, folder: Path | None = None) -> str:
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "FORCE_COLOR")}
    folder = folder or Path(command[0]).parent
    result = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=variables, check=False)
    assert result.returncode == expected, result.stdout + result.stderr
    return result.stdout


def test_the_requirement_of_init_installs_this_revision(tmp_path: Path) -> None:
    scripts = environment(tmp_path / "venv")
    checkout = tmp_path / "checkout"
    run("git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(checkout), folder=tmp_path)
    what = "from migsafe.setup.installation import requirement; print(requirement())"
    wanted = run(sys.executable, "-c", what, folder=checkout).strip()
    commit = run("git", "rev-parse", "HEAD", folder=checkout).strip()
    assert wanted == f"git+{ROOT.as_uri()}@{commit}"
    install(scripts, "--no-build-isolation", wanted)
    assert run(str(scripts / "python"), "-c", what, folder=tmp_path).strip() == wanted


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an environment in which the wheel is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))
    [built] = folder.glob("migsafe_cli-*.whl")
    scripts = environment(folder / "venv")
    install(scripts, str(built))
    return scripts


@pytest.fixture(scope="module")
def editable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an environment with an editable install."""
    scripts = environment(tmp_path_factory.mktemp("editable") / "venv")
    install(scripts, "--no-build-isolation", "--editable", str(ROOT))
    return scripts


def test_the_wheel_lints_with_the_rules_it_carries(wheel: Path) -> None:
    assert "error drop-table" in run(str(wheel / "migsafe"), "lint", str(ROOT / "fixtures" / "shop"), expected=1)


def test_the_wheel_contains_the_rules_and_nothing_else_of_the_checkout(wheel: Path) -> None:
    rules, others = run(str(wheel / "python"), "-c", IMPORTABLE).splitlines()
    assert Path(rules).parts[-3:] == ("migsafe", "rules", "locking")
    assert ROOT not in Path(rules).parents
    assert others == "[]"


def test_an_editable_install_finds_the_rules_and_nothing_else_of_the_checkout(editable: Path) -> None:
    assert run(str(editable / "python"), "-c", IMPORTABLE).splitlines() == [str(ROOT / "rules" / "locking"), "[]"]


def test_a_checkout_finds_the_rules_and_nothing_else_beside_them() -> None:
    assert run(sys.executable, "-c", IMPORTABLE, folder=ROOT).splitlines() == [str(ROOT / "rules" / "locking"), "[]"]


def test_the_description_s_links_work_outside_the_repository(wheel: Path) -> None:
    metadata = run(str(wheel / "python"), "-c", "from importlib.metadata import metadata; print(metadata('migsafe-cli').as_string())")
    repository = re.search(r"repo: (\S+)", (ROOT / ".pre-commit-hooks.yaml").read_text())
    assert repository is not None
    assert f"Project-URL: Source, {repository[1]}\n" in metadata
    targets = re.findall(r"\]\(([^)#]+)", metadata)
    assert f"{repository[1]}/blob/main/docs/ci.md" in targets
    assert [target for target in targets if not target.startswith("https://")] == []
